"""U-Net and UNet++ by recipe against what their authors and segmentation_models.pytorch have."""

from __future__ import annotations

import pytest
import segmentation_models_pytorch as smp
import torch
from torch import nn

import archdsl
from tests.specs.references import carried, disagreement, images, ours, randomised

UNET = """
input 1x512x512

def unit(width) = (conv 3x3 width | relu | dropout 0.5) * 2

encoder plain widths=[32, 64, 128, 256, 512] block=unit
| {skip}
| up transpose channels=[256, 128, 64, 32] block=unit
| head 1x1 out=1 {head}
"""


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def unet(skip: str, head: str = "") -> archdsl.Architecture:
    found = archdsl.load(UNET.format(skip=skip, head=head))
    assert isinstance(found, archdsl.Architecture)
    return found


# ---- the sizes that the authors of UNet++ give ----------------------------------------------------


def test_the_unet_has_7_759_521_parameters() -> None:
    assert unet("skip plain").params == archdsl.load("unet").params == 7_759_521


def test_the_nested_unet_has_9_041_601_parameters() -> None:
    assert unet("skip nested").params == archdsl.load("unetpp").params == 9_041_601


def test_three_more_heads_in_training_add_99_parameters() -> None:
    deep = unet("skip nested", "supervise=deep")
    assert deep.params == 9_041_700
    assert sum(parameter.numel() for parameter in deep.to_torch().parameters()) == 9_041_700


@pytest.mark.parametrize(
    ("form", "depth", "parameters"),
    [
        ("plain", 1, 100_961),
        ("plain", 2, 465_953),
        ("plain", 3, 1_925_025),
        ("nested", 1, 100_961),
        ("nested", 2, 511_105),
        ("nested", 3, 2_204_961),
        ("nested", 4, 9_041_601),
    ],
)
def test_a_shallower_decoder_has_the_published_parameters(form: str, depth: int, parameters: int) -> None:
    assert unet(f"skip {form} depth={depth}").params == parameters


# ---- only what is used is built ------------------------------------------------------------------

LEVELS = {
    "effnet_b0": ["blocks.0", "blocks.1", "blocks.2", "blocks.4", "blocks.6"],
    "resnet34": ["conv1", "layer1", "layer2", "layer3", "layer4"],
    "plain": ["x0_0", "x1_0", "x2_0", "x3_0", "x4_0"],
}


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
@pytest.mark.parametrize("encoder", LEVELS)
def test_a_nested_decoder_builds_only_the_levels_that_it_uses(encoder: str, depth: int) -> None:
    module = ours(f"encoder {encoder} | skip nested depth={depth} | up transpose | head 1x1 out=2")
    keys = module.state_dict().keys()
    built = [level for level in LEVELS[encoder] if any(key.startswith(f"encoder.{level}.") for key in keys)]
    assert built == LEVELS[encoder][: depth + 1]
    assert "encoder.conv_head.weight" not in module.state_dict()


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_shallower_nested_network_is_a_part_of_the_deepest(depth: int) -> None:
    line = "encoder effnet_b0 | skip nested depth={} | up transpose | head 1x1 out=2 supervise=deep"
    deepest = shapes(ours(line.format(4)))
    for key, shape in shapes(ours(line.format(depth))).items():
        head = key.replace("head.", f"head{depth}.") if key.startswith("head.") else key
        top = head.replace("decoder.top1.", f"decoder.top1_{depth}.")
        assert deepest[top] == shape


def shapes(module: nn.Module) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in module.state_dict().items()}


# ---- segmentation_models.pytorch -----------------------------------------------------------------

RESNET34 = "encoder resnet34 | skip plain | up nearest channels=[256, 128, 64, 32, 16] | head 3x3 out=1"
EFFICIENTNET = """
encoder tf_efficientnet_b0 taps=[act1, blocks.1, blocks.2, {}, blocks.6]
| skip plain | up nearest channels=[256, 128, 64, 32, 16] | head 3x3 out=1
"""
NODES = {
    "encoder": "encoder",
    **{
        f"decoder.blocks.{n}": f"decoder.{node}"
        for n, node in enumerate(("x3_1", "x2_2", "x1_3", "x0_4", "top1"))
    },
    "segmentation_head": "head",
}


@pytest.fixture(scope="module")
def resnet34() -> nn.Module:
    return randomised(smp.Unet("resnet34", encoder_weights=None).eval())


@pytest.mark.parametrize("size", [(64, 96), (97, 65)])
def test_a_unet_on_resnet34_is_smps(resnet34: nn.Module, size: tuple[int, int]) -> None:
    module = carried(resnet34, ours(RESNET34), NODES)
    assert sum(p.numel() for p in module.parameters()) == 24_436_369
    x = images(*size)
    with torch.inference_mode():
        assert disagreement(module(x), resnet34(x)) <= 1e-4


def test_the_library_has_that_unet() -> None:
    assert archdsl.load("unet_resnet34").identity == archdsl.load(RESNET34).identity


# smp reads stride 16 after the first block of 112 channels, number 8 of all; the last of them is number 10.
@pytest.mark.parametrize(("level", "block"), [("blocks.4.0", 8), ("blocks.4", 10)])
def test_a_unet_on_efficientnet_b0_is_smps(level: str, block: int) -> None:
    theirs = randomised(smp.Unet("efficientnet-b0", encoder_weights=None).eval())
    assert theirs.encoder._out_indexes == [2, 4, 8, 15]
    theirs.encoder._out_indexes = [2, 4, block, 15]
    module = carried(theirs, ours(EFFICIENTNET.format(level)), NODES)
    decoders = [
        sum(p.numel() for name, p in model.named_parameters() if not name.startswith("encoder."))
        for model in (module, theirs)
    ]
    assert decoders[0] == decoders[1]
    x = images(224, 224, batch=1)
    with torch.inference_mode():
        assert disagreement(module(x), theirs(x)) <= 1e-4
