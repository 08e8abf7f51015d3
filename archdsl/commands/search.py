"""`archdsl search`: many candidates, one winner."""

from __future__ import annotations

from pathlib import Path

import click

from archdsl.commands.recipes import data_option, recipe_options
from archdsl.commands.reports import FINE, INTERRUPTED, WRONG_SPEC
from archdsl.studies import KEYS, open_study


@click.command("search")
@click.argument("study", type=click.Path(path_type=Path))
@data_option(required=False)
@click.option("--trials", type=int, help=f"Candidates to train.  [default: {KEYS['trials'].default}]")
@recipe_options
@click.option("--name", help="Of the study's folder in RUNS.  [default: STUDY's name]")
@click.option(
    "--runs",
    metavar="RUNS",
    type=click.Path(path_type=Path),
    default=Path("runs"),
    show_default=True,
    help="Where studies have their folders.",
)
def command(study: Path, runs: Path, **options: object) -> int:
    """Search a space for its best architecture.

    STUDY is a study file (.toml), or a spec with open choices together with --data. Options win over the
    file. Stopped or killed, a study goes on when the same command is run again.
    """
    opened = open_study(study, options)

    # Here and not above: a wrong study is told before torch is awake.
    from archdsl.studies import run
    from archdsl.studies.supervisor import Ending

    result = run(opened, runs=runs)
    click.echo(str(result))
    if result.ending is Ending.INTERRUPTED:
        return INTERRUPTED
    return FINE if result.best else WRONG_SPEC
