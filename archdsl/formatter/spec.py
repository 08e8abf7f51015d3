"""A whole file in the one style."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from itertools import pairwise
from typing import Any, TypeAlias

from archdsl.formatter.layout import render, sequence
from archdsl.formatter.printing import begins_like_a_statement, layout
from archdsl.formatter.remarks import Remarks, attach, without_comments
from archdsl.parser import parse
from archdsl.source import Source, Span
from archdsl.syntax import Comment, Node, Number, Pipeline, Spec, Statement, walk

_Block: TypeAlias = tuple[Span, str, bool]  # its place, its text, whether it stays on the line before it
_EMPTY_LINE = re.compile(r"\n[ \t]*\r?\n")


def format_spec(source: Source) -> str:
    """The text of a spec in the one style: same meaning, same comments, blank lines one at a time.

    Formatting its result changes nothing.

    Raises:
        ArchError: the spec can't be read.
    """
    spec = parse(source)
    text = _written(spec)
    again = parse(Source(source.name, text))
    assert _facts(again.statements) == _facts(spec.statements), "formatting changed the meaning of a spec"
    assert _words(again.comments) == _words(spec.comments), "formatting lost a comment"
    return text


def format_tree(statements: Iterable[Statement], comments: Iterable[str] = ()) -> str:
    """The text of statements that were made or changed by a program; `comments` stand above them.

    Spans are not looked at: an empty line stands between statements of different kinds, and around
    what takes several lines.
    """
    parts = [(statement, _statement(statement, Remarks(), authored=False)) for statement in statements]
    lines = [f"# {comment}".rstrip() for comment in comments]
    if lines and parts:
        lines.append("")
    for (before, text), (after, below) in pairwise(parts):
        lines.append(text)
        if type(before) is not type(after) or "\n" in text or "\n" in below:
            lines.append("")
    lines += [text for _, text in parts[-1:]]
    return "".join(f"{line}\n" for line in lines)


def _statement(statement: Statement, remarks: Remarks, authored: bool) -> str:
    made = layout(statement, remarks, authored)
    if isinstance(statement, Pipeline) and begins_like_a_statement(statement):
        made = sequence("| ", made)
    return "\n".join([*remarks.above.get(statement, ()), render(made)])


def _written(spec: Spec) -> str:
    """Statements, and the comments between them, with the empty lines that the author has, one at a time."""
    lines: list[str] = []
    end = 0
    for span, text, same_line in sorted(
        (*_statements(spec), *_loose(spec)), key=lambda block: block[0].start
    ):
        if lines and _EMPTY_LINE.search(spec.source.text, end, span.start):
            lines.append("")
        if lines and same_line:
            lines[-1] += f"  {text}"
        else:
            lines.append(text)
        end = span.end
    return "".join(f"{line}\n" for line in lines)


def _statements(spec: Spec) -> Iterator[_Block]:
    code = without_comments(spec)
    starts = [comment.span.start for comment in spec.comments]
    for statement in spec.statements:
        inside = slice(bisect(starts, statement.span.start), bisect(starts, statement.span.end))
        remarks = attach(statement, spec.comments[inside], code)
        yield statement.span, _statement(statement, remarks, authored=True), False


def _loose(spec: Spec) -> Iterator[_Block]:
    """The comments that stand in no statement."""
    starts = [statement.span.start for statement in spec.statements]
    for comment in spec.comments:
        number = bisect(starts, comment.span.start)
        if number == 0 or spec.statements[number - 1].span.end <= comment.span.start:
            yield comment.span, comment.text, not comment.own_line


def _facts(statements: Sequence[Statement]) -> list[tuple[Any, ...]]:
    """All that is said, without places and ways of writing: equal for trees that mean the same."""
    return [_fact(node) for statement in statements for node in walk(statement)]


def _fact(node: Node) -> tuple[Any, ...]:
    if isinstance(node, Number):
        return (Number, node.value)
    values = (getattr(node, field.name) for field in fields(node))
    return (type(node), *(_said(value) for value in values if not isinstance(value, Span)))


def _said(value: Any) -> Any:
    """A node shows that it is there, a tuple of nodes how many; what they say, they say themselves."""
    if isinstance(value, tuple):
        return tuple(_said(item) for item in value)
    return Node if isinstance(value, Node) else value


def _words(comments: Sequence[Comment]) -> list[str]:
    return sorted(comment.text for comment in comments)
