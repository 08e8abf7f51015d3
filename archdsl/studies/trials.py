"""The history of a study as plain values, and what can be said of it without Optuna."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archdsl.studies.candidates import Candidate

WAITING, RUNNING, COMPLETE, PRUNED, FAILED = "waiting", "running", "complete", "pruned", "fail"


@dataclass(frozen=True)
class Trial:
    """One line of the history.

    Attributes:
        number: from 0; a repetition is a trial of its own.
        state: `waiting`, `running`, `complete`, `pruned` or `fail`.
        score: of the last epoch; None where there is none, or not yet.
        curve: scores by epoch.
        seconds: from start to end.
        retry_of: the trial that this one repeats, because that was cut off.
        deaths: how many workers died of this candidate before.
        reason: why it failed, or was not trained.
    """

    number: int
    state: str
    candidate: Candidate
    score: float | None = None
    curve: tuple[tuple[int, float], ...] = ()
    seconds: float | None = None
    retry_of: int | None = None
    deaths: int = 0
    reason: str = ""


def ended(trials: Sequence[Trial]) -> list[Trial]:
    """Trials that came to their end: those that were cut off and are repeated don't count."""
    repeated = {trial.retry_of for trial in trials}
    return [
        trial
        for trial in trials
        if trial.state in (COMPLETE, PRUNED, FAILED) and trial.number not in repeated
    ]


def best_of(trials: Sequence[Trial]) -> Trial | None:
    """The complete trial with the highest score; of equal ones the first."""
    complete = [trial for trial in trials if trial.state == COMPLETE]
    return max(complete, key=lambda trial: trial.score or 0.0, default=None)


def pareto_front(trials: Sequence[Trial]) -> list[Trial]:
    """Complete trials that no other one beats in score with as few multiply-adds, cheapest first.

    Those whose multiply-adds are not known are left out.
    """
    front: list[Trial] = []
    costs = {t.number: t.candidate.macs for t in trials if t.candidate.macs is not None}
    complete = [trial for trial in trials if trial.state == COMPLETE and trial.number in costs]
    for trial in sorted(complete, key=lambda trial: (costs[trial.number], -(trial.score or 0.0))):
        if not front or (trial.score or 0.0) > (front[-1].score or 0.0):
            front.append(trial)
    return front
