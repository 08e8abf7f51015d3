"""Which part of a tree each comment inside a statement belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

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
    Spec,
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


def attach(statement: Statement, comments: Sequence[Comment], code: str) -> Remarks:
    """The comments of one statement, each at the item next to it, else above the statement.

    `code` is the text of the source with blanks for its comments.
    """
    remarks = Remarks()
    if not comments:
        return remarks
    items = list(_items(statement))
    starting = {item.span.start: item for item, _ in reversed(items)}  # of several the outermost
    ending = {item.span.end: item for item, may_end_a_line in reversed(items) if may_end_a_line}
    for comment in comments:
        before = len(code[: comment.span.start].rstrip(_SEPARATORS))
        after = len(code) - len(code[comment.span.end :].lstrip(_SEPARATORS))
        following, preceding = starting.get(after), ending.get(before)
        if not comment.own_line and _is_head(statement, code, before, after) and not remarks.heads:
            remarks.heads[statement] = comment.text
        elif not comment.own_line and preceding is not None and preceding not in remarks.beside:
            remarks.beside[preceding] = comment.text
        elif following is not None:
            remarks.above.setdefault(following, []).append(comment.text)
        elif preceding is not None:
            remarks.below.setdefault(preceding, []).append(comment.text)
        else:
            owner = _owner(statement, items, comment.span.start)
            remarks.above.setdefault(owner, []).append(comment.text)
    return remarks


def without_comments(spec: Spec) -> str:
    """The text of a spec with blanks for its comments: every offset stays."""
    pieces, end = [], 0
    for comment in spec.comments:
        start = comment.span.start
        pieces += [spec.source.text[end:start], " " * (comment.span.end - start)]
        end = comment.span.end
    return "".join([*pieces, spec.source.text[end:]])


_SEPARATORS = " \t\r\n|,"


def _is_head(statement: Statement, code: str, before: int, after: int) -> bool:
    """Whether what stands between these two is behind the `=` of a definition."""
    return isinstance(statement, Define) and code[before - 1] == "=" and after >= statement.body.span.start


def _items(statement: Statement) -> Iterator[tuple[Node, bool]]:
    """The items in the order of the text, outer ones first, and whether a line may end behind each.

    It may not where the parent goes on behind its last item, as in `up a=1 as x`.
    """
    for node in walk(statement):
        match node:
            case Pipeline(elements=inner) | Listing(items=inner) | Choice(options=inner):
                yield from ((item, True) for item in inner)
            case Alternatives(options=inner) | Function(arguments=inner) | Join(branches=inner):
                yield from ((item, True) for item in inner)
            case Define(parameters=inner) if inner:
                yield from ((item, True) for item in inner)
            case Word(arguments=inner) | Default(keywords=inner) | About(keywords=inner):
                keywords = [item for item in inner if isinstance(item, Keyword)]
                yield from ((item, item is not keywords[-1]) for item in keywords)
            case Loop(bindings=inner) | Each(bindings=inner):
                yield from ((item, item is not inner[-1]) for item in inner)


def _owner(statement: Statement, items: Sequence[tuple[Node, bool]], offset: int) -> Node:
    """The innermost item around an offset, or the statement."""
    around = (item for item, _ in items if item.span.start <= offset < item.span.end)
    return [statement, *around][-1]
