"""When a training is stopped, and when the rule is not trusted."""

from __future__ import annotations

import optuna
import pytest
from optuna.trial import TrialState, create_trial

from archdsl.studies.pruning import CautiousPruner, Standing, is_hopeless, make_pruner

AGREEING = [Standing(early=rank / 10, final=rank / 10) for rank in range(8)]  # median 0.35
CROSSING = [Standing(early=rank / 10, final=-rank / 10) for rank in range(8)]


@pytest.mark.parametrize(("score", "hopeless"), [(0.34, True), (0.35, False), (0.9, False)])
def test_below_the_median_is_hopeless(score: float, hopeless: bool) -> None:
    assert is_hopeless(score, AGREEING) is hopeless


def test_too_few_finished_trainings_prove_nothing() -> None:
    assert not is_hopeless(-1.0, AGREEING[:7])


def test_early_scores_that_contradict_the_end_are_not_trusted() -> None:
    assert not is_hopeless(-1.0, CROSSING)


def test_one_of_the_best_that_began_badly_is_enough_for_distrust() -> None:
    late_bloomer = [*AGREEING[:7], Standing(early=0.0, final=0.7)]
    assert not is_hopeless(-1.0, late_bloomer)


def test_a_bad_one_that_began_well_is_no_reason_for_distrust() -> None:
    early_bloomer = [*AGREEING[1:], Standing(early=0.9, final=0.0)]
    assert is_hopeless(-1.0, early_bloomer)


def _asked(epochs: int, at: int) -> bool:
    """What the pruner says after epoch `at` of the worst of nine trainings."""
    study = optuna.create_study(direction="maximize", pruner=CautiousPruner(epochs))
    for rank in range(1, 9):
        curve = dict.fromkeys(range(1, epochs + 1), rank / 10)
        study.add_trial(create_trial(state=TrialState.COMPLETE, value=rank / 10, intermediate_values=curve))
    trial = study.ask()
    for epoch in range(1, at + 1):
        trial.report(0.0, epoch)
    return trial.should_prune()


@pytest.mark.parametrize(
    ("epochs", "asked"), [(1, []), (2, [1]), (3, [1, 2]), (9, [3, 4, 5, 6, 7, 8]), (10, [4, 5, 6, 7, 8, 9])]
)
def test_it_is_asked_from_the_first_third_until_before_the_last_epoch(epochs: int, asked: list[int]) -> None:
    assert [at for at in range(1, epochs + 1) if _asked(epochs, at)] == asked


def test_the_best_score_so_far_counts_not_the_last() -> None:
    study = optuna.create_study(direction="maximize", pruner=CautiousPruner(4))
    for rank in range(8):
        curve = {1: rank / 10, 2: rank / 10, 3: rank / 10, 4: rank / 10}
        study.add_trial(create_trial(state=TrialState.COMPLETE, value=rank / 10, intermediate_values=curve))
    trial = study.ask()
    trial.report(0.5, 1)
    trial.report(0.1, 2)
    assert not trial.should_prune()


def test_a_study_without_a_pruner_stops_nothing() -> None:
    study = optuna.create_study(direction="maximize", pruner=make_pruner("none", 4))
    for _ in range(9):
        study.add_trial(
            create_trial(state=TrialState.COMPLETE, value=1.0, intermediate_values={2: 1.0, 4: 1.0})
        )
    trial = study.ask()
    trial.report(0.0, 2)
    assert not trial.should_prune()
