"""The one process that owns a study: it alone asks, tells and writes.

Candidates go through a queue on the disk: proposed and queued, started, trained by a worker that writes the
result down before it tells, and only then ended. So a study that was killed anywhere goes on where it was:
each finished training is kept, and the one that was cut off runs again.
"""

from __future__ import annotations

import enum
from contextlib import suppress
from random import Random

from archdsl.errors.studies import AllFailed
from archdsl.studies.candidates import Space
from archdsl.studies.display import Display, Standing
from archdsl.studies.executor import Executor, Interrupted, Job, WorkerDied
from archdsl.studies.folder import StudyFolder
from archdsl.studies.history import History
from archdsl.studies.interrupts import Interrupts
from archdsl.studies.proposer import propose
from archdsl.studies.results import read_result
from archdsl.studies.salvage import Salvage, set_aside
from archdsl.studies.study import Study
from archdsl.studies.trials import COMPLETE, FAILED, PRUNED, RUNNING, Trial, best_of, ended
from archdsl.training import Epoch

# So many candidates that fail before one succeeds have a common cause, and the rest would fail too.
HOPELESS = 5


class Ending(enum.Enum):
    """Why a study stopped."""

    DONE = "every trial is done"
    EXHAUSTED = "the space has no more members that meet its requirements and were not tried"
    INTERRUPTED = "it was asked to stop"


class Supervisor:
    """Runs one study, in a folder that it holds."""

    def __init__(
        self, study: Study, space: Space, folder: StudyFolder, executor: Executor, display: Display
    ) -> None:
        self._study = study
        self._space = space
        self._folder = folder
        self._executor = executor
        self._display = display
        self._history = History(folder.history, study)
        if not self.trials():
            set_aside(folder)
        self._salvage = Salvage(folder)

    def run(self, interrupts: Interrupts) -> Ending:
        """Train candidates until there are as many trials as wanted, no more can be found, or it is to stop.

        Raises:
            NothingFeasible: the space has nothing to offer.
            HistoryUnusable, Unwritable: the folder cannot be used.
            WorkerCannotGoOn, AllFailed: no candidate can be trained.
        """
        self._recover()
        with suppress(Interrupted):
            while not interrupts.requested:
                if len(ended(self.trials())) >= self._study.trials:
                    return Ending.DONE
                trial = self._history.start() or self._propose()
                if trial is None:
                    return Ending.EXHAUSTED
                self._train(trial)
                self._give_up_if_all_failed()
        return Ending.INTERRUPTED

    def trials(self) -> tuple[Trial, ...]:
        return self._history.trials()

    def _recover(self) -> None:
        """End the trials that an earlier supervisor left running: by their result, else by a repetition."""
        for trial in self.trials():
            if trial.state == RUNNING and not self._end(trial):
                self._history.retry(trial, "the study was stopped; repeated", deaths=trial.deaths)

    def _propose(self) -> Trial | None:
        """A new candidate, queued and started. Its chance comes from the study's seed and its rank alone."""
        trials = self.trials()
        rank = sum(trial.retry_of is None for trial in trials)
        proposal = propose(
            self._space,
            frozenset(trial.candidate.identity for trial in trials),
            Random(f"{self._study.seed}/{rank}"),
            self._history.suggestions if self._study.sampler == "tpe" else None,
        )
        if proposal is None:
            return None
        self._history.add(proposal)
        return self._history.start()

    def _train(self, trial: Trial) -> None:
        """Train a started candidate and end its trial; one whose worker died is repeated once."""

        def report(epoch: Epoch) -> bool:
            self._display.passed(trial, epoch)
            return self._history.report(trial.number, epoch)

        self._display.started(trial, self._standing())
        folder = self._folder.trial(trial.number)
        folder.begin(trial.candidate.text)
        try:
            if salvaged := self._salvage.restore(trial, folder):
                for epoch in salvaged.epochs:
                    report(epoch)
            else:
                self._executor.train(Job(trial.candidate, folder), report)
        except WorkerDied as death:
            if trial.deaths == 0:
                self._history.retry(trial, f"{death}; repeated", deaths=1)
            else:
                self._history.fail(trial.number, str(death))
        else:
            self._end(trial)
        self._display.ended(self.trials()[trial.number], self._standing())

    def _end(self, trial: Trial) -> bool:
        """End a trial by the result that its worker left; false where there is none."""
        result = read_result(self._folder.trial(trial.number).result, trial.candidate.identity)
        if result is None:
            return False
        if result.state == COMPLETE and result.score is not None:
            self._history.complete(trial.number, result.score)
        elif result.state == PRUNED:
            self._history.prune(trial.number, result.reason)
        else:
            self._history.fail(trial.number, result.reason)
        self._keep_best_weights()
        return True

    def _keep_best_weights(self) -> None:
        """Weights of all candidates would fill the disk."""
        trials = self.trials()
        best = best_of(trials)
        for trial in trials:
            if trial.state != RUNNING and trial != best:
                self._folder.trial(trial.number).weights.unlink(missing_ok=True)

    def _standing(self) -> Standing:
        trials = self.trials()
        return Standing(len(ended(trials)), self._study.trials, best_of(trials))

    def _give_up_if_all_failed(self) -> None:
        done = ended(self.trials())
        if len(done) >= HOPELESS and all(trial.state == FAILED for trial in done):
            last = done[-1]
            raise AllFailed(len(done), last.reason, str(self._folder.trial(last.number).path))
