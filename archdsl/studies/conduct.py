"""A study from its beginning to its winner."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeAlias

from archdsl import api
from archdsl.data import Description, describe
from archdsl.errors.commands import without_place
from archdsl.errors.studies import NothingOpen
from archdsl.studies.candidates import Space
from archdsl.studies.display import make_display
from archdsl.studies.executor import Executor
from archdsl.studies.folder import StudyFolder
from archdsl.studies.interrupts import Interrupts
from archdsl.studies.local import LocalExecutor
from archdsl.studies.lock import Lock
from archdsl.studies.report import write_report
from archdsl.studies.study import Study, open_study
from archdsl.studies.supervisor import Ending, Supervisor
from archdsl.studies.trials import FAILED, Trial, best_of, ended
from archdsl.studies.winner import write_winner
from archdsl.tensors import Shape

MakeExecutor: TypeAlias = Callable[[Study, StudyFolder, Lock, Interrupts], Executor]


@dataclass(frozen=True)
class StudyResult:
    """What a study came to.

    Attributes:
        ending: why it stopped.
        trials: those that came to their end.
        folder: where everything lies.
    """

    study: Study
    ending: Ending
    trials: tuple[Trial, ...]
    folder: StudyFolder

    @property
    def best(self) -> Trial | None:
        return best_of(self.trials)

    @property
    def winner(self) -> Path | None:
        """The winner's spec, its weights beside it; None where there is none, or not yet."""
        return self.folder.winner if self.best and self.ending is not Ending.INTERRUPTED else None

    def __str__(self) -> str:
        """What a person wants to know now."""
        kept = f"{len(self.trials)} of {self.study.trials} trials are done"
        if self.ending is Ending.INTERRUPTED:
            return f"Stopped; {kept} and kept in {self.folder.path}. Run the same command again to go on."
        lines = [f"{kept}: {self.ending.value}."]
        if self.best:
            lines += [
                f"winner   {self.folder.winner}  (score {self.best.score:.4f}, trial {self.best.number})",
                f"weights  {self.folder.winner_weights}",
            ]
        else:
            ends = [
                f"{'failed' if trial.state == FAILED else 'was not trained'}: {trial.reason}"
                for trial in self.trials
                if trial.reason
            ]
            said = f"; the last {ends[-1]}" if ends else ""
            lines.append(f"No training was completed, so there is no winner{said}")
        return "\n".join([*lines, f"report   {self.folder.report / 'index.html'}"])


def run(study: Study, *, runs: Path = Path("runs"), stream: IO[str] | None = None) -> StudyResult:
    """Run a study, or go on with it, until it ends or is told to stop (Ctrl-C).

    Args:
        runs: where studies have their folders.
        stream: where progress is shown; the standard error by default.

    Raises:
        ArchError: what is wrong with the space.
        Mistake: what is wrong with the study, its data, its folder or its workers.
    """
    description = describe(study.data)
    if description.advice is not None:
        print(without_place(description.advice), file=stream or sys.stderr)
    shape = Shape(description.channels, study.size, study.size)
    space = api.load(study.space, input=shape, classes=description.classes)
    if not isinstance(space, api.Space):
        raise NothingOpen(str(study.space))
    return conduct(study, space, description, runs, LocalExecutor, stream)


def search(
    space: str | Path, data: str | Path, *, runs: Path = Path("runs"), **options: object
) -> StudyResult:
    """Search a space for its best architecture on a folder of images: `archdsl search` as a function.

    Args:
        space: a spec with open choices, the name of a library's one, or a study file.
        options: keys of a study file, such as `trials=40, epochs=5, name="mine"`.

    Raises:
        ArchError, Mistake: as `open_study` and `run` do.
    """
    return run(open_study(Path(space), {"data": Path(data), **options}), runs=runs)


def conduct(
    study: Study,
    space: Space,
    description: Description,
    runs: Path,
    make_executor: MakeExecutor,
    stream: IO[str] | None = None,
) -> StudyResult:
    """`run`, with the space and the data's description in hand and any executor."""
    folder = StudyFolder(runs / study.name)
    with folder.held(study.name) as lock, Interrupts() as interrupts:
        folder.begin(study)
        folder.keep_data(description)
        with (
            closing(make_executor(study, folder, lock, interrupts)) as executor,
            make_display(study.epochs, stream) as display,
        ):
            supervisor = Supervisor(study, space, folder, executor, display)
            ending = supervisor.run(interrupts)
        trials = tuple(ended(supervisor.trials()))
        result = StudyResult(study, ending, trials, folder)
        if ending is not Ending.INTERRUPTED:
            _conclude(result)
    return result


def _conclude(result: StudyResult) -> None:
    """Write the winner and the report."""
    winner = ""
    if result.best:
        write_winner(result.study, result.folder, result.best)
        winner = result.folder.winner.read_text("utf-8")
    write_report(result.folder.report, result.study, result.trials, result.ending.value, winner)
