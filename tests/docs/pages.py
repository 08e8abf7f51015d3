"""The pages of docs/: their blocks, what comments in them claim, their tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parents[2] / "docs"
PAGES = sorted(path.name for path in FOLDER.glob("*.md"))

_FENCE = re.compile(r"^```(\w+)?(?: (\w+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CLAIM = re.compile(r"^ *# (.*)$", re.MULTILINE)
_CELL = re.compile(r"(?<!\\)\|")


class Block(NamedTuple):
    """A fenced block: where it starts, its language, the code of the mistake it shows, its text."""

    page: str
    line: int
    language: str
    code: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@cache
def page(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def blocks(language: str) -> list[Block]:
    """All blocks of a language."""
    found = []
    for name in PAGES:
        text = page(name)
        for match in _FENCE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found.append(Block(name, line, match[1] or "", match[2] or "", match[3]))
    return [block for block in found if block.language == language]


def claims(block: Block) -> Iterator[str]:
    """The comments of a block, each on a line of its own."""
    return (match[1] for match in _CLAIM.finditer(block.text))


def section(name: str, title: str) -> str:
    """The text below a heading of any level, to the next heading of its level or above."""
    # A `#` in a block starts a comment, not a heading.
    text = _FENCE.sub(lambda block: re.sub(r"^#", " #", block[0], flags=re.MULTILINE), page(name))
    found = re.search(rf"^(#+) {re.escape(title)}.*?$", text, re.MULTILINE)
    assert found is not None, title
    rest = text[found.end() :]
    end = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def rows(text: str, *header: str) -> list[list[str]]:
    """The rows of all tables below a text that have this header, a cell without its blanks."""
    lines = text.splitlines()
    found = []
    for number, line in enumerate(lines):
        if cells(line) != list(header):
            continue
        for row in lines[number + 2 :]:
            if not row.startswith("|"):
                break
            found.append(cells(row))
    return found


def cells(line: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in _CELL.split(line.strip())[1:-1]]


def quoted(text: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", text)
