"""The history of a study: Optuna's trials in one SQLite file, which the supervisor alone opens."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import blake2s
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import RandomSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError

from archdsl.elaboration.choices import Answer, Choice, Decide
from archdsl.errors.studies import HistoryUnusable
from archdsl.studies.candidates import Candidate, Proposal
from archdsl.studies.pruning import make_pruner
from archdsl.studies.study import Study
from archdsl.studies.trials import Trial
from archdsl.training import Epoch

# Names of attributes that a trial keeps beside Optuna's own fields.
_CANDIDATE, _RETRY_OF, _DEATHS, _REASON = "candidate", "retry_of", "deaths", "reason"
# What Optuna raises where the database does not do as it should.
_REFUSALS = (optuna.exceptions.StorageInternalError, SQLAlchemyError)
_LONGEST_NAME = 512  # Optuna's limit


class History:
    """Trials in the order of their proposals. Every change is on the disk when its method returns."""

    def __init__(self, path: Path, study: Study) -> None:
        self._path = path
        self._seed = study.seed
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        with self._storage((*_REFUSALS, RuntimeError)):  # the last of a file of another version of Optuna
            self._study = optuna.create_study(
                storage=URL.create("sqlite", database=str(path.resolve())).render_as_string(),
                study_name=study.name,
                direction="maximize",
                sampler=RandomSampler(),  # never asked: what is run was proposed before it was added
                pruner=make_pruner(study.pruner, study.epochs),
                load_if_exists=True,
            )
        self._live: dict[int, optuna.trial.Trial] = {}

    def trials(self) -> tuple[Trial, ...]:
        with self._storage():
            trials = self._study.get_trials(deepcopy=False)
        try:
            return tuple(map(_read, trials))
        except (KeyError, TypeError) as error:
            raise HistoryUnusable(str(self._path), "a trial in it names no candidate") from error

    # ---- one trial, from the queue to its end --------------------------------------------------

    def add(self, proposal: Proposal) -> None:
        """Put a new candidate into the queue."""
        answers = {parameter_name(choice): answer for choice, answer in proposal.decisions}
        distributions = {parameter_name(choice): _distribution(choice) for choice, _ in proposal.decisions}
        self._queue(answers, distributions, {_CANDIDATE: proposal.candidate.to_json()})

    def start(self) -> Trial | None:
        """Take the first of the queue; None where nothing waits."""
        with self._storage():
            waiting = self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
            if not waiting:
                return None
            live = self._study.ask()
            self._live[live.number] = live
        return _read(self._frozen(live.number))

    def report(self, number: int, epoch: Epoch) -> bool:
        """Note the score of an epoch of a trial that was started; whether it should be stopped."""
        with self._storage():
            live = self._live[number]
            live.report(epoch.score, epoch.number)
            return live.should_prune()

    def complete(self, number: int, score: float) -> None:
        with self._storage():
            self._study.tell(number, score)

    def prune(self, number: int, reason: str) -> None:
        """End a trial that the study stopped, or with a reason never began to train."""
        with self._storage():
            if reason:
                self._note(number, reason)
            self._study.tell(number, state=TrialState.PRUNED)

    def fail(self, number: int, reason: str) -> None:
        """End a trial without a score; samplers don't see it."""
        with self._storage():
            self._note(number, reason)
            self._study.tell(number, state=TrialState.FAIL)

    def retry(self, trial: Trial, reason: str, *, deaths: int) -> None:
        """End a trial that was cut off, once a repetition is queued; there is never a second one."""
        if all(other.retry_of != trial.number for other in self.trials()):
            old = self._frozen(trial.number)
            attributes = {_CANDIDATE: old.user_attrs[_CANDIDATE], _RETRY_OF: trial.number, _DEATHS: deaths}
            self._queue(old.params, old.distributions, attributes)
        self.fail(trial.number, reason)

    def _note(self, number: int, reason: str) -> None:
        """Why a trial ends, also one that an earlier process had started."""
        live = self._live.get(number) or optuna.trial.Trial(self._study, self._frozen(number)._trial_id)
        live.set_user_attr(_REASON, reason)

    def _frozen(self, number: int) -> FrozenTrial:
        with self._storage():
            return self._study.get_trials(deepcopy=False)[number]

    def _queue(
        self, params: dict[str, Any], distributions: dict[str, BaseDistribution], attributes: dict[str, Any]
    ) -> None:
        waiting = create_trial(
            state=TrialState.WAITING, params=params, distributions=distributions, user_attrs=attributes
        )
        with self._storage():
            self._study.add_trial(waiting)

    # ---- proposals -----------------------------------------------------------------------------

    def suggestions(self, seed: int) -> Iterator[Decide]:
        """Draws of Optuna's TPE, one `decide` each, given all that has finished; the same for the same seed.

        They are drawn in memory, so that those that are not taken leave no trial behind.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            sampler = TPESampler(multivariate=True, group=True, seed=seed)
        mirror = optuna.create_study(direction="maximize", sampler=sampler)
        with self._storage():
            finished = self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
        mirror.add_trials([_bare(trial) for trial in finished])
        while True:
            trial = mirror.ask()
            yield partial(_suggest, trial)
            mirror.tell(trial, state=TrialState.FAIL)

    @contextmanager
    def _storage(self, refusals: tuple[type[Exception], ...] = _REFUSALS) -> Iterator[None]:
        """What the database refuses, as a mistake."""
        try:
            yield
        except refusals as error:
            cause = error.__cause__ or error
            raise HistoryUnusable(str(self._path), str(getattr(cause, "orig", None) or cause)) from error


def parameter_name(choice: Choice) -> str:
    """The name of a choice in Optuna's tables.

    Optuna refuses another list of options under a name that it knows, and the options of a place can
    depend on other choices: a hash of them is part of the name.
    """
    if choice.kind != "categorical":
        return choice.name[:_LONGEST_NAME]
    mark = blake2s("\n".join((choice.name, *choice.options)).encode(), digest_size=3).hexdigest()
    return f"{choice.name[: _LONGEST_NAME - len(mark) - 3]} [{mark}]"


def _suggest(trial: optuna.trial.Trial, choice: Choice) -> Answer:
    name, distribution = parameter_name(choice), _distribution(choice)
    match distribution:
        case IntDistribution(low=low, high=high, step=step):
            return trial.suggest_int(name, low, high, step=step)
        case FloatDistribution(low=low, high=high, log=log, step=step):
            return trial.suggest_float(name, low, high, log=log, step=step)
    return str(trial.suggest_categorical(name, choice.options))


def _distribution(choice: Choice) -> BaseDistribution:
    if choice.kind == "categorical":
        return CategoricalDistribution(choice.options)
    assert choice.low is not None
    assert choice.high is not None
    if choice.kind == "int":
        return IntDistribution(int(choice.low), int(choice.options[-1]), step=int(choice.step or 1))
    return FloatDistribution(choice.low, choice.high, choice.log, choice.step)


def _bare(trial: FrozenTrial) -> FrozenTrial:
    """What a sampler learns from: no candidate's text is copied with it."""
    return create_trial(
        state=trial.state,
        value=trial.value,
        params=trial.params,
        distributions=trial.distributions,
        intermediate_values=trial.intermediate_values,
    )


def _read(trial: FrozenTrial) -> Trial:
    attributes = trial.user_attrs
    return Trial(
        number=trial.number,
        state=trial.state.name.lower(),
        candidate=Candidate.from_json(attributes[_CANDIDATE]),
        score=trial.value,
        seconds=trial.duration.total_seconds() if trial.duration else None,
        curve=tuple(sorted(trial.intermediate_values.items())),
        retry_of=attributes.get(_RETRY_OF),
        deaths=attributes.get(_DEATHS, 0),
        reason=attributes.get(_REASON, ""),
    )
