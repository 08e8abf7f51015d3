"""Segmentation networks that are no U-Net against torchvision, segmentation_models.pytorch, their papers."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import segmentation_models_pytorch as smp
import torch
import torchvision
from torch import Tensor, nn

import archdsl
from tests.specs.references import carried, disagreement, images, ours, randomised

TOLERANCE = 1e-4


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


# ---- torchvision -----------------------------------------------------------------------------------

# With 21 classes: as it is used, and with the auxiliary classifier of training.
TORCHVISION = {
    "fcn_resnet50": (32_957_013, 35_322_218),
    "fcn_resnet101": (51_949_141, 54_314_346),
    "deeplabv3_resnet50": (39_638_869, 42_004_074),
    "deeplabv3_resnet101": (58_630_997, 60_996_202),
    "deeplabv3_mobilenet_v3_large": (11_025_477, 11_029_328),
    "lraspp_mobilenet_v3_large": (3_221_538, 3_221_538),
}
TORCHVISION_NODES = {"backbone": "encoder", "classifier": "head"}
COMPARED = [name for name in TORCHVISION if "101" not in name]


def torchvisions(name: str, **options: object) -> nn.Module:
    with torch.device("meta"):
        model: nn.Module = torchvision.models.get_model(name, weights=None, weights_backbone=None, **options)
    return model.eval()


@pytest.mark.parametrize("name", TORCHVISION)
def test_a_model_has_torchvisions_parameters_with_and_without_what_only_training_has(name: str) -> None:
    found = archdsl.load(name)
    assert isinstance(found, archdsl.Architecture)
    with torch.device("meta"):
        module = found.to_torch(inference=True)
    assert (parameters(module), found.params) == TORCHVISION[name]
    assert parameters(torchvisions(name)) == TORCHVISION[name][0]


@pytest.mark.parametrize("name", COMPARED)
def test_a_model_with_torchvisions_weights_gives_its_output(name: str) -> None:
    has_aux = TORCHVISION[name][0] != TORCHVISION[name][1]
    theirs = randomised(torchvisions(name, **({"aux_loss": True} if has_aux else {})))
    nodes = {**TORCHVISION_NODES, **({"aux_classifier": "aux"} if has_aux else {})}
    module = carried(theirs, ours(name), nodes)
    x = images(65, 97)
    with torch.inference_mode():
        wanted = theirs(x)
        assert disagreement(module(x), wanted["out"]) <= TOLERANCE
        if has_aux:
            assert disagreement(in_training(module)(x)["aux"], wanted["aux"]) <= TOLERANCE


def in_training(module: nn.Module) -> nn.Module:
    """The module with all of its outputs, while batch norms and dropouts stay as they are."""
    module.training = True
    return module


@pytest.mark.parametrize("name", [name for name in TORCHVISION if "lraspp" not in name])
def test_the_auxiliary_loss_has_the_weight_that_torchvision_trains_with(name: str) -> None:
    assert ours(name).loss_weights == {"out": 1.0, "aux": 0.5}


# ---- segmentation_models.pytorch --------------------------------------------------------------------

SMP_NODES = {"encoder": "encoder", "decoder": "decoder", "segmentation_head.0": "head"}
SMP: dict[str, tuple[type[nn.Module], int, Mapping[str, str]]] = {
    # smp carries two levels of the encoder that nothing reads.
    "pspnet_resnet34": (smp.PSPNet, 1_501_217, {**SMP_NODES, "decoder": "context"}),
    "deeplabv3_resnet34": (
        smp.DeepLabV3,
        26_007_105,
        {
            "encoder": "encoder",
            "decoder.aspp": "head.0",
            "decoder.conv": "head.1",
            "decoder.bn": "head.2",
            "segmentation_head.0": "head.4",
        },
    ),
    "deeplabv3plus_resnet34": (
        smp.DeepLabV3Plus,
        22_437_457,
        {
            "encoder": "encoder",
            "decoder.aspp.0": "decoder.aspp",
            "decoder.aspp.1": "decoder.deep.0",
            "decoder.aspp.2": "decoder.deep.1",
            "decoder.block1": "decoder.low_level",
            "decoder.block2": "decoder.fuse",
            "segmentation_head.0": "head",
        },
    ),
}


@pytest.mark.parametrize("name", SMP)
def test_a_model_with_smps_weights_gives_its_output(name: str) -> None:
    make, count, nodes = SMP[name]
    assert archdsl.load(name).params == count
    with torch.device("meta"):
        theirs = make("resnet34", encoder_weights=None).eval()
    module = carried(randomised(theirs), ours(name), nodes)
    x = images(128, 160)
    with torch.inference_mode():
        assert disagreement(module(x), theirs(x)) <= TOLERANCE


# ---- of any encoder -----------------------------------------------------------------------------------

DECODERS = (
    "context psp | head 3x3 out=2",
    "head deeplabv3_head out=2",
    "head fcn_head out=2",
    "lraspp_head 2 as head | interpolate like=@input",
    "levels [1, 4] | deeplabv3plus as decoder | head 1x1 out=2",
)


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("encoder", ["mobilenet_v2", "effnet_b0"])
def test_a_decoder_takes_any_encoder_and_odd_sizes_and_trains_all_it_has(encoder: str, decoder: str) -> None:
    module = ours(f"encoder {encoder} | {decoder}").train()
    x = torch.empty(2, 3, 97, 131, device="meta")
    made = module(x)
    assert isinstance(made, Tensor)
    assert made.shape == (2, 2, 97, 131)
    made.sum().backward()
    assert [name for name, parameter in module.named_parameters() if parameter.grad is None] == []
