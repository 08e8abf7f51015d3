"""A network as pure data: operations in order, in blocks, module paths, named outputs.

A `Block` is what one call of a definition made: flat operations over numbered values. Values
0..n-1 are the block's inputs, value n+i is what operation i gives. Blocks are immutable and shared
between the networks that use them. A `Network` is a list of items, each an operation or a block
under a path; `operations` lays it out flat.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

from archdsl.op import Op
from archdsl.records import Record
from archdsl.source import Span
from archdsl.tensors import Shape, Stride


class Operation(NamedTuple):
    """One operation at its place.

    Attributes:
        op: what it does.
        inputs: the values that it reads, by number.
        shape, stride: of the value that it gives.
        path: module path relative to the block (`layer1.0.conv1`); operations of one path share
            one module.
        span: where the stage is written.
    """

    op: Op
    inputs: tuple[int, ...]
    shape: Shape
    stride: Stride
    path: str
    span: Span


class Scope(NamedTuple):
    """A named part of a network: a call of a definition, or a group, loop or join with a name.

    `word` is the definition's name (empty for a group); operations `first` to `last` (exclusive)
    were made in it.
    """

    path: str
    word: str
    first: int
    last: int


class Output(NamedTuple):
    """What a network returns. `weight` counts in the training loss."""

    name: str
    value: int
    training_only: bool = False
    weight: float = 1.0


class Cell(NamedTuple):
    """A node of the recipe as people draw it: a level of the encoder, a node of the decoder, a head.

    Attributes:
        name: what the drawing calls it (`x0_1`, `input`, `top1`, `head`).
        role: input, encoder, context, nested, decoder, top, head or aux.
        row, column: place in the grid; rows are resolutions, finest first.
        value: the value that leaves it, a number of the flat network.
        path: the module path of what it holds.
    """

    name: str
    role: str
    row: int
    column: int
    value: int
    path: str


class Edge(NamedTuple):
    """How one cell feeds another: down, up, skip, long (a skip over other nodes), indices or flow.

    By indices it only says where an unpooling puts the numbers that another cell feeds.
    """

    source: str
    target: str
    kind: str
    label: str = ""


class Network(Record):
    """A whole network, laid out flat; value 0 is the image, value i+1 is what operation i gives.

    Attributes:
        input: the image's shape, without the batch.
        operations: in an order in which they can run; all of them are needed by some output.
        scopes: named parts, outermost first.
        outputs: the first is what flows; the others exist in training only. Where a pyramid flows,
            its maps are the outputs `out0`, `out1`, ... and `returns_list` is true.
        cells, edges: the recipe's grid for drawing; empty where the spec has no recipe stages.
    """

    input: Shape
    operations: tuple[Operation, ...]
    outputs: tuple[Output, ...]
    scopes: tuple[Scope, ...] = ()
    cells: tuple[Cell, ...] = ()
    edges: tuple[Edge, ...] = ()
    returns_list: bool = False

    def shape_of(self, value: int) -> Shape:
        return self.input if value == 0 else self.operations[value - 1].shape

    def shapes_into(self, operation: Operation) -> tuple[Shape, ...]:
        """The shapes of an operation's inputs."""
        return tuple(self.shape_of(value) for value in operation.inputs)

    @cached_property
    def opaque(self) -> bool:
        """Whether another library works in inference: then only shapes and parameters are known."""
        return any(self.operations[number].op.opaque for number in self.inference)

    @cached_property
    def inference(self) -> frozenset[int]:
        """Numbers of the operations that the outputs need outside training."""
        return needed(self.operations, (o.value for o in self.outputs if not o.training_only), 1)


class Reached(NamedTuple):
    """Values that some outputs need, by how.

    Attributes:
        learning: those to which a gradient comes back, the inputs among them.
        apart: those of which only the size is read, or the like: no gradient comes back from there.
    """

    learning: frozenset[int]
    apart: frozenset[int]

    @property
    def strays(self) -> frozenset[int]:
        """Values that are needed, and that learn nothing."""
        return self.apart - self.learning


def reached(operations: Sequence[Operation], values: Iterable[int], inputs: int) -> Reached:
    """How the given values need others; `inputs` values come before operation 0."""
    learning: set[int] = set()
    apart: set[int] = set()
    stack = list(values)
    while stack:
        value = stack.pop()
        if value in learning:
            continue
        learning.add(value)
        if value >= inputs:
            operation = operations[value - inputs]
            detached = operation.op.detached
            if not detached:
                stack.extend(operation.inputs)
                continue
            for number, source in enumerate(operation.inputs):
                (apart.add if number in detached else stack.append)(source)
    return Reached(frozenset(learning), frozenset(apart))


def needed(operations: Sequence[Operation], values: Iterable[int], inputs: int) -> frozenset[int]:
    """Numbers of the operations that the given values need; `inputs` values come before operation 0."""
    wanted: set[int] = set()
    stack = list(values)
    while stack:
        number = stack.pop() - inputs
        if number >= 0 and number not in wanted:
            wanted.add(number)
            stack.extend(operations[number].inputs)
    return frozenset(wanted)
