"""`archdsl fmt`: the one style."""

from __future__ import annotations

import difflib
from pathlib import Path

import click

from archdsl.commands import files
from archdsl.commands.reports import FINE, WRONG_SPEC, exit_code, report
from archdsl.errors import ArchError, Mistake
from archdsl.errors.commands import without_place
from archdsl.formatter import format_spec


@click.command("fmt")
@click.argument("specs", metavar="FILES...", nargs=-1, required=True)
@click.option("--check", is_flag=True, help="Write nothing; end with 1 if a spec would change.")
@click.option("--diff", is_flag=True, help="Write nothing; print what would change.")
def command(specs: tuple[str, ...], check: bool, diff: bool) -> int:
    """Rewrite specs in the one style.

    Comments stay where they are. `-` reads the standard input and writes the standard output.
    """
    codes = [_format(path, dry=check or diff, diff=diff, fail=check) for path in specs]
    return max(codes)


def _format(path: str, *, dry: bool, diff: bool, fail: bool) -> int:
    try:
        source = files.read(path)
        text = format_spec(source)
    except ArchError as error:
        report(error.diagnostics)
        return exit_code(error.diagnostics)
    except Mistake as mistake:
        report((without_place(mistake),))
        return exit_code((without_place(mistake),))
    if diff:
        click.echo("".join(_difference(source.name, source.text, text)), nl=False)
    if path == "-" and not dry:
        click.echo(text, nl=False)
    if text == source.text:
        return FINE
    if path != "-" and not dry:
        files.replace(Path(path), text)
        click.echo(f"formatted {path}", err=True)
    if fail and not diff:
        click.echo(f"would format {source.name}", err=True)
    return WRONG_SPEC if fail else FINE


def _difference(name: str, before: str, after: str) -> list[str]:
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), name, f"{name} (formatted)"
    )
    return [line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines]
