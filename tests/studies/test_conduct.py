"""A study over a real space, with scripted trainings: from its file to its winner."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from archdsl import api
from archdsl.data import describe
from archdsl.formatter import format_spec
from archdsl.source import Source
from archdsl.studies.conduct import StudyResult, conduct
from archdsl.studies.display import Bar, Lines, Standing, make_display
from archdsl.studies.executor import Job, Report
from archdsl.studies.results import TrialResult, write_result
from archdsl.studies.study import Study
from archdsl.studies.supervisor import Ending
from archdsl.studies.trials import COMPLETE, PRUNED
from archdsl.training import Epoch
from tests.data.folders import segmentation
from tests.studies.fakes import Curve, ScriptedExecutor
from tests.studies.test_report import TRIALS

ROOT = Path(__file__).parents[2]
SPACE = """\
let classes = 2
let w = 4..8:4

encoder plain widths=[w, 8]
| {skip plain, skip nested depth=1}
| up {transpose, bilinear} block={double_conv, (mbconv expand={1, 2})} channels=[4]
| head 1x1 out=classes

require params < 5K
"""


@pytest.fixture
def study(tmp_path: Path) -> Study:
    (tmp_path / "small.arch").write_text(SPACE)
    segmentation(tmp_path / "data")
    return Study(
        space=tmp_path / "small.arch",
        data=tmp_path / "data",
        name="small",
        trials=5,
        epochs=1,
        size=32,
        threads=1,
    )


def ended(study: Study, script: Callable[..., Curve | str]) -> StudyResult:
    space = api.load(study.space, input=(3, study.size, study.size), classes=5)
    assert isinstance(space, api.Space)
    runs = study.data.parent / "runs"
    executor = ScriptedExecutor(script)
    return conduct(study, space, describe(study.data), runs, lambda *_: executor, io.StringIO())


def by_size(job: object) -> Curve:
    return (1 / job.candidate.params,)  # type: ignore[attr-defined]


def test_the_winner_s_text_is_the_candidate_that_was_trained(study: Study) -> None:
    result = ended(study, by_size)
    assert result.ending is Ending.DONE
    assert result.best is not None
    assert result.winner is not None
    text = result.winner.read_text()
    assert format_spec(Source("winner.arch", text)) == text
    winner = api.load(result.winner)
    assert isinstance(winner, api.Architecture)
    assert winner.identity == result.best.candidate.identity
    assert (
        winner.params == result.best.candidate.params == min(t.candidate.params for t in result.trials) < 5000
    )
    assert winner.input == (3, 32, 32)
    assert winner.network.shape_of(winner.network.outputs[0].value) == (5, 32, 32)
    assert result.folder.winner_weights.read_bytes() == b"weights of " + winner.identity.encode()
    assert str(result.winner) in str(result)


def test_a_winner_that_was_beaten_is_replaced(study: Study) -> None:
    first = ended(study, lambda job: (0.5,))
    assert first.best is not None
    ahead = Study(**{**vars(study), "trials": 6})
    second = ended(ahead, lambda job: (0.9,))
    assert second.best is not None
    assert second.best.number == 5
    assert second.winner is not None
    assert api.load(second.winner).identity == second.best.candidate.identity
    assert second.folder.winner_weights.read_bytes().decode().endswith(second.best.candidate.identity)


def test_a_study_without_a_completed_training_has_no_winner_and_says_why(study: Study) -> None:
    result = ended(Study(**{**vars(study), "trials": 2}), lambda job: "the network diverged")
    assert result.winner is None
    assert "no winner; the last failed: the network diverged" in str(result)
    assert (result.folder.report / "index.html").exists()


def test_a_study_of_candidates_that_are_all_too_slow_says_that_none_was_trained(study: Study) -> None:
    class Slow(ScriptedExecutor):
        def train(self, job: Job, report: Report) -> TrialResult:
            result = TrialResult(job.candidate.identity, PRUNED, None, reason="latency = 7, not latency < 5")
            write_result(job.folder.result, result)
            return result

    space = api.load(study.space, input=(3, study.size, study.size), classes=5)
    assert isinstance(space, api.Space)
    runs = study.data.parent / "runs"
    result = conduct(study, space, describe(study.data), runs, lambda *_: Slow(by_size), io.StringIO())
    assert "no winner; the last was not trained: latency = 7, not latency < 5" in str(result)


def test_a_space_that_is_used_up_says_so(study: Study) -> None:
    result = ended(Study(**{**vars(study), "trials": 99}), by_size)
    assert result.ending is Ending.EXHAUSTED
    assert all(trial.state == COMPLETE for trial in result.trials)
    every = api.load(study.space, input=(3, 32, 32), classes=5)
    assert isinstance(every, api.Space)
    feasible = {member.identity for member in every if every.feasible(member)}
    assert {trial.candidate.identity for trial in result.trials} == feasible
    assert len(result.trials) == len(feasible) < every.count()
    assert f"{len(feasible)} of 99 trials are done: the space has no more members" in str(result)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "specs" / "spaces").glob("*.arch")), ids=lambda path: path.stem
)
def test_candidates_of_the_library_s_spaces_are_distinct_feasible_and_closed(
    path: Path, study: Study
) -> None:
    result = ended(Study(**{**vars(study), "space": path, "size": 64, "trials": 4}), by_size)
    space = api.load(path, input=(3, 64, 64), classes=5)
    assert isinstance(space, api.Space)
    assert len({trial.candidate.identity for trial in result.trials}) == len(result.trials) == 4
    for trial in result.trials[:2]:
        closed = api.load(Source("candidate.arch", trial.candidate.text))
        assert isinstance(closed, api.Architecture)
        assert closed.identity == trial.candidate.identity
        assert space.feasible(closed)


def test_a_closed_spec_is_no_study(archdsl: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    (tmp_path / "closed.arch").write_text(
        "encoder plain widths=[4, 8] | skip plain | up bilinear | head 1x1 out=3\n"
    )
    code, _, err = archdsl("search", "closed.arch", "--data", segmentation(tmp_path / "cells"))
    assert code == 2
    assert "leaves nothing open" in err


def test_who_watches_gets_a_bar_and_a_log_gets_lines() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    assert isinstance(make_display(3, io.StringIO()), Lines)
    stream = Terminal()
    with make_display(3, stream) as bar:
        assert isinstance(bar, Bar)
        bar.started(TRIALS[0], Standing(0, 2, None))
        bar.passed(TRIALS[0], Epoch(1, 0.5, 0.25, 1.0))
        bar.ended(TRIALS[0], Standing(1, 2, TRIALS[0]))
    assert "trial 0: 0.5000" in stream.getvalue()
    assert "1 of 2 done, best 0.5000 (trial 0)" in stream.getvalue()
