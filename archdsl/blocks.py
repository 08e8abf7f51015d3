"""Blocks: what a call of a definition made, immutable, with its costs; and how they are built.

Values are numbered: 0..n-1 are the inputs of a block, n+i is what operation i gives.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

from archdsl.errors import ArchError
from archdsl.errors.expansion import TooManyOperations
from archdsl.errors.names import PathInside, PathTwice
from archdsl.identity import Digested, Program, op_digest
from archdsl.network import Operation, Scope, needed, reached
from archdsl.op import Op
from archdsl.ops.backbones import Level
from archdsl.source import Label, Span
from archdsl.tensors import Cost, Levels, Shape, Shapes, Stride

MAX_OPERATIONS = 50_000


class TrainingOutput(NamedTuple):
    """An output that exists in training only, inside a block or an assembly."""

    name: str
    value: int
    weight: float


class Block:
    """What one call of a definition made.

    Attributes:
        inputs: how many values it reads.
        entering: their shapes.
        operations: flat, paths relative to the block; all are needed by some output.
        outputs: values that leave, in order.
        training: outputs that exist in training only.
        leaves: the value that leaves each module path.
        levels: values between the stages of the outermost pipeline, before global pooling.
        taps: values that the definition marks with `tap`.
        flow: `outputs` in the form in which they flow.
        opaque: whether another library's operation is among what inference needs.
        picked: levels that an encoder stage chose of it, by its settings.
        reads: numbers of the inputs that it reads and a gradient comes back to.
        measures: numbers of the other inputs that it reads: of which only the size counts, or the like.
        strays: whether it holds values that are needed for their size, or the like, alone.
    """

    __slots__ = (
        "inputs", "operations", "outputs", "training", "leaves", "levels", "taps", "scopes",
        "costs", "params", "macs", "opaque", "program", "_restricted", "flow", "picked", "digested",
        "entering", "reads", "measures", "strays",
    )  # fmt: skip

    def __init__(
        self,
        entering: Shapes,
        operations: tuple[Operation, ...],
        costs: tuple[Cost, ...],
        outputs: tuple[int, ...],
        training: tuple[TrainingOutput, ...] = (),
        scopes: tuple[Scope, ...] = (),
        leaves: dict[str, int] | None = None,
        levels: tuple[int, ...] = (),
        taps: tuple[int, ...] = (),
        flow: Any = None,
    ) -> None:
        self.entering = entering
        self.inputs = inputs = len(entering)
        self.operations = operations
        self.costs = costs
        self.outputs = outputs
        self.training = training
        self.scopes = scopes
        self.leaves = leaves or {}
        self.levels = levels
        self.taps = taps
        self.flow = flow
        self.picked: dict[Any, Any] = {}
        self.digested: Digested | None = None
        self._restricted: dict[tuple[tuple[int, ...], bool], Block] = {}
        in_training, self.reads, self.measures, self.strays = _reading(
            operations, (*outputs, *(t.value for t in training)), inputs
        )
        in_inference = needed(operations, outputs, inputs) if training else in_training
        seen: set[str] = set()
        params = 0
        for number in sorted(in_training):
            if costs[number].params and operations[number].path not in seen:
                seen.add(operations[number].path)
                params += costs[number].params
        self.params = params
        self.macs = sum(costs[number].macs for number in in_inference)
        self.opaque = any(operations[number].op.opaque for number in in_inference)
        self.program = _program(operations)

    def restricted(self, values: tuple[int, ...], with_training: bool) -> Block:
        """The part of this block that the given values need; remembered."""
        key = (values, with_training)
        made = self._restricted.get(key)
        if made is None:
            made = self._restricted[key] = self._restrict(values, with_training)
        return made

    def _restrict(self, values: tuple[int, ...], with_training: bool) -> Block:
        training = self.training if with_training else ()
        kept = sorted(needed(self.operations, (*values, *(t.value for t in training)), self.inputs))
        moved = {number: number for number in range(self.inputs)}
        moved |= {self.inputs + old: self.inputs + new for new, old in enumerate(kept)}
        operations = [
            renumbered(self.operations[number], moved, self.operations[number].path) for number in kept
        ]
        costs = [self.costs[number] for number in kept]
        for number, operation in enumerate(operations):
            if isinstance(operation.shape, Levels):
                costs[number] = _narrow(operations, number, self.entering)
        return Block(
            self.entering,
            tuple(operations),
            tuple(costs),
            tuple(moved[value] for value in values),
            tuple(t._replace(value=moved[t.value]) for t in training),
            kept_scopes(self.scopes, kept),
            {path: moved[value] for path, value in self.leaves.items() if value in moved},
        )

    def shape_of(self, value: int) -> Shape:
        """The shape of one of its values."""
        return self.entering[value] if value < self.inputs else self.operations[value - self.inputs].shape

    def resized(self, entering: Shapes) -> Block:
        """The same operations on inputs of another size; a shape rule that it breaks raises a Mistake."""
        shapes, costs = list(entering), []
        for operation in self.operations:
            given = tuple(shapes[value] for value in operation.inputs)
            shapes.append(operation.op.shape(given))
            costs.append(operation.op.cost(given))
        made = zip(self.operations, shapes[self.inputs :], strict=True)
        operations = tuple(operation._replace(shape=shape) for operation, shape in made)
        return Block(
            entering, operations, tuple(costs), self.outputs, self.training, self.scopes, self.leaves
        )


def _reading(
    operations: Sequence[Operation], ends: tuple[int, ...], inputs: int
) -> tuple[frozenset[int], tuple[int, ...], tuple[int, ...], bool]:
    """Numbers of the operations that some values need; a block's `reads`, `measures` and `strays`."""
    found = reached(operations, ends, inputs)
    strays = any(value >= inputs for value in found.strays)
    if strays:
        numbers = needed(operations, ends, inputs)
        entered = {source for number in numbers for source in operations[number].inputs}
    else:
        numbers = frozenset(value - inputs for value in found.learning if value >= inputs)
        entered = set(found.apart)
    reads = tuple(value for value in range(inputs) if value in found.learning)
    measures = tuple(value for value in range(inputs) if value in entered - found.learning)
    return numbers, reads, measures, strays


def _program(operations: Iterable[Operation]) -> Program:
    return tuple(
        (
            None if operation.op.name == "id" else op_digest(operation.op),
            operation.inputs,
            operation.op.commutative,
            operation.op.has_weights,
            operation.path,
        )
        for operation in operations
    )


def renumbered(operation: Operation, moved: dict[int, int], path: str) -> Operation:
    return Operation(
        operation.op,
        tuple(moved[value] for value in operation.inputs),
        operation.shape,
        operation.stride,
        path,
        operation.span,
    )


def _narrow(operations: list[Operation], number: int, entering: Shapes) -> Cost:
    """Gives an operation with several outputs no more of them than what is read needs; its cost then."""
    old = operations[number]
    assert isinstance(old.shape, Levels)
    value = len(entering) + number
    picks = {
        place: operation.op
        for place, operation in enumerate(operations)
        if isinstance(operation.op, Level) and operation.inputs == (value,)
    }
    op, kept = old.op.narrowed(frozenset(pick.index for pick in picks.values()))
    inputs = tuple(
        entering[n] if n < len(entering) else operations[n - len(entering)].shape for n in old.inputs
    )
    shape = op.shape(inputs)
    assert isinstance(shape, Levels)
    stride = old.stride
    if stride is not None:
        stride = whole(stride * Fraction(shape.strides[-1], old.shape.strides[-1]))
    operations[number] = old._replace(op=op, shape=shape, stride=stride)
    for place, pick in picks.items():
        operations[place] = operations[place]._replace(op=replace(pick, index=kept.index(pick.index)))
    return op.cost(inputs)


def whole(stride: Stride) -> Stride:
    """A stride as an int where it is one: quick to compare and to hash."""
    return stride if stride is None or stride.denominator != 1 else stride.numerator


def kept_scopes(scopes: Iterable[Scope], kept: Sequence[int]) -> tuple[Scope, ...]:
    """Scopes over the operations that were kept, renumbered; empty ones go."""
    found = []
    for scope in scopes:
        first, last = bisect_left(kept, scope.first), bisect_left(kept, scope.last)
        if last > first:
            found.append(Scope(scope.path, scope.word, first, last))
    return tuple(found)


def join_path(prefix: str, path: str) -> str:
    return f"{prefix}.{path}" if prefix and path else prefix or path


class Instance(NamedTuple):
    """A block at its place in an assembly; `shared` if its modules exist already."""

    block: Block
    inputs: tuple[int, ...]
    prefix: str
    word: str
    first: int  # number of its first value in the assembly
    shared: bool
    span: Span


class Mark(NamedTuple):
    """How much a builder held at some moment."""

    items: int
    values: int
    scopes: int
    training: int
    taps: int
    leaves: dict[str, int]
    paths: dict[str, Span]
    operations: int


@lru_cache(maxsize=65_536)
def applied(op: Op, shapes: Shapes, strides: tuple[Stride, ...]) -> tuple[Shape, Stride, Cost]:
    """What an operation gives, and what it costs: the same operation comes up in many blocks."""
    return op.shape(shapes), whole(op.stride_after(shapes, strides)), op.cost(shapes)


class Builder:
    """Collects operations. `flat` builders lay blocks out at once; the outermost keeps them whole."""

    def __init__(self, inputs: Shapes, strides: tuple[Stride, ...], flat: bool) -> None:
        self.flat = flat
        self.inputs = len(inputs)
        self.shapes: list[Shape] = list(inputs)
        self.strides: list[Stride] = list(strides)
        self.items: list[Operation | Instance] = []
        self.costs: list[Cost] = []
        self.scopes: list[Scope] = []
        self.training: list[TrainingOutput] = []
        self.leaves: dict[str, int] = {}
        self.taps: list[int] = []
        self.paths: dict[str, Span] = {}
        self.held: dict[str, tuple[str, Span]] = {}  # beginnings of names with dots
        self.count = 0

    def claim(self, path: str, span: Span) -> None:
        """Takes a module path; one path twice is a mistake that shows both places."""
        if path in self.paths:
            raise ArchError(PathTwice(path).at(span, Label(self.paths[path], "first here")))
        if path in self.held:
            inner, place = self.held[path]
            raise ArchError(PathInside(inner, path).at(place, Label(span, f"`{path}` is this stage")))
        self.paths[path] = span

    def hold(self, prefix: str, name: str, span: Span) -> None:
        """Takes the modules that a name with dots makes; one of them that is a stage is a mistake."""
        for end, letter in enumerate(name):
            if letter == ".":
                path, inner = join_path(prefix, name[:end]), join_path(prefix, name)
                if place := self.paths.get(path):
                    raise ArchError(PathInside(inner, path).at(span, Label(place, f"`{path}` is this stage")))
                self.held.setdefault(path, (inner, span))

    def add(self, op: Op, inputs: tuple[int, ...], path: str, span: Span) -> int:
        """Adds an operation; its shape rule may raise a Mistake."""
        shapes = tuple([self.shapes[value] for value in inputs])
        strides = tuple([self.strides[value] for value in inputs])
        shape, stride, cost = applied(op, shapes, strides)
        self._count(1, span)
        self.items.append(Operation(op, inputs, shape, stride, path, span))
        self.costs.append(cost)
        return self.value(shape, stride)

    def value(self, shape: Shape, stride: Stride) -> int:
        self.shapes.append(shape)
        self.strides.append(stride)
        return len(self.shapes) - 1

    def _count(self, more: int, span: Span) -> None:
        self.count += more
        if self.count > MAX_OPERATIONS:
            raise ArchError(TooManyOperations(MAX_OPERATIONS).at(span))

    def place(
        self, block: Block, inputs: tuple[int, ...], prefix: str, word: str, span: Span, shared: bool = False
    ) -> dict[int, int]:
        """Adds a block below a path; returns the number here of each of its outputs (or values)."""
        self._count(len(block.operations), span)
        if not self.flat:
            return self._place_whole(block, inputs, prefix, word, span, shared)
        first = len(self.items)
        moved = dict(enumerate(inputs))
        for number, operation in enumerate(block.operations):
            path = join_path(prefix, operation.path)
            self.items.append(renumbered(operation, moved, path))
            cost = block.costs[number]
            self.costs.append(cost)
            if not shared:
                self.paths.setdefault(path, operation.span)
            moved[block.inputs + number] = self.value(operation.shape, operation.stride)
        if prefix:
            self.scopes.append(Scope(prefix, word, first, len(self.items)))
        for scope in block.scopes:
            self.scopes.append(
                Scope(join_path(prefix, scope.path), scope.word, first + scope.first, first + scope.last)
            )
        if not shared:
            self.training.extend(
                TrainingOutput(join_path(prefix, t.name), moved[t.value], t.weight) for t in block.training
            )
        self.leaves.update((join_path(prefix, path), moved[value]) for path, value in block.leaves.items())
        self.taps.extend(moved[value] for value in block.taps if value in moved)
        return moved

    def _place_whole(
        self, block: Block, inputs: tuple[int, ...], prefix: str, word: str, span: Span, shared: bool
    ) -> dict[int, int]:
        first = len(self.shapes)
        self.items.append(Instance(block, inputs, prefix, word, first, shared, span))
        self.costs.append(Cost())
        moved = dict(enumerate(inputs))
        for output in block.outputs:
            if output < block.inputs:
                self.value(self.shapes[inputs[output]], self.strides[inputs[output]])
            else:
                operation = block.operations[output - block.inputs]
                self.value(operation.shape, operation.stride)
            moved[output] = len(self.shapes) - 1
        for t in block.training:
            operation = block.operations[t.value - block.inputs]
            value = self.value(operation.shape, operation.stride)
            if not shared:
                self.training.append(TrainingOutput(join_path(prefix, t.name), value, t.weight))
        return moved

    def weights(self, first: int, last: int) -> tuple[int, ...]:
        """Parameters of each operation with weights among some of the items."""
        found: list[int] = []
        for item, cost in zip(self.items[first:last], self.costs[first:last], strict=True):
            costs = item.block.costs if isinstance(item, Instance) else (cost,)
            found += (cost.params for cost in costs if cost.params)
        return tuple(found)

    def mark(self) -> Mark:
        """Where the builder stands, to come back to."""
        sizes = (len(self.items), len(self.shapes), len(self.scopes), len(self.training), len(self.taps))
        return Mark(*sizes, dict(self.leaves), dict(self.paths), self.count)

    def back_to(self, mark: Mark) -> None:
        """Forgets everything that was added since a mark."""
        del self.items[mark.items :], self.costs[mark.items :]
        del self.shapes[mark.values :], self.strides[mark.values :]
        del self.scopes[mark.scopes :], self.training[mark.training :], self.taps[mark.taps :]
        self.leaves, self.paths, self.count = mark.leaves, mark.paths, mark.operations

    def adds(self, kind: type[Op], mark: Mark) -> bool:
        """Whether an operation of some kind was added since a mark."""
        for item in self.items[mark.items :]:
            inside = item.block.operations if isinstance(item, Instance) else (item,)
            if any(isinstance(operation.op, kind) for operation in inside):
                return True
        return False

    def block(self, outputs: tuple[int, ...], levels: tuple[int, ...], flow: Any) -> Block:
        """All that was added, as a block."""
        assert self.flat
        operations = tuple(item for item in self.items if isinstance(item, Operation))
        return Block(
            tuple(self.shapes[: self.inputs]),
            operations,
            tuple(self.costs),
            outputs,
            tuple(self.training),
            tuple(self.scopes),
            dict(self.leaves),
            levels,
            tuple(self.taps),
            flow,
        )
