"""Proposes candidates that meet every requirement and that were never tried.

Rejecting inside the proposal is worth more than telling the sampler afterwards: an infeasible or repeated
draw costs milliseconds here and a training there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from random import Random
from typing import TypeAlias

from archdsl.elaboration.choices import Answer, Choice, Decide
from archdsl.errors import ArchError
from archdsl.errors.studies import NothingFeasible
from archdsl.space import options_of, random_decision
from archdsl.studies.candidates import Architecture, Candidate, Proposal, Space, identity_of

# Draws for one proposal: of the sampler, then at random. A space with fewer members is gone through instead.
SAMPLER_DRAWS = 64
RANDOM_DRAWS = 1000

Found: TypeAlias = tuple[Architecture, tuple[tuple[Choice, Answer], ...]]


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
        for found in search.members(islice(suggestions(rng.getrandbits(31)), SAMPLER_DRAWS)):
            return _closed(found)
    if _is_small(space):
        search = _Search(space, seen)
        unseen = list(search.members(every_decision()))
        search.refuse_if_all_infeasible(complete=True)
        return _closed(rng.choice(unseen)) if unseen else None
    for found in search.members(islice(random_decisions(rng), RANDOM_DRAWS)):
        return _closed(found)
    search.refuse_if_all_infeasible(complete=False)
    return None


def _is_small(space: Space) -> bool:
    """Whether going through the whole space costs no more than drawing from it."""
    discrete = all(choice.kind != "float" for choice in space.choices)
    return discrete and space.count() <= RANDOM_DRAWS


def _closed(found: Found) -> Proposal:
    architecture, decisions = found
    return Proposal(Candidate.of(architecture), decisions)


class _Search:
    """Looks at members one by one and counts why they were refused."""

    def __init__(self, space: Space, seen: frozenset[str]) -> None:
        self._space = space
        self._seen = seen
        self._tried = 0
        self._infeasible = 0
        self._broken: Counter[str] = Counter()

    def members(self, draws: Iterable[Decide]) -> Iterator[Found]:
        """The feasible, unseen members among the draws, each identity once."""
        found: set[str] = set()
        for decide in draws:
            decisions: list[tuple[Choice, Answer]] = []
            architecture = self._judge(_noting(decide, decisions))
            if architecture is None:
                continue
            identity = identity_of(architecture)
            if identity not in self._seen | found:
                found.add(identity)
                yield architecture, tuple(decisions)

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
        yield random_decision(rng.getrandbits(63))


def every_decision() -> Iterator[Decide]:
    """Each member of a space of discrete choices once: an odometer over the options in the order of asking.

    Decisions that make no network end their branch where they fail.
    """
    turns: list[int] = []
    sizes: list[int] = []

    def decide(choice: Choice) -> Answer:
        if len(sizes) == len(turns):
            turns.append(0)
        answers = options_of(choice)
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
