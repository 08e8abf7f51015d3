"""DOT text read back by Graphviz's own parser, as plain data."""

from __future__ import annotations

from dataclasses import dataclass

from pygraphviz import AGraph


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


def _parts(graph: AGraph) -> list[Part]:
    found = []
    for part in graph.subgraphs():
        found.append(
            Part(str(part.name), dict(part.graph_attr), frozenset(str(node) for node in part.nodes()))
        )
        found += _parts(part)
    return found
