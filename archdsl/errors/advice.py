"""Advice on specs that are right (W001 to W029)."""

from __future__ import annotations

from typing import ClassVar

from archdsl.errors.base import Mistake, Severity


class Advice(Mistake):
    """What could be better."""

    severity: ClassVar[Severity] = Severity.ADVICE


class NoHead(Advice):
    code = "W001"
    returned: str

    def message(self) -> str:
        return "the model has no head"

    def label(self) -> str:
        return f"the pipeline ends here and returns {self.returned}"

    def help(self) -> str:
        return "add `| head 1x1 out=2`, or leave it if features are what you want"


class LongSchedule(Advice):
    """A list with more values than there are levels."""

    code = "W002"
    option: str
    given: int
    levels: int
    side: str

    def message(self) -> str:
        return f"`{self.option}` has {self.given} values for {self.levels} levels"

    def label(self) -> str:
        extra = self.given - self.levels
        return f"the {self.side} {f'{extra} are' if extra > 1 else 'one is'} not used"

    def help(self) -> str:
        return "a list is aligned at the finest level"


class HiddenDefinition(Advice):
    """A definition that a recipe stage's own word hides."""

    code = "W003"
    stage: str
    word: str

    def message(self) -> str:
        return f"`{self.stage} {self.word}` is not the definition `{self.word}`"

    def label(self) -> str:
        return f"`{self.stage}` has a word of its own for this"

    def help(self) -> str:
        return f"in brackets it is the definition: `{self.stage} ({self.word})`"


class BiasBeforeNorm(Advice):
    """Biases that the batch norm behind them takes away again."""

    code = "W004"
    word: str
    count: int

    def message(self) -> str:
        if self.count == 1:
            return f"the bias of this `{self.word}` has no effect"
        return f"the biases of {self.count} convolutions have no effect"

    def label(self) -> str:
        return "the batch norm behind it takes the bias away again"

    def help(self) -> str:
        return f"write `bias=false`, or `default {self.word} bias=false` once for the file"


class FailsAtOddSize(Advice):
    """A join written by hand that fits at the input's size, but not at others."""

    code = "W005"
    height: int
    width: int

    def message(self) -> str:
        return f"this join fails at other input sizes, such as {self.height}x{self.width}"

    def help(self) -> str:
        return "give one the size of the other, with `interpolate like=@x` or `crop like=@x`"


class UnusedParameter(Advice):
    code = "W006"
    definition: str
    name: str

    def message(self) -> str:
        return f"`{self.definition}` never uses `{self.name}`"

    def help(self) -> str:
        return f"delete it, or call it `_{self.name}` if it only keeps a place"


class UnusedLet(Advice):
    code = "W007"
    name: str

    def message(self) -> str:
        return f"`{self.name}` is never used"

    def help(self) -> str:
        return "delete it"


class NeverFeasible(Advice):
    """A space of which no sampled member meets the requirements."""

    code = "W008"
    tried: int
    failing: int

    def message(self) -> str:
        return f"none of {self.tried} members that were tried meets the requirements"

    def label(self) -> str:
        return f"{self.failing} break this one"

    def help(self) -> str:
        return "loosen it, or leave options out that can't meet it"
