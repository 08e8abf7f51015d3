"""The grammar and the library are found wherever the package stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl import resources


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty place for the package."""
    folder = tmp_path / "archdsl"
    folder.mkdir()
    monkeypatch.setattr(resources, "_PACKAGE", folder)
    monkeypatch.setattr(resources, "_folder", resources._folder.__wrapped__)
    return folder


def test_the_grammar_and_the_library_are_there() -> None:
    assert (resources.grammars() / "arch.lark").is_file()
    assert resources.specs().is_dir()


def test_in_a_wheel_they_stand_in_the_package(package: Path) -> None:
    (package / "grammars").mkdir()
    assert resources.grammars() == package / "grammars"


def test_in_a_clone_they_stand_beside_the_package(package: Path) -> None:
    (package.parent / "pyproject.toml").write_text('[project]\nname = "archdsl"\n')
    assert resources.specs() == package.parent / "specs"


@pytest.mark.parametrize("project", [None, '[project]\nname = "another"\n', "", "not toml ["])
def test_the_folder_of_another_project_is_not_taken_for_ours(package: Path, project: str | None) -> None:
    (package.parent / "specs").mkdir()
    if project is not None:
        (package.parent / "pyproject.toml").write_text(project)
    with pytest.raises(FileNotFoundError, match="`specs` is missing"):
        resources.specs()
