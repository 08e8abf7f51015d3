"""The parser's tables: made from the grammar, and kept in the user's cache, since making them is slow."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import stat
import sys
from functools import cache
from pathlib import Path

import lark

from archdsl import resources
from archdsl.errors.commands import Unwritable
from archdsl.files import write_atomically


@cache
def tables() -> lark.Lark:
    """The LALR parser of `grammars/arch.lark`; `file` and `statement` are its starts.

    A cache that can't be read, written or trusted is passed over in silence: it only saves time.
    """
    text = (resources.grammars() / "arch.lark").read_text("utf-8")
    folder = _cache_folder()
    if folder is None:
        return _build(text)
    path = folder / f"grammar-{_key(text)}.pickle"
    made = _read(path)
    if made is None:
        made = _build(text)
        _write(path, made)
    return made


def _build(text: str) -> lark.Lark:
    return lark.Lark(
        text,
        parser="lalr",
        lexer="contextual",
        start=["file", "statement"],
        propagate_positions=True,
        maybe_placeholders=True,
    )


def _key(text: str) -> str:
    facts = "\n".join((text, lark.__version__, sys.version))
    return hashlib.sha256(facts.encode()).hexdigest()[:32]


def _cache_folder() -> Path | None:
    """Our folder in the user's cache, or None where there is none that this user alone can write to."""
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or _cache_home(), "archdsl").resolve()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder if _is_private(folder) else None
    except (OSError, RuntimeError):  # a home that can't be found is a RuntimeError
        return None


def _cache_home() -> Path:
    match sys.platform:
        case "win32":
            return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
        case "darwin":
            return Path.home() / "Library" / "Caches"
        case _:
            return Path.home() / ".cache"


def _is_private(folder: Path) -> bool:
    """Whether no other user can put a file into the folder, or another folder in its place.

    What is read from it is a pickle, which could run code.
    """
    if not hasattr(os, "getuid"):  # Windows keeps each user's cache to that user
        return True
    own = folder.stat()
    if own.st_uid != os.getuid() or own.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return False
    return not any(_is_open_to_all(parent.stat().st_mode) for parent in folder.parents)


def _is_open_to_all(mode: int) -> bool:
    return bool(mode & stat.S_IWOTH) and not mode & stat.S_ISVTX


def _read(path: Path) -> lark.Lark | None:
    try:
        with path.open("rb") as file:
            return lark.Lark.load(file)
    except Exception:  # a torn or foreign pickle can raise anything
        return None


def _write(path: Path, made: lark.Lark) -> None:
    content = io.BytesIO()
    made.save(content)
    with contextlib.suppress(Unwritable, OSError):
        write_atomically(path, content.getvalue())
