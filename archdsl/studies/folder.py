"""The folder of a study: what lies where, and that it stays the folder of one study."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from archdsl.data import Description
from archdsl.data.fingerprint import read_fingerprint, take_fingerprint
from archdsl.errors.commands import NoSuchFile, Unreadable, outside
from archdsl.errors.studies import DataChanged, QuestionLost, StudyChanged, StudyInUse
from archdsl.files import read_source, write_atomically
from archdsl.parser import parse_leniently
from archdsl.source import Source
from archdsl.studies.lock import Lock, acquire
from archdsl.studies.study import KEYS, Study
from archdsl.syntax import Use

# What may change between two runs of a study: more trials extend it, and the space is compared by its text.
_FREE = {"trials", "question", "space"}


@dataclass(frozen=True)
class StudyFolder:
    """`runs/NAME`. The names of what is in it are part of the product: people look there."""

    path: Path

    @property
    def history(self) -> Path:
        return self.path / "study.db"

    @property
    def log(self) -> Path:
        return self.path / "worker.log"

    @property
    def data(self) -> Path:
        """The fingerprint of what candidates are trained on."""
        return self.path / "data.json"

    @property
    def winner(self) -> Path:
        return self.path / "winner.arch"

    @property
    def winner_weights(self) -> Path:
        return self.path / "winner.safetensors"

    @property
    def report(self) -> Path:
        return self.path / "report"

    @property
    def trials(self) -> Path:
        return self.path / "trials"

    def trial(self, number: int) -> TrialFolder:
        return TrialFolder(self.trials / str(number))

    @contextmanager
    def held(self, name: str) -> Iterator[Lock]:
        """This process as the folder's one supervisor; gives the lock that its workers inherit.

        Raises:
            StudyInUse: another supervisor lives, or workers of one that died don't end.
            Unwritable: the folder cannot be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            supervisor = acquire(self.path / ".supervisor.lock", patience=0)
        except OSError as error:
            raise outside(error) from None
        if supervisor is None:
            raise StudyInUse(name, str(self.path))
        try:
            workers = acquire(self.path / ".workers.lock")
            if workers is None:
                raise StudyInUse(name, str(self.path))
            try:
                yield workers
            finally:
                workers.close()
        finally:
            supervisor.close()

    def begin(self, study: Study) -> None:
        """Write the study down, or compare it with what was written when it began.

        Raises:
            StudyChanged: the space, the data or the recipe is another.
            QuestionLost: there are trials, but not what was written when they began.
            Unwritable, Unreadable, NotText: what is wrong with the files.
        """
        space, file = self.path / "space.arch", self.path / "study.toml"
        space_text = read_source(study.space).text
        before = read_source(space).text if space.exists() else space_text
        old = self._begun(file)
        new = tomllib.loads(study.to_toml())
        changes = [
            (f"`{key}`", repr(old[key]), repr(new[key]))
            for key in KEYS
            if key not in _FREE and key in old and old[key] != new[key]
        ]
        changes += _changed_line(before, space_text)
        used = {
            path: read_source(study.space.parent / path).text for path in used_files(study.space, space_text)
        }
        for path, text in used.items():
            if (self.path / path).exists():
                changes += _changed_line(read_source(self.path / path).text, text)
        if changes:
            raise StudyChanged(study.name, str(self.path), tuple(changes))
        write_atomically(space, space_text.encode())
        for path, text in used.items():  # beside the winner, which uses them too
            (self.path / path).parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self.path / path, text.encode())
        write_atomically(file, study.to_toml().encode())

    def _begun(self, file: Path) -> dict[str, Any]:
        """The keys that were written down when the study began; none where it begins now."""
        try:
            return tomllib.loads(read_source(file).text)
        except tomllib.TOMLDecodeError as error:
            raise Unreadable(str(file), f"it is no TOML: {error}") from None
        except NoSuchFile:
            if self.history.exists() or self.trials.exists():
                raise QuestionLost(str(self.path)) from None
            return {}

    def keep_data(self, description: Description) -> None:
        """Write down what the data is, or compare it with what it was when the study began.

        Raises:
            DataChanged: files or what they are taken for are others.
            Unwritable, Unreadable: what is wrong with the files.
        """
        now = take_fingerprint(description)
        if not self.data.exists():  # a study that begins, or one of a version that wrote none
            write_atomically(self.data, now.to_json().encode())
            return
        changes = read_fingerprint(self.data).changes_to(now)
        if changes is not None:
            raise DataChanged(self.path.name, str(description.folder), str(self.path), *changes)


@dataclass(frozen=True)
class TrialFolder:
    """`runs/NAME/trials/K`: one candidate, from its text to its result."""

    path: Path

    @property
    def latencies(self) -> Path:
        """What the whole study measured: a candidate that is repeated is not measured again."""
        return self.path.parents[1] / "latency.json"

    @property
    def candidate(self) -> Path:
        return self.path / "candidate.arch"

    @property
    def result(self) -> Path:
        return self.path / "result.json"

    @property
    def weights(self) -> Path:
        return self.path / "weights.safetensors"

    def begin(self, text: str) -> None:
        """An empty folder but for the candidate; what an older history left here under the number goes."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self.result.unlink(missing_ok=True)
            self.weights.unlink(missing_ok=True)
        except OSError as error:
            raise outside(error) from None
        write_atomically(self.candidate, text.encode())


def used_files(spec: Path, text: str) -> list[Path]:
    """The files that a spec uses, and those that they use, relative to its folder."""
    found: list[Path] = []
    texts = [text]
    while texts:
        tree, _ = parse_leniently(Source(spec.name, texts.pop()))
        for statement in tree.statements:
            if isinstance(statement, Use) and Path(statement.path) not in found:
                found.append(Path(statement.path))
                texts.append(read_source(spec.parent / statement.path).text)
    return found


def _changed_line(before: str, now: str) -> list[tuple[str, str, str]]:
    """The first line of the space that differs; comments of their own lines and empty lines don't count."""
    for old, new in zip_longest(_lines(before), _lines(now), fillvalue="nothing"):
        if old != new:
            return [("a line of the space", f"`{old}`", f"`{new}`")]
    return []


def _lines(text: str) -> list[str]:
    lines = (line.rstrip() for line in text.splitlines())
    return [line for line in lines if line and not line.lstrip().startswith("#")]
