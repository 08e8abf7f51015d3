"""What recipe stages make of a pipeline, and what they refuse."""

from __future__ import annotations

import pytest

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


@pytest.mark.parametrize("block", ["id", "relu", "(id | relu)", "keep"])
def test_a_decoder_calls_what_takes_no_arguments_without_a_width(block: str) -> None:
    text = f"def keep = relu\n{PLAIN}up (upsample 2) block={block}"
    assert codes(text) == []
    # The levels have 4, 8 and 8 channels, and nothing after the joins changes them.
    assert shapes(text)[-1] == "20x32x32"


def test_levels_far_apart_are_climbed_by_resizing_alone() -> None:
    text = "input 3x64x64\nencoder resnet18 taps=[layer1, layer3] | skip plain | up {} | head 1 out=2"
    assert codes(text.format("transpose")) == ["E270"]
    assert codes(text.format("bilinear")) == []


@pytest.mark.parametrize("levels", ["[1, 0]", "[0, 0]"])
def test_a_decoder_wants_each_level_coarser_than_the_one_before(levels: str) -> None:
    assert codes(f"encoder plain [4, 8] | levels {levels} | skip plain | up nearest") == ["E269"]
