"""The place where the parser stopped, as the rules of the diagnosis look at it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property

from archdsl.parser.scan import Piece
from archdsl.records import Value
from archdsl.source import Source, Span


class Stop(Value):
    """Where the parser stopped in a statement, and what it would have taken (names of terminals)."""

    source: Source
    text: str  # the source's, made readable
    pieces: Sequence[Piece]
    around: Sequence[int]  # for each piece the number of the bracket that is open there, or -1
    number: int  # of the piece that was not taken; one beyond the last at the statement's end
    accepts: frozenset[str]

    @cached_property
    def got(self) -> Piece | None:
        return self.pieces[self.number] if self.number < len(self.pieces) else None

    @cached_property
    def before(self) -> Piece | None:
        return self.pieces[self.number - 1] if self.number else None

    @cached_property
    def following(self) -> Piece | None:
        return self.pieces[self.number + 1] if self.number + 1 < len(self.pieces) else None

    @cached_property
    def opener(self) -> int:
        """The number of the bracket that is open here, or -1."""
        return self.around[self.number] if self.got else -1

    def is_glued(self, number: int) -> bool:
        """Whether nothing stands between a piece and the one before it."""
        if not 0 < number < len(self.pieces):
            return False
        return self.pieces[number - 1].end == self.pieces[number].start

    def starts_line(self, number: int) -> bool:
        between = self.pieces[number - 1].end if number else 0
        return number == 0 or "\n" in self.text[between : self.pieces[number].start]

    @cached_property
    def ends_its_line(self) -> bool:
        """Whether no pipe and no closing bracket comes behind the place on its line."""
        line = self.text[self.got.end if self.got else len(self.text) :].split("\n", 1)[0]
        return not re.search(r"[|)\]}]", line)

    @cached_property
    def stage(self) -> int:
        """The number of the piece with which the stage begins that the parser was reading."""
        number = self.number
        while number > self.opener + 1 and not self._separates(number - 1):
            number -= 1
        return number

    def _separates(self, number: int) -> bool:
        piece = self.pieces[number]
        heads = piece.text == "=" and self.pieces[0].text == "def"
        divides = piece.kind == "comma" and self.opener >= 0  # else the lists of a `for`
        return self.around[number] == self.opener and (piece.kind == "pipe" or divides or heads)

    def in_stage(self) -> Iterator[Piece]:
        """The pieces of the stage, without those in its brackets."""
        for number in range(self.stage, self.number):
            if self.around[number] == self.opener:
                yield self.pieces[number]

    @cached_property
    def in_arguments(self) -> bool:
        """Whether another positional argument could stand here."""
        return {"NUMBER", "NAME"} <= self.accepts

    @cached_property
    def wants_stage(self) -> bool:
        return {"NAME", "_FOR"} <= self.accepts

    def closer(self, opener: int) -> Piece | None:
        """The bracket that closes the one of this number."""
        closers = (number for number in range(opener, len(self.pieces)) if self.around[number] == opener)
        return next((self.pieces[n] for n in closers if self.pieces[n].kind == "close"), None)

    def span(self, first: Piece, last: Piece | None = None) -> Span:
        return self.source.span(first.start, (last or first).end)

    @cached_property
    def wanted(self) -> tuple[str, ...]:
        """What could have stood here, in words."""
        kinds = [word for word, terminals in _KINDS if terminals <= self.accepts]
        signs = [word for terminal, word in _SIGNS.items() if terminal in self.accepts]
        if kinds[:1] == ["a stage"] and "`|`" in signs:  # a pipe may stand before the first stage
            signs.remove("`|`")
        return (*kinds[:1], *signs[:4])


_KINDS: tuple[tuple[str, frozenset[str]], ...] = (
    ("a value or a stage", frozenset(("NUMBER", "NAME", "_FOR"))),
    ("a stage", frozenset(("NAME", "_FOR"))),
    ("a value", frozenset(("NUMBER", "NAME"))),
    ("a name", frozenset(("NAME",))),
    ("a number", frozenset(("NUMBER",))),
    ("a text in quotes", frozenset(("STRING",))),
    ("a size such as `3x224x224`", frozenset(("DIMENSIONS",))),
    ("`(`", frozenset(("LPAR",))),
)
_SIGNS = {
    "LABEL": "a name",
    "EQUAL": "`=`",
    "_IN": "`in`",
    "_ELSE": "`else`",
    "_PIPE": "`|`",
    "COMMA": "`,`",
    "RPAR": "`)`",
    "RSQB": "`]`",
    "RBRACE": "`}`",
    "$END": "the end of the statement",
}
