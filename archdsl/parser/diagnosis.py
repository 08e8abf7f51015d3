"""Why the parser stopped: the rules that recognise a mistake by what stands around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from archdsl.errors.base import Diagnostic
from archdsl.errors.lexical import ForeignHabit
from archdsl.errors.syntax import (
    BareArithmetic,
    BareAssignment,
    BareBody,
    BareRepeat,
    CallSyntax,
    ChainedComparison,
    EmptyPipe,
    HyphenName,
    IndentedStatement,
    LateArgument,
    LateMark,
    NoPipe,
    NotExpected,
    NothingInside,
    ReservedWord,
    SpacedBracket,
    StrayComma,
    TrailingPipe,
    TwoStatements,
    Unfinished,
    WrongFact,
)
from archdsl.parser.scan import STATEMENTS, Piece
from archdsl.source import Label, Source, Span

_ARITHMETIC = frozenset("+-*/%") | {"//"}
_COMPARISONS = frozenset(("<", ">", "<=", ">=", "==", "!="))
_OPERATORS = _ARITHMETIC | _COMPARISONS | {"and", "or"}
_UNFINISHED = frozenset(("operator", "open", "comma", "pipe", "reserved"))  # an operand must follow these
_VALUES = frozenset(("number", "size", "string"))


@dataclass(frozen=True)
class Stop:
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
    def opener(self) -> int:
        """The number of the bracket that is open here, or -1."""
        return self.around[self.number] if self.got else -1

    def is_glued(self, number: int) -> bool:
        """Whether nothing stands between a piece and the one before it."""
        return number > 0 and self.pieces[number - 1].end == self.pieces[number].start

    def starts_line(self, number: int) -> bool:
        between = self.pieces[number - 1].end if number else 0
        return number == 0 or "\n" in self.text[between : self.pieces[number].start]

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
        return self.around[number] == self.opener and (piece.kind in ("pipe", "comma") or heads)

    def in_stage(self) -> Iterator[Piece]:
        """The pieces of the stage, without those in its brackets."""
        for number in range(self.stage, self.number):
            if self.around[number] == self.opener:
                yield self.pieces[number]

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
        return (*kinds[:1], *signs[:4])


_KINDS: tuple[tuple[str, frozenset[str]], ...] = (
    ("a value or a stage", frozenset(("NUMBER", "NAME", "_FOR"))),
    ("a stage", frozenset(("NAME", "_FOR"))),
    ("a value", frozenset(("NUMBER", "NAME"))),
    ("a name", frozenset(("NAME",))),
    ("a number", frozenset(("NUMBER",))),
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


def diagnose(stop: Stop) -> Diagnostic:
    """The first rule that recognises the mistake decides; the last one takes all."""
    return next(found for rule in _RULES if (found := rule(stop)) is not None)


# ---- rules, the most telling first


def _pipe(stop: Stop) -> Diagnostic | None:
    before, got = stop.before, stop.got
    if before is None or before.kind != "pipe":
        return None
    if got is None or got.kind in ("close", "comma"):
        return TrailingPipe().at(stop.span(before))
    return EmptyPipe().at(stop.span(before, got)) if got.kind == "pipe" else None


def _nothing(stop: Stop) -> Diagnostic | None:
    before, got = stop.before, stop.got
    if before is None or got is None or before.kind not in ("open", "comma"):
        return None
    if got.kind == "close" and before.kind == "open":
        return NothingInside(before.text, got.text).at(stop.span(before, got))
    return StrayComma("empty").at(stop.span(got)) if got.kind == "comma" else None


def _comma(stop: Stop) -> Diagnostic | None:
    before, got = stop.before, stop.got
    if got is None or got.kind != "comma" or before is None or before.kind in ("operator", "reserved"):
        return None
    if stop.opener < 0:
        return StrayComma("outside").at(stop.span(got))
    opener = stop.pieces[stop.opener]
    if opener.text != "(" or "COMMA" in stop.accepts:
        return None
    name = stop.pieces[stop.opener - 1]
    calls = stop.opener > 0 and name.kind == "name" and not stop.is_glued(stop.opener)
    if calls and stop.pieces[stop.opener + 1].kind not in _VALUES:
        return SpacedBracket(name.text).at(stop.span(name, opener))
    return StrayComma("round").at(stop.span(got), Label(stop.span(opener), "opened here"))


def _indented_statement(stop: Stop) -> Diagnostic | None:
    """`  let w = 3`, read as arguments of the line above."""
    number = min(stop.number, len(stop.pieces) - 1)
    while number and not stop.starts_line(number):
        number -= 1
    first = stop.pieces[number]
    if number == 0 or first.text not in STATEMENTS or stop.around[number] >= 0:
        return None
    return IndentedStatement(first.text).at(stop.span(first))


def _second_statement(stop: Stop) -> Diagnostic | None:
    got, number = stop.got, stop.number
    if got is None or stop.opener >= 0:
        return None
    if got.text == "=" and number > 2 and stop.pieces[number - 2].text in ("let", "def"):
        number -= 2
    elif got.text not in STATEMENTS or "$END" not in stop.accepts:
        return None
    return TwoStatements(stop.pieces[number].text).at(stop.span(stop.pieces[number]))


def _assignment(stop: Stop) -> Diagnostic | None:
    before, got = stop.before, stop.got
    if got is None or before is None or got.text != "=" or stop.pieces[0].kind != "name":
        return None
    head = stop.pieces[0]
    if stop.number == 1:
        return BareAssignment(head.text, "let").at(stop.span(head))
    if stop.is_glued(1) and before is stop.closer(1):
        return BareAssignment(stop.text[head.start : before.end], "def").at(stop.span(head, before))
    return None


def _other_equals(stop: Stop) -> Diagnostic | None:
    before, got = stop.before, stop.got
    if got is None or before is None or before.kind != "name":
        return None
    if got.text == "==" and "EQUAL" in stop.accepts:
        return ForeignHabit("an option takes one `=`", instead="=").at(stop.span(got))
    if got.text == ":":
        return ForeignHabit("options are given with `=`, not with `:`", instead="=").at(stop.span(got))
    return None


def _late_mark(stop: Stop) -> Diagnostic | None:
    before, got = stop.before, stop.got
    if got is None or before is None or got.text != "?" or before.kind != "label":
        return None
    return LateMark(before.text).at(stop.span(before, got))


def _wrong_fact(stop: Stop) -> Diagnostic | None:
    head, got = stop.pieces[0], stop.got
    if got is None or stop.number != 1 or head.text not in WrongFact.wanted:
        return None
    return WrongFact(head.text, got.text).at(stop.span(got))


def _operator(stop: Stop) -> Diagnostic | None:
    """`conv w -1`, `conv 3x3 * 3`, `encoder tf-efficientnet`: operators between positional arguments."""
    before, got = stop.before, stop.got
    if got is None or before is None:
        return None
    if got.text in _COMPARISONS and "AND" in stop.accepts:
        return ChainedComparison().at(stop.span(got))
    if got.text not in _OPERATORS or not {"NUMBER", "NAME"} <= stop.accepts or before.kind in _UNFINISHED:
        return None
    following = stop.pieces[stop.number + 1] if stop.number + 1 < len(stop.pieces) else None
    glued = stop.is_glued(stop.number), following is not None and stop.is_glued(stop.number + 1)
    if got.text == "-" and all(glued) and before.kind == "name" and following and following.kind == "name":
        name = _hyphenated(stop)
        return HyphenName(name.text).at(name)
    if got.text == "//" and not any(glued) and following and following.kind == "name":
        return ForeignHabit("comments start with `#`", "a division is `(a//b)`", "#").at(stop.span(got))
    right = following.text if following else "..."
    if got.text == "*" and not all(glued):
        stage = stop.text[stop.pieces[stop.stage].start : before.end]
        return BareRepeat(" ".join(stage.split()), right).at(stop.span(got))
    blank = "" if got.text in _ARITHMETIC else " "
    return BareArithmetic(f"{_operand(stop)}{blank}{got.text}{blank}{right}").at(stop.span(got))


def _hyphenated(stop: Stop) -> Span:
    """The names that hyphens hold together around the place."""
    first, last = stop.number - 1, stop.number + 1
    while last + 2 < len(stop.pieces) and stop.pieces[last + 1].text == "-":
        if not (stop.is_glued(last + 1) and stop.is_glued(last + 2)):
            break
        last += 2
    return stop.span(stop.pieces[first], stop.pieces[last])


def _operand(stop: Stop) -> str:
    """The text of the argument before the place, brackets and all."""
    number = stop.number - 1
    if stop.pieces[number].kind == "close":
        number = stop.around[number]
        number -= stop.is_glued(number) and stop.pieces[number - 1].kind == "name"
    return stop.text[stop.pieces[number].start : stop.pieces[stop.number - 1].end]


def _call(stop: Stop) -> Diagnostic | None:
    got, opener = stop.got, stop.opener
    if (
        got is None
        or opener < 1
        or not stop.is_glued(opener)
        or stop.number - 1 not in (opener, stop.stage - 1)
    ):
        return None
    name = stop.pieces[opener - 1]
    is_value = got.kind in _VALUES or got.text in ("true", "false", "none", "[")
    if name.kind != "name" or not is_value or "NUMBER" in stop.accepts or "NAME" not in stop.accepts:
        return None
    closer = stop.closer(opener) or got
    inner = stop.text[stop.pieces[opener].end : closer.start]
    arguments = " ".join(inner.replace(",", " ").split()) if "(" not in inner and "[" not in inner else "..."
    return CallSyntax(name.text, arguments).at(stop.span(name, closer))


def _spaced_bracket(stop: Stop) -> Diagnostic | None:
    before, got = stop.before, stop.got
    if got is None or before is None or got.text != "(" or before.kind != "name" or "LPAR" in stop.accepts:
        return None
    return None if stop.is_glued(stop.number) else SpacedBracket(before.text).at(stop.span(before, got))


def _body(stop: Stop) -> Diagnostic | None:
    got = stop.got
    if got is None or "LPAR" not in stop.accepts or stop.accepts & {"_PIPE", "$END", "NAME"}:
        return None
    words = [piece.text for piece in stop.in_stage() if piece.text in ("for", "each", "if")]
    return BareBody(words[-1]).at(stop.span(got)) if words else None


def _late_argument(stop: Stop) -> Diagnostic | None:
    """`conv stride=2 64`, and a stage on a line of its own without its pipe."""
    before, got = stop.before, stop.got
    has_options = any(piece.text == "=" for piece in stop.in_stage())
    if got is None or before is None or not has_options:
        return None
    if stop.accepts == {"EQUAL"} and before.kind == "name":
        got, number = before, stop.number - 1
    elif got.kind in _VALUES and stop.accepts & {"_PIPE", "$END"}:
        number = stop.number
    else:
        return None
    if got.kind == "name" and stop.starts_line(number):
        return NoPipe(got.text).at(stop.span(got))
    return LateArgument(got.text, stop.pieces[stop.stage].text).at(stop.span(got))


def _no_pipe(stop: Stop) -> Diagnostic | None:
    got = stop.got
    if got is None or "_PIPE" not in stop.accepts:
        return None
    starts = got.kind in ("name", "at") or got.text in ("(", "{", "for", "if")
    return NoPipe(got.text).at(stop.span(got)) if starts else None


def _reserved(stop: Stop) -> Diagnostic | None:
    got = stop.got
    if got is None or got.kind != "reserved" or "NAME" not in stop.accepts:
        return None
    return ReservedWord(got.text).at(stop.span(got))


def _other(stop: Stop) -> Diagnostic:
    if stop.got is None:
        return Unfinished(stop.wanted).at(stop.span(stop.pieces[-1]))
    return NotExpected(stop.got.text, stop.wanted).at(stop.span(stop.got))


_RULES: tuple[Callable[[Stop], Diagnostic | None], ...] = (
    _pipe,
    _nothing,
    _indented_statement,
    _comma,
    _second_statement,
    _assignment,
    _other_equals,
    _late_mark,
    _wrong_fact,
    _operator,
    _call,
    _spaced_bracket,
    _body,
    _late_argument,
    _no_pipe,
    _reserved,
    _other,
)
