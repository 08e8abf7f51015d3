"""Widths scaled so that a figure of a network comes nearest to a wanted one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import gcd
from typing import NamedTuple, TypeAlias

# What the network has when each width on the left becomes the one on the right; factors of widths grow by
# the number beside them.
Figure: TypeAlias = Callable[[Mapping[int, int], float], int]

LARGEST, SMALLEST = 1024.0, 1 / 1024
HALVINGS = 20
MOVES = 40


class Match(NamedTuple):
    """Scaled widths.

    Attributes:
        factor: by which they were multiplied before they were rounded.
        widths: what each width becomes.
        figure: of the network then.
        base: the number that all of them are whole multiples of, where their ratios are kept.
        moved: the widths that were moved from there to come nearer.
    """

    factor: float
    widths: dict[int, int]
    figure: int
    base: int | None = None
    moved: tuple[int, ...] = ()

    def difference(self, wanted: int) -> float:
        """How far the figure is from the wanted one, as a share of that."""
        return self.figure / wanted - 1


def rounded(widths: Iterable[int], factor: float, unit: int = 1) -> dict[int, int]:
    """Each width times a factor, half upwards; equal ones stay equal.

    What a width has in common with `unit` still divides it.

    >>> rounded([32, 64, 512], 1.079)
    {32: 35, 64: 69, 512: 552}
    >>> rounded([24, 100], 1.1, 8)
    {24: 24, 100: 112}
    """
    steps = {width: gcd(width, unit) for width in widths}
    return {width: max(1, int(width * factor / step + 0.5)) * step for width, step in steps.items()}


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
        base = rounded([common], factor, unit)[common]
        scaled = {width: width // common * base for width in widths}
        return Match(base / common, scaled, figure(scaled, base / common), base)

    low, high = _bracket(at, 1.0, wanted)
    while (high.base or 0) - (low.base or 0) > step:
        found = at((low.factor + high.factor) / 2)
        low, high = (found, high) if found.figure < wanted else (low, found)
    return _nearest([low, high], wanted)


def nearer(match: Match, figure: Figure, wanted: int, tolerance: float, unit: int = 1) -> Match:
    """Single widths moved one after the other while that comes nearer, until it is near enough."""
    for _ in range(MOVES):
        if abs(match.difference(wanted)) <= tolerance:
            break
        found = _nearest((match, *_moves(match, figure, wanted, unit)), wanted)
        if found is match:
            break
        match = found
    return match


def _moves(match: Match, figure: Figure, wanted: int, unit: int) -> Iterator[Match]:
    """Each width up to eight steps in the direction that is missing: many are rounded to multiples of 8."""
    sign = 1 if match.figure < wanted else -1
    for width, scaled in match.widths.items():
        for steps in (1, 2, 4, 8):
            other = scaled + sign * steps * gcd(width, unit)
            if other > 0:
                widths = {**match.widths, width: other}
                moved = tuple(sorted({*match.moved, width}))
                yield Match(match.factor, widths, figure(widths, match.factor), None, moved)


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
