"""What a text shows before it is parsed: where its statements start, its comments and its brackets."""

from __future__ import annotations

import re

from archdsl.source import Source, Span
from archdsl.syntax import Comment

_PIECE = re.compile(r'"[^"\n]*"?|(?P<comment>\#[^\n]*)', re.X)
_MARGIN = re.compile(r"^[^\s#|)\]},]", re.MULTILINE)
_NOTHING = re.compile(r"(?:[\s\ufeff]|#[^\n]*)*")


def statements(source: Source) -> list[Span]:
    """The places of the statements: each begins at the left margin and lasts to the next one."""
    starts = [match.start() for match in _MARGIN.finditer(source.text)]
    first = _NOTHING.match(source.text).end()
    if first < (starts[0] if starts else len(source.text)):
        starts.insert(0, first)
    ends = [*starts[1:], len(source.text)]
    return [source.span(a, b) for a, b in zip(starts, ends, strict=True)]


def comments(source: Source) -> tuple[Comment, ...]:
    found = []
    for match in _PIECE.finditer(source.text):
        if match["comment"] is not None:
            text = match["comment"].rstrip()
            span = source.span(match.start(), match.start() + len(text))
            before = source.text[source.text.rfind("\n", 0, span.start) + 1 : span.start]
            found.append(Comment(span, text, not before.strip(" \t\ufeff")))
    return tuple(found)
