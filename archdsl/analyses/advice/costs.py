"""Advice on what a network costs: where multiply-adds don't tell the time."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.analyses.advice.written import Written
from archdsl.analyses.words import words_in
from archdsl.errors import Diagnostic
from archdsl.errors.advice import MemoryBound
from archdsl.network import Network
from archdsl.source import Span

BYTES = 4  # of a number
# Operations for each byte that a processor can do while it waits for memory: desktop CPUs start at about 10.
BALANCE = 10
LEAST_SHARE = 0.1  # of what all convolutions and linear layers move


def slower_than_counted(written: Written) -> Iterator[Diagnostic]:
    """Depthwise layers that wait for memory, so that multiply-adds say little of their time.

    Told where the spec writes them itself, or limits `macs` and has them from a definition.
    """
    network = written.network
    if network.opaque:
        return
    limited = any("macs" in words_in(requirement) for requirement in written.program.requirements)
    layers = _layers(network)
    depthwise = {number: layer for number, layer in layers.items() if _is_depthwise(network, number)}
    places = {written.place(number): None for number in depthwise if limited or written.is_own(number)}
    if not places:
        return
    macs, moved = _total(depthwise)
    all_macs, all_moved = _total(layers)
    intensity = 2 * macs / moved
    if intensity < BALANCE and moved >= LEAST_SHARE * all_moved:
        first: Span = next(iter(places))
        told = MemoryBound(len(depthwise), round(intensity, 1), macs / all_macs, moved / all_moved, BALANCE)
        yield told.at(first)


def _layers(network: Network) -> dict[int, tuple[int, int]]:
    """Multiply-adds and moved bytes of all layers with weights that work in inference."""
    found = {}
    for number in sorted(network.inference):
        operation = network.operations[number]
        inputs = network.shapes_into(operation)
        cost = operation.op.cost(inputs)
        if cost.macs:
            numbers = cost.params + operation.shape.elements + sum(shape.elements for shape in inputs)
            found[number] = (cost.macs, BYTES * numbers)
    return found


def _is_depthwise(network: Network, number: int) -> bool:
    operation = network.operations[number]
    channels = network.shapes_into(operation)[0].channels
    return operation.op.name == "dwconv" or (1 < channels == getattr(operation.op, "groups", 1))


def _total(layers: dict[int, tuple[int, int]]) -> tuple[int, int]:
    return sum(macs for macs, _ in layers.values()), sum(moved for _, moved in layers.values())
