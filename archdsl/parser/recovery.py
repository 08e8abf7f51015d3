"""Reads one statement with Lark's tables, and goes on behind a mistake to find the next."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from lark import TextSlice, Token, Tree, UnexpectedToken

from archdsl.errors.base import Diagnostic
from archdsl.parser.diagnosis import diagnose
from archdsl.parser.scan import Piece
from archdsl.parser.stop import Stop
from archdsl.parser.tables import tables
from archdsl.parser.tokens import Tokens
from archdsl.source import Source, Span

MOST = 100  # mistakes in a statement after which the rest of it is not read
Cursor: TypeAlias = Any  # Lark's InteractiveParser, which is not typed
_SYNC = {"|": "_PIPE", ",": "COMMA", ")": "RPAR", "]": "RSQB", "}": "RBRACE"}
_OPENERS = frozenset(("LPAR", "LSQB", "LBRACE"))


@dataclass
class Reader:
    """One statement being read: its pieces, and what is wrong with it so far."""

    source: Source
    text: str
    pieces: Sequence[Piece]
    around: Sequence[int]
    guessed: Sequence[int]  # where characters were replaced: what follows in that stage may be a consequence
    is_cut: bool = False  # before a bracket that is never closed
    found: list[Diagnostic] = field(default_factory=list)

    def read(self) -> Tree[Token] | None:
        """The statement's tree, or None where there are mistakes: they are in `found`."""
        place = TextSlice(self.text, self.pieces[0].start, self.pieces[-1].end)
        cursor: Cursor = tables().parse_interactive(place, "statement")
        tokens = Tokens(self.text, self.pieces[0].start, self.pieces[-1].end)
        landing: Piece | None = self.pieces[0]
        whole = True
        while landing is not None and len(self.found) < MOST:
            tokens.position = landing.start
            try:
                tree = _fed(cursor, tokens)
                return tree if whole and not self.is_cut else None
            except UnexpectedToken as error:
                whole = False
                landing = self._recover(cursor, self._place(error.token))
        return None

    def _place(self, token: Token) -> int:
        """The number of the piece that the parser did not take."""
        if token.type == "$END":
            return len(self.pieces)
        return bisect_left(self.pieces, token.start_pos, key=lambda piece: piece.end - 1)

    def _recover(self, cursor: Cursor, number: int) -> Piece | None:
        """Notes the mistake and brings the parser to the next place where it can go on, if there is one."""
        stop = Stop(self.source, self.text, self.pieces, self.around, number, frozenset(cursor.accepts()))
        if not self._is_consequence(stop):
            self._add(diagnose(stop))
        landing = self._landing(stop)
        return landing if landing is not None and _fit(cursor, _SYNC[landing.text]) else None

    def _add(self, mistake: Diagnostic) -> None:
        """Keeps a mistake, unless it lies in the place of an earlier one."""
        if not any(_covers(earlier.span, mistake.span) for earlier in self.found):
            self.found.append(mistake)

    def _is_consequence(self, stop: Stop) -> bool:
        if stop.got is None and self.is_cut:
            return True
        start = self.pieces[min(stop.stage, len(self.pieces) - 1)].start
        end = stop.got.end if stop.got else self.pieces[-1].end
        return bisect_left(self.guessed, start) < bisect_left(self.guessed, end)

    def _landing(self, stop: Stop) -> Piece | None:
        """The next pipe or, inside brackets, the next comma or the bracket that closes them."""
        kinds = ("pipe",) if stop.opener < 0 else ("pipe", "comma", "close")
        for number in range(stop.number, len(self.pieces)):
            if self.around[number] == stop.opener and self.pieces[number].kind in kinds:
                return self.pieces[number]
        return None


def _fed(cursor: Cursor, tokens: Tokens) -> Tree[Token]:
    """The tree of a statement, all of whose tokens the parser takes; raises UnexpectedToken for another."""
    state = cursor.parser_state
    table = state.parse_conf.states
    while (token := tokens.next(table[state.position])) is not None:
        cursor.feed_token(token)
    tree: Tree[Token] = cursor.feed_eof()
    return tree


def _covers(outer: Span | None, inner: Span | None) -> bool:
    return outer is not None and inner is not None and outer.start <= inner.start < outer.end


def _fit(cursor: Cursor, terminal: str) -> bool:
    """Drops what was begun until the parser takes the terminal, after a stand-in if need be.

    It never leaves the bracket that is open.
    """
    state = cursor.parser_state
    while not _takes(cursor, terminal):
        if _takes(cursor, "NAME", terminal):
            cursor.feed_token(Token("NAME", "_"))
            return True
        top = state.value_stack[-1] if state.value_stack else None
        if top is None or (isinstance(top, Token) and top.type in _OPENERS):
            return False
        state.state_stack.pop()
        state.value_stack.pop()
    return True


def _takes(cursor: Cursor, *terminals: str) -> bool:
    probe = cursor.copy(deepcopy_values=False)
    try:
        for terminal in terminals:
            probe.feed_token(Token(terminal, "_"))
    except UnexpectedToken:
        return False
    return True
