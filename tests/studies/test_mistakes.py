"""Every mistake in a study has a picture in `tests/golden/studies`, and these are it.

`ARCHDSL_GOLDEN=write pytest tests/studies/test_mistakes.py` draws them anew; read them before a commit.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from archdsl.errors import ArchError, Diagnostic, Mistake, studies
from archdsl.errors.commands import without_place
from archdsl.source import Source
from archdsl.studies.study import check_study_file

FOLDER = Path(__file__).parents[1] / "golden" / "studies"
LIBRARY = ("block_types", "dilation_schedules", "nesting_depth", "se_placement")

MISTAKES = {
    "missing_key": studies.MissingKey("data", "the folder of images to train on", "`--data`"),
    "no_such_space": studies.NoSuchSpace("se_placment", LIBRARY),
    "no_such_space_at_all": studies.NoSuchSpace("cells", LIBRARY),
    "nothing_open": studies.NothingOpen("unet.arch"),
    "nothing_feasible": studies.NothingFeasible(1000, False, (("macs < 1M", 1000), ("gridding_free", 312))),
    "nothing_feasible_at_all": studies.NothingFeasible(24, True, (("macs < 1M", 24),)),
    "study_changed": studies.StudyChanged(
        "blocks",
        "runs/blocks",
        (("`epochs`", "3", "5"), ("a line of the space", "`| up nearest`", "nothing")),
    ),
    "data_changed": studies.DataChanged(
        "blocks",
        "cells",
        "runs/blocks",
        new=("train/images/7.png", "train/masks/7.png"),
        gone=tuple(f"val/images/{index}.png" for index in range(5)),
        changed=("val/masks/9.png",),
    ),
    "data_taken_otherwise": studies.DataChanged(
        "blocks", "cells", "runs/blocks", facts=(("ignore_index", "null", "255"),)
    ),
    "question_lost": studies.QuestionLost("runs/blocks"),
    "study_in_use": studies.StudyInUse("blocks", "runs/blocks"),
    "history_unusable": studies.HistoryUnusable("runs/blocks/study.db", "database or disk is full"),
    "worker_cannot_go_on": studies.WorkerCannotGoOn("there is no device `cuda:7`", "runs/blocks/worker.log"),
    "all_failed": studies.AllFailed(5, "the memory of cuda:0 does not hold a batch", "runs/blocks/trials/4"),
}


def shown(name: str) -> tuple[Diagnostic, ...]:
    if name in MISTAKES:
        return (without_place(MISTAKES[name]),)
    path = FOLDER / f"{name}.toml"
    with pytest.raises(ArchError) as caught:
        check_study_file(Source(path.name, path.read_text("utf-8")))
    return caught.value.diagnostics


CASES = (*MISTAKES, *(path.stem for path in sorted(FOLDER.glob("*.toml"))))


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_is_shown_as_its_golden_file_has_it(name: str) -> None:
    text = "\n\n".join(map(str, shown(name))) + "\n"
    golden = FOLDER / f"{name}.txt"
    if os.environ.get("ARCHDSL_GOLDEN") == "write":
        golden.write_text(text, "utf-8")
    assert text == golden.read_text("utf-8")


def test_every_mistake_in_a_study_has_a_golden_file_and_a_code_of_its_own() -> None:
    classes = [
        member
        for member in vars(studies).values()
        if isinstance(member, type) and issubclass(member, Mistake) and member is not Mistake
    ]
    assert len({member.code for member in classes}) == len(classes)
    assert {member.code for member in classes} == {found.code for name in CASES for found in shown(name)}
