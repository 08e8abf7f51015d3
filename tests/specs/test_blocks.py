"""Blocks of the library and convolutions in parts: against timm, torchvision and smp, and published sizes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
from segmentation_models_pytorch.decoders.deeplabv3.decoder import SeparableConv2d
from timm.layers import SEModule
from timm.models._efficientnet_blocks import EdgeResidual, InvertedResidual
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, Bottleneck

import archdsl
from tests.specs.references import disagreement, ours, randomised


def on(channels: int, stage: str) -> str:
    return f"input {channels}x12x10\n\n{stage}"


# ---- parameters ------------------------------------------------------------------------------------

UNIT = (
    "conv 1x1 60 groups=3 bias=false | bn | relu | shuffle 3 | dwconv 3x3 bias=false | bn "
    "| conv 1x1 240 groups=3 bias=false | bn"
)


@pytest.mark.parametrize(
    ("stage", "channels", "parameters"),
    [
        # about a ninth: 9 and 256 numbers a channel instead of 9*256
        ("sepconv 256", 256, 67_840),
        ("conv 3x3 256 bias=false", 256, 589_824),
        # 256-64-64-256 instead of one 3x3
        ("conv 1x1 64 bias=false | conv 3x3 64 bias=false | conv 1x1 256 bias=false", 256, 69_632),
        # 1xn and nx1: 2*7 instead of 7*7
        ("conv 1x7 64 bias=false | conv 7x1 64 bias=false", 64, 2 * 7 * 64 * 64),
        ("basic 64", 64, 73_984),
        ("bottleneck 64", 256, 70_400),
        # a third of the connections in each 1x1; nine numbers a channel between; two a normed channel
        (UNIT, 240, 240 * 60 // 3 * 2 + 9 * 60 + 2 * (60 + 60 + 240)),
    ],
)
def test_a_convolution_in_parts_has_the_published_parameters(
    stage: str, channels: int, parameters: int
) -> None:
    assert archdsl.load(on(channels, stage)).params == parameters


# ---- the same tensors, weight for weight ------------------------------------------------------------


def gate(channels: int, **_: Any) -> nn.Module:
    return SEModule(channels)


def inverted(**options: Any) -> nn.Module:
    return InvertedResidual(16, 16, exp_ratio=6, act_layer=nn.SiLU, **options)


def fused(**options: Any) -> nn.Module:
    return EdgeResidual(16, 16, exp_ratio=4, act_layer=nn.SiLU, **options)


REFERENCES: dict[str, Callable[[], nn.Module]] = {
    "mbconv 16": inverted,
    "mbconv 16 gate=se": lambda: inverted(se_layer=gate),
    "mbconv 24 kernel=5 dilation=2": lambda: InvertedResidual(
        16, 24, dw_kernel_size=5, dilation=2, exp_ratio=6, act_layer=nn.SiLU
    ),
    "fused_mbconv 16": fused,
    "fused_mbconv 16 gate=se": lambda: fused(se_layer=gate),
    "fused_mbconv 24 expand=2 kernel=5": lambda: EdgeResidual(
        16, 24, exp_kernel_size=5, exp_ratio=2, act_layer=nn.SiLU
    ),
    "residual_block 16": lambda: BasicBlock(16, 16),
    "bottleneck_block 16": lambda: Bottleneck(16, 4),
    "sepconv 24": lambda: SeparableConv2d(16, 24, 3, padding=1, bias=False),
    "sepconv 24 stride=2 dilation=2": lambda: SeparableConv2d(
        16, 24, 3, stride=2, padding=2, dilation=2, bias=False
    ),
}


@pytest.mark.parametrize("stage", REFERENCES)
def test_a_block_with_the_references_weights_gives_its_output(stage: str) -> None:
    theirs = randomised(REFERENCES[stage]().eval())
    module = ours(on(16, stage))
    state = dict(zip(module.state_dict(), theirs.state_dict().values(), strict=True))
    module.load_state_dict(state, strict=True, assign=True)
    x = torch.randn(2, 16, 12, 10, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        made = module(x)
        assert made.std() > 0.1
        assert disagreement(made, theirs(x)) <= 1e-5


# ---- squeeze-and-excitation, level by level -----------------------------------------------------------


@pytest.mark.parametrize(
    ("places", "gated"),
    [
        ("none", []),
        ("standard", [4, 8, 12]),
        ("pre", [3, 4, 8]),
        ("[none, post, none]", [8]),
        ("[pre, identity, standard]", [3, 12]),
    ],
)
def test_squeeze_and_excitation_stands_at_the_levels_of_a_plain_encoder(
    places: str, gated: list[int]
) -> None:
    """`gated` are the channels of the maps that are recalibrated, finest first."""
    network = archdsl.load(f"encoder plain widths=[4, 8, 12] se={places}").network
    gates = [operation for operation in network.operations if operation.op.name == "gap"]
    assert [network.shapes_into(gate)[0].channels for gate in gates] == gated


PLACES = ("standard", "pre", "post", "identity")


@pytest.mark.parametrize("place", PLACES)
def test_each_place_is_another_network_in_encoders_and_decoders(place: str) -> None:
    """A block with a sum has all four, at the levels that a list names."""
    encoder = "encoder (resnet basic [1, 1, 1, 1] se={0}) | skip plain | up nearest | head 1x1 out=2"
    decoder = "encoder plain widths=[4, 8, 12] | skip plain | up nearest block=residual_block se={0}"
    for spec, none in ((encoder, "[none, none, none, {0}]"), (decoder, "[none, {0}]")):
        found = [archdsl.load(spec.format(none.format(other))) for other in ("none", place)]
        assert sum(operation.op.name == "gap" for operation in found[1].network.operations) == 1
        assert found[0].identity != found[1].identity
        others = {archdsl.load(spec.format(none.format(other))).identity for other in PLACES}
        assert len(others) == 4


# ---- what else is wired between layers -----------------------------------------------------------------


def test_each_layer_of_a_dense_block_reads_all_before_it() -> None:
    module = randomised(ours(on(6, "dense(bn | relu | conv 3x3 4 bias=false) * 3")))
    x = torch.randn(2, 6, 12, 10, generator=torch.Generator().manual_seed(1))
    layers = list(module.children())
    maps: list[Tensor] = [x]
    with torch.inference_mode():
        for first, last in pairwise(range(0, 10, 3)):
            made = torch.cat(maps, 1)
            for layer in layers[first:last]:
                made = layer(made)
            maps.append(made)
        assert disagreement(module(x), torch.cat(maps, 1)) <= 1e-6
