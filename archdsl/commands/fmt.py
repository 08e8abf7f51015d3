"""`archdsl fmt`: the one style."""

from __future__ import annotations

import difflib
from pathlib import Path

import click

from archdsl.commands.reports import FINE, WRONG_SPEC, exit_code, report
from archdsl.commands.sources import files, read
from archdsl.errors import ArchError, Mistake
from archdsl.errors.commands import without_place
from archdsl.files import write_atomically
from archdsl.formatter import format_spec


@click.command("fmt")
@click.argument("paths", metavar="FILES...", nargs=-1, required=True)
@click.option("--check", is_flag=True, help="Write nothing; end with 1 if a spec would change.")
@click.option("--diff", is_flag=True, help="Write nothing; print what would change.")
def command(paths: tuple[str, ...], check: bool, diff: bool) -> int:
    """Rewrite specs in the one style.

    Comments stay where they are. `-` reads the standard input and writes the standard output; of a folder
    all specs are rewritten.
    """
    return max(_format(path, check, diff) for path in files(paths))


def _format(path: str, check: bool, diff: bool) -> int:
    try:
        source = read(path)
        text = format_spec(source)
    except (ArchError, Mistake) as error:
        found = error.diagnostics if isinstance(error, ArchError) else (without_place(error),)
        report(found)
        return exit_code(found)
    before = "\ufeff" * source.marked + source.text
    changes = text != before
    if diff:
        click.echo(_difference(source.name, before, text), nl=False)
    elif check and changes:
        click.echo(f"{source.name} would change")
    elif path == "-" and not check:
        click.echo(text, nl=False)
    elif changes and not check:
        write_atomically(Path(path).resolve(), text.encode())
        click.echo(f"{path} rewritten")
    return WRONG_SPEC if check and changes else FINE


def _difference(name: str, before: str, after: str) -> str:
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), name, f"{name}, in the one style"
    )
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )
