"""Proposes candidates that meet every requirement and that were never tried.

Rejecting inside the proposal is worth more than telling the sampler afterwards: an infeasible or repeated
draw costs milliseconds here and a training there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from math import exp, log
from random import Random
from typing import TypeVar

from archdsl.elaboration.choices import Answer, Choice, Decide
from archdsl.errors import ArchError
from archdsl.errors.studies import NothingFeasible
from archdsl.studies.candidates import Architecture, Candidate, Proposal, Space

# Draws for one proposal: of the sampler, then at random. A space with fewer members is gone through instead.
SAMPLER_DRAWS = 64
RANDOM_DRAWS = 1000

Value = TypeVar("Value")


def propose(
    space: Space, seen: frozenset[str], rng: Random, suggestions: Callable[[int], Iterator[Decide]] | None
) -> Proposal | None:
    """A feasible member of the space whose identity is not in `seen`; None where no more can be found.

    Args:
        rng: all chance of this proposal.
        suggestions: a sampler's draws for a seed; None draws at random.

    Raises:
        NothingFeasible: every member that was looked at breaks a requirement.
    """
    search = _Search(space, seen)
    if suggestions is not None:
        found = search.first(islice(suggestions(rng.getrandbits(31)), SAMPLER_DRAWS))
        if found is not None:
            return found
    if space.count() <= RANDOM_DRAWS:
        every = _Search(space, seen)
        unseen = list(every.all(every_decision()))
        every.refuse_if_all_infeasible(complete=True)
        return rng.choice(unseen) if unseen else None
    found = search.first(islice(random_decisions(rng), RANDOM_DRAWS))
    search.refuse_if_all_infeasible(complete=False)
    return found


class _Search:
    """Looks at members one by one and counts why they were refused."""

    def __init__(self, space: Space, seen: frozenset[str]) -> None:
        self._space = space
        self._seen = seen
        self._tried = 0
        self._infeasible = 0
        self._broken: Counter[str] = Counter()

    def first(self, draws: Iterable[Decide]) -> Proposal | None:
        return next(self.all(draws), None)

    def all(self, draws: Iterable[Decide]) -> Iterator[Proposal]:
        """The feasible, unseen members among the draws, each identity once."""
        found: set[str] = set()
        for decide in draws:
            decisions: list[tuple[Choice, Answer]] = []
            architecture = self._judge(_noting(decide, decisions))
            if architecture is not None and architecture.identity not in self._seen | found:
                found.add(architecture.identity)
                yield Proposal(Candidate.of(architecture), tuple(decisions))

    def _judge(self, decide: Decide) -> Architecture | None:
        """The member, if it is feasible; decisions that make no network are as good as a broken require."""
        self._tried += 1
        try:
            architecture = self._space.decide(decide)
            broken = self._space.violations(architecture)
        except ArchError as error:
            broken = tuple(diagnostic.message for diagnostic in error.diagnostics[:1])
        if not broken:
            return architecture
        self._infeasible += 1
        self._broken.update(broken)
        return None

    def refuse_if_all_infeasible(self, *, complete: bool) -> None:
        if self._tried == self._infeasible and not self._seen:
            raise NothingFeasible(self._tried, complete, tuple(self._broken.most_common()))


# ---- sources of decisions ------------------------------------------------------------------------


def random_decisions(rng: Random) -> Iterator[Decide]:
    """Each choice at random, evenly over its options or its range."""
    while True:
        yield partial(_draw, rng)


def _draw(rng: Random, choice: Choice) -> Answer:
    if choice.kind != "float":
        return rng.choice(_answers(choice))
    assert choice.low is not None
    assert choice.high is not None
    if choice.log:
        return exp(rng.uniform(log(choice.low), log(choice.high)))
    if choice.step:
        return choice.low + choice.step * rng.randint(0, int((choice.high - choice.low) / choice.step))
    return rng.uniform(choice.low, choice.high)


def _answers(choice: Choice) -> tuple[Answer, ...]:
    """All that a discrete choice may become."""
    return tuple(map(int, choice.options)) if choice.kind == "int" else choice.options


def every_decision() -> Iterator[Decide]:
    """Each member of a space of discrete choices once: an odometer over the options in the order of asking.

    Decisions that make no network end their branch where they fail.
    """
    turns: list[int] = []
    sizes: list[int] = []

    def decide(choice: Choice) -> Answer:
        if len(sizes) == len(turns):
            turns.append(0)
        answers = _answers(choice)
        sizes.append(len(answers))
        return answers[turns[len(sizes) - 1]]

    while True:
        sizes.clear()
        yield decide
        while turns and turns[-1] + 1 == sizes[len(turns) - 1]:
            turns.pop()
        if not turns:
            return
        turns[-1] += 1


def _noting(decide: Decide, decisions: list[tuple[Choice, Answer]]) -> Decide:
    """The same answers, written down."""

    def note(choice: Choice) -> Answer:
        answer = decide(choice)
        decisions.append((choice, answer))
        return answer

    return note
