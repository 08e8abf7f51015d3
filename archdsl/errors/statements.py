"""Mistakes about statements as wholes: where they start, what they take (E013, E022 to E027, E040, E049)."""

from __future__ import annotations

from typing import ClassVar

from archdsl.errors.base import Mistake


class BareAssignment(Mistake):
    head: str
    word: str

    code = "E013"

    def message(self) -> str:
        return "only `let`, `def` and options take `=`"

    def label(self) -> str:
        return f"write `{self.replacement()}`"

    def replacement(self) -> str | None:
        return f"{self.word} {self.head}"


class IndentedStatement(Mistake):
    word: str

    code = "E022"

    def message(self) -> str:
        return f"this `{self.word}` continues the statement above it"

    def label(self) -> str:
        return "its line is indented"

    def help(self) -> str:
        return "a statement starts at the left margin"


class MarginInBrackets(Mistake):
    code = "E023"

    def message(self) -> str:
        return "a line inside brackets starts at the left margin"

    def label(self) -> str:
        return "only statements start here"

    def help(self) -> str:
        return "indent it"


class MarginBody(Mistake):
    """What a `def` or a `let` defines, below it and at the left margin."""

    word: str

    code = "E040"

    def message(self) -> str:
        return f"the body of this `{self.word}` starts at the left margin"

    def label(self) -> str:
        return "only statements start here"

    def help(self) -> str:
        return "indent the body"


class TwoStatements(Mistake):
    word: str

    code = "E024"

    def message(self) -> str:
        return f"this `{self.word}` stands on the line of another statement"

    def label(self) -> str:
        return "a statement has its own line"

    def help(self) -> str:
        return "start a new line here"

    def replacement(self) -> str | None:
        return f"\n{self.word}"


class WrongFact(Mistake):
    """`use`, `input` or `arch` with something else than the one thing that it takes."""

    word: str
    got: str

    code = "E025"

    wanted: ClassVar[dict[str, tuple[str, str]]] = {
        "use": ("a path in quotes", 'use "blocks.arch"'),
        "input": ("a size", "input 3x224x224"),
        "arch": ("a version", "arch 1"),
    }

    def message(self) -> str:
        return f"`{self.word}` takes {self.wanted[self.word][0]}"

    def label(self) -> str:
        return f"write `{self.wanted[self.word][1]}`"


class LateVersion(Mistake):
    code = "E026"

    def message(self) -> str:
        return "`arch` is the first statement of a file"

    def label(self) -> str:
        return "move it to the top"


class UnknownVersion(Mistake):
    got: str
    known: int

    code = "E027"

    def message(self) -> str:
        return f"this spec is written in version {self.got} of the language"

    def label(self) -> str:
        return f"version {self.known} is known here"

    def help(self) -> str:
        return "install a newer archdsl"


class ManyMore(Mistake):
    count: int

    code = "E049"

    def message(self) -> str:
        return f"{self.count} more mistake{'s' if self.count > 1 else ''} found"

    def label(self) -> str:
        return "the first of them is here"
