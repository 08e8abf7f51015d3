"""How a space is tried: option by option, by lot, and what is told of it."""

from __future__ import annotations

import archdsl
from archdsl import api
from archdsl.checking.trials import MOST_OPTIONS, MOST_WORK, SAMPLES, Trial, explored, sampled
from archdsl.elaboration.program import Program
from archdsl.errors import Diagnostic
from archdsl.ops import OPERATIONS
from archdsl.parser import parse
from archdsl.source import Source
from archdsl.stages import STAGES
from archdsl.vocabulary import Vocabulary


def trials(text: str) -> list[Trial]:
    vocabulary = Vocabulary(OPERATIONS, STAGES, api._library(), parse)
    return explored(Program(vocabulary.file(parse(Source("a.arch", text)), None)))


def decisions(text: str) -> list[dict[str, object]]:
    return [dict(trial.decisions) for trial in trials(text)]


def told(text: str) -> tuple[Diagnostic, ...]:
    return archdsl.check(Source("a.arch", text))


def test_a_spec_without_choices_is_tried_once() -> None:
    assert decisions("conv 3x3 8") == [{}]


def test_every_option_is_tried_once_with_the_others_at_their_first() -> None:
    assert decisions("conv {3x3, 5x5} {8, 16, 24}") == [
        {},
        {"conv.kernel": "5x5"},
        {"conv.out": "16"},
        {"conv.out": "24"},
    ]


def test_a_choice_inside_an_option_is_tried_where_that_option_is_taken() -> None:
    assert decisions("{relu, conv 3x3 {8, 16}} as act") == [
        {},
        {"act": "conv 3x3 {8, 16}"},
        {"act": "conv 3x3 {8, 16}", "act.conv.out": "16"},
    ]


def test_of_a_long_range_both_ends_are_tried_and_numbers_between_them() -> None:
    tried = [made.get("conv.out", 1) for made in decisions("conv 3x3 1..1000")]
    assert tried[0] == 1
    assert tried[-1] == 1000
    assert len(tried) == MOST_OPTIONS


def test_a_large_space_is_tried_in_part() -> None:
    text = "conv 3x3 8" + " | conv 3x3 {8, 16, 24, 32}" * 300
    assert sum(trial.work for trial in trials(text)[:-1]) <= MOST_WORK
    assert len(trials(text)) < 300 * 3


def test_members_drawn_by_lot_are_the_same_each_time() -> None:
    (first, *_) = trials("conv {3x3, 5x5} {8, 16, 24}")
    drawn = [dict(trial.decisions) for trial in sampled(first)]
    assert drawn == [dict(trial.decisions) for trial in sampled(first)]
    assert len(drawn) == SAMPLES
    assert len({tuple(made.values()) for made in drawn}) > 1


def test_a_mistake_of_every_member_names_no_decision() -> None:
    (found,) = told("conv {3x3, 5x5} 8 | conv 3x3 9 groups=2")
    assert found.message == "9 channels do not divide into 2 groups"


def test_a_mistake_of_the_first_options_names_those_that_matter() -> None:
    (found,) = told("conv {3x3, 5x5} {9, 8} | conv 3x3 8 groups=2")
    assert found.message.endswith(", with `conv.out=9`")


def test_a_mistake_of_several_options_of_one_choice_names_them_all() -> None:
    (found,) = told("conv {3x3, 5x5} {8, 9, 10, 11} | conv 3x3 8 groups=2")
    assert found.message.endswith(", with `conv.out=9` or `11`")


def test_what_only_several_options_together_spoil_is_told_and_can_be_loaded() -> None:
    text = "conv 3x3 {6, 8} | conv 3x3 12 groups={1, 3}\n"
    (found,) = told(text)
    assert found.message.endswith(", with `conv.out=8` and `conv#2.groups=3`")
    assert isinstance(archdsl.load(text), archdsl.Space)


def test_a_mistake_in_an_option_that_only_its_words_show_is_told_once() -> None:
    (found,) = told("encoder {resnet18, efnet_b0} | skip plain | up transpose | head 1x1 out=2")
    assert (found.code, found.message) == ("E102", "`encoder` knows no `efnet_b0`")
