"""A study's folder stays the folder of one study, with one supervisor."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from archdsl.data import describe
from archdsl.errors import Mistake
from archdsl.errors.commands import NotText, Unreadable, Unwritable
from archdsl.errors.studies import DataChanged, QuestionLost, StudyChanged, StudyInUse
from archdsl.studies.folder import StudyFolder
from archdsl.studies.lock import acquire
from archdsl.studies.study import Study
from tests.data.folders import flat, save, segmentation


@pytest.fixture
def study(tmp_path: Path) -> Study:
    (tmp_path / "space.arch").write_text("# which?\nconv 1x1 {8, 16}\n| relu\n")
    return Study(space=tmp_path / "space.arch", data=tmp_path, name="test", threads=1)


@pytest.fixture
def folder(tmp_path: Path, study: Study) -> StudyFolder:
    folder = StudyFolder(tmp_path / "runs" / "test")
    with folder.held("test"):
        folder.begin(study)
    return folder


@pytest.mark.parametrize(
    "change", [{}, {"trials": 99}, {"question": "why?"}, {"trials": 1}], ids=lambda change: " ".join(change)
)
def test_a_study_may_grow_and_be_asked_again(
    folder: StudyFolder, study: Study, change: dict[str, object]
) -> None:
    folder.begin(replace(study, **change))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"data": Path("/elsewhere")},
        {"epochs": 5},
        {"size": 64},
        {"batch": 3},
        {"learning_rate": 0.5},
        {"seed": 7},
        {"sampler": "random"},
        {"pruner": "none"},
        {"threads": 2},
        {"device": "cuda"},
    ],
    ids=lambda change: " ".join(change),
)
def test_a_changed_study_is_refused_by_its_changed_key(
    folder: StudyFolder, study: Study, change: dict[str, object]
) -> None:
    before = (folder.path / "study.toml").read_text()
    with pytest.raises(StudyChanged) as caught:
        folder.begin(replace(study, **change))  # type: ignore[arg-type]
    ((key, _, now),) = caught.value.changes
    ((name, value),) = change.items()
    assert key == f"`{name}`"
    assert str(value) in now
    assert "--name" in caught.value.help()
    assert (folder.path / "study.toml").read_text() == before


def test_a_changed_space_is_refused_by_its_changed_line(folder: StudyFolder, study: Study) -> None:
    study.space.write_text("conv 1x1 {8, 16}\n| gelu\n")
    with pytest.raises(StudyChanged) as caught:
        folder.begin(study)
    assert caught.value.changes == (("a line of the space", "`| relu`", "`| gelu`"),)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return segmentation(tmp_path / "cells")


def test_a_study_goes_on_with_the_data_it_began_with_alone(folder: StudyFolder, data: Path) -> None:
    folder.keep_data(describe(data))
    folder.keep_data(describe(data))
    save(data / "train" / "images" / "0.png", flat(77))
    with pytest.raises(DataChanged) as caught:
        folder.keep_data(describe(data))
    assert caught.value.changed == ("train/images/0.png",)
    assert "--name" in caught.value.help()
    save(data / "train" / "images" / "0.png", flat(0))
    folder.keep_data(describe(data))


def test_a_folder_without_a_fingerprint_goes_on_and_has_one_from_then(
    folder: StudyFolder, data: Path
) -> None:
    assert not folder.data.exists()
    folder.keep_data(describe(data))
    assert folder.data.exists()


def test_comments_and_empty_lines_change_no_space(folder: StudyFolder, study: Study) -> None:
    study.space.write_text("conv 1x1 {8, 16}   \n\n# another comment\n| relu\n")
    folder.begin(study)


@pytest.mark.parametrize("left", ["study.db", "trials/0/result.json"])
def test_trials_without_the_question_that_they_answer_are_refused(
    folder: StudyFolder, study: Study, left: str
) -> None:
    (folder.path / left).parent.mkdir(parents=True, exist_ok=True)
    (folder.path / left).touch()
    (folder.path / "study.toml").unlink()
    with pytest.raises(QuestionLost, match=r"no study\.toml"):
        folder.begin(study)


@pytest.mark.parametrize(
    ("content", "kind", "said"),
    [
        (b"epochs = = 3", Unreadable, r"study\.toml` cannot be read: it is no TOML: .*line 1"),
        (b"\xff", NotText, r"study\.toml` is not text: byte 0"),
    ],
)
def test_a_study_file_that_was_spoiled_is_named(
    folder: StudyFolder, study: Study, content: bytes, kind: type[Mistake], said: str
) -> None:
    (folder.path / "study.toml").write_bytes(content)
    with pytest.raises(kind, match=said):
        folder.begin(study)


def test_a_folder_has_one_supervisor_at_a_time(folder: StudyFolder) -> None:
    with folder.held("test"), pytest.raises(StudyInUse, match="`test`"), folder.held("test"):
        pass
    with folder.held("test"):
        pass


@pytest.mark.skipif(os.name != "posix", reason="locks are inherited on POSIX systems")
def test_a_lock_is_held_until_the_last_child_that_inherited_it_ends(tmp_path: Path) -> None:
    lock = acquire(tmp_path / "lock", patience=0)
    assert lock is not None
    child = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=(lock.handle,)
    )
    lock.close()
    assert acquire(tmp_path / "lock", patience=0) is None
    child.communicate(b"\n")
    assert acquire(tmp_path / "lock", patience=0) is not None


def test_a_folder_that_cannot_be_made_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(Unwritable), StudyFolder(tmp_path / "runs" / "test").held("test"):
        pass


def test_what_an_older_history_left_under_a_number_is_gone(folder: StudyFolder) -> None:
    trial = folder.trial(0)
    trial.begin("conv 1x1 8\n")
    trial.result.write_text("{}")
    trial.weights.write_bytes(b"")
    trial.begin("conv 1x1 16\n")
    assert [path.name for path in trial.path.iterdir()] == ["candidate.arch"]
    assert trial.candidate.read_text() == "conv 1x1 16\n"


def test_what_a_space_uses_is_kept_beside_it_and_may_not_change(study: Study, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "blocks.arch").write_text('use "deep/more.arch"\ndef unit(width) = more width | relu\n')
    (tmp_path / "deep" / "more.arch").write_text("def more(width) = conv 1x1 width | bn\n")
    study.space.write_text('use "blocks.arch"\nunit {8, 16}\n| relu\n')
    folder = StudyFolder(tmp_path / "runs" / "using")
    with folder.held("using"):
        folder.begin(study)
        assert (folder.path / "blocks.arch").is_file()
        assert (folder.path / "deep" / "more.arch").is_file()
        (tmp_path / "deep" / "more.arch").write_text("def more(width) = conv 3x3 width | bn\n")
        with pytest.raises(StudyChanged):
            folder.begin(study)
