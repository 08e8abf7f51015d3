"""What the SPEC of a call names: a file, the standard input, a model or a space of the library."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from archdsl import resources
from archdsl.errors.commands import NoSuchFile
from archdsl.files import MOST_BYTES, read_source, source_of
from archdsl.source import Source


def read(spec: str) -> Source:
    """The text of a file, of the standard input for `-`, of a model or space of the library for its name.

    Raises:
        NoSuchFile, FolderForFile, Unreadable, NotText: what is wrong with the path.
    """
    if spec == "-":
        return source_of("<stdin>", sys.stdin.buffer.read(MOST_BYTES + 1))
    library = resources.collection()
    path = str(library[spec]) if spec in library and not Path(spec).is_file() else spec
    try:
        return read_source(path)
    except NoSuchFile:
        raise NoSuchFile(path, tuple(library)) from None


def files(paths: Iterable[str]) -> tuple[str, ...]:
    """The paths, with each folder that holds specs as those in it and below, but for hidden folders."""
    found: list[str] = []
    for path in paths:
        below = sorted(Path(path).rglob("*.arch")) if Path(path).is_dir() else []
        shown = [file for file in below if not _hidden(file.relative_to(path))]
        found += map(str, shown) if shown else [path]
    return tuple(found)


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def stem(spec: str) -> str:
    """What files made from a spec are called."""
    return "stdin" if spec == "-" else Path(spec).stem
