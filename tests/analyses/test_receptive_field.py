"""The receptive field against gradients in torch, published tables and sums by hand."""

from __future__ import annotations

from itertools import permutations

import pytest
import torch

import archdsl
from archdsl.source import Source

PLAIN = "encoder plain widths=[4, 8, 16] {} | skip plain | up bilinear | head 1x1 out=2"
WHOLE = {
    "pyramid pooling": "ppm",
    "pairs of pixels": "self_attention",
    "pairs of pixels beside the map": "nonlocal",
    "rows and columns": "criss_cross_attention",
    "bases": "emau",
    "strips": "strip",
    "grids and strips": "mixed",
    "squeeze and excitation": "(se r=4)",
}


def field(text: str) -> int:
    found = archdsl.load(text)
    assert isinstance(found, archdsl.Architecture)
    assert found.receptive_field is not None
    return found.receptive_field


def extent(text: str, side: int) -> int:
    """Pixels from end to end, along a side, at which the gradient of any one output pixel is not 0.

    Weights and image are positive: no activation stops a gradient, and no two paths cancel.
    """
    torch.manual_seed(0)
    module = archdsl.compile(f"input 3x{side}x{side}\n{text}").double().eval()
    with torch.no_grad():
        for weight in module.parameters():
            weight.copy_((torch.rand_like(weight) + 0.5) / max(1, weight[0].numel() if weight.dim() else 1))
    image = (torch.rand(1, 3, side, side, dtype=torch.double) + 0.5).requires_grad_()
    out = module(image)
    found = 0
    middle = out.shape[-1] // 2
    for at in range(middle - 4, middle + 4):
        (gradient,) = torch.autograd.grad(out[0, 0, at, at], image, retain_graph=True)
        for axis in (0, 1):
            (read,) = gradient[0].abs().sum(0).sum(1 - axis).nonzero(as_tuple=True)
            found = max(found, int(read[-1] - read[0]) + 1)
    return found


LOCAL = {
    "kernels": "conv 3x3 4 | relu | conv 3x3 4 stride=2 | relu | conv 5x5 4 dilation=2",
    "pools": "conv 3x3 4 | relu | pool max 2 | conv 3x3 4 | relu | pool avg 3 stride=2 | conv 3x3 4",
    "a transposed convolution": "conv 3x3 4 stride=2 | relu | transpose_conv 2x2 4 | conv 3x3 4",
    "a branch that reads more": "concat(id, conv 3x3 4 | relu | conv 3x3 4) | conv 3x3 4",
    "a branch at half the resolution": (
        "conv 3x3 4 as a | pool max 2 | conv 3x3 4 | upsample 2 | add(id, @a) | conv 3x3 4"
    ),
}


@pytest.mark.parametrize("text", LOCAL.values(), ids=list(LOCAL))
def test_windows_read_as_far_as_gradients_come_from(text: str) -> None:
    assert field(f"input 3x128x128\n{text}") == extent(text, 128)


def test_a_decoder_adds_what_it_reads_between_pixels() -> None:
    """By hand: 5 + 1 + 8 + 2 + 16 down, and up a step of 4 or 2 between two pixels and two kernels each."""
    assert field(PLAIN.format("")) == (5 + 1 + 8 + 2 + 16) + (4 + 2 * 2 * 2) + (2 + 2 * 2 * 1)


FIXED = {
    "cells of a grid": "conv 3x3 4 | relu | pool avg to=4 | interpolate nearest size=64x64",
    "cells between which is interpolated": "conv 3x3 4 | relu | pool avg to=8 | interpolate size=64x64",
    "kernels on a grid": "pool avg to=8 | conv 3x3 4 | interpolate nearest size=64x64",
    "an image pool": "conv 3x3 4 | concat(gap | interpolate like=@in, id) | conv 3x3 4",
    "a strip": "mul(id, gap width | conv 3x1 (@in) | sigmoid)",
    "an image of a few numbers": "mul(id, gap | conv 1x1 (@in) | sigmoid)",
}


@pytest.mark.parametrize("text", FIXED.values(), ids=list(FIXED))
def test_what_depends_on_the_images_size_reads_as_far_as_gradients_come_from(text: str) -> None:
    assert field(f"input 3x64x64\n{text}") == extent(text, 64)


@pytest.mark.parametrize("context", WHOLE.values(), ids=list(WHOLE))
def test_a_context_of_the_whole_image_sees_its_side(context: str) -> None:
    """The network without it reads 50 pixels of the 128; with grids it may read a few more than the image."""
    text = PLAIN.format(f"| context {context}")
    assert field(f"input 3x128x128\n{text}") == extent(text, 128) == 128


def test_a_pooling_that_is_not_spread_again_is_left_out() -> None:
    """Two 3x3 read 5 pixels; a classifier's mean of all of them is no wider view."""
    assert field("input 3x64x64\nconv 3x3 8 | relu | conv 3x3 8 | gap | flatten | linear 2") == 5


BRANCHES = (
    "gap | conv 1x1 4 | interpolate like=@in",
    "pool avg to=3 | conv 3x3 4 | interpolate like=@in",
    "conv 3x3 4 stride=2 | relu | conv 3x3 4 | interpolate like=@in",
    "id",
)


def test_the_order_of_branches_never_matters() -> None:
    found = {
        field(
            f"input 3x33x57\nconv 3x3 4 | relu | concat({', '.join(order)}) | conv 3x3 4 | relu | conv 3x3 4"
        )
        for order in permutations(BRANCHES)
    }
    assert found == {57}


@pytest.mark.parametrize("join", ["concat", "add", "mul"])
def test_a_branch_never_makes_it_smaller(join: str) -> None:
    text = "input 3x{0}x{0}\nconv 3x3 4 | relu | {1}({2}) | conv 3x3 4 | relu | conv 3x3 4"
    for side in (5, 33, 64):
        least = 0
        for count in range(1, len(BRANCHES) + 1):
            now = field(text.format(side, join, ", ".join(BRANCHES[::-1][:count])))
            assert now >= least
            least = now
        assert least >= side


@pytest.mark.parametrize("context", [*WHOLE.values(), "aspp", "dilated"])
@pytest.mark.parametrize("side", [32, 256])
def test_a_context_never_makes_it_smaller(context: str, side: int) -> None:
    before, after = (
        field(f"input 3x{side}x{side}\n{PLAIN.format(added)}") for added in ("", f"| context {context}")
    )
    assert before == 50
    assert after >= before


# Araujo et al. 2019, table of receptive fields; ResNets step at the 3x3 of a block here, not at the
# 1x1 behind it: 7, + 4 to 11, + 3*8 to 35, + 8 + 3*16 to 91, + 16 + 5*32 to 267, + 32 + 2*64.
PUBLISHED = {"alexnet": 195, "vgg16": 212, "mobilenet_v1": 315, "inception_v3": 1311, "resnet50": 427}


@pytest.mark.parametrize(("name", "pixels"), PUBLISHED.items())
def test_the_pooling_of_a_classifier_is_left_out(name: str, pixels: int) -> None:
    assert field(name) == pixels


def test_networks_with_pyramid_pooling_see_the_image() -> None:
    """188 pixels are read by the windows of its encoder's first four stages and of its decoder."""
    assert field("pspnet_resnet34") == 224


def test_a_requirement_is_met_by_a_context() -> None:
    spec = f"input 3x64x64\nrequire receptive_field >= 64\n{PLAIN.format('{}')}"
    assert archdsl.check(Source("a.arch", spec.format("| context ppm"))) == ()
    assert [found.code for found in archdsl.check(Source("a.arch", spec.format("")))] == ["E307"]


@pytest.mark.parametrize("context", WHOLE.values(), ids=list(WHOLE))
def test_objects_are_not_too_large_for_what_sees_the_whole_image(context: str) -> None:
    spec = f"input 3x128x128\n{PLAIN}"
    for object_size in (51, 128, 500):
        local = archdsl.check(Source("a.arch", spec.format("")), object_size=object_size)
        assert [found.code for found in local] == ["W013"]
        whole = Source("a.arch", spec.format(f"| context {context}"))
        assert archdsl.check(whole, object_size=object_size) == ()
