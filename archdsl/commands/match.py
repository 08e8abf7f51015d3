"""`archdsl match`: a spec as large as another one, the control of a study."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import click

from archdsl.analyses.matching import Match, nearest, nearest_base
from archdsl.architecture import Architecture
from archdsl.commands.architectures import architecture
from archdsl.commands.reports import report
from archdsl.commands.sources import stem
from archdsl.errors import ArchError
from archdsl.errors.commands import without_place
from archdsl.errors.matching import NothingToScale, NotMatched, NotScalable
from archdsl.files import write_atomically

TOLERANCE = 0.01
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
def command(spec: str, other: str, by: str, keep_ratios: bool, output: Path | None) -> None:
    """Scale a spec's widths until it is as large as another.

    The widths that SPEC writes itself are multiplied by one factor and rounded, until the figures differ by
    less than 1 %. What the library defines stays as it was published, but where SPEC writes no widths: then
    they are those of the definition that it calls.
    """
    found = _scalable(architecture(spec, settings={}), stem(spec))
    wanted: int = getattr(architecture(other, settings={}), by)
    free, kept = _matched(found, by, wanted)
    chosen = kept if keep_ratios or abs(kept.difference(wanted)) <= TOLERANCE else free
    comments = _comments(found, stem(other), by, chosen, kept, wanted)
    text = found.with_widths(chosen.widths).to_text(comments)
    if output is None:
        click.echo(text, nl=False)
    else:
        write_atomically(output.resolve(), text.encode())
        click.echo(f"{output}: {comments[1]}")
    if abs(chosen.difference(wanted)) > TOLERANCE:
        far = NotMatched(FIGURES[by], chosen.figure, wanted, found.published_encoder)
        report([without_place(far)])


def _scalable(found: Architecture, name: str) -> Architecture:
    """The spec; where it writes no widths itself, with the definition of the library that it calls.

    That definition has to write all of its widths: twice as many channels are about four times as many
    parameters then, somewhat less where classes hold the last layer.
    """
    if found.widths:
        return found
    made = found.written_out()
    with suppress(ArchError):
        if made and made.with_widths({w: 2 * w for w in made.widths}).params >= 3 * found.params:
            return made
    raise NothingToScale(name)


def _matched(found: Architecture, by: str, wanted: int) -> tuple[Match, Match]:
    """The nearest of all roundings, and the nearest that keeps all ratios."""

    def figure(widths: Mapping[int, int]) -> int:
        value: int = getattr(found.with_widths(widths), by)
        return value

    for unit in dict.fromkeys((1, found.groups)):
        try:
            return nearest(found.widths, figure, wanted, unit), nearest_base(
                found.widths, figure, wanted, unit
            )
        except ArchError as error:
            refused = error
    raise NotScalable(found.name, refused.diagnostics[0].message) from refused


def _comments(
    found: Architecture, other: str, by: str, chosen: Match, kept: Match, wanted: int
) -> tuple[str, ...]:
    """What was matched to what, by which factor, and how near it came."""
    ratios = ", all ratios kept" if chosen is kept else ""
    told = [
        f"`{found.name}` with its widths times {chosen.factor:.4g}{ratios}, to be as large as `{other}`:",
        f"{_figured(chosen, by, wanted)}, against {wanted:,} (before: {getattr(found, by):,}).",
    ]
    if chosen.widths != kept.widths:
        told.append(f"With all ratios kept (base {kept.base}) it would be {_figured(kept, by, wanted)}.")
    if found.published_encoder:
        told.append(f"The encoder `{found.published_encoder}` stays as it was published.")
    return tuple(told)


def _figured(match: Match, by: str, wanted: int) -> str:
    return f"{match.figure:,} {FIGURES[by]}, {100 * match.difference(wanted):+.2f} %"
