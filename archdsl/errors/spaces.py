"""Mistakes about choices and constraints (E3)."""

from __future__ import annotations

from archdsl.errors.base import Mistake, named, suggest


class StillOpen(Mistake):
    """A space where one architecture is wanted; the first of its choices, with one of its options."""

    code = "E301"
    count: int
    choice: str
    option: str

    def message(self) -> str:
        return f"{self.count} choice{'s are' if self.count > 1 else ' is'} still open"

    def label(self) -> str:
        return f"`{self.choice}`"

    def help(self) -> str:
        setting = f"{self.choice}={self.option}"
        setting = f"'{setting}'" if " " in setting else setting  # a shell would part it
        each = "each" if self.count > 1 else "it"
        return f"close {each} as in `--set {setting}`, or search with `archdsl search`"


class UnknownChoice(Mistake):
    code = "E302"
    got: str
    known: tuple[str, ...]

    def message(self) -> str:
        return f"there is no choice called `{self.got}`"

    def help(self) -> str:
        near = suggest(self.got, self.known)
        if near:
            return f"did you mean `{near}`?"
        return f"open choices: {named(self.known, 12)}" if self.known else "this spec has no open choices"


class NoSuchOption(Mistake):
    code = "E303"
    choice: str
    got: str
    known: tuple[str, ...]
    begun: int = 0  # how many of them begin with this word

    def message(self) -> str:
        if self.begun:
            return f"{self.begun} options of `{self.choice}` begin with `{self.got}`"
        return f"`{self.choice}` has no option `{self.got}`"

    def help(self) -> str:
        return f"options: {named(self.known, 12)}"


class OpaqueFigure(Mistake):
    """A requirement of a figure that nobody has counted."""

    code = "E315"
    figure: str

    def message(self) -> str:
        return f"`{self.figure}` is not known of a network with an encoder of timm"

    def help(self) -> str:
        return "shapes and `params` are; of the library's own encoders everything is"


class EmptyRange(Mistake):
    code = "E304"
    low: str
    high: str

    def message(self) -> str:
        return f"an empty range: {self.low} is above {self.high}"

    def help(self) -> str:
        return f"write `{self.high}..{self.low}`"


class BadRange(Mistake):
    code = "E305"
    problem: str

    def message(self) -> str:
        return self.problem

    def help(self) -> str:
        return "for instance `2..5`, `16..64:16`, `0.1..0.5` or `1e-4..1e-2:log`"


class BadRequirement(Mistake):
    code = "E306"
    got: str

    def message(self) -> str:
        return f"`require` needs a condition, not {self.got}"

    def help(self) -> str:
        return "for instance `require params < 10M and macs < 2G`"


class Unmet(Mistake):
    """A closed spec that breaks its own requirement."""

    code = "E307"
    condition: str
    figures: str

    def message(self) -> str:
        return f"this architecture breaks `require {self.condition}`"

    def label(self) -> str:
        return self.figures


class NestedChoice(Mistake):
    """`{{3, 5}, 7}`: both would have one name. `options` is the text of all of them."""

    code = "E308"
    options: str

    def message(self) -> str:
        return "a choice is an option of another choice"

    def label(self) -> str:
        return "both would have the same name"

    def help(self) -> str:
        return f"make it one: `{self.options}`" if self.options else "list its values among the options"


class CannotClose(Mistake):
    code = "E310"
    name: str

    def message(self) -> str:
        return f"choices inside `{self.name}` can't be written closed from here"

    def help(self) -> str:
        return (
            f"give `{self.name}` parameters, and write the choices where it is used: "
            f"`{self.name} kernel={{3, 5}}`"
        )


class NoText(Mistake):
    """A graph that was changed has no spec to write."""

    code = "E311"

    def message(self) -> str:
        return "an architecture that was made from a graph has no text"
