"""Mistakes about what a stage or a function is given (E103 to E121)."""

from __future__ import annotations

from archdsl.errors.base import Mistake, is_certain, named, suggest
from archdsl.errors.foreign import note


class UnknownOption(Mistake):
    code = "E103"
    stage: str
    got: str
    known: tuple[str, ...]

    def message(self) -> str:
        return f"`{self.stage}` has no option `{self.got}`"

    def label(self) -> str:
        near = suggest(self.got, self.known)
        return f"did you mean `{near}`?" if near else ""

    def help(self) -> str:
        options = f"options: {named(self.known, 12)}" if self.known else f"`{self.stage}` has no options"
        return note(self.got) or options

    def replacement(self) -> str | None:
        return suggest(self.got, self.known)

    @property
    def safe_fix(self) -> bool:
        return is_certain(self.got, self.known)


class GivenTwice(Mistake):
    code = "E104"
    stage: str
    option: str

    def message(self) -> str:
        return f"`{self.option}` is given twice to `{self.stage}`"

    def label(self) -> str:
        return "again here"

    def blames(self) -> str:
        return self.option


class UnknownValue(Mistake):
    """`@lov` where nothing is called so."""

    code = "E105"
    got: str
    known: tuple[str, ...]

    def message(self) -> str:
        return f"no stage is named `{self.got}`"

    def label(self) -> str:
        near = suggest(self.got, self.known)
        return f"did you mean `@{near}`?" if near else ""

    def help(self) -> str:
        return "name one with `as`" if not self.known else f"named so far: {named(self.known)}"

    def replacement(self) -> str | None:
        near = suggest(self.got, self.known)
        return near and f"@{near}"


class WrongValue(Mistake):
    code = "E108"
    option: str
    wanted: str
    got: str
    mend: str = ""

    def message(self) -> str:
        return f"`{self.option}` takes {self.wanted}, not {self.got}"

    def label(self) -> str:
        return f"write `{self.mend}`" if self.mend else ""

    def replacement(self) -> str | None:
        return self.mend or None


class OutOfBounds(Mistake):
    code = "E109"
    option: str
    got: str
    low: str = ""
    high: str = ""

    def message(self) -> str:
        if self.low and self.high:
            return f"`{self.option}` must lie between {self.low} and {self.high}, not {self.got}"
        if self.low:
            return f"`{self.option}` must be at least {self.low}, not {self.got}"
        return f"`{self.option}` must be at most {self.high}, not {self.got}"


class MissingArgument(Mistake):
    """`example` is what may be written instead, where the argument goes by position alone."""

    code = "E110"
    stage: str
    option: str
    doc: str = ""
    example: str = ""

    def message(self) -> str:
        return f"`{self.stage}` needs {self.option if self.example else f'`{self.option}`'}"

    def label(self) -> str:
        return self.doc

    def help(self) -> str:
        if self.example:
            return f"for instance `{self.example}`"
        return f"give it by position or as `{self.option}=...`"


class TooManyArguments(Mistake):
    code = "E111"
    stage: str
    known: tuple[str, ...]
    options: tuple[str, ...] = ()

    def message(self) -> str:
        count = len(self.known)
        takes = "no arguments" if not count else f"at most {count} argument{'s' * (count > 1)}"
        return f"`{self.stage}` takes {takes} by position"

    def label(self) -> str:
        return "one too many"

    def help(self) -> str:
        if self.options:
            return f"options go by name: {named((f'{option}=' for option in self.options), 12)}"
        return f"in this order: {named(self.known, 12)}" if self.known else ""


class Arithmetic(Mistake):
    code = "E120"
    problem: str

    def message(self) -> str:
        return self.problem


class StepsDiffer(Mistake):
    code = "E121"
    lengths: tuple[tuple[str, int], ...]

    def message(self) -> str:
        (first, wanted), *others = self.lengths
        other, count = next((text, count) for text, count in others if count != wanted)
        return f"lists that run in step have one length, but `{first}` has {wanted} and `{other}` has {count}"

    def label(self) -> str:
        return f"{self.lengths[0][1]} values"
