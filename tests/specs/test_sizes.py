"""Parameters, multiply-adds and levels of the library against what others measured or publish."""

from __future__ import annotations

import pytest
import timm
import torch
from torchvision.models import get_model_weights

import archdsl
from tests.specs.references import CLASSIFIERS, TORCHVISION, disagreement, images, ours, randomised

# Trainable parameters with 1,000 classes, counted in torchvision 0.29 and timm 1.0.
PARAMETERS = {
    "vgg11": 132_863_336,
    "vgg13": 133_047_848,
    "vgg16": 138_357_544,
    "vgg16_bn": 138_365_992,
    "vgg19": 143_667_240,
    "vgg19_bn": 143_678_248,
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
    "resnext50_32x4d": 25_028_904,
    "mobilenet_v2": 3_504_872,
    "seresnet50": 28_088_024,
    "seresnet101": 49_326_872,
    "seresnet152": 66_821_848,
    "efficientnet_b0": 5_288_548,
    "efficientnet_b1": 7_794_184,
    "efficientnet_b2": 9_109_994,
    "efficientnet_b3": 12_233_232,
    "efficientnet_b4": 19_341_616,
    "efficientnet_b5": 30_389_784,
    "efficientnet_b6": 43_040_704,
    "efficientnet_b7": 66_347_960,
    "tf_efficientnet_b0": 5_288_548,
    "tf_efficientnet_b1": 7_794_184,
    "tf_efficientnet_b2": 9_109_994,
    "tf_efficientnet_b3": 12_233_232,
    "tf_efficientnet_b4": 19_341_616,
    "tf_efficientnet_b5": 30_389_784,
    "tf_efficientnet_b6": 43_040_704,
    "tf_efficientnet_b7": 66_347_960,
}

# Encoders of segmentation_models.pytorch 0.6 on the same classifiers: nothing follows the last level.
ENCODER_PARAMETERS = {
    "resnet34": 21_284_672,
    "resnet50": 23_508_032,
    "vgg16": 14_714_688,
    "vgg16_bn": 14_723_136,
    "tf_efficientnet_b0": 3_595_388,
}

# timm's names of networks that it writes differently; its levels are those of the same network.
TIMM_NAMES = {"mobilenet_v2": "mobilenetv2_100"}
ENCODERS = [name for name in CLASSIFIERS if not name.startswith(("seresnet18", "seresnet34", "vgg13"))]


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_model_has_the_published_number_of_parameters(name: str) -> None:
    assert archdsl.load(name).params == PARAMETERS[name]


@pytest.mark.parametrize("name", TORCHVISION)
def test_multiply_adds_are_those_that_torchvision_states(name: str) -> None:
    weights = get_model_weights(name)["IMAGENET1K_V1"]
    assert archdsl.load(name).macs / 1e9 == pytest.approx(weights.meta["_ops"], abs=5e-4)


@pytest.mark.parametrize("number", [0, 1, 3, 4, 5, 6, 7])  # torchvision measured b2 at another size
def test_multiply_adds_of_an_efficientnet_are_those_that_torchvision_states(number: int) -> None:
    weights = get_model_weights(f"efficientnet_b{number}")["IMAGENET1K_V1"]
    for family in ("efficientnet", "tf_efficientnet"):
        macs = archdsl.load(f"{family}_b{number}").macs
        assert macs / 1e9 == pytest.approx(weights.meta["_ops"], abs=5e-4)


@pytest.mark.parametrize("name", ENCODER_PARAMETERS)
def test_an_encoder_has_nothing_after_its_last_level(name: str) -> None:
    assert archdsl.load(f"encoder {name}").params == ENCODER_PARAMETERS[name]


@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder_has_timms_levels(name: str) -> None:
    with torch.device("meta"):
        info = timm.create_model(TIMM_NAMES.get(name, name), features_only=True).feature_info
    assert levels(name) == list(zip(info.channels(), info.reduction(), strict=True))


def test_the_plain_encoder_starts_at_the_images_own_resolution() -> None:
    assert levels("plain") == [(16, 1), (32, 2), (64, 4), (128, 8), (256, 16)]


def levels(encoder: str) -> list[tuple[int, int]]:
    """Channels and stride of each level."""
    network = archdsl.load(f"encoder {encoder}").network
    outputs = [network.operations[output.value - 1] for output in network.outputs]
    return [(operation.shape.channels, int(operation.stride or 0)) for operation in outputs]


@pytest.mark.parametrize("name", ["efficientnet_b0", "seresnet18", "vgg11_bn"])
def test_levels_are_the_maps_that_timm_gives(name: str) -> None:
    with torch.device("meta"):
        theirs = timm.create_model(name, features_only=True).eval()
    module = ours(f"encoder {name}")
    # timm writes scopes of its features with underscores (`features_0`); the order is the same.
    randomised(module)
    theirs.load_state_dict(
        dict(zip(theirs.state_dict(), module.state_dict().values(), strict=True)), assign=True
    )
    x = images(64, 64)
    with torch.inference_mode():
        for got, wanted in zip(module(x), theirs(x), strict=True):
            assert disagreement(got, wanted) <= 1e-4
