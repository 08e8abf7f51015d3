"""The cache of the tables saves time and is trusted only where no one else can write."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import lark
import pytest

from archdsl.parser import tables as module
from archdsl.parser.tables import tables


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    tables.cache_clear()
    yield tmp_path
    tables.cache_clear()


def works() -> bool:
    return tables().parse("conv 3x3 64", start="statement").data == "pipeline"


def cached(home: Path) -> list[Path]:
    return list((home / "archdsl").glob("grammar-*.pickle"))


def count_builds(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    builds: list[str] = []
    build = module._build

    def counted(text: str) -> lark.Lark:
        builds.append(text)
        return build(text)

    monkeypatch.setattr(module, "_build", counted)
    return builds


def test_tables_are_built_once_and_read_after_that(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    builds = count_builds(monkeypatch)
    assert works()
    tables.cache_clear()
    assert works()
    assert len(builds) == 1
    assert len(cached(home)) == 1


def test_only_the_user_can_enter_the_folder(home: Path) -> None:
    assert works()
    assert (home / "archdsl").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777, 0o702])
def test_a_folder_that_others_can_write_to_is_not_trusted(
    home: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    assert works()
    tables.cache_clear()
    (home / "archdsl").chmod(mode)
    builds = count_builds(monkeypatch)
    assert works()
    assert len(builds) == 1


def test_a_folder_of_another_user_is_not_trusted(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert works()
    tables.cache_clear()
    monkeypatch.setattr(os, "getuid", lambda: (home / "archdsl").stat().st_uid + 1)
    builds = count_builds(monkeypatch)
    assert works()
    assert len(builds) == 1


def test_a_folder_that_others_could_put_in_its_place_is_not_trusted(home: Path) -> None:
    home.chmod(0o777)
    assert works()
    assert cached(home) == []
    home.chmod(0o1777)  # sticky, as a shared temporary folder: others can't rename what is not theirs
    tables.cache_clear()
    assert works()
    assert len(cached(home)) == 1


@pytest.mark.parametrize("content", [b"", b"torn", b"\x80\x05N."])
def test_a_torn_cache_is_built_anew(home: Path, content: bytes) -> None:
    assert works()
    (path,) = cached(home)
    path.write_bytes(content)
    tables.cache_clear()
    assert works()
    assert len(path.read_bytes()) > len(content)


def test_without_a_cache_the_tables_are_built_in_silence(
    home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (home / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "file"))
    assert works()
    assert capfd.readouterr() == ("", "")


def test_another_grammar_has_another_cache(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert module._key("a") != module._key("b")
    key = module._key("a")
    monkeypatch.setattr(lark, "__version__", "0")
    assert module._key("a") != key
