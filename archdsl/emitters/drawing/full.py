"""The full drawing: every operation with its arguments, in the frames of its scopes.

An operation that only follows on another (a normalisation, an activation) is a further line in its
box. Where boxes or edges are too many for a picture, scopes are folded into one box each.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from archdsl.emitters.drawing import dot, theme
from archdsl.emitters.drawing.dot import font
from archdsl.emitters.drawing.outline import Part, label, run_name, tree
from archdsl.emitters.drawing.phrases import JOINS, described, is_main, is_pool, own_name
from archdsl.network import Network, Operation
from archdsl.ops.linear import Linear

BOXES = 150  # at most: dot takes 40 s for 4,000
EDGES = 400  # at most: a dense block of 48 layers takes it two minutes
FILLS = ("#f5f8fa", "#ffffff")


class Box(NamedTuple):
    """Operations `first` to `last` (exclusive), each of which only follows on the one before."""

    first: int
    last: int


@dataclass(frozen=True)
class Plan:
    """What is in each open scope; `twins` names the open one that a folded one equals."""

    root: Part
    pieces: dict[Part, list[Box | Part]]
    twins: dict[Part, Part]

    def shown(self, part: Part) -> Iterable[Box | Part]:
        """All that is drawn as one box in an open scope."""
        for piece in self.pieces[part]:
            if isinstance(piece, Part) and piece in self.pieces:
                yield from self.shown(piece)
            else:
                yield piece


def draw_full(network: Network, title: str) -> str:
    """DOT of all operations."""
    root = tree(network)
    pieces = dict(_pieces(network, root))
    for most in (BOXES, BOXES // 2, BOXES // 4, BOXES // 8):
        plan = _plan(network, root, pieces, most)
        edges = _edges(network, plan)
        if len(edges) <= EDGES:
            break
    lines = [dot.node("input", class_="input", label="input", **theme.BARE)]
    lines += _inside(network, plan, plan.root, 0)
    lines += [
        dot.node(f"output {output.name}", class_="output", label=dot.escape(output.name), **theme.BARE)
        for output in network.outputs
    ]
    return dot.digraph(
        [*lines, *edges],
        graph=theme.GRAPH | {"rankdir": "TB", "nodesep": 0.3, "ranksep": 0.35} | theme.heading(title),
        nodes=theme.NODES,
        edges=theme.EDGES | {"fontsize": 8, "arrowsize": 0.5, "penwidth": 1},
    )


# ---- what is open ------------------------------------------------------------------------------


def _pieces(network: Network, root: Part) -> Iterable[tuple[Part, list[Box | Part]]]:
    """What each scope consists of: scopes, and boxes between them, in order."""
    uses = Counter(value for operation in network.operations for value in operation.inputs)
    uses.update(output.value for output in network.outputs)

    def follows(number: int) -> bool:
        operation = network.operations[number]
        return operation.inputs == (number,) and uses[number] == 1 and not is_main(network, operation)

    stack = [root]
    while stack:
        part = stack.pop()
        stack += part.children
        found: list[Box | Part] = []
        at = part.first
        for child in (*part.children, None):
            end = child.first if child else part.last
            while at < end:
                first, at = at, at + 1
                while at < end and follows(at):
                    at += 1
                found.append(Box(first, at))
            if child:
                found.append(child)
                at = child.last
        yield part, found


def _plan(network: Network, root: Part, pieces: dict[Part, list[Box | Part]], most: int) -> Plan:
    """Opens scopes level by level: all if they fit, else one of each kind for as long as they fit."""
    every = Plan(root, pieces, {})
    if most == BOXES and sum(1 for _ in every.shown(root)) <= most:
        return every
    outer = _grouped(network, root, pieces[root], most)
    plan = Plan(root, {root: outer}, {})
    kinds: dict[object, Part] = {}
    count = len(outer)
    queue = [piece for piece in outer if isinstance(piece, Part)]
    for part in queue:
        inner = pieces.get(part)
        kind = _kind(network, part)
        if kind in kinds:
            plan.twins[part] = kinds[kind]
        elif inner and count + len(inner) - 1 <= most:
            plan.pieces[part] = inner
            kinds[kind] = part
            count += len(inner) - 1
            queue += part.children
    return plan


def _grouped(network: Network, root: Part, pieces: list[Box | Part], most: int) -> list[Box | Part]:
    """What stands outermost, runs of it as one where it is too much."""
    step = -(-len(pieces) // most)
    if step == 1:
        return pieces
    return [_run(network, pieces[at : at + step]) for at in range(0, len(pieces), step)]


def _run(network: Network, pieces: list[Box | Part]) -> Part:
    first, last = pieces[0].first, pieces[-1].last
    return Part(run_name(network, first, last), "", first, last)


def _kind(network: Network, part: Part) -> object:
    """What two scopes share that look the same when open."""
    inside = network.operations[part.first : part.last]
    return part.word, tuple((operation.op, operation.shape) for operation in inside)


# ---- statements --------------------------------------------------------------------------------


def _name(piece: Box | Part) -> str:
    return f"operation {piece.first}"


def _inside(network: Network, plan: Plan, part: Part, depth: int) -> list[str]:
    """The statements of what is in an open scope."""
    lines = []
    for piece in plan.pieces[part]:
        if isinstance(piece, Box):
            lines.append(_box(network, piece))
        elif piece in plan.pieces:
            lines.append(_frame(piece, _inside(network, plan, piece, depth + 1), depth))
        else:
            lines.append(_folded(piece, plan.twins.get(piece)))
    return lines


def _frame(part: Part, inner: list[str], depth: int) -> str:
    words = [font(label(part), size=10, bold=True, color=theme.INK)]
    if part.word:
        words.append(font(f"\N{NO-BREAK SPACE}{part.word}", size=9, color=theme.PALE))
    look = theme.FRAME | {"fillcolor": FILLS[depth % 2], "margin": 8}
    return dot.cluster(f"{part.first} {part.name}", inner, label=dot.rows(words), labeljust="l", **look)


def _folded(part: Part, twin: Part | None) -> str:
    more = f"as {twin.name}" if twin else f"{len(part)} operations"
    head = font(" ".join(filter(None, (label(part), part.word))), bold=True)
    lines = dot.rows([head], [font(more, size=9, color=theme.PALE)])
    return dot.node(_name(part), class_="folded", label=lines, fillcolor=theme.box("plain").fill, penwidth=2)


def _box(network: Network, box: Box) -> str:
    operations = network.operations[box.first : box.last]
    style = theme.box(_role(network, operations[0]))
    return dot.node(
        _name(box),
        class_="operation",
        label=dot.rows(*(_line(network, operation) for operation in operations), align=("left", "left")),
        fillcolor=style.fill,
        color=style.border,
        style="filled,rounded" if box.last - 1 in network.inference else "filled,rounded,dashed",
    )


def _line(network: Network, operation: Operation) -> list[str]:
    """The name of an operation's module, and what it does."""
    name = font(f"{own_name(network, operation)}\N{NO-BREAK SPACE}", size=9, color=theme.GREY)
    return [name, described(operation.op, network.shapes_into(operation)[0])]


def _role(network: Network, operation: Operation) -> str:
    if type(operation.op) in JOINS:
        return "sum"
    if isinstance(operation.op, Linear):
        return "head"
    if is_pool(operation.op):
        return "encoder"
    return "stage" if is_main(network, operation) else "input"


def _edges(network: Network, plan: Plan) -> list[str]:
    """An edge for each time that a box reads another; one for all where a scope is folded."""
    homes = {0: "input"}
    for piece in plan.shown(plan.root):
        homes |= dict.fromkeys(range(piece.first + 1, piece.last + 1), _name(piece))
    passing: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, operation in enumerate(network.operations, 1):
        for value in operation.inputs:
            if homes[value] != homes[number]:
                passing[homes[value], homes[number]].append(value)
    for output in network.outputs:
        passing[homes[output.value], f"output {output.name}"].append(output.value)
    folded = {_name(piece) for piece in plan.shown(plan.root) if isinstance(piece, Part)}
    lines = []
    for (tail, head), values in passing.items():
        shapes = [theme.dimensions(network.shape_of(value)) for value in values]
        if folded & {tail, head}:
            shapes = [", ".join(dict.fromkeys(shapes))]
        lines += [dot.edge(tail, head, class_="flow", label=f" {shape}") for shape in shapes]
    return lines
