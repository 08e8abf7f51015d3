"""What the SPEC of a call names: a file, the standard input, a model of the library."""

from __future__ import annotations

import codecs
import sys
from pathlib import Path

from archdsl import resources
from archdsl.errors.commands import FolderForFile, NoSuchFile, NotText, Unreadable
from archdsl.source import Source

# Far above what a spec may have, so that the parser still tells the true limit, and far below
# what an endless device would give.
MOST_BYTES = 1 << 20


def read(spec: str) -> Source:
    """The text of a file, of the standard input for `-`, of a model of the library for its name.

    Raises:
        NoSuchFile, FolderForFile, Unreadable, NotText: what is wrong with the path.
    """
    models = _models()
    path = str(models[spec]) if spec in models and not Path(spec).is_file() else spec
    try:
        if path == "-":
            return Source("<stdin>", _decode(path, sys.stdin.buffer.read(MOST_BYTES + 1)))
        with open(path, "rb") as file:
            return Source(path, _decode(path, file.read(MOST_BYTES + 1)))
    except FileNotFoundError as error:
        raise NoSuchFile(path, tuple(models)) from error
    except IsADirectoryError as error:
        raise FolderForFile(path) from error
    except OSError as error:
        raise Unreadable(path, error.strerror or str(error)) from error


def stem(spec: str) -> str:
    """What files made from a spec are called."""
    return "stdin" if spec == "-" else Path(spec).stem


def _models() -> dict[str, Path]:
    return {path.stem: path for path in sorted((resources.specs() / "models").glob("*.arch"))}


def _decode(path: str, data: bytes) -> str:
    whole = len(data) <= MOST_BYTES
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(data, final=whole)
    except UnicodeDecodeError as error:
        raise NotText(path, error.start) from error
