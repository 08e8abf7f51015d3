"""The control of a comparison: a spec whose widths are scaled until it is as large as another one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from math import log

from archdsl.architecture import Architecture
from archdsl.errors import ArchError, Mistake
from archdsl.errors.matching import NothingToScale, NotKnown, NotScalable
from archdsl.scaling import Scalable
from archdsl.scaling.matching import Match, nearer, nearest, nearest_base

TOLERANCE = 0.01
# How many times as wide, or as narrow, a decoder may become while its encoder stays.
MODERATE = 4.0
# What widths may have to keep in common with their old ones, so that groups still divide them.
UNITS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
FIGURES = {"params": "parameters", "macs": "multiply-adds"}


def figure_of(found: Architecture, by: str) -> int:
    """The figure of a network; raises where that can't be known."""
    value: int | None = getattr(found, by)
    if value is None:
        raise NotKnown(found.name, FIGURES[by])
    return value


def nearest_control(asked: Architecture, name: str, by: str, wanted: int) -> tuple[Scalable, Match, Match]:
    """What is to be scaled, the nearest of all roundings, and the nearest that keeps all ratios.

    Raises:
        NothingToScale: no number of the spec, or of what it calls of the library, is a width.
        NotScalable: others hold the widths fast.
        NotKnown: the figure isn't known.
    """
    refused: Mistake = NothingToScale(name)
    tried: list[tuple[Scalable, Match, Match]] = []
    for found in _scalables(asked):
        try:
            free, kept = _matched(found, by, wanted)
        except NotScalable as error:
            refused = error
            continue
        tried.append((found, free, kept))
        moderate = not found.published_encoder or 1 / MODERATE <= free.factor <= MODERATE
        if moderate and abs(free.difference(wanted)) <= TOLERANCE:
            break
    if not tried:
        raise refused
    near = [made for made in tried if abs(made[1].difference(wanted)) <= TOLERANCE]
    if near:
        return min(near, key=lambda made: abs(log(made[1].factor)))
    return min(tried, key=lambda made: abs(made[1].difference(wanted)))


def _scalables(asked: Architecture) -> Iterator[Scalable]:
    """The spec as it is, with its decoder written out, and with its encoder, too; each also without factors.

    What was written out has to hold all widths, but for a published encoder. An encoder that gets
    published weights stays what it is.
    """
    kept = Scalable(asked).published_encoder
    for encoder in (None, False, True) if kept and not asked.weights else (None, not kept):
        for factors in (True, False):
            own = Scalable(asked, factors=factors)
            made = own if encoder is None else own.written_out(encoder=encoder)
            if made is None or made.is_fixed:
                break
            if encoder is None or made.published_encoder or made.is_whole:
                yield made
            if not made.multiplied:
                break


def _matched(found: Scalable, by: str, wanted: int) -> tuple[Match, Match]:
    """The nearest of all roundings, made nearer by single widths if need be, and the nearest in one ratio."""

    def figure(widths: Sequence[int], factor: float) -> int:
        return figure_of(found.scaled(widths, factor), by)

    for unit in UNITS:
        try:
            free = nearest(found.widths, figure, wanted, unit)
            free = nearer(free, found.widths, figure, wanted, TOLERANCE, unit)
        except ArchError as error:
            refused = error
            continue
        kept = free
        if found.widths:
            with suppress(ArchError):
                kept = nearest_base(found.widths, figure, wanted, unit)
        return free, kept
    for unit in UNITS if found.widths else ():
        with suppress(ArchError):
            kept = nearest_base(found.widths, figure, wanted, unit)
            return kept, kept
    raise NotScalable(found.architecture.name, refused.diagnostics[0].message) from refused
