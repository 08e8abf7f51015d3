"""The choices of a space: their names, how many members there are, one drawn by lot."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from archdsl.elaboration.choices import Answer, Choice, Decide
from archdsl.elaboration.program import first_option
from archdsl.errors import ArchError
from archdsl.errors.spaces import NoSuchOption

_WORD = re.compile(r"[A-Za-z_][\w.:]*")
Explore = Callable[[Decide], dict[str, Choice]]
Size = Callable[[Mapping[str, Answer]], float]


class Fork(NamedTuple):
    """A choice and, for each option, the choices that exist only where it is taken."""

    choice: Choice
    below: tuple[tuple[Fork, ...], ...]


def count(forks: tuple[Fork, ...]) -> int:
    """How many ways there are to close all choices of a tree.

    A choice that several places share (a `let` inside options) is one decision however often it is
    met: ways are counted for every set of shared choices that is met exactly.
    """
    shared = sorted(_shared(forks))
    names = {fork.choice.name: fork for fork in _all(forks)}
    if len(shared) > MOST_SHARED:
        shared = shared[:MOST_SHARED]
    within: dict[frozenset[str], int] = {}
    total = 0
    for met in _subsets(shared):
        away = frozenset(shared) - met
        within[met] = _ways(forks, away, met)
        exact = sum((-1) ** len(met - part) * within[part] for part in _subsets(sorted(met)))
        total += exact * math.prod(_ways((names[name],), frozenset(), frozenset()) for name in met)
    return total


MOST_SHARED = 10


def _subsets(names: Sequence[str]) -> Iterator[frozenset[str]]:
    """Every subset, smaller ones first."""
    for size in range(len(names) + 1):
        yield from map(frozenset, combinations(names, size))


def _ways(forks: tuple[Fork, ...], away: frozenset[str], once: frozenset[str]) -> int:
    """Ways to decide a tree that never meet the choices `away`, those of `once` counted as one way."""
    ways = 1
    for fork in forks:
        if fork.choice.name in away:
            return 0
        if fork.choice.name not in once:
            ways *= sum(_ways(branch, away, once) for branch in fork.below)
    return ways


def _all(forks: tuple[Fork, ...]) -> Iterator[Fork]:
    for fork in forks:
        yield fork
        for branch in fork.below:
            yield from _all(branch)


def _shared(forks: tuple[Fork, ...]) -> set[str]:
    """Names that stand below two choices which can both be met."""
    found: set[str] = set()
    seen: set[str] = set()
    for fork in forks:
        below = {inner.choice.name for branch in fork.below for inner in _all(branch)} | {fork.choice.name}
        found |= seen & below
        seen |= below
        for branch in fork.below:
            found |= _shared(branch)
    return found


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


# ---- extremes --------------------------------------------------------------------------------------


def least(tree: tuple[Fork, ...], size: Size) -> dict[str, Answer]:
    """The answers of least size that changing one choice after the other finds, until no change helps.

    Where choices add to the size each for itself, as different layers do, there are none of less. Choices
    without an answer are at their first option; answers whose size raises ArchError make no network.
    """
    known: dict[frozenset[tuple[str, Answer]], float] = {}

    def remembered(answers: Mapping[str, Answer]) -> float:
        key = frozenset(answers.items())
        if key not in known:
            try:
                known[key] = size(answers)
            except ArchError:
                known[key] = math.inf
        return known[key]

    found: dict[str, Answer] = {}
    while remembered(better := _improved(tree, remembered, found)) < remembered(found):
        found = better
    return found


def _improved(tree: tuple[Fork, ...], size: Size, answers: dict[str, Answer]) -> dict[str, Answer]:
    """The answers with every choice once at its best option, and below each option at the best for it."""
    for choice, below in tree:
        options = zip(options_of(choice), below, strict=True)
        ways = [_improved(inner, size, {**answers, choice.name: option}) for option, inner in options]
        answers = min(ways, key=size)
    return answers


# ---- answers ---------------------------------------------------------------------------------------


def answer_of(choice: Choice, option: str | int | float) -> Answer:
    """An option as it was typed, as an answer to a choice; raises ArchError if there is no such option."""
    text = str(option).strip()
    if choice.kind == "categorical":
        return _option(choice, text)
    if choice.kind == "int" and text in choice.options:
        return int(text)
    if choice.kind == "float":
        assert choice.low is not None and choice.high is not None
        try:
            if choice.low <= float(text) <= choice.high:
                return float(text)
        except ValueError:
            pass
        raise ArchError(
            NoSuchOption(choice.name, text, (f"{choice.low:g}..{choice.high:g}",)).at(choice.span)
        )
    raise ArchError(NoSuchOption(choice.name, text, choice.options).at(choice.span))


def _option(choice: Choice, text: str) -> str:
    """The option that is written so, else the one that begins with this word."""
    wanted = text.replace(" ", "")
    for known in choice.options:
        if known.replace(" ", "") in (wanted, wanted.removeprefix("(").removesuffix(")")):
            return known
    begun = [known for known in choice.options if (word := _WORD.match(known)) and word[0] == text]
    if len(begun) == 1:
        return begun[0]
    raise ArchError(NoSuchOption(choice.name, text, choice.options, len(begun)).at(choice.span))
