"""`archdsl check`: all that is wrong with specs, and what could be better."""

from __future__ import annotations

from pathlib import Path

import click

from archdsl.api import check
from archdsl.commands.arguments import object_size_option
from archdsl.commands.reports import exit_code
from archdsl.commands.sources import files, read
from archdsl.errors import Diagnostic, Mistake
from archdsl.errors.commands import without_place
from archdsl.errors.rendering import FORMATS
from archdsl.files import write_atomically
from archdsl.source import Source


@click.command("check")
@click.argument("paths", metavar="FILES...", nargs=-1, required=True)
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    default="human",
    show_default=True,
    help="How the findings are told.",
)
@click.option("--fix", is_flag=True, help="Mend what has one safe fix, then check what is left.")
@object_size_option
def command(paths: tuple[str, ...], form: str, fix: bool, object_size: int | None) -> int:
    """Tell everything that is wrong with specs.

    Advice alone is no failure. `-` reads the standard input; of a folder all specs are checked.
    """
    if fix and "-" in paths:
        raise click.UsageError("--fix writes into files: there is none behind `-`.")
    paths = files(paths)
    found = [diagnostic for path in paths for diagnostic in _check(path, fix, object_size)]
    if found or form != "human":
        click.echo(FORMATS[form](found), nl=bool(found) or form == "json")
    else:
        click.echo(f"{len(paths)} {'spec' if len(paths) == 1 else 'specs'} checked, nothing to say")
    return exit_code(found)


def _check(path: str, fix: bool, object_size: int | None) -> tuple[Diagnostic, ...]:
    try:
        source = read(path)
        found = check(source, object_size=object_size)
        if fix and (mended := _mended(source.text, found)) != source.text:
            write_atomically(Path(path).resolve(), mended.encode())
            found = check(Source(path, mended), object_size=object_size)
    except Mistake as mistake:
        found = (without_place(mistake),)
    return found


def _mended(text: str, found: tuple[Diagnostic, ...]) -> str:
    """The text with its safe fixes, from the end, so that no fix moves the place of another."""
    fixes = [diagnostic.fix for diagnostic in found if diagnostic.fix is not None and diagnostic.fix.safe]
    untouched = len(text)
    for fix in sorted(fixes, key=lambda fix: fix.span.start, reverse=True):
        if fix.span.end <= untouched:
            text = text[: fix.span.start] + fix.text + text[fix.span.end :]
            untouched = fix.span.start
    return text
