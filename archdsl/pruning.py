"""What a network laid out flat holds that it doesn't need, and how it does without."""

from __future__ import annotations

from dataclasses import replace

from archdsl.blocks import kept_scopes, renumbered
from archdsl.errors import ArchError
from archdsl.errors.shapes import SizeAlone
from archdsl.network import Network, Operation, needed, reached
from archdsl.source import Label


def pruned(network: Network) -> Network:
    """The network without the operations that no output needs."""
    kept = sorted(needed(network.operations, (output.value for output in network.outputs), 1))
    places = {0: 0} | {1 + old: 1 + new for new, old in enumerate(kept)}
    return replace(
        network,
        operations=tuple(
            renumbered(network.operations[number], places, network.operations[number].path) for number in kept
        ),
        outputs=tuple(output._replace(value=places[output.value]) for output in network.outputs),
        scopes=kept_scopes(network.scopes, kept),
        cells=tuple(
            cell._replace(value=places[cell.value]) for cell in network.cells if cell.value in places
        ),
    )


def with_stand_ins(network: Network) -> Network:
    """The network where no weights are built for the size of what they make.

    A map of which only the size is read gives way to the nearest one on the way to it that is built
    anyway and has that size at every size of the image. Raises ArchError (SizeAlone) where there is none.
    """
    learning = reached(network.operations, (output.value for output in network.outputs), 1).learning

    def stand_in(value: int) -> int:
        if value in learning:
            return value
        places = [value]
        for place in places:  # nearest first; it grows
            operation = network.operations[place - 1]
            for number in operation.op.sized_as(network.shapes_into(operation)):
                source = operation.inputs[number]
                if source in learning or source == 0:
                    return source
                if source not in places:
                    places.append(source)
        return places[-1]

    def stood_in(operation: Operation) -> Operation:
        if not operation.op.sizing:
            return operation
        detached = operation.op.detached
        inputs = (stand_in(v) if n in detached else v for n, v in enumerate(operation.inputs))
        return operation._replace(inputs=tuple(inputs))

    return _taught(pruned(replace(network, operations=tuple(map(stood_in, network.operations)))))


def _taught(network: Network) -> Network:
    """The network; raises ArchError (SizeAlone) if it has weights that no gradient reaches."""
    learning = reached(network.operations, (output.value for output in network.outputs), 1).learning
    for value, operation in enumerate(network.operations, start=1):
        if value not in learning and operation.op.has_weights:
            reader = next(
                other
                for other in network.operations
                if any(other.inputs[n] not in learning for n in other.op.detached if n < len(other.inputs))
            )
            mistake = SizeAlone(reader.op.name, reader.op.sizing)
            raise ArchError(mistake.at(operation.span, Label(reader.span, "read here")))
    return network
