"""The worker process of this machine, as its supervisor sees it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from archdsl.data import describe
from archdsl.errors.studies import WorkerCannotGoOn
from archdsl.studies.candidates import Candidate
from archdsl.studies.executor import Job
from archdsl.studies.folder import StudyFolder
from archdsl.studies.interrupts import Interrupts
from archdsl.studies.local import LocalExecutor
from archdsl.studies.study import Study
from tests.data.folders import flat, save, segmentation


def test_a_worker_that_cannot_even_begin_stops_the_study_with_its_reason(tmp_path: Path) -> None:
    study = Study(space=tmp_path / "a.arch", data=tmp_path / "gone", name="test", threads=1)
    folder = StudyFolder(tmp_path / "runs" / "test")
    job = Job(Candidate("conv 1x1 8\n", "identity", {}, 10, 20), folder.trial(0))
    with (
        folder.held("test") as lock,
        closing(LocalExecutor(study, folder, lock, Interrupts())) as executor,
        pytest.raises(WorkerCannotGoOn, match="gone") as caught,
    ):
        executor.train(job, lambda epoch: False)
    assert caught.value.code == "E460"


def test_a_worker_that_comes_late_trains_on_no_other_data_than_those_before_it(tmp_path: Path) -> None:
    data = segmentation(tmp_path / "data")
    study = Study(space=tmp_path / "a.arch", data=data, name="test", size=8, threads=1)
    folder = StudyFolder(tmp_path / "runs" / "test")
    job = Job(Candidate("conv 1x1 3\n", "identity", {}, 10, 20), folder.trial(0))
    with (
        folder.held("test") as lock,
        closing(LocalExecutor(study, folder, lock, Interrupts())) as executor,
    ):
        folder.keep_data(describe(data))
        save(data / "val" / "images" / "0.png", flat(7))
        with pytest.raises(WorkerCannotGoOn, match="1 file has other contents"):
            executor.train(job, lambda epoch: False)
