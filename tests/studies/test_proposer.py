"""Sources of decisions, and the names under which Optuna keeps them."""

from __future__ import annotations

from itertools import islice, product
from random import Random

import pytest

from archdsl.elaboration.choices import Choice
from archdsl.studies.history import parameter_name
from archdsl.studies.proposer import every_decision, propose, random_decisions
from tests.studies.fakes import NOWHERE, FakeSpace, categorical

NESTED = FakeSpace(
    [categorical("a", "x", "y"), categorical("b", "1", "2", "3")],
    {("a", "y"): [categorical("c", "p", "q")], ("b", "3"): [categorical("d", "u", "v")]},
)


def test_every_member_of_a_conditional_space_is_gone_through_once() -> None:
    members = [dict(NESTED.decide(decide).choices) for decide in every_decision()]
    expected = [
        {"a": a, "b": b} | ({"c": c} if a == "y" else {}) | ({"d": d} if b == "3" else {})
        for a, b, c, d in product("xy", "123", "pq", "uv")
        if (a == "y" or c == "p") and (b == "3" or d == "u")
    ]
    assert len(members) == len(expected) == 12
    assert all(member in members for member in expected)


def test_a_branch_that_makes_no_network_ends_where_it_fails() -> None:
    asked: list[str] = []

    def elaborate(decide: object) -> None:
        first = decide(categorical("a", "bad", "good"))  # type: ignore[operator]
        asked.append(first)
        if first == "good":
            asked.append(decide(categorical("b", "1", "2")))  # type: ignore[operator]

    for decide in every_decision():
        elaborate(decide)
    assert asked == ["bad", "good", "1", "good", "2"]


@pytest.mark.parametrize(
    ("choice", "allowed"),
    [
        (categorical("a", "x", "y"), {"x", "y"}),
        (Choice("n", "int", ("2", "4", "6"), NOWHERE, 2, 6, 2), {2, 4, 6}),
        (Choice("f", "float", (), NOWHERE, 0.25, 1.0, 0.25), {0.25, 0.5, 0.75, 1.0}),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_random_decisions_reach_all_options(choice: Choice, allowed: set[object]) -> None:
    assert {decide(choice) for decide in islice(random_decisions(Random(0)), 100)} == allowed


def test_a_logarithmic_range_is_drawn_evenly_by_magnitude() -> None:
    choice = Choice("rate", "float", (), NOWHERE, 1e-4, 1.0, None, True)
    drawn = [float(decide(choice)) for decide in islice(random_decisions(Random(0)), 400)]
    assert all(1e-4 <= rate <= 1 for rate in drawn)
    assert 150 < sum(rate < 1e-2 for rate in drawn) < 250


def test_whole_numbers_are_answered_as_numbers() -> None:
    depth = Choice("depth", "int", ("1", "2"), NOWHERE, 1, 2, 1)
    assert [decide(depth) for decide in every_decision()] == [1, 2]


def test_a_member_that_was_seen_is_not_proposed() -> None:
    space = FakeSpace([categorical("a", "x", "y")], same=lambda decided: decided["a"])
    found = propose(space, frozenset({"x"}), Random(0), None)
    assert found is not None
    assert found.candidate.identity == "y"
    assert propose(space, frozenset({"x", "y"}), Random(0), None) is None


def test_a_large_space_is_drawn_from_until_something_is_feasible() -> None:
    space = FakeSpace(
        [categorical(name, *"0123456789") for name in "abc"],
        broken=lambda decided: () if decided["a"] == decided["b"] == "7" else ("macs < 1M",),
        members=10**9,
    )
    found = propose(space, frozenset(), Random(0), None)
    assert found is not None
    assert (found.candidate.choices["a"], found.candidate.choices["b"]) == ("7", "7")


def test_options_that_differ_under_one_name_are_kept_apart() -> None:
    names = {parameter_name(categorical("up.block", *options)) for options in ("ab", "ba", "abc")}
    assert len(names) == 3
    assert all(name.startswith("up.block ") for name in names)


def test_a_long_name_fits_into_a_table_and_stays_its_own() -> None:
    names = {parameter_name(categorical("x" * 600 + end, "a", "b")) for end in "12"}
    assert len(names) == 2
    assert all(len(name) <= 512 for name in names)
