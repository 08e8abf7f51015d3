"""Widths scaled so that a figure of a network comes nearest to a wanted one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice, permutations
from math import gcd
from typing import NamedTuple, TypeAlias

from archdsl.errors import ArchError

# What the network has with these widths in place of its own; factors of widths grow by the number beside
# them. Raises ArchError where it can't have them.
Figure: TypeAlias = Callable[[Sequence[int], float], int]

# Which widths are moved together, and in which steps.
Steps: TypeAlias = Mapping[tuple[int, ...], int]

LARGEST, SMALLEST = 1024.0, 1 / 1024
HALVINGS = 20
MOVES = 40
TRIED = 1000  # moves of which the best is taken: each elaborates the spec


class Match(NamedTuple):
    """Scaled widths.

    Attributes:
        factor: by which they were multiplied before they were rounded.
        widths: what each width becomes, in their order.
        figure: of the network then.
        base: the number that all of them are whole multiples of, where their ratios are kept.
        moved: which of them were moved from there to come nearer.
    """

    factor: float
    widths: tuple[int, ...]
    figure: int
    base: int | None = None
    moved: frozenset[int] = frozenset()

    def difference(self, wanted: int) -> float:
        """How far the figure is from the wanted one, as a share of that."""
        return self.figure / wanted - 1


def rounded(widths: Iterable[int], factor: float, unit: int = 1) -> tuple[int, ...]:
    """Each width times a factor, half upwards; equal ones stay equal.

    What a width has in common with `unit` still divides it.

    >>> rounded([32, 64, 512], 1.079)
    (35, 69, 552)
    >>> rounded([24, 100], 1.1, 8)
    (24, 112)
    """
    steps = ((width, gcd(width, unit)) for width in widths)
    return tuple(max(1, int(width * factor / step + 0.5)) * step for width, step in steps)


def nearest(widths: Sequence[int], figure: Figure, wanted: int, unit: int = 1) -> Match:
    """The factor whose rounded widths come nearest to the wanted figure: more channels cost more."""

    def at(factor: float) -> Match:
        scaled = rounded(widths, factor, unit)
        return Match(factor, scaled, figure(scaled, factor))

    low, high = _bracket(at, 1.0, wanted)
    tried = [low, high]
    for _ in range(HALVINGS):
        found = at((low.factor * high.factor) ** 0.5)
        tried.append(found)
        low, high = (found, high) if found.figure < wanted else (low, found)
    return _nearest(tried, wanted)


def nearest_base(widths: Sequence[int], figure: Figure, wanted: int, unit: int = 1) -> Match:
    """The same with all ratios kept: whole multiples of one number in place of the widths' common divisor.

    As the authors of UNet++ widened U-Net from 32, 64, ... to 35, 70, ... (arXiv:1807.10165).
    """
    common = gcd(*widths)
    step = gcd(common, unit)

    def at(factor: float) -> Match:
        (base,) = rounded([common], factor, unit)
        scaled = tuple(width // common * base for width in widths)
        return Match(base / common, scaled, figure(scaled, base / common), base)

    low, high = _bracket(at, 1.0, wanted)
    while (high.base or 0) - (low.base or 0) > step:
        found = at((low.factor + high.factor) / 2)
        low, high = (found, high) if found.figure < wanted else (low, found)
    return _nearest([low, high], wanted)


def nearer(
    match: Match, widths: Sequence[int], figure: Figure, wanted: int, tolerance: float, unit: int = 1
) -> Match:
    """Single widths moved one after the other while that comes nearer, until it is near enough.

    Equal ones are moved together; where that comes no nearer, two are moved against each other, then one of
    several that are equal by itself.
    """
    places: dict[int, list[int]] = {}
    for place, width in enumerate(widths):
        places.setdefault(width, []).append(place)
    steps: Steps = {tuple(equal): gcd(width, unit) for width, equal in places.items()}
    alone: Steps = {(place,): step for equal, step in steps.items() if len(equal) > 1 for place in equal}
    for _ in range(MOVES):
        for moves in (
            _moves(match, figure, wanted, steps),
            _exchanges(match, figure, steps),
            _moves(match, figure, wanted, alone),
        ):
            if abs(match.difference(wanted)) <= tolerance:
                return match
            found = _nearest((match, *_until_near(moves, wanted, tolerance)), wanted)
            if found is not match:
                match = found
                break
        else:
            break
    return match


def _until_near(tried: Iterable[Match], wanted: int, tolerance: float) -> Iterator[Match]:
    """Matches up to the first that is near enough, and not too many."""
    for match in islice(tried, TRIED):
        yield match
        if abs(match.difference(wanted)) <= tolerance:
            break


def _moves(match: Match, figure: Figure, wanted: int, steps: Steps) -> Iterator[Match]:
    """Each width some steps in the direction that is missing."""
    sign = 1 if match.figure < wanted else -1
    for places, step in steps.items():
        for far in _distances(match, places, step):
            yield from _moved(match, {places: sign * far}, figure)


def _exchanges(match: Match, figure: Figure, steps: Steps) -> Iterator[Match]:
    """Each width some steps up while another one goes some steps down."""
    for (up, step), (down, other) in permutations(steps.items(), 2):
        for more in _distances(match, up, step):
            for less in _distances(match, down, other):
                yield from _moved(match, {up: more, down: -less}, figure)


def _distances(match: Match, places: tuple[int, ...], step: int) -> Iterator[int]:
    """How far widths are moved: up to eight steps, as many are rounded to multiples of 8, or a quarter."""
    for steps in (1, 2, 4, 8, 16, 32, 64, 128):
        if steps <= 8 or 4 * steps * step <= match.widths[places[0]]:
            yield steps * step


def _moved(match: Match, moves: Mapping[tuple[int, ...], int], figure: Figure) -> Iterator[Match]:
    """The match with widths moved, if they can be."""
    widths = list(match.widths)
    for places, far in moves.items():
        for place in places:
            widths[place] += far
    if min(widths) > 0:
        with suppress(ArchError):
            moved = match.moved.union(*moves)
            yield Match(match.factor, tuple(widths), figure(widths, match.factor), None, moved)


def _bracket(at: Callable[[float], Match], factor: float, wanted: int) -> tuple[Match, Match]:
    """Two factors that the wanted figure lies between; the same one twice where none is far enough."""
    low = high = at(factor)
    while high.figure < wanted and factor < LARGEST:
        factor *= 2
        low, high = high, at(factor)
    while low.figure > wanted and factor > SMALLEST:
        factor /= 2
        low, high = at(factor), low
    return low, high


def _nearest(tried: Iterable[Match], wanted: int) -> Match:
    return min(tried, key=lambda match: abs(match.figure - wanted))
