"""The tokens of a statement: at each place what stands there, among what the parser would take.

Lark's contextual lexer does the same with an expression for each state of the parser, and to compile
those takes longer than to read a spec. Here one expression for all terminals of the grammar says what
stands at a place; only where the parser doesn't take that are the terminals that it takes tried.
"""

from __future__ import annotations

import re
from collections.abc import Container
from functools import cache
from typing import NamedTuple

from lark import Token

from archdsl.parser.tables import tables

# Nearly anything is a label; the grammar takes one behind `as` alone.
_LAST = ("LABEL",)
_NOTHING = "UNKNOWN"  # no terminal of the grammar: the parser refuses it


class Lexicon(NamedTuple):
    """The grammar's terminals as expressions, the first that match counting before others."""

    ignored: re.Pattern[str]
    whatever: re.Pattern[str]
    patterns: dict[str, str]


@cache
def lexicon() -> Lexicon:
    """The terminals in Lark's order: by priority, then longer ones first."""
    made = tables()
    ordered = sorted(
        made.terminals,
        key=lambda t: (-t.priority, -t.pattern.max_width, -len(t.pattern.value), t.name),
    )
    patterns = {terminal.name: terminal.pattern.to_regexp() for terminal in ordered}
    ignored = "|".join(patterns.pop(name) for name in made.lexer_conf.ignore)
    named = (f"(?P<{name}>{pattern})" for name, pattern in patterns.items() if name not in _LAST)
    return Lexicon(re.compile(f"(?:{ignored})*"), re.compile("|".join(named)), patterns)


class Tokens:
    """A walk over a piece of a text; `position` may be set."""

    def __init__(self, text: str, start: int, end: int) -> None:
        self._text = text
        self._end = end
        self._lexicon = lexicon()
        self.position = start

    def next(self, taken: Container[str]) -> Token | None:
        """The next token, one of those that are `taken` if any stands there; None at the end."""
        ignored = self._lexicon.ignored.match(self._text, self.position, self._end)
        start = self.position if ignored is None else ignored.end()
        if start >= self._end:
            return None
        name, end = self._found(start, taken)
        self.position = end
        return Token(name, self._text[start:end], start_pos=start, end_pos=end)

    def _found(self, start: int, taken: Container[str]) -> tuple[str, int]:
        """The terminal that stands at a place, and where it ends."""
        match = self._lexicon.whatever.match(self._text, start, self._end)
        if match is not None and match.lastgroup in taken:
            return match.lastgroup or "", match.end()
        for name, pattern in self._lexicon.patterns.items():
            if name in taken:
                match = re.compile(pattern).match(self._text, start, self._end)
                if match is not None:
                    return name, match.end()
        return _NOTHING, start + 1
