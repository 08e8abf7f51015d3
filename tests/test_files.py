"""Files are written whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from archdsl import api
from archdsl.errors import Mistake
from archdsl.errors.commands import FolderForFile, NoSuchFile, NotText, Unwritable
from archdsl.files import MOST_BYTES, atomic_path, ensure_writable, read_source, write_atomically


def test_the_content_is_there_and_nothing_else(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a.bin", b"old")
    write_atomically(tmp_path / "a.bin", b"new")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.bin": b"new"}


def test_a_full_disk_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    write_atomically(tmp_path / "a.bin", b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unwritable, match=r"a\.bin` cannot be written: No space left on device"):
        write_atomically(tmp_path / "a.bin", b"new")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.bin": b"old"}


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unwritable, match=r"x/a\.bin` cannot be written: No such file or directory"):
        write_atomically(tmp_path / "x" / "a.bin", b"")


@pytest.mark.parametrize("name", [".", "..", "a.bin"])
def test_a_folder_is_told_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.bin").mkdir()
    for attempt in (ensure_writable, lambda path: write_atomically(path, b"")):
        with pytest.raises(Unwritable, match="cannot be written: Is a directory"):
            attempt(Path(name))
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]


def test_a_block_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def interrupted() -> None:
        with atomic_path(tmp_path / "a.txt") as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_the_temporary_name_ends_alike_and_is_not_the_name_itself(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "a.svg") as temporary:
        temporary.write_text("<svg/>")
        assert not (tmp_path / "a.svg").exists()
        assert (temporary.suffix, temporary.parent) == (".svg", tmp_path)
    assert (tmp_path / "a.svg").read_text() == "<svg/>"


def test_the_new_name_is_made_durable_after_the_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed = []

    def note(handle: int) -> None:
        flushed.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")

    monkeypatch.setattr(os, "fsync", note)
    write_atomically(tmp_path / "a.bin", b"x")
    assert flushed == ["file", "folder"]


def test_a_text_file_is_read_as_a_source_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.arch").write_bytes(b"\xef\xbb\xbfid # \xc3\xa9\n")
    source = read_source(tmp_path / "a.arch")
    assert (source.name, source.text) == (str(tmp_path / "a.arch"), "id # \u00e9\n")


def test_no_more_is_read_than_a_spec_may_have(tmp_path: Path) -> None:
    (tmp_path / "a.arch").write_bytes(b"a" * MOST_BYTES + "\u00e9".encode() + b"\xff")
    assert read_source(tmp_path / "a.arch").text == "a" * MOST_BYTES


@pytest.mark.parametrize(
    ("name", "kind"), [("none.arch", NoSuchFile), ("folder", FolderForFile), ("picture.arch", NotText)]
)
def test_what_cannot_be_read_is_a_mistake_in_the_path(tmp_path: Path, name: str, kind: type[Mistake]) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "picture.arch").write_bytes(b"\x89PNG\r\n")
    with pytest.raises(kind, match=name):
        read_source(tmp_path / name)
    with pytest.raises(kind, match=name):
        api.load(tmp_path / name)
