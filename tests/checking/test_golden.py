"""What a spec's mistakes look like: every golden file is a spec, and beside it what is told of it.

`ARCHDSL_GOLDEN=write pytest tests/checking/test_golden.py` draws them anew; read them before you commit them.
A spec whose first line is a comment is not only checked: `# load input=1x64x64 classes=3
set:encoder=resnet18` loads it with these options, `# compile` compiles it, `# close` writes it closed,
`# check object_size=64` checks it for objects of that size.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import archdsl
from archdsl.errors import (
    ArchError,
    Diagnostic,
)
from archdsl.source import Source

FOLDER = Path(__file__).parents[1] / "golden" / "checking"
CASES = sorted(FOLDER.glob("*.arch"))
CODED = [path for path in CASES if re.match("[EW][0-9]{3}_", path.name)]


def told(path: Path) -> Sequence[Diagnostic]:
    """What is told of a spec, as its first line says."""
    source = Source(path.name, path.read_text("utf-8"))
    call = re.match(r"# (load|compile|close|check)\b(.*)", source.text)
    if call is None:
        return archdsl.check(source)
    if call[1] == "check":
        return archdsl.check(source, **options(call[2]))
    with pytest.raises(ArchError) as caught:
        used(source, call[1], call[2])
    return caught.value.diagnostics


def used(source: Source, how: str, words: str) -> None:
    """Does what the first line of a spec says."""
    if how == "compile":
        archdsl.compile(source)
        return
    found = archdsl.load(source, **options(words))
    if how == "close":
        assert isinstance(found, archdsl.Space)
        found.sample(1).to_text()


def options(text: str) -> dict[str, Any]:
    """Options of `load` as the first line of a spec has them."""
    found: dict[str, Any] = {}
    for word in text.split():
        name, value = word.split("=")
        if name.startswith("set:"):
            found.setdefault("set", {})[name.removeprefix("set:")] = value
        else:
            found[name] = tuple(map(int, value.split("x"))) if name == "input" else int(value)
    return found


def shown(diagnostic: Diagnostic) -> str:
    """A diagnostic as the terminal shows it, and how it would be mended."""
    fix = diagnostic.fix
    if fix is None:
        return str(diagnostic)
    return f"{diagnostic}\n{'safe fix' if fix.safe else 'fix'}: `{fix.span.text}` -> `{fix.text}`"


@pytest.fixture(autouse=True)
def in_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_spec_is_told_of_as_its_golden_file_has_it(path: Path) -> None:
    text = "\n\n".join(map(shown, told(path))) + "\n"
    golden = path.with_suffix(".txt")
    if os.environ.get("ARCHDSL_GOLDEN") == "write":
        golden.write_text(text, "utf-8")
    assert text == golden.read_text("utf-8")


@pytest.mark.parametrize(
    "path", [path for path in CASES if re.match("[EW][0-9]{3}_", path.name)], ids=lambda p: p.stem
)
def test_a_golden_file_named_after_a_code_tells_of_that_mistake_alone(path: Path) -> None:
    assert {diagnostic.code for diagnostic in told(path)} == {path.name[:4]}
