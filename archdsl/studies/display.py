"""How far a study is, for whoever watches: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO, Protocol

from archdsl.analyses.summary import abbreviated
from archdsl.studies.trials import COMPLETE, FAILED, PRUNED, Trial
from archdsl.training import Epoch


@dataclass(frozen=True)
class Standing:
    """Where a study stands."""

    ended: int
    total: int
    best: Trial | None

    def __str__(self) -> str:
        best = f", best {self.best.score:.4f} (trial {self.best.number})" if self.best else ""
        return f"{self.ended} of {self.total} done{best}"


class Display(AbstractContextManager["Display"], Protocol):
    """Told of what happens, in the order in which it happens."""

    def started(self, trial: Trial, standing: Standing) -> None: ...
    def passed(self, trial: Trial, epoch: Epoch) -> None: ...
    def ended(self, trial: Trial, standing: Standing) -> None: ...


@dataclass
class Clock:
    """How long the rest will take, by what this run took so far."""

    began: float = field(default_factory=time.monotonic)
    first: int | None = None
    """Trials that earlier runs had ended."""
    partly: float = 0.0
    """Of the training that is under way, the share that is done."""

    def left(self, standing: Standing) -> float | None:
        """Seconds; None before anything is known."""
        self.first = standing.ended if self.first is None else self.first
        done = standing.ended - self.first + self.partly
        if done <= 0:
            return None
        rest = max(0.0, standing.total - standing.ended - self.partly)
        return (time.monotonic() - self.began) / done * rest


class Lines:
    """A line for each trial that starts and ends, for logs."""

    def __init__(self, stream: IO[str]) -> None:
        self._clock = Clock()
        self._stream = stream

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *exception: object) -> None:
        self._stream.flush()

    def started(self, trial: Trial, standing: Standing) -> None:
        self._clock.left(standing)
        self._print(f"trial {trial.number}: {described(trial)}")

    def passed(self, trial: Trial, epoch: Epoch) -> None:
        pass

    def ended(self, trial: Trial, standing: Standing) -> None:
        left = self._clock.left(standing)
        rest = f", about {duration(left)} left" if left else ""
        self._print(f"trial {trial.number}: {outcome(trial)}; {standing}{rest}")

    def _print(self, line: str) -> None:
        print(line, file=self._stream, flush=True)


class Bar:
    """A bar that stays in its place, with the best so far and the time left."""

    def __init__(self, epochs: int, stream: IO[str]) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self._clock = Clock()
        self._epochs = epochs
        self._progress = Progress(
            TextColumn("{task.fields[standing]}"),
            BarColumn(),
            TextColumn("{task.fields[now]}", style="dim"),
            TextColumn("{task.fields[left]}"),
            console=Console(file=stream),
        )
        self._task = self._progress.add_task("", total=None, standing="", now="", left="")
        self._standing = Standing(0, 1, None)

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def started(self, trial: Trial, standing: Standing) -> None:
        self._standing = standing
        self._update(f"trial {trial.number}")

    def passed(self, trial: Trial, epoch: Epoch) -> None:
        self._clock.partly = epoch.number / self._epochs
        self._update(f"trial {trial.number}, epoch {epoch.number}/{self._epochs}: {epoch.score:.4f}")

    def ended(self, trial: Trial, standing: Standing) -> None:
        self._standing, self._clock.partly = standing, 0.0
        line = f"trial {trial.number}: {outcome(trial)}  {described(trial)}"
        self._progress.console.print(line, highlight=False, markup=False)
        self._update("")

    def _update(self, now: str) -> None:
        left = self._clock.left(self._standing)
        self._progress.update(
            self._task,
            total=self._standing.total,
            completed=self._standing.ended + self._clock.partly,
            standing=str(self._standing),
            now=now,
            left=f"{duration(left)} left" if left else "",
        )


def make_display(epochs: int, stream: IO[str] | None = None) -> Display:
    """A bar where someone watches, lines where a log is written."""
    stream = stream or sys.stderr
    return Bar(epochs, stream) if stream.isatty() else Lines(stream)


def described(trial: Trial) -> str:
    """A candidate in a line."""
    candidate = trial.candidate
    decisions = " ".join(f"{name}={option}" for name, option in candidate.choices.items())
    return f"{abbreviated(candidate.params)} parameters, {abbreviated(candidate.macs)} MACs, {decisions}"


def outcome(trial: Trial) -> str:
    """What came of a trial, in a few words."""
    if trial.state == COMPLETE and trial.score is not None:
        return f"{trial.score:.4f}"
    if trial.state == PRUNED and trial.score is not None:
        return f"stopped at {trial.score:.4f} after epoch {len(trial.curve)}"
    word = "failed" if trial.state == FAILED else "not trained"
    return f"{word}: {trial.reason}"


def duration(seconds: float) -> str:
    """Rounded as people say it: `40 s`, `12 min`, `3.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
