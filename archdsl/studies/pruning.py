"""Which trainings are stopped early.

Early scores may say nothing about the end: under a learning rate that falls to zero the ranks of the first
epochs hardly agree with the last, and a median pruner then stops the best candidates. So the default rule is
trusted only where the finished trials prove it right.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from optuna.pruners import BasePruner, MedianPruner, NopPruner
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

# Where early scores are pure chance, the best three of eight are in the upper half once in fourteen times.
PROOF = 8
BEST = 3


class Standing(NamedTuple):
    """A finished training: the best score up to some epoch, and the score at its end."""

    early: float
    final: float


def is_hopeless(score: float, finished: Sequence[Standing]) -> bool:
    """Whether a training with this best score so far is to be stopped.

    It is, if it stands below the median of the finished trainings at the same epoch, and the same rule would
    have kept every one of the best of them: a fifth, at least three of at least eight.
    """
    if len(finished) < PROOF:
        return False
    middle = median(standing.early for standing in finished)
    ranked = sorted(finished, key=lambda standing: standing.final, reverse=True)
    best = ranked[: max(BEST, len(finished) // 5)]
    return score < middle and all(standing.early >= middle for standing in best)


class CautiousPruner(BasePruner):
    """`is_hopeless`, asked after each epoch between the first third of a training and its last epoch."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        epoch = trial.last_step
        if epoch is None or not self.epochs <= 3 * epoch < 3 * self.epochs:
            return False
        finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        standings = [
            Standing(_best(other, epoch), other.value)
            for other in finished
            if epoch in other.intermediate_values and other.value is not None
        ]
        return is_hopeless(_best(trial, epoch), standings)


def make_pruner(name: str, epochs: int) -> BasePruner:
    """The pruner of a study file: `cautious`, `median` or `none`."""
    if name == "none":
        return NopPruner()
    if name == "median":
        return MedianPruner(n_startup_trials=5, n_warmup_steps=epochs // 3)
    return CautiousPruner(epochs)


def _best(trial: FrozenTrial, epoch: int) -> float:
    return max(score for number, score in trial.intermediate_values.items() if number <= epoch)
