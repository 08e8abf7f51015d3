"""The catalogue: every mistake has a code of its own, and a text that somebody has read."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import archdsl.errors
from archdsl.errors import Mistake, Severity
from archdsl.errors.commands import NoSuchDevice, without_place
from archdsl.errors.expansion import NetworkTooLarge
from archdsl.errors.spaces import NoText

GOLDEN = Path(__file__).parents[1] / "golden"

# Mistakes that are not worth a file.
SHOWN = {
    NoText(): "error[E311]: an architecture that was made from a graph has no text",
    NetworkTooLarge(2_799_999_999_972): (
        "error[E489]: memory does not hold the 2,799,999,999,972 parameters of this network\n"
        "  = help: `archdsl summary`, which needs no memory for them, tells which stage has them"
    ),
    NoSuchDevice("cuda:7"): (
        "error[E429]: there is no device `cuda:7` that torch can use here\n"
        "  = help: `auto` takes a GPU if there is one; `cpu` is always there"
    ),
}


def subclasses(cls: type[Mistake]) -> Iterator[type[Mistake]]:
    for member in cls.__subclasses__():
        yield member
        yield from subclasses(member)


def mistakes() -> list[type[Mistake]]:
    """Every mistake of the package; those without a code are what several have in common."""
    for module in pkgutil.iter_modules(archdsl.errors.__path__):
        importlib.import_module(f"archdsl.errors.{module.name}")
    found = [cls for cls in subclasses(Mistake) if cls.__module__.startswith("archdsl.")]
    return [cls for cls in found if "code" in cls.__dict__]


def test_a_code_belongs_to_one_mistake() -> None:
    codes = [cls.code for cls in mistakes()]
    assert sorted(codes) == sorted(set(codes))


@pytest.mark.parametrize("cls", mistakes(), ids=lambda cls: cls.code)
def test_a_code_says_whether_it_is_advice(cls: type[Mistake]) -> None:
    assert re.fullmatch("E[0-9]{3}" if cls.severity is Severity.ERROR else "W[0-9]{3}", cls.code)


@pytest.mark.parametrize("mistake", SHOWN, ids=lambda mistake: mistake.code)
def test_a_mistake_reads_as_it_stands_here(mistake: Mistake) -> None:
    assert str(without_place(mistake)) == SHOWN[mistake]


def test_every_mistake_has_a_golden_file_or_stands_here() -> None:
    files = [path.read_text("utf-8") for path in GOLDEN.rglob("*.txt")]
    shown = {code for text in files for code in re.findall(r"^(?:error|advice)\[(\w+)\]", text, re.MULTILINE)}
    shown |= {mistake.code for mistake in SHOWN}
    assert {cls.code for cls in mistakes()} == shown


def test_a_message_starts_small_and_ends_without_a_stop() -> None:
    heads = [
        line.partition("]: ")[2]
        for path in GOLDEN.rglob("*.txt")
        for line in path.read_text("utf-8").splitlines()
        if re.match(r"(?:error|advice)\[", line)
    ]
    assert not [head for head in heads if head[0].isupper() or head.endswith(".")]
