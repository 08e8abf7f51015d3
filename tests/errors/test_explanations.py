"""Every code has a page, and what it shows is so: the wrong spec has that code, the right one none."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import pytest

import archdsl as package
from archdsl.commands import COMMANDS
from archdsl.errors import ArchError, advice
from archdsl.errors.explanations import FOLDER, Block, codes, page, titles
from archdsl.formatter import format_spec
from archdsl.source import Source
from tests.data.folders import segmentation
from tests.errors.test_catalogue import mistakes

PAGES = codes()
SPECS = [code for code in PAGES if {block.language for block in page(code).wrong} == {"arch"}]
CALLS = [code for code in PAGES if code not in SPECS]

# Advice on how a network is written, or of what it is known, which no paper is about.
WRITING = {"W001", "W002", "W003", "W006", "W007", "W008", "W014", "W015", "W018", "W019", "W020"}


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    """A new code wants `archdsl/errors/pages/CODE.md`; CONTRIBUTING.md says what stands there."""
    assert sorted(cls.code for cls in mistakes()) == PAGES


@pytest.mark.parametrize("code", PAGES)
def test_a_page_has_a_title_a_reason_and_two_examples(code: str) -> None:
    found = page(code)
    assert re.fullmatch(r"[a-z`].*[^.]", found.title)
    assert found.reason.endswith(".")
    assert found.wrong
    assert found.right
    assert found.title == titles()[code]


@pytest.mark.parametrize("code", SPECS)
def test_the_wrong_spec_has_that_code_alone_and_the_right_one_none(code: str, tmp_path: Path) -> None:
    assert {found.code for found in checked(page(code).wrong, tmp_path)} == {code}
    assert checked(page(code).right, tmp_path) == ()


def checked(blocks: Sequence[Block], folder: Path) -> tuple[package.errors.Diagnostic, ...]:
    return package.check(written(blocks, folder))


def written(blocks: Sequence[Block], folder: Path) -> Path:
    """Writes the specs of a page; the one without a name is the one that is meant."""
    for block in blocks:
        if block.language == "arch":
            path = folder / (block.name or "a.arch")
            path.parent.mkdir(exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
    return folder / "a.arch"


RIGHT = [(code, block) for code in PAGES for block in page(code).right if block.language == "arch"]


@pytest.mark.parametrize(("code", "block"), RIGHT, ids=[code for code, _ in RIGHT])
def test_the_right_spec_is_its_own_formatting(code: str, block: Block) -> None:
    assert format_spec(Source("a.arch", block.text)) == block.text


# ---- codes that no spec has by itself ----------------------------------------------------------------

RUN = [code for code in CALLS if any(block.language == "arch" for block in page(code).wrong)]


@pytest.mark.parametrize("code", CALLS)
@pytest.mark.parametrize("side", ["wrong", "right"])
def test_a_call_is_one_that_the_command_line_knows(code: str, side: str) -> None:
    for block in getattr(page(code), side):
        if block.language == "python":
            ast.parse(block.text)
        for line in block.text.splitlines() if block.language == "bash" else ():
            program, *words = shlex.split(line.removesuffix("&"))
            if program == "archdsl":
                module = import_module(f"archdsl.commands.{words[0].replace('-', '_')}")
                assert words[0] in COMMANDS
                module.command.make_context(words[0], words[1:], resilient_parsing=False)


@pytest.mark.parametrize("code", RUN)
def test_a_call_on_the_wrong_spec_gives_that_code(code: str, archdsl, tmp_path: Path) -> None:
    segmentation(tmp_path / "cells")
    written(page(code).wrong, tmp_path)
    assert coded(page(code).wrong, archdsl) == {code}


def coded(blocks: Sequence[Block], archdsl) -> set[str]:
    """The codes that the calls of a page end with."""
    (block,) = [block for block in blocks if block.language != "arch"]
    if block.language == "python":
        with pytest.raises(ArchError) as caught:
            exec(block.text, {})
        return {found.code for found in caught.value.diagnostics}
    ended = archdsl(*shlex.split(block.text)[1:])
    return set(re.findall(r"^(?:error|advice)\[(\w+)\]", ended.out + ended.err, re.MULTILINE))


ALONE = [code for code in CALLS if code not in RUN and page(code).wrong[0].text.startswith("import archdsl")]


@pytest.mark.parametrize("code", ALONE)
def test_python_that_stands_alone_does_what_its_page_says(code: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArchError) as caught:
        exec(page(code).wrong[0].text, {})
    assert [found.code for found in caught.value.diagnostics] == [code]
    exec(page(code).right[0].text, {})


# ---- what stands in them -----------------------------------------------------------------------------


def test_advice_on_networks_names_its_paper() -> None:
    known = {cls.code for cls in vars(advice).values() if isinstance(cls, type) and hasattr(cls, "code")}
    for code in known - WRITING:
        assert re.search(
            r"[A-Z]\w+ (?:et al\. |and \w+ )?\d{4}, arXiv:\d{4}\.\d{4,5}",
            page(code).reason.replace("\n", " "),
        ), code


def test_pages_are_called_as_their_codes() -> None:
    assert all(re.fullmatch(r"[EW][0-9]{3}\.md", path.name) for path in FOLDER.iterdir())
