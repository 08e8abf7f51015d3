"""The picture of the block that a network repeats, in a frame of its own."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from archdsl.emitters.drawing import dot, theme
from archdsl.emitters.drawing.block import Repeated, Unit, letters, symbols
from archdsl.emitters.drawing.dot import Markup, font
from archdsl.emitters.drawing.phrases import phrase
from archdsl.emitters.drawing.wiring import Wire, Wiring, wiring
from archdsl.network import Network

SHORTCUT = "#1565c0"


def draw_block(network: Network, found: Repeated, beside: str, *, upright: bool) -> list[str]:
    """Statements for the block in a frame; what enters stands outside, in the rank of `beside`.

    Where the block is `upright`, what leaves it would cross words at its foot: they stand below, beside `y`.
    """
    wired = wiring(network, found)
    forks = [name for name in wired.inputs if sum(wire.tail == name for wire in wired.wires) > 1]
    words = symbols(found, wired.units.values())
    nodes = [_fork(name) for name in forks]
    after = {name: _after(wired, name) for name in wired.units}
    nodes += [_unit(network, found, words, name, unit, after[name]) for name, unit in wired.units.items()]
    told = _told(found, wired, words)
    frame = theme.FRAME | {"label": "" if upright else told, "labelloc": "b", "labeljust": "l"}
    lines = [dot.cluster("block", [*nodes, *_opposite(found, wired)], **frame)]
    ends = wired.inputs | {name: name for name in wired.outputs}
    lines += [dot.node(name, class_="end", label=label, **theme.BARE) for name, label in ends.items()]
    lines += [dot.edge(name, f"fork {name}", class_="flow", weight=20) for name in forks]
    lines += [
        _wire(found, wired, wire._replace(words="") if after.get(wire.tail) else wire, forks)
        for wire in wired.wires
    ]
    if upright:
        lines.append(dot.node("caption", class_="caption", label=told, **theme.BARE))
    below = [*wired.outputs, "caption"] if upright else wired.outputs
    first = next(iter(wired.inputs))
    lines += [dot.same_rank([beside, first]), dot.edge(beside, first, style="invis", weight=0)]
    return [*lines, *_in_order(list(wired.inputs)), *_in_order(below)]


def _in_order(names: Sequence[str]) -> list[str]:
    """Nodes in one rank, in this order."""
    ties = [dot.edge(one, other, style="invis", minlen=0) for one, other in pairwise(names)]
    return [dot.same_rank(names), *ties] if ties else []


def _opposite(found: Repeated, wired: Wiring) -> list[str]:
    """A single box on the shortcut stands over the middle of the body, which keeps the row above even."""
    boxes = {name: unit for name, unit in wired.units.items() if not unit.is_join}
    some = [name for name, unit in boxes.items() if unit.operation and not found.in_all(unit)]
    body = [name for name in boxes if name not in some]
    ends = {wire for wire in wired.wires if some and some[0] in (wire.tail, wire.head)}
    beside = len(some) == 1 and all(
        wire.tail in wired.inputs or (wire.head in wired.units and wired.units[wire.head].is_join)
        for wire in ends
    )
    return [dot.same_rank([some[0], body[len(body) // 2]])] if beside and body else []


def _fork(name: str) -> str:
    return dot.node(f"fork {name}", class_="fork", shape="point", width=0.07, group="main")


def _after(wired: Wiring, name: str) -> str:
    """What is done to all that leaves a box (`bn, relu`): told in the box, so that wires stay straight."""
    words = {wire.words for wire in wired.wires if wire.tail == name}
    return words.pop() if len(words) == 1 and not wired.units[name].is_join else ""


def _unit(
    network: Network, found: Repeated, words: dict[str, dict[str, str]], name: str, unit: Unit, after: str
) -> str:
    some = not found.in_all(unit)
    corners = "filled,rounded,dashed" if some else "filled,rounded"
    if unit.operation is None:
        style = theme.box("plain")
        return dot.node(
            name,
            class_="folded",
            label=dot.escape(unit.name),
            group="main",
            style=corners,
            fillcolor=style.fill,
        )
    if unit.is_join:
        return _join(name, found.signs(unit.path), some)
    into = network.shapes_into(unit.operation)[0]
    text = phrase(
        unit.operation.op,
        into,
        words.get(unit.path, {}) | {"stride": found.step(unit.path, into.rank)},
    )
    small = [after, "or identity" if some else ""]
    return dot.node(
        name,
        class_="operation",
        label=dot.rows([text], *([font(line, size=9, color=theme.PALE)] for line in small if line)),
        group="some" if some else "main",
        style=corners,
    )


def _join(name: str, sign: str, some: bool) -> str:
    style = theme.box("sum")
    single = len(sign) == 1
    width = 0.28 if single else 0.36 if len(sign) <= 3 else 0.56
    return dot.node(
        name,
        class_="join",
        label=sign,
        group="main",
        shape="circle",
        fixedsize="true",
        width=width,
        fontsize=14 if single else 9,
        style="filled,dashed" if some else "filled",
        fillcolor=style.fill,
        color=style.border,
    )


def _wire(found: Repeated, wired: Wiring, wire: Wire, forks: list[str]) -> str:
    """A wire; those of a shortcut are blue: from what enters to a join, or past what only some have."""
    ends = [wired.units[name] for name in (wire.tail, wire.head) if name in wired.units]
    optional = any(unit.operation and not unit.is_join and not found.in_all(unit) for unit in ends)
    past = wire.tail in forks and any(unit.is_join for unit in ends)
    shortcut = wire.some or optional or past
    return dot.edge(
        f"fork {wire.tail}" if wire.tail in forks else wire.tail,
        wire.head,
        class_="shortcut" if shortcut else "flow",
        label=wire.words and f"\N{NO-BREAK SPACE}{wire.words}",
        weight=1 if shortcut else 90,
        color=SHORTCUT if shortcut else theme.LINE,
        **({"style": "dashed"} if wire.some else {}),
    )


def _told(found: Repeated, wired: Wiring, words: dict[str, dict[str, str]]) -> Markup:
    """The block's name, the letters that it is drawn with, and what marks mean."""
    name = [font(found.word.lstrip("_"), size=12, bold=True)]
    name.append(
        font(f"({', '.join(letters(words))})", size=12)
        if letters(words)
        else font(f"\N{NO-BREAK SPACE}{found.shown.scope.name}", size=9)
    )
    if caption := _caption(found, wired):
        name.append(Markup("&#160;&#160;" + font(caption, size=9, color=theme.PALE)))
    return dot.rows(name)


def _caption(found: Repeated, wired: Wiring) -> str:
    """What the star and the dashes mean."""
    paths = [unit.path for unit in wired.units.values() if unit.operation]
    star = "*" if any(found.step(path, 2) for path in paths) else ""
    some = [unit for unit in wired.units.values() if not found.in_all(unit)]
    holders = {number for unit in some for number in found.holders(unit)}
    holders |= {n for wire in wired.wires if wire.some for n in found.wider(wired.units[wire.head].path)}
    if holders <= found.firsts:
        marks = " and ".join(filter(None, [star, "dashed" if holders else ""]))
        return f"{marks}: in the first of a stage" if marks else ""
    where = "not in the first of a stage" if holders.isdisjoint(found.firsts) else "in some only"
    return "; ".join(filter(None, [f"{star}: in the first of a stage" if star else "", f"dashed: {where}"]))
