"""The library's classifiers give what the reference implementations give, weight for weight."""

from __future__ import annotations

import pytest
import timm
import torch
import torchvision
from torch import nn

import archdsl
from tests.specs.references import (
    CLASSIFIERS,
    carried,
    difference,
    images,
    named,
    ours,
    randomised,
    reference,
)

TOLERANCE = 1e-4

# Small images keep the large ones affordable; TensorFlow's padding depends on whether a size is odd, and
# pytorchcv pools 7x7.
SIZES = {
    "alexnet": (63, 96),
    "bninception": (224, 224),
    "googlenet": (97, 64),
    "inception_v3": (75, 96),
    "legacy_xception": (75, 96),
    "shufflenet_v1_g3": (224, 224),
    "shufflenet_v1_g8": (224, 224),
    "tf_efficientnet_b0": (97, 64),
    "tf_efficientnetv2_s": (97, 64),
}
COMPARED = (
    "alexnet",
    "bninception",
    "convnext_tiny",
    "densenet121",
    "densenet161",
    "dla34",
    "dla60",
    *(f"efficientnet_b{number}" for number in range(8)),
    "hrnet_w18",
    "googlenet",
    "inception_v3",
    "legacy_senet154",
    "legacy_seresnet50",
    "legacy_seresnext50_32x4d",
    "legacy_xception",
    "mnasnet1_0",
    "mobilenet_v1",
    "mobilenet_v2",
    "mobilenet_v3_large",
    "mobilenet_v3_small",
    "regnet_y_400mf",
    "regnet_y_8gf",
    "resnet18",
    "resnet50",
    "resnet50c",
    "resnet50d",
    "resnext50_32x4d",
    "seresnet50",
    "shufflenet_v1_g3",
    "shufflenet_v1_g8",
    "shufflenet_v2_x0_5",
    "shufflenet_v2_x2_0",
    "squeezenet1_0",
    "squeezenet1_1",
    "tf_efficientnet_b0",
    "tf_efficientnet_lite0",
    "tf_efficientnetv2_b0",
    "tf_efficientnetv2_s",
    "vgg16",
    "vgg16_bn",
    "vgg19_bn",
    "wide_resnet50_2",
)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize("name", COMPARED)
def test_a_classifier_with_the_references_weights_gives_the_references_output(name: str) -> None:
    theirs = randomised(reference(name))
    x = images(*SIZES.get(name, (64, 64)))
    assert difference(named(theirs, ours(name)), theirs, x) <= TOLERANCE


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_every_classifier_has_the_references_names_shapes_and_parameters(name: str) -> None:
    theirs = reference(name)
    assert shapes(ours(name)) == shapes(theirs)
    assert archdsl.load(name).params == sum(parameter.numel() for parameter in theirs.parameters())


def shapes(module: nn.Module) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in module.state_dict().items()}


@pytest.mark.parametrize("stride", [8, 16])
def test_a_dilated_resnet_is_torchvisions(stride: int) -> None:
    with torch.device("meta"):
        dilated = (False, stride == 8, True)
        theirs = torchvision.models.resnet50(replace_stride_with_dilation=dilated).eval()
    module = named(randomised(theirs), ours(f"resnet50 output_stride={stride}"))
    assert difference(module, theirs, images(97, 64)) <= TOLERANCE


def test_regnety_with_the_nearest_widths_is_timms() -> None:
    with torch.device("meta"):
        theirs = timm.create_model("regnety_080").eval()
    stages = {f"s{number}": f"trunk_output.block{number}" for number in range(1, 5)}
    module = carried(
        randomised(theirs),
        ours("regnet_y [[2, 168], [4, 448], [10, 896], [1, 2016]] 56"),
        {"stem": "stem", **stages, "head.fc": "fc"},
    )
    assert sum(parameter.numel() for parameter in module.parameters()) == 39_180_068
    assert difference(module, theirs, images(64, 64)) <= TOLERANCE


@pytest.mark.parametrize("stride", [8, 16])
@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_a_dilated_resnet_is_timms(name: str, stride: int) -> None:
    with torch.device("meta"):
        theirs = timm.create_model(name, output_stride=stride).eval()
    module = named(randomised(theirs), ours(f"{name} output_stride={stride}"))
    assert difference(module, theirs, images(64, 64)) <= TOLERANCE
