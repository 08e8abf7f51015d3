"""Choices: where they are decided, what they are called, how many members a space has."""

from __future__ import annotations

import pytest

import archdsl
from archdsl import ArchError, resources
from archdsl.architecture import Architecture
from tests.elaboration.specs import modules, names, space

NAMES = [
    ("conv {3x3, 5x5} 64", ["conv.kernel"], 2),
    ("conv {3x3, 5x5} 8 | conv 3x3 8 | conv {3x3, 5x5} 8", ["conv.kernel", "conv#2.kernel"], 4),
    ("conv 3x3 8 | conv {3x3, 5x5} 8 as c", ["c.kernel"], 2),
    ("conv 3x3 8 | se r=4 ?", ["se.on"], 2),
    ("conv 3x3 8 | relu ? as act", ["act.on"], 2),
    ("{conv 3x3 8, conv 3x3 8 | bn}", ["choice"], 2),
    ("{conv 3x3 8, conv {3x3, 5x5} 8 | bn}", ["choice", "choice.conv.kernel"], 3),
    ("let w = {8, 16}\nconv 3x3 w | conv 3x3 w", ["w"], 2),
    ("let w = {8, 16}\nlet v = {1, 2}\nconv 3x3 w", ["w"], 2),
    ("let w = {8, 16}\nconv {3x3, 5x5} 8 | if false (conv 3x3 w)", ["conv.kernel"], 2),
    ("conv 3x3 2..5", ["conv.out"], 4),
    ("conv 3x3 16..64:16", ["conv.out"], 4),
    ("(conv {3x3, 5x5} 8 | relu) * 2", ["0.conv.kernel", "1.conv.kernel"], 4),
    ("def f = conv {3, 5} 8 | relu\nf | f", ["f.conv.kernel", "f#2.conv.kernel"], 4),
    ("def f(k) = conv k 8 | relu\nf {3, 5} | f 3", ["f.k"], 2),
    ("encoder {resnet18, resnet34} | level 0", ["encoder"], 2),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected", "count"), NAMES, ids=[n[0] for n in NAMES])
def test_a_choice_is_called_by_the_way_to_it(text: str, expected: list[str], count: int) -> None:
    assert names(text) == expected
    assert space(text).count() == count


def test_an_option_of_a_stage_can_have_choices_of_its_own() -> None:
    block = "block={double_conv, mbconv expand={3, 6}}"
    text = f"encoder resnet18 | skip plain | up transpose {block} | head 1x1 out=2"
    assert names(text) == ["up.block", "up.block.mbconv.expand"]
    assert space(text).count() == 3


def test_a_list_of_choices_is_decided_once_an_item() -> None:
    text = "encoder resnet18 | skip plain | up transpose se=[{none, post}] * 5 | head 1x1 out=2"
    assert names(text) == [f"up.se.{i}" for i in range(5)]
    assert space(text).count() == 2**5


def test_a_let_is_one_decision_for_all_that_name_it() -> None:
    found = space("let r = {4, 8}\nconv 3x3 32 | {bn, se r=r} as a | {bn, se r=r} as b")
    assert found.count() == 1 + 2 * 3  # neither, or one of three ways to have it, times r


def test_every_member_is_listed_once() -> None:
    found = space("conv {3x3, 5x5} 8 | {bn, gn {2, 4}} | conv 3x3 4..6")
    members = [tuple(member.choices.items()) for member in found]
    assert len(members) == len(set(members)) == found.count() == 2 * 3 * 3


EXTREMES = [
    # One choice inside another: 3 -> 8 of 1x1, of 3x3 with a bias.
    ("{conv 1x1 8, (conv {2x2, 3x3} 8 bias={false, true})}", 3 * 8 + 8, 9 * 3 * 8 + 8),
    # 5x5 makes the largest first layer, the cheap 1x1 what the second needs to be the largest network.
    ("{(conv 5x5 8), (conv 1x1 64)} | {id, (conv 3x3 64)}", 3 * 64 + 64, 3 * 64 + 64 + 9 * 64 * 64 + 64),
    # Each may be, but not the 4x4 behind the unpadded 3x3.
    (
        "input 3x5x5\n{(conv 5x5 8), (conv 3x3 6 pad=0)} | {id, (conv 4x4 8 pad=0)}",
        9 * 3 * 6 + 6,
        25 * 3 * 8 + 8 + 16 * 8 * 8 + 8,
    ),
    ("let w = {4, 8}\nconv 1x1 w | {id, (conv 1x1 w)}", 3 * 4 + 4, 3 * 8 + 8 + 8 * 8 + 8),
]  # fmt: skip


@pytest.mark.parametrize(("text", "fewest", "most"), EXTREMES)
def test_the_extremes_are_the_members_with_fewest_and_most_parameters(
    text: str, fewest: int, most: int
) -> None:
    assert [member.params for member in space(text).extremes] == [fewest, most]


@pytest.mark.parametrize("name", ["dilation_schedules", "first", "nesting_depth"])
def test_no_member_is_beyond_the_extremes(name: str) -> None:
    found = archdsl.load(resources.specs() / "spaces" / f"{name}.arch")
    assert isinstance(found, archdsl.Space)
    sizes = [member.params for member in found]
    assert [member.params for member in found.extremes] == [min(sizes), max(sizes)]


def test_closing_by_name_leaves_the_other_choices_open() -> None:
    found = space("conv {3x3, 5x5} 8 | conv {3x3, 5x5} 8")
    closed = found.close({"conv.kernel": "5x5"})
    assert not isinstance(closed, Architecture)
    assert [choice.name for choice in closed.choices] == ["conv#2.kernel"]
    whole = closed.close({"conv#2.kernel": "3x3"})
    assert isinstance(whole, Architecture)
    assert [o.op.kernel for o in whole.network.operations] == [(5, 5), (3, 3)]  # type: ignore[attr-defined]


def test_an_option_is_called_by_its_first_word_where_no_other_begins_with_it() -> None:
    found = space(
        "encoder plain widths=[4, 8, 8] | skip {plain, nested depth=2}"
        " | up nearest block={double_conv, mbconv expand=2, mbconv expand=3}"
        " | {conv 3 8 | relu, concat(id, id)} as x"
    )
    closed = found.close({"skip": "nested", "up.block": "double_conv", "x": "concat"})
    assert isinstance(closed, Architecture)
    assert closed.choices == {"skip": "nested depth=2", "up.block": "double_conv", "x": "concat(id, id)"}
    for word, beginning in (("mbconv", 2), ("mb", 0), ("expand", 0)):
        with pytest.raises(ArchError) as caught:
            found.close({"up.block": word})
        (told,) = caught.value.diagnostics
        assert told.message.startswith("2 options of `up.block` begin" if beginning else "`up.block` has no")
        assert (told.code, told.help) == ("E303", "options: double_conv, mbconv expand=2, mbconv expand=3")


@pytest.mark.parametrize("options", [{"conv.kernel": "7x7"}, {"conv.size": "3x3"}])
def test_closing_with_what_does_not_exist_is_a_mistake(options: dict[str, str]) -> None:
    with pytest.raises(ArchError):
        space("conv {3x3, 5x5} 8").close(options)


def test_a_sample_depends_on_its_seed_alone() -> None:
    found = space("conv {3x3, 5x5, 7x7} 8..64:8 | {bn, gn 4}")
    assert [found.sample(n).choices for n in range(20)] == [found.sample(n).choices for n in range(20)]
    assert len({found.sample(n).identity for n in range(200)}) > 20


def test_sampling_is_uniform_decision_by_decision() -> None:
    found = space("{conv 3x3 8, conv 5x5 {8, 16, 24, 32}}")
    first = sum(found.sample(n).choices["choice"] == "conv 3x3 8" for n in range(2000))
    assert 900 < first < 1100


def test_a_choice_that_no_member_meets_is_no_choice() -> None:
    assert modules("let w = {8, 16}\nconv 3x3 4") == ["0"]
