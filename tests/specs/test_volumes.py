"""Recipes on volumes: C×D×H×W goes in, a class for each voxel comes out."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import archdsl
from tests.specs.references import disagreement, ours, randomised


def on_a_volume(spec: str) -> str:
    return f"input 2x8x16x16\n\n{spec}"


def unet(m: nn.Module, x: Tensor) -> Tensor:
    """Çiçek et al. 2016 (arXiv:1606.06650), two levels: all of a U-Net with three-dimensional operations."""

    def convolved(name: str, y: Tensor) -> Tensor:
        block = m.get_submodule(name)
        for conv, norm in ((block.get_submodule("0"), block.get_submodule("1")),
                           (block.get_submodule("3"), block.get_submodule("4"))):  # fmt: skip
            y = F.conv3d(y, conv.weight, padding=1)
            y = F.batch_norm(y, norm.running_mean, norm.running_var, norm.weight, norm.bias)
            y = F.relu(y)
        return y

    fine = convolved("encoder.x0_0", x)
    coarse = convolved("encoder.x1_0", F.max_pool3d(fine, 2))
    up = m.decoder.x0_1.up
    grown = F.conv_transpose3d(coarse, up.weight, up.bias, stride=2)
    grown = F.pad(
        grown, [p for a, b in zip(x.shape[:1:-1], grown.shape[:1:-1], strict=True) for p in (0, a - b)]
    )
    made = convolved("decoder.x0_1.block", torch.cat([grown, fine], 1))
    head = m.get_submodule("head.0")
    return F.conv3d(made, head.weight, head.bias)


def test_a_unet_on_a_volume_is_a_unet_of_three_dimensional_operations() -> None:
    spec = on_a_volume(
        "encoder plain widths=[4, 8] | skip plain | up transpose channels=6 | head 1x1x1 out=3"
    )
    module = randomised(ours(spec))
    x = torch.randn(1, 2, 9, 13, 10, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        assert disagreement(module(x), unet(module, x)) <= 1e-5
    # 27 weights for each pair of channels; 8 of the transposed convolution; two numbers a normed channel
    convolutions = 27 * (2 * 4 + 4 * 4 + 4 * 8 + 8 * 8 + 10 * 6 + 6 * 6)
    others = 2 * (4 + 4 + 8 + 8 + 6 + 6) + (8 * 8 * 6 + 6) + (6 * 3 + 3)
    assert archdsl.load(spec).params == convolutions + others


# What stands between an encoder of two levels and a head of three classes.
RECIPES = [
    "| skip full channels=4 | up transpose",
    "| skip gated | up unpool",
    "| neck fpn channels=8 | skip plain | up bilinear",
    "block=residual_block | skip add attention=se | up nearest se=post",
    "block=bottleneck_block | skip plain attention=pixel_attention | up bilinear block=dense_block",
    "| skip plain attention=cbam | up bilinear block=(mbconv 2) attention=scse",
    "| skip nested input=true | up transpose",
    "| skip gated | up transpose",
    "| skip none | up bilinear block=sepconv_block",
    "| context dilated | skip plain attention=se_linear | up nearest",
    *(
        f"| context {context} | skip plain | up nearest"
        for context in ("nonlocal", "self_attention", "channel_self_attention", "aspp 8 rates=[1, 2]",
                        "ppm bins=[1, 2]")
    ),
]  # fmt: skip
HEADS = ["head 1 out=3 supervise=deep", "head 3x3x3 out=3 | crf 2 radius=1"]
SPECS = [f"encoder plain widths=[4, 8] {body} | {HEADS[n % 2]}" for n, body in enumerate(RECIPES)]


@pytest.mark.parametrize("recipe", SPECS)
def test_a_recipe_on_volumes_gives_a_class_for_each_voxel_and_trains(recipe: str) -> None:
    assert not [found for found in archdsl.check(on_a_volume(recipe)) if found.code.startswith("E")]
    module = archdsl.compile(on_a_volume(recipe)).train()
    made = module(torch.randn(2, 2, 7, 9, 10))
    outputs = list(made.values()) if isinstance(made, dict) else [made]
    assert all(output.shape == (2, 3, 7, 9, 10) for output in outputs)
    sum(output.square().sum() for output in outputs).backward()
    assert all(parameter.grad is not None for parameter in module.parameters())


def test_it_exports_with_dynamic_depth_height_and_width() -> None:
    spec = on_a_volume("encoder plain widths=[4, 8] | skip plain | up transpose | head 1 out=3")
    module = archdsl.compile(spec).eval()
    sides = {axis: torch.export.Dim(name, min=4) for axis, name in ((2, "d"), (3, "h"), (4, "w"))}
    exported = torch.export.export(module, (torch.randn(1, 2, 8, 12, 10),), dynamic_shapes=(sides,)).module()
    volume = torch.randn(1, 2, 7, 9, 16)
    torch.testing.assert_close(exported(volume), module(volume))


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ("encoder plain widths=[4, 8] | skip plain | up pixelshuffle | head 1 out=3", "E208"),
        ("encoder plain widths=[4, 8] | skip plain | up nearest | head 1x1 out=3", "E207"),
        ("encoder resnet18 | skip plain | up nearest | head 1 out=3", "E208"),
        ("encoder timm:resnet18 | skip plain | up nearest | head 1 out=3", "E208"),
        ("encoder plain widths=[4, 8] | context strip | skip plain | up nearest | head 1 out=3", "E208"),
        ("deform 3 8", "E208"),
        ("deform 3x3 8", "E207"),
    ],
)
def test_what_is_for_maps_alone_says_so_with_a_code(spec: str, code: str) -> None:
    assert [found.code for found in archdsl.check(on_a_volume(spec))] == [code]
