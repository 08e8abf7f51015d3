"""Text files that are read, every failure one mistake; files that are written whole or not at all."""

from __future__ import annotations

import codecs
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from archdsl.errors.commands import FolderForFile, NoSuchFile, NotText, Unreadable, Unwritable
from archdsl.source import Source

# Far above what a spec may have, so that the parser still tells the true limit, and far below
# what an endless device would give.
MOST_BYTES = 1 << 20


def read_source(path: str | Path) -> Source:
    """A text file as a source of that name.

    Raises:
        NoSuchFile, FolderForFile, Unreadable, NotText: what is wrong with the path.
    """
    name = str(path)
    try:
        with open(path, "rb") as file:
            return source_of(name, file.read(MOST_BYTES + 1))
    except FileNotFoundError:
        raise NoSuchFile(name) from None
    except IsADirectoryError:
        raise FolderForFile(name) from None
    except OSError as error:
        raise Unreadable(name, error.strerror or str(error)) from None


def source_of(name: str, data: bytes) -> Source:
    """A source of bytes that were read up to `MOST_BYTES`, and one more if there are more.

    Raises:
        NotText: they are not UTF-8.
    """
    whole = len(data) <= MOST_BYTES
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(data, final=whole)
    except UnicodeDecodeError as error:
        raise NotText(name, error.start) from None
    return Source(name, text, marked=data.startswith(codecs.BOM_UTF8))


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to, which takes its place when the block ends and is gone when it fails.

    A reader sees the old file or the new one, never a part, also after the power went. For libraries that
    want a path; who holds the bytes uses `write_atomically`. The temporary name ends as `path` does.

    Raises:
        Unwritable: the operating system refused (no such folder, a full disk, no permission).
    """
    temporary = _beside(path)
    try:
        yield temporary
        _flush(temporary)
        os.replace(temporary, path)
        _flush_folder(path.parent)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            raise Unwritable(str(path), error.strerror or str(error)) from None
        raise


def _beside(path: Path) -> Path:
    if path.is_dir():
        raise Unwritable(str(path), os.strerror(errno.EISDIR))
    return path.with_name(f".{path.stem}.{os.urandom(4).hex()}{path.suffix}")


def ensure_writable(path: Path) -> None:
    """Tells before a long work that its result can't be written.

    Raises:
        Unwritable: as `atomic_path` would when the work is done.
    """
    temporary = _beside(path)
    try:
        temporary.touch()
        temporary.unlink()
    except OSError as error:
        raise Unwritable(str(path), error.strerror or str(error)) from None


def write_atomically(path: Path, content: bytes) -> None:
    """Write `content` to `path`, whole or not at all.

    Raises:
        Unwritable: the operating system refused (no such folder, a full disk, no permission).
    """
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    """Make the new name durable; not every system lets a folder be opened, and the file is whole anyway."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
