"""Cells for what stands behind the recipe's cells: stages behind a head, and auxiliary heads."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, count

from archdsl.emitters.drawing.phrases import contents, own_name
from archdsl.emitters.drawing.places import LEVEL_ROLES
from archdsl.emitters.drawing.reads import trace
from archdsl.network import Cell, Edge, Network, Operation, Output

LONGEST = 4  # stages behind a head: with more of them a recipe is no grid


def with_ends(network: Network) -> Network:
    """The network with a cell for each stage that leads from its cells to an output.

    A head that exists in training only stands beside the level that it reads. Where stages are too
    many, or read what no row can show, they stay without cells.
    """
    for output in sorted(network.outputs, key=lambda output: output.training_only):
        if network.cells and all(cell.value != output.value for cell in network.cells):
            network = _headed(network, output) if output.training_only else _followed(network, output)
    return network


def is_whole(network: Network) -> bool:
    """Whether the recipe's cells show all of a network: its outputs, and every module in one of its stages.

    A module in front of the encoder, or between two recipe stages, belongs to no cell.
    """
    values = {cell.value for cell in network.cells}
    image = all(cell.value == 0 for cell in network.cells if cell.role == "input")
    if not image or any(output.value not in values for output in network.outputs):
        return False
    return all(len(_stages(network, cell.value, values)) <= 1 for cell in network.cells if cell.value)


def _stages(network: Network, value: int, known: set[int]) -> set[str]:
    """The outermost names of the modules between a value and the known ones."""
    inside = trace(network, value, known - {value}).operations
    operations = [network.operations[number] for number in inside]
    return {_outermost(operation) for operation in operations if own_name(network, operation)}


def _outermost(operation: Operation) -> str:
    return operation.path.partition(".")[0]


def _headed(network: Network, output: Output) -> Network:
    """With a cell for an output in training, beside the levels that it reads."""
    cells = {cell.value: cell for cell in network.cells}
    read = [
        cells[value] for value in trace(network, output.value, cells).known if cells[value].role != "input"
    ]
    if not read:
        return network
    beside = min(read, key=lambda cell: cell.row)
    made = Cell(output.name, "aux", beside.row, beside.column + 1, output.value, output.name)
    edges = (Edge(cell.name, made.name, "flow") for cell in read)
    return replace(network, cells=(*network.cells, made), edges=(*network.edges, *edges))


def _followed(network: Network, output: Output) -> Network:
    """With a cell for each stage between the cells and an output."""
    home = {cell.value: cell for cell in network.cells}
    runs = _runs(network, sorted(trace(network, output.value, home).operations))
    cells, edges = list(network.cells), list(network.edges)
    before: Cell | None = None
    for run in runs:
        inputs = {value for number in run for value in contents(network.operations[number])}
        read = sorted(inputs - {number + 1 for number in run}, reverse=True)
        if len(runs) > LONGEST or not _follows([home.get(value) for value in read], before):
            return network
        before = _cell(network, run, home[read[0]], {cell.name for cell in cells})
        cells.append(before)
        edges += [Edge(home[value].name, before.name, "flow") for value in read]
        home[before.value] = before
    return replace(network, cells=tuple(cells), edges=tuple(edges))


def _follows(read: list[Cell | None], before: Cell | None) -> bool:
    """Whether a stage goes on from the one before, the first from a cell; it may read the image as well.

    What goes on from a level is a decoder.
    """
    others = [cell for cell in read if cell is None or cell.role != "input"]
    return (
        len(others) == 1
        and others[0] is not None
        and (others[0] is before if before else others[0].role not in LEVEL_ROLES)
    )


def _runs(network: Network, numbers: list[int]) -> list[list[int]]:
    """Operations by stage: those of one scope, or a single one with what has no module behind it."""
    runs: list[list[int]] = []
    for number in numbers:
        operation = network.operations[number]
        last = network.operations[runs[-1][-1]] if runs else operation
        of_one = _outermost(last) == _outermost(operation)
        if runs and (of_one or not own_name(network, operation)):
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs


def _cell(network: Network, run: list[int], before: Cell, taken: set[str]) -> Cell:
    """A cell for the operations of one stage, called by its word."""
    first = network.operations[run[0]]
    path = _outermost(first)
    word = next((scope.word for scope in network.scopes if scope.path == path), "") or first.op.name
    name = path if path and not path[0].isdigit() else word
    names = chain([name], (f"{name} {number}" for number in count(2)))
    role = "head" if path == "head" else "stage"
    return Cell(
        next(n for n in names if n not in taken), role, before.row, before.column + 1, run[-1] + 1, path
    )
