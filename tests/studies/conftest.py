"""A study in the test's own folder, run with scripted trainings."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from archdsl.studies.display import Lines
from archdsl.studies.folder import StudyFolder
from archdsl.studies.interrupts import Interrupts
from archdsl.studies.study import Study
from archdsl.studies.supervisor import Ending, Supervisor
from archdsl.studies.trials import Trial
from tests.studies.fakes import Curve, FakeSpace, ScriptedExecutor


class Runner:
    """Runs a study again and again, as a user does who repeats a command."""

    def __init__(self, folder: Path) -> None:
        self.space_file = folder / "space.arch"
        self.space_file.write_text("conv 1x1 {8, 16}\n")
        (folder / "data").mkdir()
        self.study = Study(
            space=self.space_file, data=folder / "data", name="test", trials=6, epochs=3, threads=1
        )
        self.folder = StudyFolder(folder / "runs" / "test")
        self.log = io.StringIO()
        self.trained: list[str] = []
        self.executor = ScriptedExecutor(lambda job: (0.5,))

    def run(
        self,
        space: FakeSpace,
        script: Callable[..., Curve | str],
        interrupts: Interrupts | None = None,
        **changes: object,
    ) -> tuple[Ending, tuple[Trial, ...]]:
        """One call of the command: how it ended, and the whole history."""
        study = replace(self.study, **changes)
        self.executor = ScriptedExecutor(script)
        with self.folder.held(study.name):
            self.folder.begin(study)
            supervisor = Supervisor(study, space, self.folder, self.executor, Lines(self.log))
            try:
                return supervisor.run(interrupts or Interrupts()), supervisor.trials()
            finally:
                self.trained += self.executor.trained


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)
