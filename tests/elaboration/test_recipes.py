"""What recipe stages make of a pipeline, and what they refuse."""

from __future__ import annotations

import pytest

import archdsl
from tests.elaboration.specs import codes, modules, shapes

PLAIN = "input 3x32x32\nencoder plain [4, 8, 8] | skip plain | "


def test_a_pipeline_in_brackets_is_an_encoder_with_a_level_at_each_stride() -> None:
    text = "input 3x32x32\nencoder (conv 3 4 | relu | conv 3 8 stride=2 | bn) | skip plain | up nearest"
    assert modules(text)[:2] == ["encoder.0", "encoder.2"]
    assert "8x16x16" in shapes(text)
    assert shapes(text)[-1] == "16x32x32"


@pytest.mark.parametrize(
    ("stage", "code"),
    [
        ("up transpose block=(conv 3 8)", "E263"),
        ("up transpose block=(conv 3 stride=2)", "E263"),
        ("up transpose attention=gap", "E263"),
        ("up (conv 3)", "E270"),
        ("up upsample", "E270"),
    ],
)
def test_what_a_decoder_is_given_must_fit_its_levels(stage: str, code: str) -> None:
    assert codes(PLAIN + stage) == [code]


DECODER = "skip plain | up nearest | head 1x1 out=2"
# Four of 12, and of 24, blocks at even distances up to the last: those of segmentation_models.pytorch's DPT.
OF_BASE = "timm:vit_base_patch16_224 taps=[blocks.2, blocks.5, blocks.8, blocks.11]"
OF_LARGE = "timm:vit_large_patch16_224 taps=[blocks.5, blocks.11, blocks.17, blocks.23]"


@pytest.mark.parametrize(
    ("encoder", "stages", "code", "right"),
    [
        # The bands of a cube are folded into channels: its level is a map.
        ("hybridsn", "head 1x1 out=3", "E208", "head linear out=3"),
        ("hybridsn", DECODER, "E264", "head linear out=N"),
        ("timm:vit_base_patch16_224", DECODER, "E264", f"encoder {OF_BASE} | dpt as decoder"),
        ("timm:vit_large_patch16_224", DECODER, "E264", f"encoder {OF_LARGE} | dpt as decoder"),
        (OF_BASE, DECODER, "E269", "dpt as decoder"),
    ],
)
def test_a_stage_that_an_encoder_has_no_use_for_is_told_with_what_it_has(
    encoder: str, stages: str, code: str, right: str
) -> None:
    size = "1x30x25x25" if encoder == "hybridsn" else "3x224x224"
    (found,) = archdsl.check(f"input {size}\n\nencoder {encoder} | {stages}")
    assert found.code == code
    assert f"`{right}`" in str(found).partition("= help: ")[2]
    assert found.span is not None
    assert found.span.text == stages.partition(" |")[0]
    whole = right if right.startswith("encoder") else f"encoder {encoder} | {right.replace('N', '3')}"
    assert archdsl.check(f"input {size}\n\n{whole}") == ()


@pytest.mark.parametrize("block", ["id", "relu", "(id | relu)", "keep"])
def test_a_decoder_calls_what_takes_no_arguments_without_a_width(block: str) -> None:
    text = f"def keep = relu\n{PLAIN}up (upsample 2) block={block}"
    assert codes(text) == []
    # The levels have 4, 8 and 8 channels, and nothing after the joins changes them.
    assert shapes(text)[-1] == "20x32x32"


THIRDS = "encoder (conv 3 4 | relu | conv 3 8 stride=3 | relu) | skip {} | up {} | head 1 out=2"


@pytest.mark.parametrize("end", ["up nearest", "up nearest | head 1x1 out=5", "level 0 | head 1x1 out=5"])
def test_what_unpadded_convolutions_cut_off_is_there_again_at_the_end(end: str) -> None:
    encoder = "encoder (conv 5x5 4 pad=0 | relu | conv 3 8 stride=2)"
    skip = "" if end.startswith("level") else " | skip plain"
    text = f"input 3x32x32\n{encoder}{skip} | {end}"
    assert "4x28x28" in shapes(text)
    assert shapes(text)[-1].endswith("x32x32")
    assert shapes(f"input 3x32x32\n{encoder} | level 0 | head 1x1 out=5 size=own")[-1] == "5x28x28"


def test_levels_that_no_doubling_leads_between_are_climbed_by_resizing_alone() -> None:
    assert codes(THIRDS.format("plain", "transpose")) == ["E270"]
    assert codes(THIRDS.format("plain", "bilinear")) == []


def test_levels_further_apart_are_climbed_by_doubling_again() -> None:
    text = "input 3x64x64\nencoder resnet18 taps=[layer1, layer3] | skip plain | up {} | head 1 out=2"
    found = archdsl.load(text.format("transpose"))
    assert isinstance(found, archdsl.Architecture)
    names = [name for name, _ in found.to_torch().decoder.x0_1.named_children()]
    assert names == ["up1", "up2", "block"]


def test_unpooling_and_full_scales_take_whole_steps() -> None:
    assert codes(THIRDS.format("full", "bilinear")) == []
    assert codes(THIRDS.format("none", "unpool")) == []
    odd = "encoder (conv 3 4 | relu | interpolate scale=0.4 | conv 3 4 | relu | pool max 2) | "
    assert codes(f"{odd} skip none | up unpool | head 1 out=2") == ["E271"]
    assert codes(f"{odd} skip full | up nearest | head 1 out=2") == ["E271"]
    assert codes(f"{odd} skip plain | up nearest | head 1 out=2") == []


@pytest.mark.parametrize(
    ("skip", "code"),
    [
        ("plain gate=attention_gate", "E273"),
        ("gated channels=8", "E273"),
        ("nested block=double_conv", "E273"),
        ("gated gate=scse", "E274"),
        ("gated gate=(conv 1 8)", "E274"),
        ("full block=(conv 3 stride=2)", "E263"),
        ("full channels=0", "E109"),
    ],
)
def test_an_option_of_one_way_to_skip_is_a_mistake_elsewhere(skip: str, code: str) -> None:
    assert codes(f"encoder plain widths=[4, 8] | skip {skip} | up nearest | head 1 out=2") == [code]


@pytest.mark.parametrize(
    ("channels", "expected"), [("[8]", []), ("[8, 8]", ["E258"]), ("8", ["E258"]), ("[]", ["E258"])]
)
def test_steps_above_the_levels_of_a_sum_have_a_width(channels: str, expected: list[str]) -> None:
    text = f"encoder resnet18 depth=2 | skip add | up transpose channels={channels} | head 1 out=2"
    assert codes(text) == expected


@pytest.mark.parametrize("levels", ["[1, 0]", "[0, 0]"])
def test_a_decoder_wants_each_level_coarser_than_the_one_before(levels: str) -> None:
    assert codes(f"encoder plain [4, 8] | levels {levels} | skip plain | up nearest") == ["E269"]
