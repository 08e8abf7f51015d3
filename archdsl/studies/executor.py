"""What a study asks of whoever trains its candidates: local processes today, a cluster tomorrow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from archdsl.studies.candidates import Candidate
from archdsl.studies.folder import TrialFolder
from archdsl.studies.results import TrialResult
from archdsl.training import Epoch

Report: TypeAlias = Callable[[Epoch], bool]
"""Told of each epoch as it ends; true stops the training."""


@dataclass(frozen=True)
class Job:
    """One candidate to train, and where its result goes."""

    candidate: Candidate
    folder: TrialFolder


class WorkerDied(Exception):
    """The process that trained a candidate ended without a word; the text says how."""


class Interrupted(Exception):
    """The study was asked to stop."""


class Executor(Protocol):
    """Trains candidates. It never opens the study's history."""

    def train(self, job: Job, report: Report) -> TrialResult:
        """Train one candidate; its result and weights lie in the job's folder when this returns.

        Raises:
            WorkerDied, Interrupted: the candidate was cut off, and no result was written.
            WorkerCannotGoOn: something that no other candidate would mend.
        """

    def close(self) -> None:
        """End all workers; a training that is under way is lost."""
