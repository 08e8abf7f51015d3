"""How the units of a block are connected: what enters it, what leads from one to another, what leaves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from archdsl.emitters.drawing.block import Block, Repeated, Unit, is_join
from archdsl.emitters.drawing.outline import Part, brief, is_folded, label, segments
from archdsl.emitters.drawing.phrases import contents, is_main
from archdsl.network import Network

EARLIER = "earlier"  # what enters some blocks beside their input


class Wire(NamedTuple):
    """What leads from one unit to another, by way of normalisations and activations.

    `some`: only some blocks have it, and not the one that is shown.
    """

    tail: str
    head: str
    words: str = ""
    some: bool = False


@dataclass(frozen=True)
class Wiring:
    """A block as units and the wires between them.

    Attributes:
        inputs: what enters, each with its label: `x`, or `x0`, `x1`, ... of a pyramid.
        outputs: what leaves, `y`.
    """

    units: dict[str, Unit]
    wires: tuple[Wire, ...]
    inputs: dict[str, str]
    outputs: tuple[str, ...]


def wiring(network: Network, found: Repeated) -> Wiring:
    """How the units of a block are connected."""
    block = found.shown
    home, units = _units(network, block)
    paths = [one.path for one in block.operations(network)]

    def source(value: int) -> tuple[str, str]:
        """The unit that a value comes from, and the words for what is done to it on its way."""
        words: list[str] = []
        while value > block.scope.first and value - 1 not in home:
            words.insert(0, found.words(paths[value - 1 - block.scope.first]))
            value = network.operations[value - 1].inputs[0]
        return home.get(value - 1, f"value {value}"), ", ".join(word for word in words if word != "id")

    wires: list[Wire] = []
    for number in sorted(home):
        name = home[number]
        for value in contents(network.operations[number]):
            tail, words = source(value)
            wire = Wire(tail, name, words)
            if tail != name and (units[name].operation or wire not in wires):
                wires.append(wire)
    leaving = dict.fromkeys(source(value) for value in _leaving(network, block))
    outputs = _numbered("y", len(leaving))
    wires += [Wire(tail, name, words) for (tail, words), name in zip(leaving, outputs, strict=True)]
    entering = dict.fromkeys(wire.tail for wire in wires if wire.tail not in units)
    inputs = dict(zip(entering, _numbered("x", len(entering)), strict=True))
    passed = list(dict.fromkeys(_passed(network, found, units, next(iter(inputs)))))
    if any(wire.tail == EARLIER for wire in passed):
        inputs[EARLIER] = EARLIER
    return Wiring(units, (*wires, *passed), inputs, tuple(outputs))


def _units(network: Network, block: Block) -> tuple[dict[int, str], dict[str, Unit]]:
    """The name of the unit that each operation of a block is in, if any; the units by name."""
    folded = dict(_folded(network, block.scope))
    home = {number: scope.name for number, scope in folded.items()}
    scopes = {scope.name: scope for scope in folded.values()}
    briefs = Counter(map(brief, scopes.values()))
    places = list(enumerate(block.operations(network), block.scope.first))
    units = {}
    for name, scope in scopes.items():
        title = label(scope) if briefs[brief(scope)] > 1 else brief(scope)
        units[name] = Unit(title, tuple(one.path for number, one in places if home.get(number) == name))
    for number, one in places:
        if number not in home and (is_main(network, one.operation) or is_join(one.operation)):
            home[number] = f"operation {number}"
            units[home[number]] = Unit("", (one.path,), one.operation)
    return home, units


def _folded(network: Network, part: Part) -> Iterator[tuple[int, Part]]:
    """The operations of scopes that are drawn as one box, each with its scope."""
    for segment in segments(part):
        if is_folded(network, segment, part):
            for number in range(segment.first, segment.last):
                yield number, segment
        elif not segment.loose:
            yield from _folded(network, segment)


def _leaving(network: Network, block: Block) -> list[int]:
    """The values of a block that something behind it works on: several of a pyramid, or with a skip."""
    used = {value for operation in network.operations[block.last :] for value in contents(operation)}
    used.update(output.value for output in network.outputs)
    return [value for value in range(block.scope.first + 1, block.last + 1) if value in used]


def _passed(network: Network, found: Repeated, units: Mapping[str, Unit], x: str) -> Iterator[Wire]:
    """What joins of other blocks read from outside, beyond those of the one that is shown."""
    for name, unit in units.items():
        for number in found.wider(unit.path) if unit.is_join else ():
            block = found.blocks[number]
            inside = network.operations[block.scope.first : block.last]
            entering = {value for made in inside if not is_join(made) for value in contents(made)}
            for value in found.versions[unit.path][number].inputs:
                if value <= block.scope.first:
                    yield Wire(x if value in entering else EARLIER, name, some=True)


def _numbered(letter: str, count: int) -> list[str]:
    """A letter, with a number where there are several."""
    return [letter] if count == 1 else [f"{letter}{number}" for number in range(count)]
