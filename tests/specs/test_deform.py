"""Deformable convolutions against torchvision's and against the paper's sums, written out."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torchvision.ops import DeformConv2d

import archdsl
from tests.specs.references import disagreement, randomised

GOLDEN = Path(__file__).parents[1] / "golden" / "modules"


def compiled(stage: str, channels: int = 64, size: str = "12x10") -> nn.Module:
    return archdsl.compile(f"input {channels}x{size}\n\n{stage}").eval()


def a_map(channels: int, height: int = 12, width: int = 10) -> Tensor:
    return torch.randn(2, channels, height, width, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    ("stage", "parameters"),
    [
        # 64*64*9 + 64 of the convolution, 18*64*9 + 18 of its offsets, 9*64*9 + 9 of its masks
        ("deform 3x3 64", 36_928 + 10_386),
        ("deform 3 64 modulated=true", 36_928 + 10_386 + 5_193),
        ("deform 3x3 64 offset_groups=2 groups=4 bias=false", 9_216 + 36 * 577),
        ("deform 1x5 64", 64 * 64 * 5 + 64 + 10 * (64 * 5 + 1)),
    ],
)
def test_a_deformable_convolution_has_the_published_parameters(stage: str, parameters: int) -> None:
    assert archdsl.load(f"input 64x12x10\n\n{stage}").params == parameters


def test_at_first_no_tap_has_moved_and_each_of_a_modulated_one_counts_half() -> None:
    x = a_map(6)
    for modulated, share in (("false", 1.0), ("true", 0.5)):
        module = compiled(f"deform 3x3 8 stride=2 dilation=2 modulated={modulated}", 6)
        conv = module.conv
        expected = torch.conv2d(x, share * conv.weight, conv.bias, stride=2, padding=2, dilation=2)
        torch.testing.assert_close(module(x), expected)


@pytest.mark.parametrize("arguments", ["", "stride=2 dilation=2", "groups=2 offset_groups=4 bias=false"])
@pytest.mark.parametrize("modulated", ["false", "true"])
def test_a_deformable_convolution_is_torchvisions(arguments: str, modulated: str) -> None:
    stage = f"deform 3x3 16 modulated={modulated} {arguments}"
    module = randomised(compiled(stage, 8))
    theirs = DeformConv2d(
        8,
        16,
        3,
        stride=2 if "stride" in arguments else 1,
        padding=2 if "stride" in arguments else 1,
        dilation=2 if "stride" in arguments else 1,
        groups=2 if "groups" in arguments else 1,
        bias="bias" not in arguments,
    )
    theirs.load_state_dict(module.conv.state_dict())
    x = a_map(8, 13, 11)
    with torch.inference_mode():
        mask = module.conv_mask(x).sigmoid() if modulated == "true" else None
        assert disagreement(module(x), theirs(x, module.conv_offset(x), mask)) <= 1e-6


def test_a_deformable_convolution_is_its_papers_sum() -> None:
    """Equation 1 of Zhu et al. 2018, with the bilinear kernel of Dai et al. 2017, equations 3 and 4."""
    module = randomised(compiled("deform 3x3 2 modulated=true", 3, "5x4"))
    x = a_map(3, 5, 4)[:1]
    with torch.inference_mode():
        offsets, masks = module.conv_offset(x)[0], module.conv_mask(x).sigmoid()[0]
        expected = torch.zeros(2, 5, 4)
        for row, column, tap in ((r, c, t) for r in range(5) for c in range(4) for t in range(9)):
            down, right = offsets[2 * tap, row, column], offsets[2 * tap + 1, row, column]
            read = sampled(x[0], row + tap // 3 - 1 + float(down), column + tap % 3 - 1 + float(right))
            weight = module.conv.weight[:, :, tap // 3, tap % 3]
            expected[:, row, column] += masks[tap, row, column] * (weight @ read)
        expected += module.conv.bias[:, None, None]
        assert offsets.abs().max() > 0.5
        assert disagreement(module(x)[0], expected) <= 1e-5


def sampled(x: Tensor, row: float, column: float) -> Tensor:
    """A map between its pixels: each counts by how near it is; beyond the edge are zeros."""
    total = torch.zeros(len(x))
    for r in (math.floor(row), math.floor(row) + 1):
        for c in (math.floor(column), math.floor(column) + 1):
            if 0 <= r < x.shape[1] and 0 <= c < x.shape[2]:
                total += max(0, 1 - abs(row - r)) * max(0, 1 - abs(column - c)) * x[:, r, c]
    return total


def test_a_decoder_of_deformable_blocks_trains_all_its_parameters_and_exports() -> None:
    spec = (
        "encoder plain widths=[4, 8] | skip plain | up bilinear block=(deform 3x3 modulated=true) "
        "| relu | head 1x1 out=2"
    )
    module = archdsl.compile(spec)
    x = torch.randn(2, 3, 29, 38)
    module.train()(x).square().sum().backward()
    assert all(parameter.grad is not None for parameter in module.parameters())
    sides = {2: torch.export.Dim("h", min=16), 3: torch.export.Dim("w", min=16)}
    exported = torch.export.export(module.eval(), (x,), dynamic_shapes=(sides,)).module()
    other = torch.randn(2, 3, 33, 21)
    torch.testing.assert_close(exported(other), module(other))


def test_without_torchvision_compiling_tells_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision.ops", None)
    spec = "input 8x12x10\n\nconv 3x3 18 as offset | @input | deform_conv 3x3 8 offset=@offset"
    found = archdsl.load(spec)  # checked all the same
    with pytest.raises(archdsl.ArchError) as caught:
        found.to_torch()
    assert f"{caught.value}\n" == (GOLDEN / "no_torchvision.txt").read_text("utf-8")
