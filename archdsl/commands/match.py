"""`archdsl match`: a spec as large as another one, the control of a study."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from math import log
from pathlib import Path

import click

from archdsl.architecture import Architecture
from archdsl.commands.architectures import architecture
from archdsl.commands.arguments import set_option
from archdsl.commands.reports import report
from archdsl.commands.sources import stem
from archdsl.errors import ArchError, Mistake
from archdsl.errors.commands import without_place
from archdsl.errors.matching import NothingToScale, NotKnown, NotMatched, NotScalable
from archdsl.files import write_atomically
from archdsl.scaling import Scalable
from archdsl.scaling.matching import Match, nearer, nearest, nearest_base

TOLERANCE = 0.01
# How many times as wide, or as narrow, a decoder may become while its encoder stays.
MODERATE = 4.0
# What widths may have to keep in common with their old ones, so that groups still divide them.
UNITS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
FIGURES = {"params": "parameters", "macs": "multiply-adds"}


@click.command("match")
@click.argument("spec")
@click.option("--to", "other", metavar="SPEC", required=True, help="The network to be as large as.")
@click.option(
    "--by",
    type=click.Choice(list(FIGURES)),
    default="params",
    show_default=True,
    help="What is to be equal: parameters, or multiply-adds.",
)
@click.option(
    "--keep-ratios", is_flag=True, help="Keep widths whole multiples of one base, even if less near."
)
@click.option(
    "-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="Write the spec to FILE."
)
@set_option
def command(
    spec: str, other: str, by: str, keep_ratios: bool, output: Path | None, settings: dict[str, str]
) -> None:
    """Scale a spec's widths until it is as large as another.

    The widths that SPEC writes itself are multiplied by one factor and rounded, until the figures differ by
    less than 1 %. Where it writes none, or where they don't suffice, what it calls of the library is written
    out and scaled with them: first all but the encoder, which stays as it was published, then that, too.
    """
    asked = architecture(spec, settings=settings)
    if settings:
        asked = asked.with_text(asked.to_text())  # options that aren't taken are no widths
    wanted = _figure(architecture(other, settings={}), by)
    found, free, kept = _nearest_of(asked, stem(spec), by, wanted)
    chosen = kept if keep_ratios or abs(kept.difference(wanted)) <= TOLERANCE else free
    comments = _comments(found, stem(other), by, chosen, kept, wanted)
    text = found.scaled(chosen.widths, chosen.factor).to_text(comments)
    if output is None:
        click.echo(text, nl=False)
    else:
        write_atomically(output.resolve(), text.encode())
        click.echo(f"{output}: {comments[1]}")
    if abs(chosen.difference(wanted)) > TOLERANCE:
        far = NotMatched(FIGURES[by], chosen.figure, wanted, found.published_encoder)
        report([without_place(far)])


def _figure(found: Architecture, by: str) -> int:
    """The figure of a network; raises where that can't be known."""
    value: int | None = getattr(found, by)
    if value is None:
        raise NotKnown(found.name, FIGURES[by])
    return value


def _nearest_of(asked: Architecture, name: str, by: str, wanted: int) -> tuple[Scalable, Match, Match]:
    """What is to be scaled, the nearest of all roundings, and the nearest that keeps all ratios."""
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

    def figure(widths: Mapping[int, int], factor: float) -> int:
        return _figure(found.scaled(widths, factor), by)

    for unit in UNITS:
        try:
            free = nearest(found.widths, figure, wanted, unit)
            free = nearer(free, figure, wanted, TOLERANCE, unit)
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


def _comments(
    found: Scalable, other: str, by: str, chosen: Match, kept: Match, wanted: int
) -> tuple[str, ...]:
    """What was matched to what, by which factor, and how near it came."""
    asked = found.architecture
    ratios = ", all ratios kept" if chosen is kept else ""
    told = [
        f"`{asked.name}` with its widths times {chosen.factor:.4g}{ratios}, to be as large as `{other}`:",
        f"{_figured(chosen, by, wanted)}, against {wanted:,} (before: {_figure(asked, by):,}).",
    ]
    if chosen.moved:
        moves = ", ".join(f"{width} became {chosen.widths[width]}" for width in chosen.moved)
        told.append(f"To come so near, {moves}.")
    if chosen.widths != kept.widths:
        told.append(f"With all ratios kept (base {kept.base}) it would be {_figured(kept, by, wanted)}.")
    if found.published_encoder:
        told.append(f"The encoder `{found.published_encoder}` stays as it was published.")
    return tuple(told)


def _figured(match: Match, by: str, wanted: int) -> str:
    return f"{match.figure:,} {FIGURES[by]}, {100 * match.difference(wanted):+.2f} %"
