"""`archdsl match`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from torch import nn
from torchvision.models.resnet import BasicBlock

import archdsl as package
from archdsl.formatter import format_spec
from archdsl.source import Source

FOLDER = Path(__file__).parents[1] / "golden" / "matching"

PAIRS = [
    ("unet", "unetpp", "params"),
    ("unet", "unetpp", "macs"),
    ("unetpp", "unet", "params"),
    ("unetpp_effnet_b0", "unet_resnet34", "params"),
    ("unet_resnet34", "unetpp_effnet_b0", "macs"),
    # what the library defines, written out
    ("resnet50", "densenet121", "params"),
    ("convnext_tiny", "resnet50", "macs"),
    ("hybridsn_se", "lenet5", "params"),
    ("pspnet_resnet34", "unet", "params"),
    ("alexnet_2012", "vgg11", "macs"),
]


@pytest.mark.parametrize(("spec", "other", "by"), PAIRS)
def test_a_spec_becomes_as_large_as_another(archdsl, tmp_path, spec, other, by):
    ended = archdsl("match", spec, "--to", other, "--by", by, "-o", "made.arch")
    text = (tmp_path / "made.arch").read_text()
    made, wanted = package.load(tmp_path / "made.arch"), package.load(other)
    if ended.err:
        assert "W091" in ended.err
        assert spec == "unet_resnet34"  # its encoder alone has more
    else:
        assert getattr(made, by) == pytest.approx(getattr(wanted, by), rel=0.01)
    assert ended.code == 0
    assert f"{getattr(made, by):,}" in text
    assert format_spec(Source("made.arch", text)) == text
    assert [found.code for found in package.check(tmp_path / "made.arch")] == []


def test_the_wide_unet_is_told_of_and_written_where_ratios_are_kept(archdsl):
    """9,282,246 parameters with base 35: MrGiovanni/UNetPlusPlus has that number in its docstring."""
    free = archdsl("match", "unet", "--to", "unetpp").out
    assert "# With all ratios kept (base 35) it would be 9,282,246 parameters, +2.66 %.\n" in free
    kept = archdsl("match", "unet", "--to", "unetpp", "--keep-ratios").out
    assert "encoder plain widths=[35, 70, 140, 280, 560] block=unit\n" in kept
    assert "up transpose channels=[280, 140, 70, 35] block=unit\n" in kept


def test_ratios_are_kept_where_that_is_near_enough(archdsl):
    """The decoder has five widths of base 16."""
    told = archdsl("match", "unetpp_effnet_b0", "--to", "unet_resnet34").out
    assert "all ratios kept" in told
    assert "channels=[688, 344, 172, 86, 43]" in told
    assert "# The encoder `effnet_b0` stays as it was published.\n" in told


def test_groups_still_divide_the_channels(archdsl, tmp_path):
    (tmp_path / "a.arch").write_text("conv 3x3 16 | relu | conv 3x3 32 groups=8 | relu | head 1x1 out=2\n")
    assert archdsl("match", "a.arch", "--to", "shufflenet_v2_x0_5", "-o", "b.arch").code == 0
    made = package.load(tmp_path / "b.arch")
    assert made.params == pytest.approx(1_366_792, rel=0.01)
    assert all(width % 8 == 0 for width in made.widths)


def residual_network(base: int) -> int:
    """Parameters of He et al.'s ResNet-18 with other widths, of torchvision's blocks."""

    def projected(width: int, stride: int) -> nn.Module:
        skip = nn.Sequential(nn.Conv2d(width // 2, width, 1, bias=False), nn.BatchNorm2d(width))
        return BasicBlock(width // 2, width, stride, skip)

    with torch.device("meta"):
        parts = [nn.Conv2d(3, base, 7, bias=False), nn.BatchNorm2d(base), nn.Linear(8 * base, 1000)]
        parts += [BasicBlock(base, base), BasicBlock(base, base)]
        for width in (2 * base, 4 * base, 8 * base):
            parts += [projected(width, 2), BasicBlock(width, width)]
    return sum(parameter.numel() for part in parts for parameter in part.parameters())


def test_all_layers_of_a_network_of_the_library_are_scaled(archdsl, tmp_path):
    assert residual_network(64) == 11_689_512
    assert archdsl("match", "resnet18", "--to", "resnet34", "--keep-ratios", "-o", "made.arch").code == 0
    made = package.load(tmp_path / "made.arch")
    assert made.widths[0] == 88
    assert made.params == residual_network(88)
    assert "weights" not in made.about


def test_a_definition_whose_defaults_would_hold_for_more_is_left_alone():
    """The convolution that the spec has itself would lose its bias."""
    assert package.load("resnet18 classes=7").written_out() is not None
    assert package.load("encoder resnet18 | conv 1x1 (@in)").written_out() is None


# Exit code, spec, call.
OTHER = ("a.arch", "--to", "shufflenet_v1_g1")
CASES = {
    "nothing_to_scale": (2, "encoder timm:resnet18 | head linear out=10\n", OTHER),
    "widths_that_are_worked_out": (2, "", ("efficientnet_b0", "--to", "resnet18")),
    "held_fast": (2, "encoder resnet18 | level 1 | add(conv 1x1 64, id) | relu | head 1x1 out=2\n", OTHER),
    "an_encoder_that_is_larger": (0, "encoder vgg16 | skip plain | up transpose | head 1x1 out=2\n", OTHER),
    "ratios_that_leave_too_few": (0, "", ("unet", "--to", "unetpp", "--keep-ratios")),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_told_is_that_of_the_golden_file(archdsl, tmp_path, name):
    code, spec, call = CASES[name]
    (tmp_path / "a.arch").write_text(spec)
    ended = archdsl("match", *call)
    golden = FOLDER / f"{name}.txt"
    if os.environ.get("ARCHDSL_GOLDEN") == "write":
        golden.write_text(ended.err, "utf-8")
    assert ended.code == code
    assert ended.err == golden.read_text("utf-8")
