"""Blocks: what a call of a definition made, immutable, with its costs and its Merkle hash.

Values are numbered: 0..n-1 are the inputs of a block, n+i is what operation i gives. An `Assembly`
is a network under construction from operations and blocks; `Assembly.network` lays it out flat.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from archdsl.errors import ArchError
from archdsl.errors.expansion import TooManyOperations
from archdsl.errors.names import PathTwice
from archdsl.network import Cell, Edge, Network, Operation, Output, Scope, needed
from archdsl.op import Op
from archdsl.source import Label, Span
from archdsl.tensors import Cost, Shape, Shapes, Stride

IDENTITY_VERSION = b"archdsl-1"
MAX_OPERATIONS = 50_000


class TrainingOutput(NamedTuple):
    """An output that exists in training only, inside a block or an assembly."""

    name: str
    value: int
    weight: float


@lru_cache(maxsize=65_536)
def op_digest(op: Op) -> bytes:
    """A hash of an operation and its arguments."""
    return hashlib.blake2b(repr(op).encode(), digest_size=16).digest()


class Digested(NamedTuple):
    """The hashes of a block's values for certain inputs; `first` by module path, none of them a repetition."""

    inputs: tuple[bytes, ...]
    digests: list[bytes]
    weighted: frozenset[bytes]
    first: dict[str, bytes]


class Digester:
    """Merkle hashes over operations and ordered inputs, with one ordinal for each repetition.

    An operation with weights that repeats the same operation on the same input is another one, and
    its ordinal tells them apart; an operation that shares its module hashes the module's first use.
    """

    __slots__ = ("repeats",)

    def __init__(self) -> None:
        self.repeats: dict[bytes, int] = {}

    def block(self, block: Block, inputs: tuple[bytes, ...], first: dict[str, bytes]) -> list[bytes]:
        """The hash of every value of a block, given those of its inputs.

        `first` holds the hashes of modules that were applied before, by path. A block that saw the
        same inputs last time (an encoder always does) has its hashes at hand, unless one of them
        was met before in this network.
        """
        known = block.digested
        if (
            known is not None
            and known.inputs == inputs
            and not first
            and known.weighted.isdisjoint(self.repeats)
        ):
            self.repeats.update(dict.fromkeys(known.weighted, 1))
            first.update(known.first)
            return known.digests
        fresh = not first
        before = len(self.repeats)
        digests = self._block(block, inputs, first)
        if fresh and len(self.repeats) - before == len(first):
            block.digested = Digested(inputs, digests, frozenset(first.values()), dict(first))
        return digests

    def _block(self, block: Block, inputs: Sequence[bytes], first: dict[str, bytes]) -> list[bytes]:
        digests = list(inputs)
        hasher = hashlib.sha256
        for op, sources, commutative, weighted, path in block.program:
            if op is None:  # id
                digests.append(digests[sources[0]])
                continue
            if len(sources) == 1:
                made = hasher(op + digests[sources[0]]).digest()
            else:
                parts = [digests[source] for source in sources]
                if commutative:
                    parts.sort()
                made = hasher(op + b"".join(parts)).digest()
            if weighted:
                made = self.weighted(made, path, first)
            digests.append(made)
        return digests

    def weighted(self, made: bytes, path: str, first: dict[str, bytes]) -> bytes:
        """The hash of an operation with weights, from that of what it does to what."""
        if path in first:
            return hashlib.sha256(made + b"shares" + first[path]).digest()
        count = self.repeats.get(made, 0)
        self.repeats[made] = count + 1
        if count:
            made = hashlib.sha256(made + b"%d" % count).digest()
        first[path] = made
        return made


class Block:
    """What one call of a definition made.

    Attributes:
        inputs: how many values it reads.
        operations: flat, paths relative to the block; all are needed by some output.
        outputs: values that leave, in order.
        training: outputs that exist in training only.
        leaves: the value that leaves each module path.
        levels: values between the stages of the outermost pipeline, before global pooling.
        taps: values that the definition marks with `tap`.
        flow: `outputs` in the form in which they flow.
        picked: levels that an encoder stage chose of it, by its settings.
    """

    __slots__ = (
        "inputs", "operations", "outputs", "training", "leaves", "levels", "taps", "scopes",
        "costs", "params", "macs", "program", "_restricted", "flow", "picked", "digested",
    )  # fmt: skip

    def __init__(
        self,
        inputs: int,
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
        self.inputs = inputs
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
        in_training = needed(operations, (*outputs, *(t.value for t in training)), inputs)
        in_inference = needed(operations, outputs, inputs) if training else in_training
        seen: set[str] = set()
        params = 0
        for number in sorted(in_training):
            if costs[number].params and operations[number].path not in seen:
                seen.add(operations[number].path)
                params += costs[number].params
        self.params = params
        self.macs = sum(costs[number].macs for number in in_inference)
        self.program = tuple(
            (
                None if operation.op.name == "id" else op_digest(operation.op),
                operation.inputs,
                operation.op.commutative,
                operation.op.has_weights,
                operation.path,
            )
            for operation in operations
        )

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
        operations = tuple(
            _moved(self.operations[number], moved, self.operations[number].path) for number in kept
        )
        return Block(
            self.inputs,
            operations,
            tuple(self.costs[number] for number in kept),
            tuple(moved[value] for value in values),
            tuple(t._replace(value=moved[t.value]) for t in training),
            _kept_scopes(self.scopes, kept),
            {path: moved[value] for path, value in self.leaves.items() if value in moved},
        )


def _moved(operation: Operation, moved: dict[int, int], path: str) -> Operation:
    return Operation(
        operation.op,
        tuple(moved[value] for value in operation.inputs),
        operation.shape,
        operation.stride,
        path,
        operation.span,
    )


def _kept_scopes(scopes: Iterable[Scope], kept: Sequence[int]) -> tuple[Scope, ...]:
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
    count: int


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
        self.count = 0

    def claim(self, path: str, span: Span) -> None:
        """Takes a module path; one path twice is a mistake that shows both places."""
        if path in self.paths:
            raise ArchError(PathTwice(path).at(span, Label(self.paths[path], "first here")))
        self.paths[path] = span

    def add(self, op: Op, inputs: tuple[int, ...], path: str, span: Span) -> int:
        """Adds an operation; its shape rule may raise a Mistake."""
        shapes = tuple(self.shapes[value] for value in inputs)
        shape = op.shape(shapes)
        stride = op.stride_after(shapes, tuple(self.strides[value] for value in inputs))
        if stride is not None and stride.denominator == 1:
            stride = stride.numerator  # whole strides are ints: quick to compare and to hash
        self._count(1, span)
        self.items.append(Operation(op, inputs, shape, stride, path, span))
        self.costs.append(op.cost(shapes))
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
            self.items.append(_moved(operation, moved, path))
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

    def mark(self) -> Mark:
        """Where the builder stands, to come back to."""
        sizes = (len(self.items), len(self.shapes), len(self.scopes), len(self.training), len(self.taps))
        return Mark(*sizes, dict(self.leaves), dict(self.paths), self.count)

    def back_to(self, mark: Mark) -> None:
        """Forgets everything that was added since a mark."""
        del self.items[mark.items :], self.costs[mark.items :]
        del self.shapes[mark.values :], self.strides[mark.values :]
        del self.scopes[mark.scopes :], self.training[mark.training :], self.taps[mark.taps :]
        self.leaves, self.paths, self.count = mark.leaves, mark.paths, mark.count

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
            self.inputs,
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


class Part(NamedTuple):
    """An item of an assembly that is needed: `block` is cut to what is read of it."""

    position: int
    value: int
    item: Operation | Instance
    block: Block | None
    ends: tuple[tuple[int, int], ...]  # (value of the assembly, value of the block)


@dataclass(frozen=True, eq=False)
class Assembly:
    """A whole network as blocks: quick to cost and to hash, flat on demand."""

    builder: Builder
    outputs: tuple[int, ...]
    returns_list: bool
    cells: tuple[Cell, ...] = ()
    edges: tuple[Edge, ...] = ()

    @cached_property
    def whole(self) -> list[Part]:
        """All parts that training holds."""
        return self.parts(training=True)

    def parts(self, training: bool) -> list[Part]:
        """Items that some output needs, in order; `training` counts its outputs too."""
        builder = self.builder
        wanted = set(self.outputs)
        if training:
            wanted.update(t.value for t in builder.training)
        value = len(builder.shapes)
        found: list[Part] = []
        for index in range(len(builder.items) - 1, -1, -1):
            item = builder.items[index]
            if isinstance(item, Operation):
                value -= 1
                if value in wanted:
                    wanted.update(item.inputs)
                    found.append(Part(index, value, item, None, ()))
                continue
            value = item.first
            part = _part(index, item, wanted)
            if part is not None:
                wanted.update(item.inputs)
                found.append(part)
        found.reverse()
        return found

    def costs(self) -> Cost:
        """Trainable parameters (of what training holds) and multiply-adds (of inference)."""
        builder = self.builder
        params = macs = 0
        counted: set[str] = set()
        parts = self.whole
        for part in parts:
            if part.block is not None:
                if not part.item.shared:  # type: ignore[union-attr]
                    params += part.block.params
            elif (cost := builder.costs[part.position]).params:
                path = part.item.path  # type: ignore[union-attr]
                if path not in counted:
                    counted.add(path)
                    params += cost.params
        if builder.training:
            parts = self.parts(training=False)
        for part in parts:
            macs += builder.costs[part.position].macs if part.block is None else part.block.macs
        return Cost(params, macs)

    def identity(self) -> str:
        """The Merkle hash: operations, ordered inputs, input shape, training-only outputs."""
        builder = self.builder
        digester = Digester()
        digests: dict[int, bytes] = {0: image_digest(builder.shapes[0])}
        applied: dict[str, dict[str, bytes]] = {}
        for part in self.whole:
            inputs = tuple(digests[source] for source in part.item.inputs)
            if part.block is not None:
                assert isinstance(part.item, Instance)
                made = digester.block(part.block, inputs, applied.setdefault(part.item.prefix, {}))
                for value, end in part.ends:
                    digests[value] = made[end]
            else:
                assert isinstance(part.item, Operation)
                digests[part.value] = one_digest(part.item, inputs, digester, applied.setdefault("", {}))
        return final_digest(
            [digests[value] for value in self.outputs],
            [(digests[t.value], t.weight) for t in builder.training],
        )

    def network(self) -> Network:
        """The network laid out flat, only what some output needs."""
        builder = self.builder
        flat = Builder((builder.shapes[0],), (builder.strides[0],), flat=True)
        moved = {0: 0}
        starts = [0] * (len(builder.items) + 1)
        at = 0
        for part in self.whole:
            starts[at : part.position + 1] = [len(flat.items)] * (part.position + 1 - at)
            at = part.position + 1
            item = part.item
            if part.block is not None:
                assert isinstance(item, Instance)
                inputs = tuple(moved[source] for source in item.inputs)
                inner = flat.place(part.block, inputs, item.prefix, item.word, item.span, item.shared)
                for value, end in part.ends:
                    moved[value] = inner[end]
            else:
                assert isinstance(item, Operation)
                flat.items.append(_moved(item, moved, item.path))
                moved[part.value] = flat.value(item.shape, item.stride)
        starts[at:] = [len(flat.items)] * (len(starts) - at)
        groups = (Scope(s.path, s.word, starts[s.first], starts[s.last]) for s in builder.scopes)
        operations = tuple(item for item in flat.items if isinstance(item, Operation))
        return Network(
            input=builder.shapes[0],
            operations=operations,
            outputs=self._network_outputs(moved),
            scopes=tuple(scope for scope in (*groups, *flat.scopes) if scope.last > scope.first),
            cells=tuple(
                Cell(c.name, c.role, c.row, c.column, moved[c.value], c.path)
                for c in self.cells
                if c.value in moved
            ),
            edges=self.edges,
            returns_list=self.returns_list,
        )

    def _network_outputs(self, moved: dict[int, int]) -> tuple[Output, ...]:
        flows = [
            Output(f"out{index}" if self.returns_list else "out", moved[value])
            for index, value in enumerate(self.outputs)
        ]
        training = [Output(t.name, moved[t.value], True, t.weight) for t in self.builder.training]
        return (*flows, *training)


def _part(index: int, item: Instance, wanted: set[int]) -> Part | None:
    """The part of an instance that is wanted, or None."""
    block = item.block
    ends = (*block.outputs, *(t.value for t in block.training))
    read = tuple((item.first + i, end) for i, end in enumerate(ends) if item.first + i in wanted)
    if not read:
        return None
    if len(read) == len(ends):
        return Part(index, item.first, item, block, read)
    outputs = tuple((value, end) for value, end in read if value < item.first + len(block.outputs))
    kept = tuple(dict.fromkeys(end for _, end in outputs))
    with_training = len(read) > len(outputs)
    cut = block.restricted(kept, with_training)
    place = dict(zip(kept, cut.outputs, strict=True))
    ends_cut = [(value, place[end]) for value, end in outputs]
    if with_training:
        first = item.first + len(block.outputs)
        ends_cut += [(first + i, t.value) for i, t in enumerate(cut.training)]
    return Part(index, item.first, item, cut, tuple(ends_cut))


def image_digest(shape: Shape) -> bytes:
    return hashlib.sha256(IDENTITY_VERSION + str(shape).encode()).digest()


def one_digest(
    operation: Operation, inputs: tuple[bytes, ...], digester: Digester, first: dict[str, bytes]
) -> bytes:
    """The hash of one operation of an assembly or a flat network."""
    op = operation.op
    if op.name == "id":
        return inputs[0]
    if op.commutative:
        inputs = tuple(sorted(inputs))
    made = hashlib.sha256(op_digest(op) + b"".join(inputs)).digest()
    if op.has_weights:
        made = digester.weighted(made, operation.path, first)
    return made


def final_digest(flows: list[bytes], training: list[tuple[bytes, float]]) -> str:
    """The identity of a network, from the hashes of what it returns."""
    told = b"".join(flows) + b"".join(digest + repr(float(weight)).encode() for digest, weight in training)
    return hashlib.sha256(told).hexdigest()[:32]


def network_identity(network: Network) -> str:
    """The identity of a flat network: equal to that of the assembly which it came from."""
    digester = Digester()
    digests = [image_digest(network.input)]
    first: dict[str, bytes] = {}
    for operation in network.operations:
        inputs = tuple(digests[source] for source in operation.inputs)
        digests.append(one_digest(operation, inputs, digester, first))
    return final_digest(
        [digests[o.value] for o in network.outputs if not o.training_only],
        [(digests[o.value], o.weight) for o in network.outputs if o.training_only],
    )
