"""Paths of edges between boxes that already have their places: straight, elbow, arc or channel.

Points and sizes are in points (1/72 inch), y upwards, as in Graphviz.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple, TypeAlias


class Point(NamedTuple):
    x: float
    y: float

    def towards(self, other: Point, share: float) -> Point:
        """The point at a share (0 to 1) of the way to another."""
        return Point(self.x + (other.x - self.x) * share, self.y + (other.y - self.y) * share)


class Box(NamedTuple):
    """A box with round corners, around its centre."""

    center: Point
    width: float
    height: float
    radius: float = 10.0

    @property
    def left(self) -> float:
        return self.center.x - self.width / 2

    @property
    def right(self) -> float:
        return self.center.x + self.width / 2

    @property
    def bottom(self) -> float:
        return self.center.y - self.height / 2

    @property
    def top(self) -> float:
        return self.center.y + self.height / 2

    def holds(self, point: Point, margin: float = 0.0) -> bool:
        """Whether a point lies in the box or nearer to it than `margin`."""
        radius = self.radius
        over_x = max(abs(point.x - self.center.x) - (self.width / 2 - radius), 0.0)
        over_y = max(abs(point.y - self.center.y) - (self.height / 2 - radius), 0.0)
        return bool((over_x**2 + over_y**2) ** 0.5 < radius + margin)

    def meets(self, other: Box, margin: float = 0.0) -> bool:
        """Whether another box is nearer than `margin`."""
        apart = abs(self.center.x - other.center.x), abs(self.center.y - other.center.y)
        return (
            apart[0] < (self.width + other.width) / 2 + margin
            and apart[1] < (self.height + other.height) / 2 + margin
        )

    def rim(self, outside: Point) -> Point:
        """Where the line from the centre to a point outside leaves the box."""
        inner, outer = 0.0, 1.0
        for _ in range(30):
            middle = (inner + outer) / 2
            if self.holds(self.center.towards(outside, middle)):
                inner = middle
            else:
                outer = middle
        return self.center.towards(outside, outer)


# A chain of cubic Béziers: a start, then three points for each piece.
Path: TypeAlias = tuple[Point, ...]

CLEARANCE = 4.0  # no path comes nearer than this to a box that it doesn't join


def route(tail: Box, head: Box, others: Iterable[Box]) -> Path:
    """A path from one box to another that crosses no other: the simplest one that is free.

    With no free one among them, the path through the gaps between rows and columns.
    """
    obstacles = tuple(others)
    path: Path = ()
    for path in _candidates(tail, head):
        if is_free(path, obstacles):
            break
    return path


def arc(tail: Box, head: Box, start: float, end: float, rise: float) -> Path:
    """A path over what stands between two boxes of a row.

    `start` and `end` are where it leaves and enters, as shares of a width from the centre; `rise` is
    its height above them.
    """
    first = Point(tail.center.x + start * tail.width, tail.top)
    last = Point(head.center.x + end * head.width, head.top)
    lean = max(-26.0, min(26.0, 0.2 * (last.x - first.x)))
    height = rise * 4 / 3  # a cubic reaches three quarters of the height of its controls
    return (first, Point(first.x + lean, first.y + height), Point(last.x - lean, last.y + height), last)


def samples(path: Path, number: int = 24) -> Iterator[Point]:
    """Points along a path."""
    for i in range(0, len(path) - 1, 3):
        a, b, c, d = path[i : i + 4]
        for step in range(number + 1):
            t = step / number
            ab, bc, cd = a.towards(b, t), b.towards(c, t), c.towards(d, t)
            yield ab.towards(bc, t).towards(bc.towards(cd, t), t)


def is_free(path: Path, obstacles: Iterable[Box]) -> bool:
    points = tuple(samples(path))
    return not any(box.holds(point, CLEARANCE) for box in obstacles for point in points)


def _candidates(tail: Box, head: Box) -> Iterator[Path]:
    yield _line(tail.rim(head.center), head.rim(tail.center))
    yield _elbow(_side(tail, head.center), _end(head, tail.center), Point(head.center.x, tail.center.y))
    yield _elbow(_end(tail, head.center), _side(head, tail.center), Point(tail.center.x, head.center.y))
    yield _channel(tail, head)


def _line(start: Point, end: Point) -> Path:
    return (start, start.towards(end, 1 / 3), start.towards(end, 2 / 3), end)


def _elbow(start: Point, end: Point, corner: Point) -> Path:
    return (start, start.towards(corner, 0.7), end.towards(corner, 0.7), end)


def _side(box: Box, other: Point) -> Point:
    """The middle of the side that faces a point."""
    return Point(box.right if other.x >= box.center.x else box.left, box.center.y)


def _end(box: Box, other: Point) -> Point:
    """The middle of the top or bottom that faces a point."""
    return Point(box.center.x, box.top if other.y >= box.center.y else box.bottom)


def _channel(tail: Box, head: Box, gap: float = 16.0) -> Path:
    """Out to the gap beside the tail's column, along it, and through the gap before the head's row."""
    out = _side(tail, head.center)
    beside = out.x + (gap if out.x > tail.center.x else -gap)
    into = _end(head, tail.center)
    before = into.y + (gap if into.y > head.center.y else -gap)
    corners = (out, Point(beside, tail.center.y), Point(beside, before), Point(into.x, before), into)
    path: Path = (corners[0],)
    for start, end in pairwise(corners):
        path += _line(start, end)[1:]
    return path
