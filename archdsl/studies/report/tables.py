"""Trials as rows: for a spreadsheet, and by option."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from statistics import mean
from typing import NamedTuple

from archdsl.studies.trials import COMPLETE, Trial

_COLUMNS = ("trial", "state", "score", "params", "macs", "epochs", "seconds")


def choice_names(trials: Sequence[Trial]) -> list[str]:
    """All choices that any trial decided, in the order in which they first occur."""
    return list(dict.fromkeys(name for trial in trials for name in trial.candidate.choices))


def csv_table(trials: Sequence[Trial]) -> str:
    """A row for each trial, a column for each choice (empty where the choice was not open)."""
    names = choice_names(trials)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_COLUMNS, *names, "reason", "identity"])
    for trial in trials:
        candidate = trial.candidate
        writer.writerow(
            [
                trial.number,
                trial.state,
                "" if trial.score is None else repr(trial.score),
                candidate.params,
                candidate.macs,
                len(trial.curve),
                "" if trial.seconds is None else f"{trial.seconds:.1f}",
                *(candidate.choices.get(name, "") for name in names),
                trial.reason,
                candidate.identity,
            ]
        )
    return text.getvalue()


class OptionRow(NamedTuple):
    """What the complete trials with one option scored."""

    choice: str
    option: str
    trials: int
    mean: float
    best: float


def option_table(trials: Sequence[Trial]) -> list[OptionRow]:
    """For each choice its options, the best mean first."""
    complete = [trial for trial in trials if trial.state == COMPLETE and trial.score is not None]
    rows = []
    for name in choice_names(complete):
        scores: dict[str, list[float]] = {}
        for trial in complete:
            if name in trial.candidate.choices:
                scores.setdefault(trial.candidate.choices[name], []).append(trial.score or 0.0)
        options = [OptionRow(name, option, len(of), mean(of), max(of)) for option, of in scores.items()]
        rows += sorted(options, key=lambda row: -row.mean)
    return rows
