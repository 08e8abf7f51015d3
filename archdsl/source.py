"""Text, places in it, and the picture that shows a place to a reader."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

# What a terminal would obey or not show: control characters, half characters, marks of direction.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff]")
_LONG = 160  # characters of a line that a picture shows at most


@dataclass(frozen=True, eq=False)
class Source:
    """A text and where it came from; two sources are equal only if they are the same object.

    `marked` tells that the file has a byte order mark before the text.
    """

    name: str
    text: str = field(repr=False)
    marked: bool = False

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
        text = _UNSEEN.sub("\ufffd", group[0].span.source.line(number).replace("\t", " "))
        for labels_shown in [group] if len(text) <= _LONG else [[label] for label in group]:
            lines += _lines(number, text, labels_shown, width)
        previous = number
    return "\n".join(lines)


def _lines(number: int, text: str, labels: list[Label], width: int) -> list[str]:
    """A line with its labels below it; of a long one the part around the first label."""
    first = 0 if len(text) <= _LONG else max(0, labels[0].span.column - _LONG // 2)
    part = text[first : first + _LONG]
    part = ("…" if first else "") + part[bool(first) :] + ("…" if first + _LONG < len(text) else "")
    lines = [f" {number:>{width}} | {part}".rstrip()]
    for label in labels:
        start = label.span.column - 1 - first
        length = max(1, min(label.span.end - label.span.start, len(part) - start))
        mark = ("^" if label.primary else "-") * length
        lines.append(f"{' ' * (width + 2)}| {' ' * start}{mark} {label.text}".rstrip())
    return lines
