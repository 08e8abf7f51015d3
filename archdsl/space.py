"""The choices of a space: their names, how many members there are, one drawn by lot."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from archdsl.elaboration.choices import Answer, Choice, Decide
from archdsl.elaboration.program import first_option

Explore = Callable[[Decide], dict[str, Choice]]

GRID = 10_000


@dataclass(frozen=True)
class Fork:
    """A choice and, for each option, the choices that exist only where it is taken."""

    choice: Choice
    below: tuple[tuple[Fork, ...], ...]

    def count(self) -> int:
        """How many ways there are to decide it and all below it."""
        return sum(product(forks) for forks in self.below)


def product(forks: tuple[Fork, ...]) -> int:
    return math.prod(fork.count() for fork in forks)


def random_decision(seed: int) -> Decide:
    """Uniform decision by decision."""
    draw = random.Random(seed)

    def decide(choice: Choice) -> Answer:
        if choice.kind == "categorical":
            return choice.options[int(draw.random() * len(choice.options))]
        if choice.kind == "int":
            return int(choice.options[int(draw.random() * len(choice.options))])
        assert choice.low is not None and choice.high is not None
        if choice.log:
            return math.exp(draw.uniform(math.log(choice.low), math.log(choice.high)))
        if choice.step:
            count = int((choice.high - choice.low) / choice.step) + 1
            return choice.low + choice.step * int(draw.random() * count)
        return draw.uniform(choice.low, choice.high)

    return decide


def fixed_decision(given: Mapping[str, Answer], otherwise: Decide) -> Decide:
    """Given answers by name, another decision for the rest."""

    def decide(choice: Choice) -> Answer:
        return given[choice.name] if choice.name in given else otherwise(choice)

    return decide


def options_of(choice: Choice) -> tuple[Answer, ...]:
    """All answers to a choice; of a continuous range its ends."""
    if choice.kind == "categorical":
        return choice.options
    if choice.kind == "int":
        return tuple(map(int, choice.options))
    assert choice.low is not None and choice.high is not None
    return (choice.low, choice.high)


def forks(explore: Explore) -> tuple[Fork, ...]:
    """The tree of choices, found by taking every option once with the others at their first.

    `explore` elaborates with a decision and returns the choices that were asked. A choice belongs
    below an option if it is asked only where that option is taken.
    """
    return _forks(explore, {}, frozenset())


def _forks(explore: Explore, fixed: dict[str, Answer], known: frozenset[str]) -> tuple[Fork, ...]:
    asked = explore(fixed_decision(fixed, first_option))
    open_here = [choice for name, choice in asked.items() if name not in known]
    found: list[Fork] = []
    below: set[str] = set()
    for choice in open_here:
        if choice.name in below:
            continue
        taken: list[dict[str, Choice]] = []
        answers = options_of(choice)
        for answer in answers:
            taken.append(explore(fixed_decision({**fixed, choice.name: answer}, first_option)))
        always = frozenset.intersection(*(frozenset(each) for each in taken))
        branches: list[tuple[Fork, ...]] = []
        for answer, each in zip(answers, taken, strict=True):
            own = [name for name in each if name not in always]
            below.update(own)
            outside = known | always
            inner = _forks(explore, {**fixed, choice.name: answer}, outside) if own else ()
            branches.append(inner)
        found.append(Fork(choice, tuple(branches)))
    return tuple(found)


def choices_of(tree: tuple[Fork, ...]) -> tuple[Choice, ...]:
    """Every choice of a tree once, outer ones first."""
    found: dict[str, Choice] = {}
    stack = list(reversed(tree))
    while stack:
        fork = stack.pop()
        found.setdefault(fork.choice.name, fork.choice)
        for branch in reversed(fork.below):
            stack.extend(reversed(branch))
    return tuple(found.values())
