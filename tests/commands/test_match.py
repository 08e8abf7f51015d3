"""`archdsl match`."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import torch
import torchvision
from timm.models.efficientnet import _gen_efficientnet, _gen_mobilenet_v1
from torch import nn
from torchvision.models.resnet import BasicBlock

import archdsl as package
from archdsl.errors import Severity
from archdsl.formatter import format_spec
from archdsl.scaling import Scalable
from archdsl.source import Source

FOLDER = Path(__file__).parents[1] / "golden" / "matching"

PAIRS = [
    ("unet", "unetpp", "params"),
    ("unet", "unetpp", "macs"),
    ("unetpp", "unet", "params"),
    ("unetpp_effnet_b0", "unet_resnet34", "params"),
    ("unet_resnet34", "unetpp_effnet_b0", "macs"),
    # whose own widths don't suffice
    ("unet_resnet34", "mobilenet_v2", "params"),
    ("legacy_seresnext50_32x4d", "resnet18", "params"),
    ("fc_densenet103", "unet", "params"),
    # what the library defines, written out
    ("resnet50", "densenet121", "params"),
    ("convnext_tiny", "resnet50", "macs"),
    ("hybridsn_se", "lenet5", "params"),
    ("pspnet_resnet34", "unet", "params"),
    ("alexnet_2012", "vgg11", "macs"),
    ("googlenet", "resnet18", "params"),
    ("dla34", "resnet18", "params"),
    ("hrnet_w18", "resnet50", "params"),
    ("segnet", "unet", "params"),
    ("fcn8s_vgg16", "unet", "params"),
    ("deeplabv3_mobilenet_v3_large", "unet", "macs"),
    ("shufflenet_v1_g8", "resnet18", "params"),
    ("shufflenet_v2_x0_5", "squeezenet1_1", "params"),
    # with factors of widths
    ("efficientnet_b0", "resnet18", "params"),
    ("tf_efficientnetv2_b0", "mobilenet_v2", "params"),
    ("efficientunet_b0", "unetpp", "params"),
    ("mnasnet1_0", "mobilenet_v2", "params"),
    ("mobilenet_v1", "mobilenet_v3_small", "macs"),
    ("mobilenet_v3_small", "mobilenet_v2", "params"),
    # where whole groups are coarse
    ("regnet_y_400mf", "resnet18", "params"),
    ("regnet_y_1_6gf", "resnet18", "params"),
    ("regnet_y_3_2gf", "resnet50", "params"),
    ("shufflenet_v1_g8", "unetpp", "params"),
    ("legacy_senet154", "unetpp", "params"),
]


@pytest.mark.parametrize(("spec", "other", "by"), PAIRS)
def test_a_spec_becomes_as_large_as_another(archdsl, tmp_path, spec, other, by):
    ended = archdsl("match", spec, "--to", other, "--by", by, "-o", "made.arch")
    text = (tmp_path / "made.arch").read_text()
    made, wanted = package.load(tmp_path / "made.arch"), package.load(other)
    assert ended.err == ""
    assert getattr(made, by) == pytest.approx(getattr(wanted, by), rel=0.01)
    assert ended.code == 0
    assert f"{getattr(made, by):,}" in text
    assert format_spec(Source("made.arch", text)) == text
    found = package.check(tmp_path / "made.arch")
    assert [told.code for told in found if told.severity is not Severity.ADVICE] == []


def test_the_wide_unet_is_told_of_and_written_where_ratios_are_kept(archdsl):
    """9,282,246 parameters with base 35: MrGiovanni/UNetPlusPlus has that number in its docstring."""
    free = archdsl("match", "unet", "--to", "unetpp").out
    assert "# With all ratios kept (base 35) it would be 9,282,246 parameters, +2.66 %.\n" in free
    kept = archdsl("match", "unet", "--to", "unetpp", "--keep-ratios").out
    assert "encoder plain widths=[35, 70, 140, 280, 560] block=unit\n" in kept
    assert "up transpose channels=[280, 140, 70, 35] block=unit\n" in kept


def test_an_encoder_that_is_given_its_widths_is_none_that_stays(archdsl, tmp_path):
    spec = "let ws = [16, 32]\n\nencoder plain widths=ws | skip plain | up transpose | head 1x1 out=3\n"
    (tmp_path / "a.arch").write_text(spec)
    assert "published" not in archdsl("match", "a.arch", "--to", "unet").out


def test_an_encoder_grows_too_where_its_decoder_would_be_far_out_of_proportion(archdsl):
    """LR-ASPP's head would have to be 35 times as wide to hold what ResNet-18 has."""
    told = archdsl("match", "lraspp_mobilenet_v3_large", "--to", "resnet18").out
    assert "stays as it was published" not in told
    assert "def mobilenet_v3(" in told


def test_a_member_of_a_space_is_scaled(archdsl, tmp_path):
    """A 3x3 of 3 channels with its bias, a norm's two and ten classes: 28n + 2n + 10n + 10 parameters."""
    (tmp_path / "a.arch").write_text(
        "let w = {8, 16}\n\nconv 3x3 w | bn | relu | gap | flatten | linear 10\n"
    )
    assert archdsl("match", "a.arch", "--to", "lenet5", "--set", "w=16", "-o", "b.arch").code == 0
    made = package.load(tmp_path / "b.arch")
    (width,) = Scalable(made).widths
    assert made.params == 28 * width + 2 * width + 10 * width + 10
    assert made.params == pytest.approx(61_706, rel=0.01)


def test_what_a_factor_multiplies_is_moved_where_the_factor_is_too_coarse(archdsl, tmp_path):
    spec = (
        "def m(alpha=1) = conv 3x3 round8(64*alpha) | relu\n\nm | m alpha=0.5 | gap | flatten | linear 10\n"
    )
    (tmp_path / "a.arch").write_text(spec)
    assert archdsl("match", "a.arch", "--to", "squeezenet1_0", "-o", "b.arch").err == ""
    assert package.load(tmp_path / "b.arch").params == pytest.approx(1_248_424, rel=0.01)


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
    assert all(width % 8 == 0 for width in Scalable(made).widths)


def _efficientnet(width: float) -> nn.Module:
    return _gen_efficientnet("efficientnet_b0", channel_multiplier=width)


def _mobilenet_v1(width: float) -> nn.Module:
    return _gen_mobilenet_v1("mobilenetv1_100", channel_multiplier=width)


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
    assert min(Scalable(made).widths) == 88
    assert made.params == residual_network(88)
    assert "weights" not in made.about


# Networks whose widths the reference multiplies with a number, too: the call that has it, and the reference.
MULTIPLIED = {
    "efficientnet_b0": ("mobilenet_v3_large", "def efficientnet_b0 = efficientnet ", _efficientnet),
    "mobilenet_v1": ("resnet18", "def mobilenet_v1(width=", _mobilenet_v1),
    "mobilenet_v2": (
        "resnet18",
        "def mobilenet_v2(width=",
        lambda width: torchvision.models.mobilenet_v2(width_mult=width),
    ),
}


@pytest.mark.parametrize("spec", MULTIPLIED)
def test_a_factor_of_all_widths_is_the_one_that_the_reference_has(archdsl, tmp_path, spec):
    other, before, reference = MULTIPLIED[spec]
    assert archdsl("match", spec, "--to", other, "-o", "made.arch").code == 0
    found = re.search(re.escape(before) + r"([\d.]+)", (tmp_path / "made.arch").read_text())
    with torch.device("meta"):
        theirs = reference(float(found[1]))
    assert abs(float(found[1]) - 1) > 0.01
    assert package.load(tmp_path / "made.arch").params == sum(p.numel() for p in theirs.parameters())


def test_a_network_is_the_same_where_it_is_written_out_with_its_decoder():
    """Their files have other defaults, and both have a `_unit`."""
    text = """
def _unit(k, w) = conv k w | relu

_unit 3 64 | encoder resnet18 | levels [1, 2, 3, 4] | upernet | conv 1x1 7
"""
    asked = package.load(text)
    made = Scalable(asked).written_out(encoder=True)
    written = " ".join(made.architecture.to_text().split())
    assert made.architecture.identity == asked.identity
    assert "def _unit_segmentation(kernel, width) = conv kernel width bias=false" in written
    assert "_unit 3 64 |" in written
    assert {64, 128, 256, 512} == {*made.widths}


def test_an_encoder_with_published_weights_stays(archdsl, tmp_path):
    """timm says that ResNet-18 without its classifier has 11,176,512 parameters: MobileNetV2 has less."""
    spec = "encoder resnet18 weights=imagenet | skip plain | up transpose | head 1x1 out=2\n"
    (tmp_path / "a.arch").write_text(spec)
    ended = archdsl("match", "a.arch", "--to", "mobilenet_v2", "-o", "made.arch")
    assert "W091" in ended.err
    assert "the encoder `resnet18` stays as it was published" in ended.err
    assert package.load(tmp_path / "made.arch").params > 11_176_512


# Exit code, spec, call.
OTHER = ("a.arch", "--to", "shufflenet_v1_g1")
CASES = {
    "nothing_to_scale": (2, "encoder timm:resnet18 | head linear out=10\n", OTHER),
    "held_fast": (
        2,
        "encoder timm:resnet18 | level 1 | add(conv 1x1 64, id) | relu | head 1x1 out=2\n",
        OTHER,
    ),
    "not_known": (2, "", ("dpt_vit_base_patch16_224", "--to", "unet", "--by", "macs")),
    "an_encoder_that_is_larger": (
        0,
        "encoder timm:resnet18 | skip plain | up transpose | head 1x1 out=2\n",
        OTHER,
    ),
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
