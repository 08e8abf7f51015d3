"""What a study is: its space, its data, its budget; read from a TOML file, from options, or from both."""

from __future__ import annotations

import dataclasses
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from archdsl import resources
from archdsl.errors import ArchError, Diagnostic, Mistake, suggest
from archdsl.errors.commands import without_place
from archdsl.errors.studies import MissingKey, NoSuchSpace, NotToml, UnknownKey, WrongValue
from archdsl.files import read_source
from archdsl.source import Source
from archdsl.training import Recipe

# ---- kinds of values ---------------------------------------------------------------------------


class Kind(Protocol):
    """What the value of a key may be."""

    @property
    def wanted(self) -> str:
        """In words, after "is"."""

    def accepts(self, value: object) -> bool: ...


@dataclass(frozen=True)
class Whole:
    low: int | None = None

    @property
    def wanted(self) -> str:
        return "a whole number" if self.low is None else f"a whole number, {self.low} or more"

    def accepts(self, value: object) -> bool:
        return type(value) is int and (self.low is None or value >= self.low) and -(2**63) <= value < 2**63


@dataclass(frozen=True)
class Positive:
    wanted: str = "a number above 0"

    def accepts(self, value: object) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < float("inf")


@dataclass(frozen=True)
class Text:
    wanted: str = "text in quotes"

    def accepts(self, value: object) -> bool:
        return isinstance(value, str) and value.strip() != "" and "\0" not in value


@dataclass(frozen=True)
class FolderName:
    wanted: str = "a name of letters, digits, `_`, `-` and `.`"

    def accepts(self, value: object) -> bool:
        return isinstance(value, str) and re.fullmatch(r"[\w-][\w.-]{0,99}", value) is not None


@dataclass(frozen=True)
class OneOf:
    options: tuple[str, ...]

    @property
    def wanted(self) -> str:
        return f"one of {', '.join(self.options)}"

    def accepts(self, value: object) -> bool:
        return value in self.options


# ---- the study ---------------------------------------------------------------------------------


def key(kind: Kind, doc: str) -> dict[str, Any]:
    """What a key accepts and what it is for, said once for the reader, the help, the message."""
    return {"kind": kind, "doc": doc}


def available_cores() -> int:
    """Cores that this process may use, which can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True, kw_only=True)
class Study:
    """One question put to one space: everything that decides what a search tries and how it scores."""

    space: Path = field(metadata=key(Text(), "the spec with open choices, or the name of a library's one"))
    data: Path = field(metadata=key(Text(), "the folder of images to train on"))
    name: str = field(metadata=key(FolderName(), "its folder is runs/NAME"))
    question: str = field(default="", metadata=key(Text(), "what it is to find out, for the report"))
    trials: int = field(default=20, metadata=key(Whole(1), "how many candidates are trained"))
    epochs: int = field(default=Recipe.epochs, metadata=key(Whole(1), "how long each is trained"))
    size: int = field(default=Recipe.size, metadata=key(Whole(1), "side of the crops, in pixels"))
    batch: int = field(default=Recipe.batch, metadata=key(Whole(2), "images in a step"))
    learning_rate: float = field(
        default=Recipe.learning_rate, metadata=key(Positive(), "the highest learning rate")
    )
    seed: int = field(default=Recipe.seed, metadata=key(Whole(), "of what is tried and of each training"))
    sampler: str = field(default="tpe", metadata=key(OneOf(("tpe", "random")), "who proposes candidates"))
    pruner: str = field(
        default="cautious", metadata=key(OneOf(("cautious", "median", "none")), "who stops trainings early")
    )
    # Never left to torch: sums on another number of threads differ in their last bits.
    threads: int = field(default_factory=available_cores, metadata=key(Whole(1), "threads of the CPU"))
    device: str = field(default="auto", metadata=key(Text(), "`auto`, `cpu`, `cuda`, `cuda:1`, ..."))

    @property
    def recipe(self) -> Recipe:
        """How each candidate is trained."""
        shared = {facts.name for facts in dataclasses.fields(Recipe)} & KEYS.keys()
        return Recipe(**{name: getattr(self, name) for name in shared})

    def to_toml(self) -> str:
        """All keys that have a value, as a study file."""
        values = {name: getattr(self, name) for name in KEYS}
        return "".join(f"{name} = {_toml(value)}\n" for name, value in values.items() if value != "")


KEYS: dict[str, dataclasses.Field[Any]] = {facts.name: facts for facts in dataclasses.fields(Study)}


def open_study(path: Path, options: Mapping[str, object] | None = None) -> Study:
    """The study of a file that ends in .toml, else of a space (a file, or a name of the library's).

    Args:
        options: keys that the caller gives, which win over the file's. Paths among them are relative to the
            current folder, those of the file to the file's.

    Raises:
        ArchError: all that is wrong with the file, at its lines.
        NoSuchFile, FolderForFile, Unreadable, NotText: what is wrong with its path.
        Mistake: a wrong option, or a key that neither gives.
    """
    given = {name: value for name, value in (options or {}).items() if value is not None}
    for name, value in given.items():
        for mistake in _judge(name, value):
            raise mistake
    if path.suffix == ".toml":
        values = _resolved(check_study_file(read_source(path)), path.parent)
    else:
        values = {"space": find_space(str(path), Path())}
    values = {"name": re.sub(r"[^\w.-]|^\.", "_", path.stem)[:100]} | values | _resolved(given, Path())
    for name, facts in KEYS.items():
        if name not in values and facts.default is facts.default_factory is dataclasses.MISSING:
            raise MissingKey(name, facts.metadata["doc"], f"`--{name}`")
    return Study(**values)


def check_study_file(source: Source) -> dict[str, Any]:
    """The keys of a study file as they are written, each of a right type.

    Raises:
        ArchError: all that is wrong with it, at its lines.
    """
    try:
        values = tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as error:
        raise ArchError(_toml_error(source, error)) from None
    wrong = ((name, mistake) for name, value in values.items() for mistake in _judge(name, value))
    found = [_place(source, name, mistake) for name, mistake in wrong]
    if found:
        raise ArchError(*found)
    return values


def find_space(text: str, folder: Path) -> Path:
    """The file that `space = TEXT` means in a folder.

    Raises:
        NoSuchSpace: neither a file nor a space of the library.
    """
    path = folder / text
    if path.is_file():
        return path.resolve()
    library = {file.stem: file for file in sorted((resources.specs() / "spaces").glob("*.arch"))}
    if text not in library:
        raise NoSuchSpace(text, tuple(library))
    return library[text]


def _judge(name: str, value: object) -> list[Mistake]:
    """What is wrong with one key, if anything."""
    if name not in KEYS:
        return [UnknownKey(name, tuple(KEYS))]
    kind: Kind = KEYS[name].metadata["kind"]
    if kind.accepts(str(value) if isinstance(value, Path) else value):
        return []
    near = suggest(value, kind.options) if isinstance(kind, OneOf) and isinstance(value, str) else None
    return [WrongValue(name, _toml(value), kind.wanted, near)]


def _resolved(values: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Paths made independent of where they were written."""
    resolved = dict(values)
    if "space" in values:
        resolved["space"] = find_space(str(values["space"]), folder)
    if "data" in values:
        resolved["data"] = (folder / values["data"]).resolve()
    if "learning_rate" in values:
        resolved["learning_rate"] = float(values["learning_rate"])
    return resolved


# ---- text of the file --------------------------------------------------------------------------


def _place(source: Source, name: str, mistake: Mistake) -> Diagnostic:
    """The mistake under its key where that is what's wrong, else under the value."""
    key_and_value = rf"^[ \t]*\[*(?P<key>{re.escape(name)})\b(?:[ \t]*=[ \t]*(?P<value>[^#\n]*[^#\s]))?"
    line = re.search(key_and_value, source.text, re.MULTILINE)
    if line is None:
        return without_place(mistake)
    group = "value" if isinstance(mistake, WrongValue) and line["value"] else "key"
    return mistake.at(source.span(line.start(group), line.end(group)))


def _toml_error(source: Source, error: tomllib.TOMLDecodeError) -> Diagnostic:
    reason, _, place = str(error).partition(" (at ")
    mistake = NotToml(reason[0].lower() + reason[1:])
    numbers = re.match(r"line (\d+), column (\d+)", place)
    if numbers is None:  # at the end of the document
        return mistake.at(source.span(max(0, len(source.text.rstrip()) - 1), len(source.text.rstrip())))
    before = source.text.split("\n")[: int(numbers[1]) - 1]
    offset = sum(len(line) + 1 for line in before) + int(numbers[2]) - 1
    return mistake.at(source.span(offset, offset + 1))


def _toml(value: object) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | Path):
        escaped = "".join(_ESCAPES.get(char, char) for char in str(value))
        return f'"{escaped}"'
    return str(value)


# Control characters may not stand in a TOML string as they are.
_ESCAPES = {chr(code): f"\\u{code:04x}" for code in (*range(32), 127)}
_ESCAPES |= {"\\": "\\\\", '"': '\\"', "\n": "\\n"}
