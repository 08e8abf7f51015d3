"""What belongs to a recipe stage and what to the definition that it names; whose word wins."""

from __future__ import annotations

import pytest

from tests.elaboration.specs import architecture, codes, names, paths, space

PLAIN = "encoder plain [4, 8, 8] | "


def test_what_stands_after_the_name_of_an_encoder_belongs_to_that_definition() -> None:
    by_place = architecture("input 3x32x32\nencoder plain [4, 8] | level 1")
    by_name = architecture("input 3x32x32\nencoder plain widths=[4, 8] | level 1")
    assert by_place.identity == by_name.identity
    assert names("input 3x32x32\nencoder plain {[4, 8], [4]} | level 0") == ["encoder.widths"]


def test_an_option_of_a_recipe_stage_may_be_its_own_word_with_its_own_arguments() -> None:
    text = f"input 3x32x32\n{PLAIN}skip {{plain, nested depth=1..2 order=newest}} | up nearest"
    found = space(text)
    assert names(text) == ["skip", "skip.nested.depth"]
    assert found.count() == 3
    closed = found.close({"skip": "nested depth=1..2 order=newest", "skip.nested.depth": 1})
    direct = architecture(f"input 3x32x32\n{PLAIN}skip nested depth=1 order=newest | up nearest")
    assert closed.identity == direct.identity  # type: ignore[union-attr]
    assert architecture(closed.to_text()).identity == direct.identity  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("way", "stages"),
    [("plain", "skip {} | up nearest"), ("pixelshuffle", "skip none | up {}"), ("linear", "head {} out=2")],
)
def test_a_let_and_a_parameter_hold_words_of_the_stage_that_they_are_given_to(way: str, stages: str) -> None:
    direct = architecture(f"input 3x32x32\n{PLAIN}{stages.format(way)}").identity
    held = f"input 3x32x32\nlet way = {way}\n{PLAIN}{stages.format('way')}"
    passed = f"input 3x32x32\ndef net(way) = {PLAIN}{stages.format('way')}\nnet {way}"
    assert architecture(held).identity == direct
    assert codes(passed) == []
    other = {"plain": "add", "pixelshuffle": "bilinear", "linear": "fpn"}[way]
    member = space(held.replace(f"= {way}", f"= {{{other}, {way}}}")).close({"way": way})
    assert member.identity == direct  # type: ignore[union-attr]
    assert architecture(member.to_text()).identity == direct  # type: ignore[union-attr]


def test_a_let_holds_a_definition_of_its_file_whatever_words_a_stage_has() -> None:
    own = "input 3x32x32\ndef pixelshuffle(w) = upsample 2 | conv 1x1 w\n"
    held = architecture(f"{own}let way = pixelshuffle\n{PLAIN}skip none | up way")
    assert held.identity == architecture(f"{own}{PLAIN}skip none | up (pixelshuffle)").identity


@pytest.mark.parametrize(
    ("stage", "code"),
    [
        ("skip {plain, nested depth=2} depth=1", "E104"),
        ("skip {plain, nested dpth=2}", "E103"),
        ("skip {plain, (nested depth=2)}", "E101"),
        ("skip relu", "E102"),
        ("skip (plain)", "E102"),
        ("skip double_conv 8", "E102"),
    ],
)
def test_a_skip_takes_its_own_words_and_options_alone(stage: str, code: str) -> None:
    assert codes(f"input 3x32x32\n{PLAIN}{stage} | up nearest") == [code]


def test_a_map_that_an_operation_needs_is_asked_for() -> None:
    assert codes("conv 3 8 | align") == ["E110"]
    assert codes("conv 3 8 | align like=@input") == []


@pytest.mark.parametrize("word", ["tap", "share", "level", "levels", "aux"])
def test_a_definition_comes_before_a_word_of_structure(word: str) -> None:
    assert paths(f"def {word}(w) = conv 1 w | bn\nrelu | {word} 4") == ["0:relu", "1.0:conv", "1.1:bn"]
