"""The history in its file: odd places, damage, and how often a trial is repeated."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from archdsl.errors.studies import HistoryUnusable
from archdsl.studies.candidates import Candidate, Proposal
from archdsl.studies.history import History
from archdsl.studies.study import Study
from archdsl.studies.trials import COMPLETE, FAILED, RUNNING, WAITING
from archdsl.training import Epoch
from tests.studies.fakes import categorical

PROPOSAL = Proposal(
    Candidate("conv 1x1 8\n", "identity", {"up": "nearest"}, 10, 20),
    ((categorical("up", "nearest", "bilinear"), "nearest"),),
)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study(space=tmp_path, data=tmp_path, name="test", threads=1)


@pytest.mark.parametrize("name", ["plain", "100% a?b#c d&e", "ünï:@"])
def test_a_history_may_lie_in_any_folder(tmp_path: Path, study: Study, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    History(folder / "study.db", study).add(PROPOSAL)
    assert [path.name for path in folder.iterdir()] == ["study.db"]
    (trial,) = History(folder / "study.db", study).trials()
    assert (trial.state, trial.candidate) == (WAITING, PROPOSAL.candidate)


def test_a_file_that_is_no_history_is_a_mistake(tmp_path: Path, study: Study) -> None:
    (tmp_path / "study.db").write_bytes(b"not a database" * 100)
    with pytest.raises(HistoryUnusable, match="not a database"):
        History(tmp_path / "study.db", study)


def test_a_history_that_cannot_be_written_is_a_mistake(tmp_path: Path, study: Study) -> None:
    history = History(tmp_path / "study.db", study)
    (tmp_path / "study.db").unlink()
    (tmp_path / "study.db").mkdir()
    with pytest.raises(HistoryUnusable):
        History(tmp_path / "study.db", study)
    with pytest.raises(HistoryUnusable):
        history.add(PROPOSAL)


def test_a_trial_goes_through_the_queue_to_its_end(tmp_path: Path, study: Study) -> None:
    history = History(tmp_path / "study.db", replace(study, pruner="none"))
    assert history.start() is None
    history.add(PROPOSAL)
    started = history.start()
    assert started is not None
    assert started.state == RUNNING
    assert not history.report(0, Epoch(1, 0.5, 0.25, 1.0))
    history.complete(0, 0.75)
    (trial,) = history.trials()
    assert (trial.state, trial.score, trial.curve) == (COMPLETE, 0.75, ((1, 0.25),))


def test_a_trial_that_was_cut_off_is_repeated_once_even_if_that_was_cut_off(
    tmp_path: Path, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = History(tmp_path / "study.db", study)
    history.add(PROPOSAL)
    trial = history.start()
    assert trial is not None

    def killed(self: History, number: int, reason: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(History, "fail", killed)
        with pytest.raises(KeyboardInterrupt):  # between the repetition and the end of the trial
            history.retry(trial, "the study was stopped", deaths=0)
    history = History(tmp_path / "study.db", study)
    history.retry(history.trials()[0], "the study was stopped", deaths=0)
    assert [(trial.state, trial.retry_of) for trial in history.trials()] == [(FAILED, None), (WAITING, 0)]
    assert history.trials()[1].candidate == PROPOSAL.candidate


def test_a_file_of_another_version_of_optuna_is_a_mistake(tmp_path: Path, study: Study) -> None:
    History(tmp_path / "study.db", study)
    with sqlite3.connect(tmp_path / "study.db") as database:
        database.execute("update version_info set schema_version = 99")
        database.execute("update alembic_version set version_num = 'v9.9.9'")
    with pytest.raises(HistoryUnusable, match="optuna"):
        History(tmp_path / "study.db", study)


def test_a_trial_that_another_program_added_is_a_mistake(tmp_path: Path, study: Study) -> None:
    history = History(tmp_path / "study.db", study)
    history.add(PROPOSAL)
    with sqlite3.connect(tmp_path / "study.db") as database:
        database.execute("delete from trial_user_attributes")
    with pytest.raises(HistoryUnusable, match="names no candidate"):
        History(tmp_path / "study.db", study).trials()


@pytest.mark.parametrize("end", [History.fail, History.prune])
def test_why_a_trial_ended_is_kept_also_where_another_process_had_started_it(
    tmp_path: Path, study: Study, end: Callable[[History, int, str], None]
) -> None:
    first = History(tmp_path / "study.db", study)
    first.add(PROPOSAL)
    first.start()
    second = History(tmp_path / "study.db", study)
    end(second, 0, "it was too slow")
    assert second.trials()[0].reason == "it was too slow"


def test_options_of_a_choice_may_depend_on_other_choices(tmp_path: Path, study: Study) -> None:
    history = History(tmp_path / "study.db", study)
    for number in range(12):
        options = ("3", "6") if number % 2 else ("6", "3", "1")
        history.add(Proposal(PROPOSAL.candidate, ((categorical("expand", *options), options[number % 2]),)))
        history.start()
        history.complete(number, number / 10)
    decide = next(history.suggestions(seed=0))
    assert decide(categorical("expand", "3", "6")) in ("3", "6")
    assert decide(categorical("expand", "6", "3", "1")) in ("6", "3", "1")
