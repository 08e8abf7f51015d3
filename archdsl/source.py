"""Text, places in it, and the picture that shows a place to a reader."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple


@dataclass(frozen=True, eq=False)
class Source:
    """A text and where it came from; two sources are equal only if they are the same object."""

    name: str
    text: str = field(repr=False)

    @cached_property
    def _starts(self) -> list[int]:
        """Offset of the first character of every line."""
        return [0, *(i + 1 for i, char in enumerate(self.text) if char == "\n")]

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line (from 1), without its end."""
        start = self._starts[number - 1]
        end = self._starts[number] if number < len(self._starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")

    def span(self, start: int, end: int) -> Span:
        return Span(self, start, end)


class Span(NamedTuple):
    """The characters `start` to `end` (exclusive) of a source."""

    source: Source
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    @property
    def line(self) -> int:
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        return self.source.position(self.start)[1]

    def to(self, other: Span) -> Span:
        """From the start of this span to the end of another."""
        return Span(self.source, self.start, max(self.end, other.end))

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"


class Label(NamedTuple):
    """What a reader is told about one place in a picture."""

    span: Span
    text: str = ""
    primary: bool = True


def picture(labels: tuple[Label, ...]) -> str:
    """The lines that the labels speak of, each label underlined below its line.

    Carets mark the guilty place, dashes the other parties. Labels of other files follow
    under a `-->` of their own.
    """
    ordered = sorted(labels, key=lambda label: (not label.primary, label.span.start))
    sources: dict[int, list[Label]] = {}
    for label in ordered:
        sources.setdefault(id(label.span.source), []).append(label)
    width = max(len(str(label.span.line)) for label in labels)
    parts = [_excerpt(group, width) for group in sources.values()]
    return "\n".join(parts)


def _excerpt(labels: list[Label], width: int) -> str:
    gutter = " " * (width + 2) + "|"
    lines = [f"{' ' * (width + 1)}--> {labels[0].span}", gutter]
    shown: dict[int, list[Label]] = {}
    for label in sorted(labels, key=lambda label: label.span.start):
        shown.setdefault(label.span.line, []).append(label)
    previous: int | None = None
    for number, group in sorted(shown.items()):
        if previous is not None and number > previous + 1:
            lines.append(f"{' ' * (width + 1)}...")
        source = group[0].span.source
        text = source.line(number).replace("\t", " ")
        lines.append(f" {number:>{width}} | {text}".rstrip())
        for label in group:
            start = label.span.column - 1
            length = max(1, min(label.span.end - label.span.start, len(text) - start))
            mark = ("^" if label.primary else "-") * length
            lines.append(f"{gutter} {' ' * start}{mark} {label.text}".rstrip())
        previous = number
    return "\n".join(lines)
