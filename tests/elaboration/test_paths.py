"""Module paths, by the rules of docs/language.md: names, numbers, scopes."""

from __future__ import annotations

import pytest

import archdsl
from tests.elaboration.specs import architecture, codes, modules, paths

NUMBERED = [
    ("conv 3x3 8 | bn | relu", ["0", "1"]),
    ("(conv 3x3 8 | bn | relu) * 2", ["0", "1", "3", "4"]),
    ("(conv 3x3 8 | bn) * 2 as stem | conv 3x3 8", ["stem.0", "stem.1", "stem.2", "stem.3", "1"]),
    ("conv 3x3 8 as a | conv 3x3 8 | tap | conv 3x3 8", ["a", "1", "2"]),
    ("(conv 3x3 8 | (conv 3x3 8 | conv 3x3 8))", ["0", "1", "2"]),
    ("concat(conv 1x1 8, conv 3x3 8 | relu, id) | conv 1x1 4", ["0", "1", "4"]),
    ("concat(id, each r in [1, 2] (conv 3x3 8 dilation=r)) | conv 1x1 4", ["1", "2", "3"]),
    ("for i in 1..3 (conv 3x3 (8*i) as c{i} | relu)", ["c1", "c2", "c3"]),
    ("for i in 1..2 (conv 3x3 8) as s | conv 3x3 8", ["s.0", "s.1", "1"]),
    ("if 1 > 2 (conv 3x3 8) else (conv 3x3 4 | bn) | conv 3x3 8", ["0", "1", "2"]),
    ("if false (conv 3x3 8) | conv 3x3 8", ["0"]),
    ("if true (conv 3x3 8) as c | conv 3x3 8", ["c", "1"]),
    ("((conv 3x3 8)) as a", ["a"]),
    ("(conv 3x3 8) * 1 as a", ["a.0"]),
    ("(conv 3x3 8 | conv 3x3 8) as a.b", ["a.b.0", "a.b.1"]),
    ("residual(conv 3x3 8 | bn) | conv 1x1 4", ["0", "1", "shortcut.0", "shortcut.1", "2"]),
    ("residual(conv 3x3 8, shortcut=(conv 1x1 8 as proj))", ["0", "proj"]),
    ("residual(conv 3x3 8, shortcut=(conv 1x1 8))", ["0", "shortcut"]),
    ("residual(conv 3x3 3, se=standard) | conv 1x1 2", ["0", "se.fc1", "se.fc2", "1"]),
    ("aux (conv 1x1 2 | gap) weight=0.3 as aux1 | conv 3x3 8", ["aux1.0", "1"]),
    ("conv 3x3 8 as a | concat(@a, conv 1x1 2) | conv 1x1 4", ["a", "1", "2"]),
]


@pytest.mark.parametrize(("text", "expected"), NUMBERED, ids=[text for text, _ in NUMBERED])
def test_a_stage_goes_by_its_name_or_its_number(text: str, expected: list[str]) -> None:
    assert modules(text) == expected


def test_a_call_of_a_definition_opens_a_scope() -> None:
    text = "def f(w) = conv 3x3 w | relu\nf 8 | f 16 as g | f 4"
    assert paths(text) == ["0.0:conv", "0.1:relu", "g.0:conv", "g.1:relu", "2.0:conv", "2.1:relu"]


def test_a_definition_that_is_one_bare_call_adds_no_level() -> None:
    assert modules("def f(w) = conv 3x3 w\nf 8 | f 16 as g") == ["0", "g"]
    assert modules("def f(w) = conv 3x3 w as c\nf 8 | f 8") == ["0.c", "1.c"]


def test_a_pipeline_that_is_one_bare_call_is_that_call() -> None:
    text = "def net(classes=10) = conv 3x3 8 as stem | gap | flatten | linear classes as fc\n"
    assert modules(text + "net classes=3") == ["stem", "fc"]
    assert modules(text + "net | relu") == ["0.stem", "0.fc"]


def test_a_bare_call_without_parameters_passes_keywords_on() -> None:
    text = "def net(classes=10) = gap | flatten | linear classes as fc\ndef mine = net\nmine classes=7"
    assert architecture(text).network.operations[-1].shape == (7,)


def test_what_a_bare_call_leaves_out_may_be_given_to_the_definition_that_it_is() -> None:
    text = "def net(classes) = gap | flatten | linear classes as fc\ndef mine = net\n"
    assert codes(text + "mine classes=7") == []
    assert codes(text + "mine") == ["E110"]


def test_a_shared_module_keeps_its_path_and_its_parameters_count_once() -> None:
    text = "conv 1x1 8 | conv 3x3 8 as c | share c | share c"
    once = architecture("conv 1x1 8 | conv 3x3 8 as c")
    thrice = architecture(text)
    assert modules(text) == ["0", "c", "c", "c"]
    assert thrice.params == once.params
    assert thrice.macs - once.macs == 2 * 8 * 8 * 9 * 224 * 224


def test_one_path_twice_is_a_mistake() -> None:
    assert codes("conv 3x3 8 as a | conv 3x3 8 as a") == ["E113"]
    assert codes("(conv 3x3 8 as a) * 2") == ["E113"]


@pytest.mark.parametrize(
    "text",
    [
        "conv 1 8 as a | bn as a.weight",
        "conv 1 8 as a | (bn | relu) as a.b",
        "conv 1 8 as a.b.c | bn as a.b",
        "def f = conv 1 8 as b | bn\nf as a | relu as a.b",
    ],
)
def test_a_stage_holds_no_others_but_those_of_its_definition(text: str) -> None:
    assert codes(text) == ["E129"]


def test_names_with_dots_may_share_their_beginning() -> None:
    assert modules("conv 1 8 as a.b | conv 1 8 as a.c | (conv 1 8) * 1 as d | conv 1 8 as d.x") == [
        "a.b", "a.c", "d.0", "d.x"
    ]  # fmt: skip


def test_a_shared_module_wants_the_channels_that_it_had_at_first() -> None:
    assert codes("conv 3 8 as c | share c") == ["E130"]
    assert codes("def f(w) = conv 3 w | bn\nf 4 as g | share g") == ["E130"]
    # Channels, and the size, which a linear layer behind `flatten` follows.
    assert "`conv 1x1`" in str(*archdsl.check("conv 3x3 8 as c | share c"))
    told = str(*archdsl.check("(conv 3x3 8 | flatten | linear 4) as c | @input | pool max 2 | share c"))
    assert "`interpolate`" in told
    assert "`conv 1x1`" not in told
    assert codes("conv 3 8 as c | conv 1 3 | share c") == []


def test_what_flows_in_and_the_image_keep_their_names() -> None:
    assert codes("conv 1 3 as in") == codes("conv 1 3 as input") == ["E131"]


def test_a_name_that_every_module_has_is_a_mistake() -> None:
    assert codes("conv 3x3 8 as forward") == ["E114"]
    assert codes("conv 3x3 8 as block.training") == ["E114"]


def test_gates_and_shortcuts_that_name_themselves_are_numbered_from_the_second_on() -> None:
    text = "residual(conv 3x3 8, se=standard) | residual(conv 3x3 16, se=standard)"
    assert modules(text) == ["0", "se.fc1", "se.fc2", "shortcut.0", "shortcut.1",
                             "1", "se2.fc1", "se2.fc2", "shortcut2.0", "shortcut2.1"]  # fmt: skip
