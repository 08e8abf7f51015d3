"""Which part of a tree each comment inside a statement belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from archdsl.source import Span
from archdsl.syntax import (
    About,
    Alternatives,
    Choice,
    Comment,
    Default,
    Define,
    Each,
    Function,
    Join,
    Keyword,
    Listing,
    Loop,
    Node,
    Pipeline,
    Statement,
    Word,
    walk,
)


@dataclass(frozen=True)
class Remarks:
    """Comments by node: above it, beside its end, or below it where it is the last of its bracket.

    Only an item has comments: something that can have a line of its own, such as an element of a
    pipeline or a branch of a join.
    """

    above: dict[Node, list[str]] = field(default_factory=dict)
    beside: dict[Node, str] = field(default_factory=dict)
    below: dict[Node, list[str]] = field(default_factory=dict)
    heads: dict[Node, str] = field(default_factory=dict)  # behind the `=` of a definition


def attach(statement: Statement, comments: Iterable[Comment]) -> Remarks:
    """The comments of one statement, each at the item next to it, else above the statement."""
    remarks = Remarks()
    items = list(_items(statement))
    starting = {item.span.start: item for item in reversed(items)}  # of several the outermost
    ending = {item.span.end: item for item in reversed(items)}
    for comment in comments:
        before, after = _neighbours(comment.span)
        following, preceding = starting.get(after), ending.get(before)
        if not comment.own_line and _is_head(statement, before) and statement not in remarks.heads:
            remarks.heads[statement] = comment.text
        elif not comment.own_line and preceding is not None and preceding not in remarks.beside:
            remarks.beside[preceding] = comment.text
        elif following is not None:
            remarks.above.setdefault(following, []).append(comment.text)
        elif preceding is not None:
            remarks.below.setdefault(preceding, []).append(comment.text)
        else:
            owner = _owner(items, comment.span.start) or statement
            remarks.above.setdefault(owner, []).append(comment.text)
    return remarks


_BLANK = re.compile(r"(?:\s|#[^\n]*|[|,])*")  # what separates items, and comments


def _neighbours(span: Span) -> tuple[int, int]:
    """The end of what stands before a comment, and the start of what comes after it.

    Blanks, other comments and separators don't count.
    """
    text = span.source.text
    match = _BLANK.match(text, span.start)
    after = match.end() if match else span.end
    before = span.start
    while before:
        line = text.rfind("\n", 0, before) + 1
        ...
    return before, after
