"""DOT text read back by Graphviz's own parser, as plain data: boxes with their places, lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from pygraphviz import AGraph

from archdsl.emitters.drawing import draw
from archdsl.network import Network


@dataclass(frozen=True)
class Line:
    """An edge with its attributes."""

    source: str
    target: str
    attributes: dict[str, str]


@dataclass(frozen=True)
class Part:
    """A subgraph: a rank or a frame."""

    name: str
    attributes: dict[str, str]
    nodes: frozenset[str]


@dataclass(frozen=True)
class Picture:
    """Nodes by name, edges, subgraphs."""

    nodes: dict[str, dict[str, str]]
    edges: list[Line]
    parts: list[Part]


def read(text: str) -> Picture:
    graph = AGraph(string=text)  # its nodes and edges are gone as soon as it is
    return Picture(
        {str(node): dict(node.attr) for node in graph.nodes()},
        [Line(str(edge[0]), str(edge[1]), dict(edge.attr)) for edge in graph.edges()],
        list(_parts(graph)),
    )


def laid_out(text: str) -> dict[str, Rectangle]:
    """Where Graphviz puts the nodes."""
    graph = AGraph(string=text)
    graph.layout(prog="dot")
    defaults = dict(graph.node_attr)
    nodes = {str(node): defaults | dict(node.attr) for node in graph.nodes()}
    return {name: rectangle(Picture(nodes, [], []), name) for name in nodes}


def _parts(graph: AGraph) -> list[Part]:
    found = []
    for part in graph.subgraphs():
        found.append(
            Part(str(part.name), dict(part.graph_attr), frozenset(str(node) for node in part.nodes()))
        )
        found += _parts(part)
    return found


# ---- places and lines -------------------------------------------------------------------------


class Point(NamedTuple):
    x: float
    y: float


class Rectangle(NamedTuple):
    left: float
    bottom: float
    right: float
    top: float

    def overlaps(self, other: Rectangle) -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.bottom < other.top
            and other.bottom < self.top
        )

    def holds(self, point: Point) -> bool:
        return self.left < point.x < self.right and self.bottom < point.y < self.top


@cache
def parsed(network: Network) -> Picture:
    return read(draw(network))


def center(graph: Picture, name: str) -> Point:
    x, y = graph.nodes[name]["pos"].split(",")
    return Point(float(x), float(y))


def rectangle(graph: Picture, name: str) -> Rectangle:
    node, (x, y) = graph.nodes[name], center(graph, name)
    width, height = float(node["width"]) * 72, float(node["height"]) * 72
    return Rectangle(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def curve(edge: Line) -> Iterator[Point]:
    """Points along an edge, as Graphviz draws it: cubic Béziers, then the arrow's tip."""
    tip, *points = (
        Point(*map(float, text.split(","))) for text in edge.attributes["pos"].removeprefix("e,").split(" ")
    )
    for at in range(0, len(points) - 1, 3):
        a, b, c, d = points[at : at + 4]
        for step in range(25):
            t = step / 24
            shares = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            yield Point(
                sum(share * point.x for share, point in zip(shares, (a, b, c, d), strict=True)),
                sum(share * point.y for share, point in zip(shares, (a, b, c, d), strict=True)),
            )
    yield tip


def words(graph: Picture) -> list[str]:
    """The lines of the legend."""
    return re.findall(r">([^<>]{3,})<", graph.nodes["legend"]["label"])


def boxes(network: Network, graph: Picture) -> dict[str, Rectangle]:
    names = {cell.name for cell in network.cells} | {edge.target for edge in graph.edges}
    return {name: rectangle(graph, name) for name in sorted(names)}


def edges(graph: Picture, kind: str) -> set[tuple[str, str]]:
    """The edges of one kind."""
    return {(edge.source, edge.target) for edge in graph.edges if edge.attributes["class"] == kind}


# ---- words ---------------------------------------------------------------------------------------


def texts(label: str) -> list[str]:
    """The pieces of text of a label, without its markup."""
    pieces = (text.replace("\xa0", "") for text in re.findall(r">([^<>]+)<", f">{label}<"))
    return [piece for piece in pieces if piece]


def row(graph: Picture) -> list[tuple[str, list[str]]]:
    """The boxes of the row from left to right: role and texts."""
    parts = {name: node for name, node in graph.nodes.items() if name.startswith("part ")}
    return [
        (parts[name]["class"], texts(parts[name]["label"]))
        for name in sorted(parts, key=lambda n: int(n[5:]))
    ]
