"""What a text shows before it is parsed: its statements, its comments, and the brackets around each place."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import accumulate, chain
from typing import NamedTuple

from archdsl.records import Record
from archdsl.source import Source
from archdsl.syntax import Comment

STATEMENTS = frozenset(("use", "def", "let", "default", "arch", "about", "input", "require"))
RESERVED = frozenset(("as", "for", "each", "in", "if", "else", "and", "or", "not", "true", "false", "none"))
CLOSERS = {"(": ")", "[": "]", "{": "}"}

_HOLE = r"\{[A-Za-z0-9_]+(?:[+-][0-9]+)?\}"
_PIECE = re.compile(
    rf"""
    (?P<string>"[^"\n]*")
    | (?P<comment>\#[^\n]*)
    | (?P<label>(?<![\w.@-])as[ \t]+(?:[A-Za-z0-9_.\-]|{_HOLE})+)
    | (?P<at>@(?:[A-Za-z0-9_.]|{_HOLE})+)
    | (?P<name>timm:[A-Za-z0-9_.]+ | [A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*)
    | (?P<size>[0-9]+(?:x[0-9]+)+)
    | (?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?[KMGT]?)
    | (?P<open>[(\[{{]) | (?P<close>[)\]}}])
    | (?P<pipe>\|) | (?P<comma>,)
    | (?P<operator>\.\.|<=|>=|==|!=|//|\S)
    """,
    re.VERBOSE,
)
_MARGIN = re.compile(r"^[^\s#|)\]},]", re.MULTILINE)
_FAR = 100  # statements that are looked through for the bracket that closes an earlier one


class Piece(NamedTuple):
    """A word, a number, a bracket ...: what the eye takes for one thing."""

    kind: str
    start: int
    end: int
    text: str


class Stretch(Record):
    """The text of one statement, and the pieces of it that stand at the left margin but should not."""

    pieces: tuple[Piece, ...]
    margins: tuple[int, ...]  # inside brackets
    body: int | None = None  # where what is defined begins

    @property
    def start(self) -> int:
        return self.pieces[0].start

    @property
    def end(self) -> int:
        return self.pieces[-1].end


def scan(source: Source, text: str) -> tuple[list[Stretch], tuple[Comment, ...]]:
    """The statements of a text and its comments; `text` is the source's, made readable."""
    comments = []
    lines: list[list[Piece]] = [[]]  # the pieces from one margin to the next
    margins = deque(match.start() for match in _MARGIN.finditer(text))
    for match in _PIECE.finditer(text):
        start, end = match.span()
        kind = match.lastgroup or ""
        if kind == "comment":
            comments.append(_comment(source, start, end))
            continue
        if margins and start >= margins[0]:
            margins.popleft()
            lines.append([])
        kind = "reserved" if kind == "name" and match[0] in RESERVED else kind
        lines[-1].append(Piece(kind, start, end, match[0]))
    return list(_stretches(text, [line for line in lines if line])), tuple(comments)


def _comment(source: Source, start: int, end: int) -> Comment:
    text = source.text[start:end].rstrip()
    before = source.text[source.text.rfind("\n", 0, start) + 1 : start]
    return Comment(source.span(start, start + len(text)), text, own_line=not before.strip(" \t\ufeff"))


def _stretches(text: str, lines: Sequence[list[Piece]]) -> Iterator[Stretch]:
    """A statement a line, but lines at the margin that only close a bracket opened before belong to it.

    So does the line below a `def f =` that ends there.
    """
    balances = [sum((piece.kind == "open") - (piece.kind == "close") for piece in line) for line in lines]
    number = 0
    while number < len(lines):
        last = _closing_line(lines, balances, number)
        body = None
        if last + 1 < len(lines) and _lacks_body(text, lines[number], lines[last + 1]):
            body = sum(map(len, lines[number : last + 1]))
            last = _closing_line(lines, balances, last + 1)
        joined = lines[number : last + 1]
        number = last + 1
        ends = accumulate(map(len, joined[:-1]))
        yield Stretch(tuple(chain.from_iterable(joined)), tuple(end for end in ends if end != body), body)


def _lacks_body(text: str, line: Sequence[Piece], following: Sequence[Piece]) -> bool:
    """Whether a line ends with the `=` of a definition, and the next one has what is defined."""
    if line[-1].text != "=" or following[0].text in STATEMENTS:
        return False
    if line[0].text != "def" and (line[0].text != "let" or following[0].kind == "name"):
        return False
    return text[line[-1].end : following[0].start].count("\n") == 1


def _closing_line(lines: Sequence[list[Piece]], balances: Sequence[int], number: int) -> int:
    """The line where all brackets of a line are closed, if one that is no statement of its own does it."""
    depth = balances[number]
    for later in range(number + 1, min(number + _FAR, len(lines)) if depth > 0 else 0):
        if lines[later][0].text in STATEMENTS:
            break
        depth += balances[later]
        if depth <= 0:
            return later
    return number


# ---- brackets


class Brackets(Record):
    """The brackets of a statement; a piece is told by its number."""

    around: tuple[int, ...]  # for each piece the bracket that is open there, -1 for none
    unclosed: tuple[int, ...]
    unopened: tuple[int, ...]
    wrong: tuple[tuple[int, int], ...]  # a closing bracket, and the opening one of another kind
    too_deep: int | None

    @property
    def mistakes(self) -> int:
        return len(self.unclosed) + len(self.unopened) + len(self.wrong)


def brackets(pieces: Sequence[Piece], limit: int) -> Brackets:
    """Which brackets belong together; of two ways to read a wrong one, that with fewer mistakes."""
    found = _pair(pieces, limit, forgotten=False)
    if not found.wrong:
        return found
    return min(found, _pair(pieces, limit, forgotten=True), key=lambda pairs: pairs.mistakes)


def _pair(pieces: Sequence[Piece], limit: int, forgotten: bool) -> Brackets:
    """A bracket of the wrong kind is a slip, or else (`forgotten`) inner ones were left open."""
    open_: list[int] = []
    around, unclosed, unopened, wrong = [], [], [], []
    for number, piece in enumerate(pieces):
        if piece.kind == "close":
            kinds = [CLOSERS[pieces[opener].text] for opener in open_]
            while forgotten and piece.text in kinds and kinds.pop() != piece.text:
                unclosed.append(open_.pop())
            around.append(open_[-1] if open_ else -1)
            if not open_:
                unopened.append(number)
            elif CLOSERS[pieces[opener := open_.pop()].text] != piece.text:
                wrong.append((number, opener))
            continue
        around.append(open_[-1] if open_ else -1)
        if piece.kind == "open":
            open_.append(number)
            if len(open_) > limit:
                return Brackets(tuple(around), (), (), (), too_deep=number)
    return Brackets(tuple(around), (*unclosed, *open_), tuple(unopened), tuple(wrong), too_deep=None)
