"""The recipe drawing of any other network: its parts in a row, the block that repeats below."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from archdsl.emitters.drawing import dot, theme
from archdsl.emitters.drawing.block import find_repeated
from archdsl.emitters.drawing.descent import Flow, towards, turn
from archdsl.emitters.drawing.dot import Markup, font
from archdsl.emitters.drawing.outline import (
    SMALL,
    Part,
    brief,
    is_folded,
    joined,
    label,
    mains,
    outline,
    repeats,
    segments,
    split,
)
from archdsl.emitters.drawing.phrases import contents, phrase, step
from archdsl.emitters.drawing.repetition import draw_block
from archdsl.emitters.drawing.rows import breaks, marks
from archdsl.network import Network, Operation, Output
from archdsl.ops.linear import Linear
from archdsl.ops.trivial import Identity

MOST = 16  # parts in a row
ROW = {"rankdir": "LR", "nodesep": 0.45, "ranksep": 0.42}
U = {"rankdir": "TB", "nodesep": 0.45, "ranksep": 0.42}
LINES = 8  # lines of text in a box
FIGURES = ("kernel", "out", "groups")  # arguments of an operation that are told, beside its stride
HUES = ("#e3f2fd", "#bbdefb", "#90caf9", "#64b5f6", "#42a5f5")


def draw_strip(network: Network, title: str) -> str:
    """DOT of a network without recipe cells."""
    parts = _unfolded(network, outline(network))
    found = find_repeated(network, parts)
    hues = _hues(network, parts)
    lines = [dot.node("input", class_="input", label="input", **theme.BARE)]
    titles = _titles(network, parts)
    lines += [_part(network, parts, number, titles[number], hues[number]) for number in range(len(parts))]
    lines += [
        dot.node(f"output {output.name}", class_="output", label=_output(output), **theme.BARE)
        for output in network.outputs
    ]
    flows = _flows(network, parts)
    bottom = turn(network, parts, flows)
    starts = breaks(flows, len(parts)) if bottom is None else []
    lines += marks(starts)
    lines += _edges(network, parts, flows, bottom, starts)
    if found:
        below = f"from {starts[-1]}" if starts else "input"
        beside = below if bottom is None else f"output {network.outputs[0].name}"
        lines += draw_block(network, found, beside, upright=bottom is not None)
    return dot.digraph(
        lines,
        graph=theme.GRAPH | {"newrank": "true"} | (ROW if bottom is None else U) | theme.heading(title),
        nodes=theme.NODES,
        edges=theme.EDGES,
    )


def _output(output: Output) -> Markup:
    return dot.escape("output" if output.name == "out" else output.name)


def _name(number: int) -> str:
    return f"part {number}"


# ---- boxes -------------------------------------------------------------------------------------


def _part(network: Network, parts: list[Part], number: int, title: str, hue: str) -> str:
    part = parts[number]
    times = f"×{len(part.children)}" if _alike(network, part) else ""
    role = _role(network, parts, number)
    style = theme.box(role)
    heading = [font(title, size=11, bold=True)] if title else []
    if times:
        heading.append(font(f"\N{NO-BREAK SPACE}{times}", size=11, color="#0d47a1", bold=True))
    lines = [[dot.rows(heading)]] if heading else []
    lines += [[font(line, size=9)] for line in _text(network, part)]
    dashes = "" if network.inference & set(range(part.first, part.last)) else ",dashed"
    return dot.node(
        _name(number),
        class_=role,
        label=dot.rows(*lines, padding=1),
        fillcolor=hue if role == "stage" else style.fill,
        color=style.border,
        style=f"filled,rounded{dashes}",
    )


def _unfolded(network: Network, parts: list[Part]) -> list[Part]:
    """Rows of unequal scopes as a box for each kind, as long as there is room."""
    for part in parts:
        if not part.row or not repeats(network, part) or _alike(network, part):
            continue
        pieces = [joined(list(equal)) for equal in _runs(network, split(part))]
        if len(parts) + len(pieces) - 1 <= MOST:
            at = parts.index(part)
            parts = [*parts[:at], *pieces, *parts[at + 1 :]]
    return parts


def _runs(network: Network, scopes: list[Part]) -> Iterator[list[Part]]:
    """Scopes of a row, equal neighbours together."""
    run = scopes[:1]
    for scope in scopes[1:]:
        if not _alike(network, joined([*run, scope])):
            yield run
            run = []
        run = [*run, scope]
    yield run


def _alike(network: Network, part: Part) -> bool:
    """Whether a part is one thing several times over.

    The first may have another stride, and be another in one operation; before several equal ones, in more.
    """
    if not repeats(network, part) or len({child.word for child in part.children}) > 1:
        return False
    first, *rest = (_figures(network, child) for child in part.children)
    pairs = [(first[path], figures) for path, figures in rest[-1].items() if path in first]
    others = sum(one != figures for one, figures in pairs)
    same = rest[-1].keys() <= first.keys() and all(one[0] == figures[0] for one, figures in pairs)
    return same and all(one == rest[-1] for one in rest) and (others <= 1 or len(rest) > 1)


def _figures(network: Network, part: Part) -> dict[str, tuple[Any, ...]]:
    """What a figure tells of a scope's operations, by their paths below it: what each is first."""
    told = {
        operation.path.removeprefix(part.name): operation.op
        for segment in _told(network, part, part)
        for operation in mains(network, segment)
    }
    return {
        path: ((op.name, getattr(op, "kind", None)), *(getattr(op, name, None) for name in FIGURES))
        for path, op in told.items()
    }


def _told(network: Network, segment: Part, part: Part) -> Iterator[Part]:
    """The runs of operations that are told one by one."""
    for inner in segments(segment):
        if inner.loose:
            yield inner
        elif not is_folded(network, inner, part):
            yield from _told(network, inner, part)


def _role(network: Network, parts: list[Part], number: int) -> str:
    part, last = parts[number], number == len(parts) - 1
    told = mains(network, part)
    vector = network.operations[part.last - 1].shape.rank == 0
    if vector and len(parts) > 1 and any(isinstance(operation.op, Linear) for operation in told):
        return "head"
    if part.loose and not part.name and len(parts) > 1 and told:
        return "head" if last else "stage" if number else "stem"
    return "stage"


def _titles(network: Network, parts: list[Part]) -> list[str]:
    """What each part is called: where units of several stages have one name, all units with their stage's."""
    roles = [_role(network, parts, number) for number in range(len(parts))]
    short = [
        label(part) or (role if role in ("stem", "head") else "")
        for part, role in zip(parts, roles, strict=True)
    ]
    several = {title for title, times in Counter(short).items() if title and times > 1}
    stages = {_stage(part) for part, title in zip(parts, short, strict=True) if title in several} - {""}
    return [
        _with_stage(part, title)
        if title in several or (_stage(part) in stages and "." not in title)
        else title
        for part, title in zip(parts, short, strict=True)
    ]


def _stage(part: Part) -> str:
    return part.name.rpartition(".")[0]


def _with_stage(part: Part, title: str) -> str:
    """A part's title with the name of what holds it; with its number where it has no other name."""
    names = part.name.split(".")[-2:]
    told = ".".join(names)
    return f"{title} {told}" if all(name[:1].isdigit() for name in names) else told


def _hues(network: Network, parts: list[Part]) -> dict[int, str]:
    """A fill for each part: one hue, darker where the resolution is lower."""
    strides = [network.operations[part.last - 1].stride for part in parts]
    ordered = sorted({stride for stride in strides if stride is not None})
    share = min(1.0, (len(HUES) - 1) / max(1, len(ordered) - 1))
    return {
        number: HUES[-1 if stride is None else int(ordered.index(stride) * share)]
        for number, stride in enumerate(strides)
    }


def _text(network: Network, part: Part) -> list[str]:
    """What a part holds, in short lines."""
    if _alike(network, part):
        before = Part("", "", part.first, part.children[0].first, loose=True)
        lines = _lines(network, before, part, {}) + _inside(network, part.children[-1], part.children[0])
    elif part.row and repeats(network, part) and len(mains(network, part)) > SMALL:
        lines = [line for child in part.children for line in _brief(network, child)]
    else:
        inside = network.operations[part.first : part.last]
        lines = _inside(network, part, part) or [operation.op.name.replace("_", " ") for operation in inside]
    counted = [(line, len(list(same))) for line, same in groupby(lines)]
    told = [line if times == 1 else f"{line}  ×{times}" for line, times in counted]
    return told if len(told) <= LINES else [*told[: LINES - 1], f"and {len(told) - LINES + 1} more"]


def _inside(network: Network, part: Part, first: Part) -> list[str]:
    """The lines of a part; a star where the first of its kind has another stride."""
    firsts: dict[str, Operation] = {}
    if first is not part:
        for operation in network.operations[first.first : first.last]:
            firsts[operation.path.removeprefix(first.name)] = operation
    return _lines(network, part, part, firsts)


def _lines(network: Network, segment: Part, part: Part, firsts: dict[str, Operation]) -> list[str]:
    if segment.loose:
        return [
            _line(network, operation, firsts.get(operation.path.removeprefix(part.name)))
            for operation in mains(network, segment)
        ]
    return [
        line
        for inner in segments(segment)
        for line in (
            _brief(network, inner)
            if is_folded(network, inner, part)
            else _lines(network, inner, part, firsts)
        )
    ]


def _brief(network: Network, part: Part) -> list[str]:
    """A scope in a word; one that has none, in its own lines."""
    nameless = part.name.rsplit(".", 1)[-1][:1].isdigit() and not part.word
    return _inside(network, part, part) if nameless else [brief(part)]


def _line(network: Network, operation: Operation, first: Operation | None) -> str:
    """An operation; a star marks the stride of the first of its kind, and a width that the first lacks."""
    into = network.shapes_into(operation)[0]
    starred: dict[str, str] = {}
    if first and type(first.op) is type(operation.op):
        stride, out = (_differing(operation, first, argument) for argument in ("stride", "out"))
        starred = {"stride": f"{step(stride[1], into.rank)}*"} if stride else {}
        starred |= {"out": f"{out[0]}*"} if out else {}
    return phrase(operation.op, into, starred)


def _differing(operation: Operation, first: Operation, argument: str) -> tuple[Any, Any] | None:
    own, other = (getattr(made.op, argument, None) for made in (operation, first))
    return None if own == other else (own, other)


# ---- edges -------------------------------------------------------------------------------------


def _flows(network: Network, parts: list[Part]) -> dict[Flow, set[int]]:
    """The values that pass from one part to another; outputs are numbered behind the parts."""
    home = {number + 1: index for index, part in enumerate(parts) for number in range(part.first, part.last)}
    home[0] = -1
    flows: dict[Flow, set[int]] = defaultdict(set)
    for number, operation in enumerate(network.operations):
        for value in contents(operation):
            made = _maker(network, value)
            if home[made] != home[number + 1] and not isinstance(operation.op, Identity):
                flows[home[made], home[number + 1]].add(made)
    for number, output in enumerate(network.outputs, len(parts)):
        made = _maker(network, output.value)
        flows[home[made], number].add(made)
    return flows


def _maker(network: Network, value: int) -> int:
    """A value as it was made: one that only has another name (`id as start`) is that of the part before."""
    while value and isinstance(network.operations[value - 1].op, Identity):
        value = network.operations[value - 1].inputs[0]
    return value


def _edges(
    network: Network, parts: list[Part], flows: dict[Flow, set[int]], bottom: int | None, starts: list[int]
) -> list[str]:
    """An edge for each pair of parts, with the shapes of all values that pass."""
    names = [
        *map(_name, range(len(parts))),
        *(f"output {output.name}" for output in network.outputs),
        "input",
    ]
    leaving: dict[Flow, set[int]] = defaultdict(set)
    lines = []
    for (tail, head), values in flows.items():
        shapes = _shapes(network, values, bent=bottom is not None)
        start = next((start for start in starts if tail < start <= head < len(parts)), None)
        if start is not None:
            leaving[tail, start] |= values
            lines.append(_edge(f"from {start}", names[head], shapes))
        elif bottom is None:
            lines.append(_edge(names[tail], names[head], shapes))
        else:
            lead = towards(network, parts, (tail, head), bottom)
            ends = (names[head], names[tail]) if "dir" in lead else (names[tail], names[head])
            lines.append(_edge(ends[0], ends[1], shapes, **lead))
    lines += [
        _edge(names[tail], f"to {start}", _shapes(network, values))
        for (tail, start), values in leaving.items()
    ]
    return lines


def _edge(tail: str, head: str, label: Markup, **values: object) -> str:
    return dot.edge(tail, head, class_="flow", label=label, weight=50, **values)


def _shapes(network: Network, values: set[int], bent: bool = False) -> Markup:
    shapes = dict.fromkeys(theme.dimensions(network.shape_of(value)) for value in sorted(values))
    # The line of a bent edge may go through the place of its label; that of a straight one goes beside it.
    text = dot.rows(*([shape] for shape in shapes), fill="white" if bent else "")
    return dot.rows(["\N{NO-BREAK SPACE}", text])
