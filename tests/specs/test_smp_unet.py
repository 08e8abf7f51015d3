"""U-Net and UNet++ on published encoders against segmentation_models.pytorch, weight for weight."""

from __future__ import annotations

from typing import Any

import pytest
import segmentation_models_pytorch as smp
import torch
from torch import nn

import archdsl
from tests.specs.references import carried, difference, disagreement, images, ours, randomised
from tests.specs.segmenters import built

DECODER = "| skip plain | up nearest channels=[256, 128, 64, 32, 16] | head 3x3 out=1"
EFFICIENTNET = "encoder tf_efficientnet_b0 taps=[act1, blocks.1, blocks.2, {}, blocks.6]" + DECODER
TRANSITIONS = [f"features.transition{n}.relu" for n in (1, 2, 3)]
DENSENET = f"[features.relu0, {', '.join(TRANSITIONS)}, features.norm5]"
SCSE = """
def gated(width) = scse | double_conv width

encoder resnet34
| skip plain
| up nearest channels=[256, 128, 64, 32, 16] block=[gated, gated, gated, gated, double_conv] attention=scse
| head 3x3 out=1
"""


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def made(architecture: type[nn.Module], encoder: str, **options: Any) -> nn.Module:
    """smp's network, in evaluation mode, with random weights."""
    with torch.device("meta"):
        model = architecture(encoder, encoder_weights=None, **options)
    return randomised(model.eval())


def nodes(depth: int = 5) -> dict[str, str]:
    """smp's U-Net by our nodes: its blocks climb from the deepest level, the last one has no skip."""
    climbed = [f"x{depth - 2 - n}_{n + 1}" for n in range(depth - 1)] + ["top1"]
    blocks = {f"decoder.blocks.{n}": f"decoder.{node}" for n, node in enumerate(climbed)}
    return {"encoder": "encoder", **blocks, "segmentation_head": "head"}


def nested_nodes() -> dict[str, str]:
    """smp's UNet++ by our nodes: its block `x_d_l` is X[3-l, l-d+1] of the paper."""
    inner = {
        f"decoder.blocks.x_{d}_{level}": f"decoder.x{3 - level}_{level - d + 1}"
        for level in range(4)
        for d in range(level + 1)
    }
    return {
        "encoder": "encoder",
        **inner,
        "decoder.blocks.x_0_4": "decoder.top1",
        "segmentation_head": "head",
    }


def total(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


# ---- encoders --------------------------------------------------------------------------------------

# Parameters as segmentation_models.pytorch 0.6 has them with one class; VGG has its centre block.
UNETS = {
    "resnet34": 24_436_369,
    "resnet50": 32_521_105,
    "vgg16_bn": 23_756_689,
    "mobilenet_v2": 6_628_945,
    "densenet121": 13_607_633,
}


@pytest.mark.parametrize("encoder", UNETS)
def test_a_unet_of_the_library_has_smps_parameters(encoder: str) -> None:
    """tests/specs/test_segmentation.py compares what it gives."""
    assert total(built(f"unet_{encoder}")) == total(ours(f"unet_{encoder}")) == UNETS[encoder]


def test_a_unet_is_smps_at_odd_sizes() -> None:
    theirs = made(smp.Unet, "resnet34")
    assert difference(carried(theirs, ours("unet_resnet34"), nodes()), theirs, images(97, 65)) <= 1e-4


# smp reads stride 16 after the first block of 112 channels, number 8 of all; the last of them is number 10.
@pytest.mark.parametrize(("level", "block"), [("blocks.4.0", 8), ("blocks.4", 10)])
def test_a_unet_on_efficientnet_b0_is_smps(level: str, block: int) -> None:
    theirs = made(smp.Unet, "efficientnet-b0")
    assert theirs.encoder._out_indexes == [2, 4, 8, 15]
    theirs.encoder._out_indexes = [2, 4, block, 15]
    # smp keeps a last convolution that no level needs.
    module = carried(theirs, ours(EFFICIENTNET.format(level)), nodes())
    assert total(module.get_submodule("decoder")) == total(theirs.get_submodule("decoder"))
    assert difference(module, theirs, images(224, 224, batch=1)) <= 1e-4


def test_a_nested_unet_is_smps_unetplusplus() -> None:
    theirs = made(smp.UnetPlusPlus, "resnet34")
    module = carried(theirs, ours("unetpp_resnet34"), nested_nodes())
    assert total(module) == total(theirs) == 26_078_609
    assert difference(module, theirs, images(64, 96)) <= 1e-4


@pytest.mark.parametrize(
    ("architecture", "skip", "up", "places", "parameters"),
    [
        (smp.Unet, "plain", "", nodes(), 5_834_701),
        (smp.UnetPlusPlus, "nested order=newest", "inner=encoder", nested_nodes(), 6_066_221),
    ],
)
def test_decoders_on_timms_efficientnet_are_smps(
    architecture: type[nn.Module], skip: str, up: str, places: dict[str, str], parameters: int
) -> None:
    theirs = made(architecture, "tu-tf_efficientnet_b0")
    decoder = f"skip {skip} | up nearest channels=[256, 128, 64, 32, 16] {up}"
    module = carried(theirs, ours(f"encoder tf_efficientnet_b0 | {decoder} | head 3x3 out=1"), places)
    assert total(module) == total(theirs) == parameters
    assert difference(module, theirs, images(64, 96)) <= 1e-4


NESTED = (
    "| skip nested order=newest | up nearest channels=[256, 128, 64, 32, 16] inner=encoder | head 3x3 out=1"
)


# smp's dead convolution of EfficientNet, 412,160 parameters, is not built.
@pytest.mark.parametrize(
    ("encoder", "parameters"),
    [
        ("resnet18", 15_970_449),
        ("resnet50", 48_985_745),
        ("resnet101", 67_977_873),
        (f"densenet121 taps={DENSENET}", 30_072_273),
        ("mobilenet_v2 taps=[features.1, features.3, features.6, features.13, features.18]", 6_824_721),
        ("tf_efficientnet_b0 taps=[act1, blocks.1, blocks.2, blocks.4, blocks.6]", 6_569_581 - 412_160),
    ],
)
def test_a_nested_unet_has_smps_parameters(encoder: str, parameters: int) -> None:
    assert archdsl.load(f"encoder {encoder} {NESTED}").params == parameters


def test_a_nested_unet_on_vgg_is_smps() -> None:
    """smp builds a centre block there, 4,720,640 parameters, and never uses it."""
    theirs = made(smp.UnetPlusPlus, "vgg16_bn")
    taps = "[features.12, features.22, features.32, features.42, features.43]"
    module = carried(theirs, ours(f"encoder vgg16_bn taps={taps} {NESTED}"), nested_nodes())
    assert total(theirs) == 39_355_793
    assert total(theirs.decoder.center) == 4_720_640
    assert total(module) == 39_355_793 - 4_720_640
    assert difference(module, theirs, images(64, 96)) <= 1e-4


# ---- options ---------------------------------------------------------------------------------------


# smp builds the deeper levels of a shallow U-Net all the same: 13,114,368 and 19,936,768 dead parameters.
@pytest.mark.parametrize(("depth", "parameters"), [(3, 3_009_153), (4, 10_338_273)])
def test_a_shallow_unet_has_what_is_alive_in_smps(depth: int, parameters: int) -> None:
    channels = [256, 128, 64, 32][:depth]
    theirs = made(smp.Unet, "resnet34", encoder_depth=depth, decoder_channels=channels)
    spec = f"encoder resnet34 depth={depth} | skip plain | up nearest channels={channels} | head 3x3 out=1"
    module = carried(theirs, ours(spec), nodes(depth))
    assert total(module) == parameters
    assert difference(module, theirs, images(64, 96)) <= 1e-4


# And those of a shallow UNet++: 24,006,369 and 23,130,497 with the dead ones.
@pytest.mark.parametrize(
    ("depth", "parameters"), [(3, 23_130_497 - 19_936_768), (4, 24_006_369 - 13_114_368)]
)
def test_a_shallow_nested_unet_has_what_is_alive_in_smps(depth: int, parameters: int) -> None:
    line = "encoder resnet34 depth={} | skip nested order=newest | up nearest channels={} inner=encoder | {}"
    spec = line.format(depth, [256, 128, 64, 32][:depth], "head 3x3 out=1")
    assert archdsl.load(spec).params == parameters


@pytest.mark.parametrize(
    ("block", "classes", "parameters"), [("double_conv", 2, 24_436_514), ("bare", 1, 24_435_377)]
)
def test_a_unet_of_other_classes_or_without_norms_has_smps_parameters(
    block: str, classes: int, parameters: int
) -> None:
    """Without batch norms smp's convolutions have biases."""
    unit = "def bare(width) = (conv 3x3 width bias=true | relu) * 2\n\n"
    decoder = DECODER.replace("channels=", f"block={block} channels=").replace("out=1", f"out={classes}")
    assert archdsl.load(f"{unit}encoder resnet34 {decoder}").params == parameters


def test_a_unet_of_grey_images_is_smps() -> None:
    theirs = made(smp.Unet, "resnet34", in_channels=1)
    module = carried(theirs, ours(f"input 1x224x224\n\nencoder resnet34 {DECODER}"), nodes())
    assert total(module) == total(theirs) == 24_430_097
    assert difference(module, theirs, images(64, 64, channels=1)) <= 1e-4


def test_a_unet_with_scse_is_smps() -> None:
    theirs = made(smp.Unet, "resnet34", decoder_attention_type="scse")
    layers = {"conv1.0": "0", "conv1.1": "1", "conv2.0": "3", "conv2.1": "4"}
    places = {"encoder": "encoder", "segmentation_head": "head"}
    for block, node in nodes().items():
        if not block.startswith("decoder."):
            continue
        convolutions = f"{node}.block" if node == "decoder.top1" else f"{node}.block.1"
        places.update({f"{block}.{place}": f"{convolutions}.{layer}" for place, layer in layers.items()})
        places[f"{block}.attention2"] = f"{node}.attention"
        if node != "decoder.top1":
            places[f"{block}.attention1"] = f"{node}.block.0"
    module = carried(theirs, ours(SCSE), places)
    # The gate before the last block is never used in smp: there is no skip.
    assert total(module) == total(theirs) - 195 == 24_550_360 - 195
    assert difference(module, theirs, images(64, 64)) <= 1e-4


def test_a_unet_with_a_classifier_in_training_is_smps() -> None:
    theirs = made(smp.Unet, "resnet34", aux_params={"classes": 4})
    aux = "aux (gap | flatten | linear 4) as label"
    module = carried(
        theirs, ours(f"encoder resnet34 | {aux} {DECODER}"), {**nodes(), "classification_head": "label"}
    )
    assert total(module) == total(theirs) == 24_438_421
    module.train()
    for part in module.children():
        part.eval()
    x = images(64, 64)
    with torch.inference_mode():
        got, wanted = module(x), theirs(x)
    assert disagreement(got["out"], wanted[0]) <= 1e-4
    assert disagreement(got["label"], wanted[1]) <= 1e-4
