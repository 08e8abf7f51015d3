"""Mistakes about a spec as a whole: its pipeline, and what is stated once (E122 to E127)."""

from __future__ import annotations

from archdsl.errors.base import Mistake, named, suggest


class UnknownFact(Mistake):
    """A wrong key of `about`, `require` or `default`."""

    code = "E122"
    kind: str
    got: str
    known: tuple[str, ...]

    def message(self) -> str:
        return f"there is no {self.kind} `{self.got}`"

    def label(self) -> str:
        near = suggest(self.got, self.known)
        return f"did you mean `{near}`?" if near else ""

    def help(self) -> str:
        return f"known: {named(self.known, 12)}"

    def replacement(self) -> str | None:
        return suggest(self.got, self.known)


class TwoPipelines(Mistake):
    code = "E124"

    def message(self) -> str:
        return "a file has one pipeline"

    def label(self) -> str:
        return "a second one starts here"

    def help(self) -> str:
        return "join them with `|`, or make one of them a `def`"


class NoPipeline(Mistake):
    """`defined` is the file's last definition, if it has any."""

    code = "E125"
    defined: str = ""

    def message(self) -> str:
        return f"this file has no pipeline{', only definitions' if self.defined else ''}"

    def help(self) -> str:
        example = self.defined or "encoder resnet34 | skip plain | up bilinear | head 1x1 out=2"
        return f"end it with what it describes, for instance `{example}`"


class StatedTwice(Mistake):
    code = "E126"
    statement: str

    def message(self) -> str:
        return f"`{self.statement}` is stated twice"

    def label(self) -> str:
        return "again here"


class NoDefaults(Mistake):
    """`default` for a word that takes no options."""

    code = "E127"
    word: str

    def message(self) -> str:
        return f"`{self.word}` takes no options, so it has no defaults"
