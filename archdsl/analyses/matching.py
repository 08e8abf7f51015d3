"""Widths scaled so that a figure of a network comes nearest to a wanted one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import gcd
from typing import NamedTuple, TypeAlias

# What the network has when each width on the left becomes the one on the right.
Figure: TypeAlias = Callable[[Mapping[int, int]], int]

LARGEST, SMALLEST = 1024.0, 1 / 1024
HALVINGS = 28


class Match(NamedTuple):
    """Scaled widths.

    Attributes:
        factor: by which they were multiplied before they were rounded.
        widths: what each width becomes.
        figure: of the network then.
        base: the number that all of them are whole multiples of, where their ratios are kept.
    """

    factor: float
    widths: dict[int, int]
    figure: int
    base: int | None = None

    def difference(self, wanted: int) -> float:
        """How far the figure is from the wanted one, as a share of that."""
        return self.figure / wanted - 1


def rounded(widths: Iterable[int], factor: float, unit: int = 1) -> dict[int, int]:
    """Each width times a factor, to the nearest multiple of `unit`, half upwards; equal ones stay equal.

    >>> rounded([32, 64, 512], 1.079)
    {32: 35, 64: 69, 512: 552}
    """
    return {width: max(1, int(width * factor / unit + 0.5)) * unit for width in widths}


def nearest(widths: Sequence[int], figure: Figure, wanted: int, unit: int = 1) -> Match:
    """The factor whose rounded widths come nearest to the wanted figure: more channels cost more."""
    low, high = SMALLEST, LARGEST
    best = _match(widths, figure, 1.0, unit)
    if best.figure < wanted:
        low = 1.0
    else:
        high = 1.0
    for _ in range(HALVINGS):
        found = _match(widths, figure, (low * high) ** 0.5, unit)
        best = min(best, found, key=lambda match: abs(match.figure - wanted))
        if found.figure < wanted:
            low = found.factor
        else:
            high = found.factor
    return best


def nearest_base(widths: Sequence[int], figure: Figure, wanted: int, unit: int = 1) -> Match:
    """The same with all ratios kept: the widths stay whole multiples of their greatest common divisor's size.

    As the authors of UNet++ widened U-Net from 32, 64, ... to 35, 70, ... (arXiv:1807.10165).
    """
    common = gcd(*widths)

    def match(base: int) -> Match:
        scaled = {width: width // common * base for width in widths}
        return Match(base / common, scaled, figure(scaled), base)

    low, high = unit, max(unit, int(common * LARGEST) // unit * unit)
    while high - low > unit:
        middle = (low + high) // 2 // unit * unit
        if match(middle).figure < wanted:
            low = middle
        else:
            high = middle
    return min(match(low), match(high), key=lambda found: abs(found.figure - wanted))


def _match(widths: Sequence[int], figure: Figure, factor: float, unit: int) -> Match:
    scaled = rounded(widths, factor, unit)
    return Match(factor, scaled, figure(scaled))
