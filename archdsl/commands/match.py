"""`archdsl match`: a spec as large as another one, the control of a study."""

from __future__ import annotations

from pathlib import Path

import click

from archdsl.commands.architectures import architecture
from archdsl.commands.arguments import set_option
from archdsl.commands.reports import report
from archdsl.commands.sources import stem
from archdsl.errors.commands import without_place
from archdsl.errors.matching import NotMatched
from archdsl.files import write_atomically
from archdsl.scaling import Scalable
from archdsl.scaling.control import FIGURES, TOLERANCE, figure_of, nearest_control
from archdsl.scaling.matching import Match


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
    wanted = figure_of(architecture(other, settings={}), by)
    found, free, kept = nearest_control(asked, stem(spec), by, wanted)
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


def _comments(
    found: Scalable, other: str, by: str, chosen: Match, kept: Match, wanted: int
) -> tuple[str, ...]:
    """What was matched to what, by which factor, and how near it came."""
    asked = found.architecture
    ratios = ", all ratios kept" if chosen is kept else ""
    told = [
        f"`{asked.name}` with its widths times {chosen.factor:.4g}{ratios}, to be as large as `{other}`:",
        f"{_figured(chosen, by, wanted)}, against {wanted:,} (before: {figure_of(asked, by):,}).",
    ]
    if chosen.moved:
        told.append(f"To come so near, {', '.join(_moves(found.widths, chosen))}.")
    if chosen.widths != kept.widths:
        told.append(f"With all ratios kept (base {kept.base}) it would be {_figured(kept, by, wanted)}.")
    if found.published_encoder:
        told.append(f"The encoder `{found.published_encoder}` stays as it was published.")
    return tuple(told)


def _moves(widths: tuple[int, ...], chosen: Match) -> list[str]:
    """What was moved to come nearer: all of several equal widths at once, or one of them."""
    become = list(zip(widths, chosen.widths, strict=True))
    found = []
    for place in sorted(chosen.moved):
        old, new = become[place]
        if all(other == new for width, other in become if width == old):
            found.append(f"{old} became {new}")
        else:
            found.append(f"one {old} became {new}")
    return list(dict.fromkeys(found))


def _figured(match: Match, by: str, wanted: int) -> str:
    return f"{match.figure:,} {FIGURES[by]}, {100 * match.difference(wanted):+.2f} %"
