"""A network as a networkx graph, for algorithms and surgery, and back again.

Nodes are operations, called by their module paths, and the image, `@input`. Edges carry the number
of the input that they are, so that `x + x` keeps both. What a changed graph says of its operations
and wiring counts; shapes and strides are worked out again.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any, NamedTuple, TypeAlias

import networkx as nx

from archdsl.elaboration.reserved import RESERVED
from archdsl.errors import Mistake
from archdsl.errors.graph import (
    CyclicGraph,
    MisfitNode,
    NoInput,
    NoOperation,
    NoSuchNode,
    NotANetwork,
    PathTaken,
    WrongInputs,
    WrongPorts,
)
from archdsl.errors.names import ReservedPath
from archdsl.network import Cell, Edge, Network, Operation, Output, Scope
from archdsl.op import Call, Op, Recipe
from archdsl.source import Source
from archdsl.tensors import Shape

INPUT = "@input"
NOWHERE = Source("graph", "").span(0, 0)

Graph: TypeAlias = "nx.MultiDiGraph[Any]"


class Result(NamedTuple):
    """An output of the network: what it is called, and the node that it comes from."""

    name: str
    node: str
    training_only: bool = False
    weight: float = 1.0


class Region(NamedTuple):
    """A named part of the network: its path, the definition's name, its nodes."""

    path: str
    word: str
    nodes: tuple[str, ...]


def to_graph(network: Network) -> Graph:
    """A network as a graph.

    Nodes have `op` (None at the image), `shape`, `stride`, `path`, `span` and `number` (their place
    in the order in which they run); edges `port`. The graph itself has `input` (the image's shape),
    `outputs` (Results), `scopes` (Regions), `returns_list`, and for drawings `cells` (each with its
    node) and `edges`.
    """
    names = [INPUT, *_names(network)]
    graph: Graph = nx.MultiDiGraph(
        input=network.input,
        outputs=tuple(Result(o.name, names[o.value], o.training_only, o.weight) for o in network.outputs),
        scopes=tuple(Region(s.path, s.word, tuple(names[s.first + 1 : s.last + 1])) for s in network.scopes),
        returns_list=network.returns_list,
        cells=tuple((cell, names[cell.value]) for cell in network.cells),
        edges=network.edges,
    )
    graph.add_node(INPUT, op=None, shape=network.input, stride=Fraction(1), path="", span=None, number=0)
    for number, operation in enumerate(network.operations, 1):
        graph.add_node(
            names[number],
            op=operation.op,
            shape=operation.shape,
            stride=operation.stride,
            path=operation.path,
            span=operation.span,
            number=number,
        )
        for port, value in enumerate(operation.inputs):
            graph.add_edge(names[value], names[number], port=port)
    return graph


def _names(network: Network) -> Iterator[str]:
    """A name for each operation: its module's path; one without a module by its word, behind a colon."""
    seen: Counter[str] = Counter()
    for operation in network.operations:
        recipe = operation.op.torch(network.shapes_into(operation))
        name = f"{operation.path}:{operation.op.name}" if isinstance(recipe, Call) else operation.path
        seen[name] += 1
        yield name if seen[name] == 1 else f"{name}#{seen[name]}"


# ---- and back ----------------------------------------------------------------------------------


def from_graph(graph: Graph) -> Network:
    """The network that a graph describes, checked; nodes that no output needs are left out.

    A node needs `op`; its `path` is its name if it has none. Operations keep their order, new ones
    come right after what they read.

    Raises:
        NotANetwork, NoOperation, NoInput, WrongPorts, WrongInputs, CyclicGraph, NoSuchNode: the graph
            is not a network.
        MisfitNode: an operation can't read what its edges bring.
        PathTaken: two different modules have one path.
    """
    for attribute in ("input", "outputs"):
        if attribute not in graph.graph:
            raise NotANetwork(attribute)
    results = tuple(Result(*result) for result in graph.graph["outputs"])
    for result in results:
        if result.node not in graph:
            raise NoSuchNode(result.name, result.node, tuple(map(str, graph.nodes)))
    order = _order(graph, results)
    values = {INPUT: 0} | {node: number for number, node in enumerate(order, 1)}
    operations: list[Operation] = []
    for node in order:
        operations.append(_operation(graph, node, values, operations))
    _check_paths(graph, order, operations)
    return Network(
        input=_input(graph),
        operations=tuple(operations),
        outputs=tuple(Output(r.name, values[r.node], r.training_only, r.weight) for r in results),
        scopes=tuple(_scopes(graph, values, operations)),
        cells=tuple(_cells(graph, values)),
        edges=tuple(_edges(graph, values)),
        returns_list=graph.graph.get("returns_list", False),
    )


def _input(graph: Graph) -> Shape:
    return Shape(*graph.graph["input"])


def _order(graph: Graph, results: Iterable[Result]) -> list[Any]:
    """The nodes that outputs need, each after what it reads, otherwise in their old order."""
    wanted = {result.node for result in results}
    stack = list(wanted)
    while stack:
        for source in graph.predecessors(stack.pop()):
            if source not in wanted:
                wanted.add(source)
                stack.append(source)
    waiting = {node: graph.in_degree(node) for node in graph.nodes if node in wanted}
    for node, edges in waiting.items():
        if not edges and node != INPUT:
            raise NoInput(node)
    places = {INPUT: 0}
    ready: list[tuple[int, int, Any]] = [(0, 0, INPUT)] if waiting.get(INPUT) == 0 else []
    serial = 0
    order: list[Any] = []
    while ready:
        *_, node = heapq.heappop(ready)
        order.append(node)
        for _, reader in graph.out_edges(node):
            if reader not in waiting:
                continue
            waiting[reader] -= 1
            if not waiting[reader]:
                serial += 1
                old = graph.nodes[reader].get("number")
                places[reader] = max(places[n] for n in graph.predecessors(reader)) if old is None else old
                heapq.heappush(ready, (places[reader], serial, reader))
    if len(order) < len(waiting):
        stuck = graph.subgraph(waiting.keys() - set(order))
        raise CyclicGraph(tuple(edge[0] for edge in nx.find_cycle(stuck)))
    return order[1:]


def _operation(graph: Graph, node: Any, values: dict[Any, int], before: list[Operation]) -> Operation:
    """The operation of a node, once those that it reads are known."""
    data = graph.nodes[node]
    op = data.get("op")
    if not isinstance(op, Op):
        raise NoOperation(node, op)
    inputs = tuple(values[source] for source in _sources(graph, node))
    least, most = op.inputs
    if len(inputs) < least or (most is not None and len(inputs) > most):
        raise WrongInputs(node, op.name, len(inputs), least, most)
    shapes = tuple(before[value - 1].shape if value else _input(graph) for value in inputs)
    strides = tuple(before[value - 1].stride if value else Fraction(1) for value in inputs)
    try:
        shape = op.shape(shapes)
    except Mistake as mistake:
        raise MisfitNode(node, mistake) from None
    path, span = data.get("path"), data.get("span")
    if span is None:
        span = before[inputs[0] - 1].span if inputs[0] else NOWHERE
    return Operation(
        op, inputs, shape, op.stride_after(shapes, strides), str(node) if path is None else path, span
    )


def _sources(graph: Graph, node: Any) -> list[Any]:
    """What leads into a node, by port; a single edge needs none."""
    edges: list[tuple[Any, Any]] = [(data.get("port"), s) for s, _, data in graph.in_edges(node, data=True)]
    if len(edges) == 1 and edges[0][0] is None:
        return [edges[0][1]]
    ports = tuple(port for port, _ in edges)
    if sorted(ports, key=str) != sorted(range(len(edges)), key=str):
        raise WrongPorts(node, ports)
    return [source for _, source in sorted(edges, key=lambda edge: edge[0])]


def _check_paths(graph: Graph, order: list[Any], operations: list[Operation]) -> None:
    """Operations of one path share a module, so they must be the same; a module holds no other."""
    shapes = [_input(graph), *(operation.shape for operation in operations)]
    modules: dict[str, tuple[Any, Recipe]] = {}
    for node, operation in zip(order, operations, strict=True):
        recipe = operation.op.torch(tuple(shapes[value] for value in operation.inputs))
        if isinstance(recipe, Call):
            continue
        for part in operation.path.split("."):
            if not part or part in RESERVED:
                raise MisfitNode(node, ReservedPath(part))
        first, other = modules.setdefault(operation.path, (node, recipe))
        if other != recipe:
            raise PathTaken(node, operation.path, first, operation.path)
    for path, (node, _) in modules.items():
        parts = path.split(".")
        for end in range(1, len(parts)):
            outer = ".".join(parts[:end])
            if outer in modules:
                raise PathTaken(node, path, modules[outer][0], outer)


# ---- what goes along ---------------------------------------------------------------------------


def _scopes(graph: Graph, values: dict[Any, int], operations: list[Operation]) -> Iterator[Scope]:
    """The scopes over what is left of their nodes and over new nodes below their paths."""
    new = [node for node in values if node != INPUT and graph.nodes[node].get("number") is None]
    for region in graph.graph.get("scopes", ()):
        inside = {values[node] for node in region.nodes if node in values}
        below = {values[n] for n in new if operations[values[n] - 1].path.startswith(f"{region.path}.")}
        if numbers := inside | below:
            yield Scope(region.path, region.word, min(numbers) - 1, max(numbers))


def _cells(graph: Graph, values: dict[Any, int]) -> Iterator[Cell]:
    for cell, node in graph.graph.get("cells", ()):
        if node in values:
            yield cell._replace(value=values[node])


def _edges(graph: Graph, values: dict[Any, int]) -> Iterator[Edge]:
    """The recipe's edges between cells that are left."""
    left = {cell.name for cell in _cells(graph, values)}
    return (edge for edge in graph.graph.get("edges", ()) if {edge.source, edge.target} <= left)
