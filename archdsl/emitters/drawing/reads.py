"""What reads which levels, where stages don't say: necks and heads on pyramids, levels that nothing reads."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from archdsl.emitters.drawing.phrases import contents
from archdsl.emitters.drawing.places import LEVEL_ROLES
from archdsl.network import Cell, Edge, Network


def with_reads(network: Network) -> Network:
    """The network with an edge for each level that a head reads, and between the levels of necks.

    What a level that nothing reads would have fed comes from what would have fed it.
    """
    network = replace(network, edges=tuple(_bridged(network)))
    read = _of_head(network)
    others = (edge for edge in network.edges if not read or edge.target != "head")
    return replace(network, edges=(*read, *others, *_of_necks(network)))


def _bridged(network: Network) -> Iterator[Edge]:
    names = {cell.name for cell in network.cells}
    feeds = {edge.target: edge for edge in network.edges if edge.kind in ("flow", "down")}
    for edge in network.edges:
        source, kind = edge.source, edge.kind
        while source not in names and source in feeds:
            source, kind = feeds[source].source, feeds[source].kind
        yield edge if source == edge.source else edge._replace(source=source, kind=kind)


def _of_head(network: Network) -> list[Edge]:
    """From each level that the head reads, the finest first, where it reads levels."""
    levels = {cell.value: cell for cell in network.cells if cell.role in LEVEL_ROLES}
    heads = [cell for cell in network.cells if cell.name == "head"]
    sources = {edge.source for edge in network.edges if edge.target == "head"}
    if not sources & {cell.name for cell in levels.values()}:
        return []
    read = [levels[value] for head in heads for value in trace(network, head.value, levels.keys()).known]
    return [Edge(cell.name, "head", "flow") for cell in sorted(read, key=lambda cell: cell.row)]


def _of_necks(network: Network) -> list[Edge]:
    """From each level of a neck to its neighbours that read what it reads."""
    cells = {cell.name: cell for cell in network.cells}
    source = {edge.target: cells[edge.source].value for edge in network.edges if edge.kind == "lateral"}
    columns: dict[int, list[Cell]] = {}
    for cell in network.cells:
        if cell.role == "neck":
            columns.setdefault(cell.column, []).append(cell)
    found = []
    for levels in columns.values():
        for one, other in pairwise(sorted(levels, key=lambda cell: cell.row)):
            for tail, head in ((other, one), (one, other)):
                own, its = source[head.name], source[tail.name]
                if own != its and its in trace(network, head.value, {own, its}).known:
                    found.append(Edge(tail.name, head.name, "exchange"))
    return found


class Trace(NamedTuple):
    """What a value is made of: the known values it comes from, and the operations in between."""

    known: list[int]
    operations: list[int]


def trace(network: Network, value: int, known: Container[int]) -> Trace:
    """What one value is made of, without looking behind the known ones."""
    found = Trace([], [])
    seen: set[int] = set()
    waiting = [value]
    while waiting:
        at = waiting.pop()
        if at in seen:
            continue
        seen.add(at)
        if at in known:
            found.known.append(at)
        elif at:
            found.operations.append(at - 1)
            waiting.extend(contents(network.operations[at - 1]))
    return found
