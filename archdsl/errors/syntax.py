"""What can be wrong with the text of a spec before any word of it is looked up."""

from __future__ import annotations

from dataclasses import dataclass

from archdsl.errors.base import Mistake


@dataclass(eq=False)
class NotExpected(Mistake):
    """Something stands where the grammar has no place for it."""

    got: str
    wanted: tuple[str, ...]

    code = "E001"

    def message(self) -> str:
        return f"`{self.got}` can't stand here"

    def label(self) -> str:
        return f"expected {' or '.join(self.wanted)}"


@dataclass(eq=False)
class NotAStage(Mistake):
    """A value between pipes: `(3 | relu)`."""

    got: str

    code = "E020"

    def message(self) -> str:
        return f"`{self.got}` is a value, not a stage"

    def label(self) -> str:
        return "a stage is wanted here"
