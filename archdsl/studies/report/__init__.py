"""The report of a study: a page, a table, two plots."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from archdsl.errors.commands import outside
from archdsl.studies.study import Study
from archdsl.studies.trials import Trial


def write_report(folder: Path, study: Study, trials: Sequence[Trial], ending: str, winner: str) -> None:
    """Write index.html, trials.csv, history and score-macs as PNG and SVG into a folder.

    Args:
        trials: those that ended.
        ending: why the study ended, in a sentence.
        winner: text of the winner; empty where no training was completed.

    Raises:
        Unwritable: the operating system refused.
    """
    from archdsl.studies.report.page import page
    from archdsl.studies.report.plots import write_plots
    from archdsl.studies.report.tables import csv_table

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise outside(error) from None
    write_plots(folder, trials)
    _write(folder / "trials.csv", csv_table(trials))
    _write(folder / "index.html", page(study, trials, ending, winner))


def _write(path: Path, text: str) -> None:
    from archdsl.files import write_atomically

    write_atomically(path, text.encode())
