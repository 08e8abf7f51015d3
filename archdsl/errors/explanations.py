"""The page of each code: what it means, why it matters, a spec that has it and one that hasn't.

A page is a text in `pages/`, called as its code: a title (the sentence without facts), a paragraph, and
blocks below the headings `Wrong` and `Right`. A block is a spec (`arch`, or `arch NAME` for a file that
the spec uses), a call (`bash`) or Python.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "pages"

_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A spec, a call or a piece of Python; `name` is the file of a spec that another uses."""

    language: str
    name: str
    text: str


class Page(NamedTuple):
    """What is told of one code."""

    title: str
    reason: str
    wrong: tuple[Block, ...]
    right: tuple[Block, ...]


def codes() -> list[str]:
    """All codes, errors first."""
    return sorted(path.stem for path in FOLDER.glob("*.md"))


def page(code: str) -> Page:
    """The page of a code that there is."""
    text = (FOLDER / f"{code}.md").read_text(encoding="utf-8")
    told, wrong, right = re.split(r"^## (?:Wrong|Right)\n", text, flags=re.MULTILINE)
    title, _, reason = told.removeprefix("# ").partition("\n")
    return Page(title, reason.strip(), tuple(_blocks(wrong)), tuple(_blocks(right)))


def titles() -> dict[str, str]:
    """The sentence of each code."""
    found = {}
    for code in codes():
        with (FOLDER / f"{code}.md").open(encoding="utf-8") as file:
            found[code] = file.readline().removeprefix("# ").strip()
    return found


def _blocks(text: str) -> Iterator[Block]:
    return (Block(match[1], match[2] or "", match[3]) for match in _BLOCK.finditer(text))
