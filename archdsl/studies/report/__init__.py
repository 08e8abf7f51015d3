"""The report of a study: a page, a table, two plots."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from archdsl.errors.commands import outside
from archdsl.files import write_atomically
from archdsl.studies.report.page import page
from archdsl.studies.report.tables import csv_table
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
    # Here and not above: a study that has not ended yet needs no matplotlib.
    from archdsl.studies.report.plots import write_plots

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise outside(error) from None
    write_plots(folder, trials)
    write_atomically(folder / "trials.csv", csv_table(trials).encode())
    write_atomically(folder / "index.html", page(study, trials, ending, winner).encode())
