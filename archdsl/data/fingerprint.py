"""What a data set is at one moment, to tell later whether it is still the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from archdsl.data.description import Description
from archdsl.errors.commands import Unreadable

# What was read in the images and in dataset.json that a training depends on.
_FACTS = ("task", "channels", "bits", "class_names", "ignore_index", "white_foreground", "normalisation")


class Changes(NamedTuple):
    """Files by what became of them, ordered by name; facts by name, before and now, as JSON."""

    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    facts: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Fingerprint:
    """The files that are trained and validated on, and what they were taken for.

    Attributes:
        files: the SHA-256 of each file's contents, by its path in the data's folder. Dates play no part: a
            copy is the same data.
        facts: of the description, as JSON has them.
    """

    files: Mapping[str, str]
    facts: Mapping[str, Any]

    def changes_to(self, other: Fingerprint) -> Changes | None:
        """What another one has otherwise; None where nothing.

        Facts follow from the files, and are told where all files are the same.
        """
        before, now = self.files, other.files
        new, gone = sorted(now.keys() - before.keys()), sorted(before.keys() - now.keys())
        changed = sorted(name for name in before.keys() & now.keys() if before[name] != now[name])
        if new or gone or changed:
            return Changes(tuple(new), tuple(gone), tuple(changed))
        facts = [
            (name, json.dumps(self.facts.get(name)), json.dumps(fact))
            for name, fact in other.facts.items()
            if self.facts.get(name) != fact
        ]
        return Changes(facts=tuple(facts)) if facts else None

    def to_json(self) -> str:
        return json.dumps({**self.facts, "files": self.files}, indent=1) + "\n"


def read_fingerprint(path: Path) -> Fingerprint:
    """The fingerprint that was written to a file.

    Raises:
        Unreadable: the file is not to be read, or is none.
    """
    try:
        facts = json.loads(path.read_bytes())
        return Fingerprint(dict(facts.pop("files")), facts)
    except OSError as error:
        raise Unreadable(str(path), error.strerror or str(error)) from None
    except (ValueError, KeyError, AttributeError, TypeError):
        raise Unreadable(str(path), "it is broken; without it the data is taken as it is now") from None


def take_fingerprint(description: Description) -> Fingerprint:
    """The fingerprint of a data set as it is now.

    All contents are read: `describe` has just decoded the same files, which takes many times as long.

    Raises:
        Unreadable: a file cannot be read any more.
    """
    examples = [example for split in ("train", "val") for example in description.examples[split]]
    paths = [path for example in examples for path in example if isinstance(path, Path)]
    with ThreadPoolExecutor() as pool:
        digests = list(pool.map(_digest, paths))
    names = (path.relative_to(description.folder).as_posix() for path in paths)
    facts = json.loads(json.dumps({name: getattr(description, name) for name in _FACTS}))
    return Fingerprint(dict(zip(names, digests, strict=True)), facts)


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise Unreadable(str(path), error.strerror or str(error)) from None
