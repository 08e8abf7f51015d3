"""A whole network as blocks: quick to cost and to hash, flat on demand."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

from archdsl.blocks import Block, Builder, Instance, TrainingOutput, renumbered
from archdsl.identity import Digester, final_digest, image_digest, network_identity, one_digest
from archdsl.network import Cell, Edge, Network, Operation, Output, Scope
from archdsl.pruning import pruned, with_stand_ins
from archdsl.records import Record
from archdsl.tensors import Cost


class Part(NamedTuple):
    """An item of an assembly that is needed: `block` is cut to what is read of it."""

    position: int
    value: int
    item: Operation | Instance
    block: Block | None
    ends: tuple[tuple[int, int], ...]  # (value of the assembly, value of the block)


class Assembly(Record):
    """A whole network as blocks: quick to cost and to hash, flat on demand."""

    builder: Builder
    outputs: tuple[int, ...]
    returns_list: bool
    cells: tuple[Cell, ...] = ()
    edges: tuple[Edge, ...] = ()

    @cached_property
    def whole(self) -> list[Part]:
        """All parts that training holds, what is read for its size alone among them."""
        return self._trained[0]

    @property
    def strays(self) -> bool:
        """Whether something is needed for its size, or the like, and for nothing that learns."""
        return self._trained[1]

    @cached_property
    def _trained(self) -> tuple[list[Part], bool]:
        parts, strays = self._parts(training=True)
        return (self._parts(training=True, apart=True)[0] if strays else parts), strays

    @cached_property
    def inference(self) -> list[Part]:
        """The parts that inference needs."""
        return self._parts(training=False, apart=True)[0] if self.builder.training else self.whole

    def _parts(self, training: bool, apart: bool = False) -> tuple[list[Part], bool]:
        """Items that some output needs, in order; `training` counts its outputs too.

        What is read for its size, or the like, counts if `apart`; and whether there is more of it.
        """
        builder = self.builder
        wanted = set(self.outputs)
        if training:
            wanted.update(t.value for t in builder.training)
        measured: set[int] = set()
        hidden = False
        value = len(builder.shapes)
        found: list[Part] = []
        for index in range(len(builder.items) - 1, -1, -1):
            item = builder.items[index]
            part: Part | None
            if isinstance(item, Operation):
                value -= 1
                if value not in wanted:
                    continue
                part = Part(index, value, item, None, ())
                detached = item.op.detached
                for number, source in enumerate(item.inputs):
                    (measured if number in detached else wanted).add(source)
            else:
                value = item.first
                part = _part(index, item, wanted)
                if part is None:
                    continue
                block = part.block
                assert block is not None
                for number in block.reads:
                    wanted.add(item.inputs[number])
                for number in block.measures:
                    measured.add(item.inputs[number])
                hidden = hidden or block.strays
            if apart:
                wanted |= measured
            found.append(part)
        found.reverse()
        return found, hidden or not measured <= wanted

    def costs(self) -> Cost:
        """Trainable parameters (of what training holds) and multiply-adds (of inference).

        Those of opaque operations are not among the multiply-adds.
        """
        if self.strays:
            return _costs(self._settled)
        builder = self.builder
        params = macs = 0
        counted: set[str] = set()
        for part in self.whole:
            if part.block is not None:
                if not part.item.shared:  # type: ignore[union-attr]
                    params += part.block.params
            elif (cost := builder.costs[part.position]).params:
                path = part.item.path  # type: ignore[union-attr]
                if path not in counted:
                    counted.add(path)
                    params += cost.params
        for part in self.inference:
            macs += builder.costs[part.position].macs if part.block is None else part.block.macs
        return Cost(params, macs)

    @cached_property
    def opaque(self) -> bool:
        """Whether another library works in inference: then only shapes and parameters are known."""
        if self.strays:
            return self._settled.opaque
        for part in self.inference:
            if part.block is not None and part.block.opaque:
                return True
            if isinstance(part.item, Operation) and part.item.op.opaque:
                return True
        return False

    def identity(self) -> str:
        """The Merkle hash: operations, ordered inputs, input shape, training-only outputs."""
        if self.strays:
            return network_identity(self._settled)
        builder = self.builder
        digester = Digester()
        digests: dict[int, bytes] = {0: image_digest(builder.shapes[0])}
        applied: dict[str, dict[str, bytes]] = {}
        for part in self.whole:
            inputs = tuple(digests.get(source, b"") for source in part.item.inputs)
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
        """The network laid out flat, only what some output needs.

        Raises ArchError (SizeAlone) where what is read for its size alone has weights that nothing
        can stand in for.
        """
        return self._settled if self.strays else self._flat()

    @cached_property
    def _settled(self) -> Network:
        """The network where other maps stand in for what is read for its size alone."""
        return with_stand_ins(self._flat())

    def _flat(self) -> Network:
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
                inputs = tuple(moved.get(source, 0) for source in item.inputs)
                inner = flat.place(part.block, inputs, item.prefix, item.word, item.span, item.shared)
                for value, end in part.ends:
                    moved[value] = inner[end]
            else:
                assert isinstance(item, Operation)
                flat.items.append(renumbered(item, moved, item.path))
                moved[part.value] = flat.value(item.shape, item.stride)
        starts[at:] = [len(flat.items)] * (len(starts) - at)
        groups = (Scope(s.path, s.word, starts[s.first], starts[s.last]) for s in builder.scopes)
        # A definition may hold stages whose result it doesn't use.
        return pruned(
            Network(
                input=builder.shapes[0],
                operations=tuple(item for item in flat.items if isinstance(item, Operation)),
                outputs=self._network_outputs(moved),
                scopes=(*groups, *flat.scopes),
                cells=tuple(
                    cell._replace(value=moved[cell.value]) for cell in self.cells if cell.value in moved
                ),
                edges=self.edges,
                returns_list=self.returns_list,
            )
        )

    def _network_outputs(self, moved: dict[int, int]) -> tuple[Output, ...]:
        flows = [
            Output(f"out{index}" if self.returns_list else "out", moved[value])
            for index, value in enumerate(self.outputs)
        ]
        training = [Output(t.name, moved[t.value], True, t.weight) for t in self.builder.training]
        return (*flows, *training)


def _costs(network: Network) -> Cost:
    """Parameters and multiply-adds of a network laid out flat."""
    block = Block(
        (network.input,),
        network.operations,
        tuple(operation.op.cost(network.shapes_into(operation)) for operation in network.operations),
        tuple(output.value for output in network.outputs if not output.training_only),
        tuple(TrainingOutput(o.name, o.value, o.weight) for o in network.outputs if o.training_only),
    )
    return Cost(block.params, block.macs)


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
