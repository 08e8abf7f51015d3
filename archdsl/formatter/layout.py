"""Texts that know where they may be broken, and the printer that breaks them as seldom as it can.

After Wadler, "A prettier printer" (2003): a `Fold` stands on one line if it fits, else all of its own
lines break, and the folds inside decide for themselves. Nothing here is recursive, so that a deep tree
is no danger.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from archdsl.records import Value

WIDTH = 100


class Line(Value):
    """A place for a line end: `flat` is what stands there while the fold around it is on one line."""

    flat: str = " "


class Break(Value):
    """A line end in any case."""


class Remark(Value):
    """A comment that waits for the end of its line."""

    text: str


class Sequence(Value):
    parts: tuple[Layout, ...]
    breaks: bool  # holds a line end in any case
    tail: bool  # ends in a comment, so that nothing may follow on its line


class Nest(Value):
    """Its lines stand `by` further to the right."""

    content: Layout
    by: int = 2


class Fold(Value):
    content: Layout


Layout: TypeAlias = str | Line | Break | Remark | Sequence | Nest | Fold


def sequence(*parts: Layout) -> Layout:
    kept = tuple(part for part in parts if part != "")
    if len(kept) == 1:
        return kept[0]
    return Sequence(kept, any(map(breaks, kept)), bool(kept) and has_tail(kept[-1]))


def separated(parts: Iterable[Layout], *separator: Layout) -> Layout:
    """The parts with a separator between each two."""
    woven: list[Layout] = []
    for part in parts:
        woven += [*separator, part] if woven else [part]
    return sequence(*woven)


def breaks(layout: Layout) -> bool:
    """Whether it can't stand on one line."""
    match layout:
        case Sequence(breaks=found):
            return found
        case Nest(content) | Fold(content):
            return breaks(content)
        case _:
            return isinstance(layout, Break | Remark)


def has_tail(layout: Layout) -> bool:
    """Whether it ends in a comment."""
    match layout:
        case Sequence(tail=found):
            return found
        case Nest(content) | Fold(content):
            return has_tail(content)
        case _:
            return isinstance(layout, Remark)


def render(layout: Layout, width: int = WIDTH) -> str:
    """The text, with no line longer than `width` where that can be had."""
    lines: list[str] = []
    line, remark, indent = "", "", 0
    todo: list[tuple[int, bool, Layout]] = [(0, False, Fold(layout))]
    while todo:
        indent, flat, part = todo.pop()
        match part:
            case str():
                line += part
            case Remark(text):
                remark += f"  {text}"
            case Line(text) if flat:
                line += text
            case Line() | Break():
                lines.append((line + remark).rstrip())
                line, remark = " " * indent, ""
            case Sequence(parts):
                todo += [(indent, flat, inner) for inner in reversed(parts)]
            case Nest(content, by):
                todo.append((indent + by, flat, content))
            case Fold(content):
                fits = flat or (not breaks(content) and _fits(width - len(line), content, todo))
                todo.append((indent, fits, content))
    return "\n".join([*lines, (line + remark).rstrip()])


def _fits(room: int, content: Layout, after: list[tuple[int, bool, Layout]]) -> bool:
    """Whether the content on one line, and what follows it up to the next line end, fits into the room."""
    todo = [(True, content)]
    position = len(after)
    while room >= 0:
        if not todo:
            if position == 0:
                return True
            position -= 1
            _, flat, layout = after[position]
            todo.append((flat, layout))
        flat, part = todo.pop()
        match part:
            case str():
                room -= len(part)
            case Line(text) if flat:
                room -= len(text)
            case Line() | Break():
                return True
            case Sequence(parts):
                todo += [(flat, inner) for inner in reversed(parts)]
            case Nest(inner) | Fold(inner):
                todo.append((flat, inner))
    return False
