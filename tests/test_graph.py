"""A network as a graph, changed there, and taken back.

`ARCHDSL_GOLDEN=write` writes the golden files of mistakes anew; read them before a commit.
"""

from __future__ import annotations

import copy
import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

import archdsl
from archdsl.errors import Mistake
from archdsl.errors import graph as errors
from archdsl.errors.commands import without_place
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
from archdsl.graph import INPUT, from_graph, to_graph
from archdsl.network import Network, Output
from archdsl.tensors import Shape
from tests.emitters.networks import Draft, densenet, efficientnet, lenet, op, resnet50, vgg16
from tests.emitters.recipes import nested, plain


def told(network: Network) -> object:
    """All that a network says; two networks are equal only as objects."""
    return (
        network.input,
        network.returns_list,
        [(o.op, o.inputs, o.shape, o.stride, o.path, o.span) for o in network.operations],
        [(o.name, o.value, o.training_only, o.weight) for o in network.outputs],
        [(s.path, s.word, s.first, s.last) for s in network.scopes],
        [(c.name, c.role, c.row, c.column, c.value, c.path) for c in network.cells],
        [(e.source, e.target, e.kind, e.label) for e in network.edges],
    )


def twice() -> Network:
    """One module applied twice, a value added to itself, an output of training, a list of maps."""
    draft = Draft(Shape(4, 16, 16))
    first = draft.add("conv", op("conv", 3, 4), 0)
    second = draft.add("conv", op("conv", 3, 4), first)
    both = draft.add("", op("add"), second, second)
    side = draft.add("side", op("conv", 1, 2), first)
    network = draft.network(both)
    outputs = (
        Output("out0", both),
        Output("out1", second),
        Output("aux", side, training_only=True, weight=0.3),
    )
    return replace(network, outputs=outputs, returns_list=True)


NETWORKS = [resnet50(), vgg16(), lenet(), efficientnet(), densenet((2, 3, 2, 2)), twice()]


def residual() -> nx.MultiDiGraph:
    """conv → bn → relu, added to the conv's output, in a scope, and a head."""
    draft = Draft(Shape(3, 16, 16))
    with draft.scope("body", "block"):
        first = draft.add("conv", op("conv", 3, 8), 0)
        second = draft.chain(first, bn=op("bn"), relu=op("relu"))
        joined = draft.add("", op("add"), second, first)
    return to_graph(draft.network(draft.chain(joined, pool=op("pool", "max", 2), head=op("conv", 1, 2))))


def words(network: Network) -> list[str]:
    return [operation.op.name for operation in network.operations]


# ---- the graph ---------------------------------------------------------------------------------


@pytest.mark.parametrize("network", NETWORKS)
def test_a_network_is_an_acyclic_graph_from_the_image_to_its_outputs(network: Network):
    graph = to_graph(network)
    assert nx.is_directed_acyclic_graph(graph)
    assert len(graph) == len(network.operations) + 1
    assert graph.number_of_edges() == sum(len(operation.inputs) for operation in network.operations)
    ends = [result.node for result in graph.graph["outputs"]]
    assert all(nx.has_path(graph, INPUT, end) for end in ends)


def test_nodes_are_called_by_their_module_paths():
    graph = to_graph(resnet50())
    assert graph.nodes["layer1.0.conv1"]["op"] == op("conv", 1, 64)
    assert graph.nodes["layer1.0.conv1"]["shape"] == Shape(64, 56, 56)
    assert graph.nodes["layer1.0.conv1"]["stride"] == Fraction(4)
    assert graph.nodes["layer1.0.conv1"]["span"].text == "conv"
    assert graph.nodes["layer1.0:add"]["path"] == "layer1.0"
    assert graph.nodes[INPUT] == {
        "op": None, "shape": Shape(3, 224, 224), "stride": 1, "path": "", "span": None, "number": 0
    }  # fmt: skip


def test_edges_say_which_input_they_are():
    graph = to_graph(resnet50())
    assert graph.edges["layer1.1.bn3", "layer1.1:add", 0]["port"] == 0
    assert graph.edges["layer1.0.relu3", "layer1.1:add", 0]["port"] == 1


def test_a_value_added_to_itself_keeps_both_edges():
    graph = to_graph(twice())
    assert sorted(data["port"] for data in graph.get_edge_data("conv#2", ":add").values()) == [0, 1]


def test_two_uses_of_one_module_are_two_nodes_of_one_path():
    graph = to_graph(twice())
    assert graph.nodes["conv"]["path"] == graph.nodes["conv#2"]["path"] == "conv"


def test_the_graph_knows_input_outputs_and_scopes():
    graph = to_graph(resnet50())
    assert graph.graph["input"] == Shape(3, 224, 224)
    assert graph.graph["outputs"] == (("out", "fc", False, 1.0),)
    regions = {region.path: region for region in graph.graph["scopes"]}
    assert regions["layer1.0"].word == "bottleneck"
    assert set(regions["layer1.0.downsample"].nodes) == {"layer1.0.downsample.0", "layer1.0.downsample.1"}


# ---- and back ----------------------------------------------------------------------------------


@pytest.mark.parametrize("network", NETWORKS)
def test_a_graph_gives_its_network_back(network: Network):
    assert told(from_graph(to_graph(network))) == told(network)


@pytest.mark.parametrize("network", NETWORKS)
def test_a_copied_graph_gives_the_network_back(network: Network):
    assert told(from_graph(nx.MultiDiGraph(to_graph(network)))) == told(network)


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))]
)
def test_a_graph_and_an_architecture_survive_a_deep_copy(copied: Callable[[Any], Any]):
    """Shapes are tuples that are made otherwise than tuples are."""
    made, other = (archdsl.load("input 3x32x32\nconv 3x3 8 | relu") for _ in range(2))
    assert isinstance(made, archdsl.Architecture)
    one = copied(made)  # before it knows its identity
    assert (one.identity, str(one.input)) == (other.identity, "3x32x32")
    again = archdsl.Architecture.from_graph(copied(made.graph))
    assert (again.identity, str(again.input)) == (other.identity, "3x32x32")


def test_the_order_does_not_depend_on_that_of_the_nodes():
    network = resnet50()
    graph = to_graph(network)
    shuffled: nx.MultiDiGraph[Any] = nx.MultiDiGraph(**graph.graph)
    shuffled.add_nodes_from(sorted(graph.nodes(data=True), key=lambda item: item[0][::-1]))
    shuffled.add_edges_from(sorted(graph.edges(data=True), key=lambda item: item[1][::-1]))
    assert told(from_graph(shuffled)) == told(network)


def test_cells_of_the_recipe_go_along():
    network = twice()
    drawn = nested(2)
    cells = tuple(cell._replace(value=number % 5) for number, cell in enumerate(drawn.cells))
    marked = replace(network, cells=cells, edges=drawn.edges)
    assert told(from_graph(to_graph(marked))) == told(marked)


# ---- surgery -----------------------------------------------------------------------------------


def test_a_replaced_operation_changes_all_shapes_after_it():
    graph = residual()
    graph.nodes["body.conv"]["op"] = op("conv", 3, 16, stride=2)
    network = from_graph(graph)
    assert [str(operation.shape) for operation in network.operations] == ["16x8x8"] * 4 + ["16x4x4", "2x4x4"]
    assert [operation.stride for operation in network.operations] == [2, 2, 2, 2, 4, 4]


def test_another_image_changes_all_shapes():
    graph = residual()
    graph.graph["input"] = Shape(3, 20, 30)
    assert from_graph(graph).operations[-1].shape == Shape(2, 10, 15)


def test_a_node_put_between_two_comes_right_after_the_first():
    graph = residual()
    graph.remove_edge("body.conv", "body.bn")
    graph.add_node("body.gate", op=op("sigmoid"))
    graph.add_edge("body.conv", "body.gate")
    graph.add_edge("body.gate", "body.bn", port=0)
    network = from_graph(graph)
    assert words(network) == ["conv", "sigmoid", "bn", "relu", "add", "pool", "conv"]
    assert network.operations[1].path == "body.gate"
    assert network.operations[1].span == network.operations[0].span
    assert [(scope.path, scope.first, scope.last) for scope in network.scopes] == [("body", 0, 5)]


def test_a_node_behind_the_last_of_a_scope_joins_it_by_its_name():
    graph = residual()
    graph.remove_edge("body:add", "pool")
    graph.add_node("body.gate", op=op("sigmoid"))
    graph.add_edge("body:add", "body.gate", port=0)
    graph.add_edge("body.gate", "pool", port=0)
    network = from_graph(graph)
    assert words(network) == ["conv", "bn", "relu", "add", "sigmoid", "pool", "conv"]
    assert [(scope.path, scope.first, scope.last) for scope in network.scopes] == [("body", 0, 5)]


def test_a_node_can_be_taken_out():
    graph = residual()
    graph.remove_node("body.relu")
    graph.add_edge("body.bn", "body:add", port=0)
    network = from_graph(graph)
    assert words(network) == ["conv", "bn", "add", "pool", "conv"]
    assert network.operations[2].inputs == (2, 1)


def test_ports_order_the_inputs_of_a_join():
    graph = residual()
    graph.nodes["body:add"]["op"] = op("concat")
    (first,) = graph["body.relu"]["body:add"].values()
    (second,) = graph["body.conv"]["body:add"].values()
    first["port"], second["port"] = 1, 0
    assert from_graph(graph).operations[3].inputs == (1, 3)


def test_what_no_output_needs_is_left_out():
    graph = residual()
    graph.add_node("idle", op=op("relu"))
    graph.add_edge("pool", "idle", port=0)
    assert "idle" not in [operation.path for operation in from_graph(graph).operations]


def test_an_output_can_be_moved():
    graph = residual()
    graph.graph["outputs"] = (("out", "body:add"), ("aux", "head", True, 0.5))
    network = from_graph(graph)
    assert [(o.name, o.value, o.training_only, o.weight) for o in network.outputs] == [
        ("out", 4, False, 1.0),
        ("aux", 6, True, 0.5),
    ]


def test_a_graph_made_by_hand_becomes_a_network():
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph(input=(3, 8, 8), outputs=[("out", "b")])
    graph.add_node(INPUT)
    graph.add_node("a", op=op("conv", 3, 4))
    graph.add_node("b", op=op("relu"))
    graph.add_edge(INPUT, "a")
    graph.add_edge("a", "b")
    network = from_graph(graph)
    assert [(operation.path, operation.shape) for operation in network.operations] == [
        ("a", Shape(4, 8, 8)),
        ("b", Shape(4, 8, 8)),
    ]


def test_a_cell_whose_node_is_gone_goes_with_its_edges():
    draft = Draft(Shape(3, 16, 16))
    value = draft.chain(0, a=op("conv", 3, 4), b=op("relu"), c=op("conv", 3, 2))
    drawn = plain(1)
    by_name = {"input": 0, "x0_0": 1, "x1_0": 2, "head": 3}
    cells = tuple(cell._replace(value=by_name[cell.name]) for cell in drawn.cells if cell.name in by_name)
    graph = to_graph(replace(draft.network(value), cells=cells, edges=drawn.edges))
    graph.remove_node("b")
    graph.add_edge("a", "c", port=0)
    network = from_graph(graph)
    assert [(cell.name, cell.value) for cell in network.cells] == [("input", 0), ("x0_0", 1), ("head", 2)]
    assert {(edge.source, edge.target) for edge in network.edges} == {("input", "x0_0")}


def test_a_network_after_surgery_runs():
    import torch

    from archdsl.emitters.torch_module import build

    torch.set_num_threads(1)
    graph = residual()
    graph.nodes["body.relu"]["op"] = op("silu")
    graph.nodes["head"]["op"] = op("conv", 1, 5)
    module = build(from_graph(graph)).eval()
    assert module(torch.zeros(1, 3, 16, 16)).shape == (1, 5, 8, 8)
    assert isinstance(module.get_submodule("body.relu"), torch.nn.SiLU)


# ---- mistakes ----------------------------------------------------------------------------------


def change_op(node: str, word: str, *arguments: object) -> Callable[[nx.MultiDiGraph], None]:
    return lambda graph: graph.nodes[node].update(op=op(word, *arguments))


def change_attribute(node: str, name: str, value: object) -> Callable[[nx.MultiDiGraph], None]:
    return lambda graph: graph.nodes[node].update({name: value})


def link(source: str, target: str, **data: object) -> Callable[[nx.MultiDiGraph], None]:
    return lambda graph: graph.add_edge(source, target, **data)


BROKEN: dict[str, tuple[type[Mistake], Callable[[nx.MultiDiGraph], object]]] = {
    "no_outputs": (NotANetwork, lambda graph: graph.graph.pop("outputs")),
    "no_input": (NotANetwork, lambda graph: graph.graph.pop("input")),
    "a_cycle": (CyclicGraph, link("body.relu", "body.bn", port=1)),
    "an_edge_too_many": (WrongInputs, link("body.conv", "body.bn", port=1)),
    "too_few_edges": (WrongInputs, change_op("body.bn", "align")),
    "an_edge_without_port": (WrongPorts, link("body.bn", "body:add")),
    "a_port_twice": (WrongPorts, link("body.bn", "body:add", port=1)),
    "a_gap_in_the_ports": (WrongPorts, link("body.bn", "body:add", port=3)),
    "a_port_that_is_a_word": (WrongPorts, link("body.bn", "body:add", port="first")),
    "an_edge_from_nowhere": (NoInput, link("mistyped", "body:add", port=2)),
    "a_node_cut_off": (NoInput, lambda graph: graph.remove_edge(INPUT, "body.conv")),
    "a_node_without_operation": (NoOperation, lambda graph: graph.nodes["body.bn"].pop("op")),
    "a_word_for_an_operation": (NoOperation, change_attribute("body.bn", "op", "relu")),
    "an_output_that_is_gone": (NoSuchNode, lambda graph: graph.remove_node("head")),
    "an_output_mistyped": (NoSuchNode, lambda graph: graph.graph.update(outputs=[("out", "haed")])),
    "a_path_taken": (PathTaken, change_attribute("head", "path", "body.conv")),
    "a_path_inside_a_module": (PathTaken, change_attribute("head", "path", "body.conv.1")),
    "channels_that_differ": (MisfitNode, change_op("body.bn", "conv", 1, 5)),
    "a_path_that_torch_uses": (MisfitNode, change_attribute("head", "path", "body.forward")),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_graph_is_a_mistake_and_reads_as_its_golden_file(name: str):
    kind, breaks = BROKEN[name]
    graph = residual()
    breaks(graph)
    with pytest.raises(kind) as caught:
        from_graph(graph)
    golden = Path(__file__).parent / "golden" / "graph" / f"{name}.txt"
    text = f"{without_place(caught.value)}\n"
    if os.environ.get("ARCHDSL_GOLDEN") == "write":
        golden.write_text(text, "utf-8")
    assert text == golden.read_text("utf-8")


def test_every_mistake_of_a_graph_is_shown_in_a_golden_file():
    kinds = {
        member for member in vars(errors).values() if isinstance(member, type) and issubclass(member, Mistake)
    }
    assert kinds - {Mistake} == {kind for kind, _ in BROKEN.values()}
    assert len({kind.code for kind in kinds - {Mistake}}) == len(kinds) - 1


@pytest.mark.parametrize("path", ["body.forward", "body..conv", "train"])
def test_a_path_that_torch_cannot_have_is_a_mistake(path: str):
    graph = residual()
    graph.nodes["head"]["path"] = path
    with pytest.raises(MisfitNode) as caught:
        from_graph(graph)
    assert isinstance(caught.value.why, ReservedPath)
