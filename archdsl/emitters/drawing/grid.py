"""The recipe drawing of an encoder and its decoder, laid out here: a grid of cells, arcs over its rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

from archdsl.emitters.drawing import cells, dot, theme
from archdsl.emitters.drawing.cells import NAME, SMALL, Line
from archdsl.emitters.drawing.dot import Markup, font
from archdsl.emitters.drawing.places import Places, is_compact, last_of_levels, place
from archdsl.emitters.drawing.routes import Box, Path, Point, arc, route, samples
from archdsl.network import Cell, Edge, Network

# Points between boxes: of a row, of encoder and decoder of a U, of a column; and around the encoder.
GAP, U_GAP, ROW_GAP, MARGIN = 38.0, 72.0, 48.0, 14.0
WIDTH, HEIGHT = 72.0, 39.0  # of a box: wider where a text needs it,
WIDEST = 110.0  # but not for the sake of one long name
LABEL = 12.0  # size of the encoder's name
LABEL_GAP = 6.0  # between the frame and a name beside it

Boxes = dict[str, Box]


def draw_grid(network: Network, title: str) -> str:
    """DOT of a network with recipe cells; all places and paths are fixed (engine `nop2`)."""
    places = place(network)
    network = replace(network, edges=tuple(e for e in network.edges if {e.source, e.target} <= places.keys()))
    boxes = _boxes(network, places)
    paths = {edge: _path(edge, places, boxes) for edge in network.edges}
    by_name = {cell.name: cell for cell in network.cells}
    lines = [_encoder(network, boxes)]
    lines += [_node(network, cell, boxes) for cell in network.cells if cell.role != "encoder"]
    lines += [dot.same_rank(row) for row in _rows(places)]
    lines += [_edge(edge, path, cells.line(edge, by_name[edge.target])) for edge, path in paths.items()]
    lines += _legend(network, boxes, paths.values())
    return dot.digraph(
        lines,
        graph={"layout": "nop2"} | theme.GRAPH | theme.heading(title),
        nodes=theme.NODES | {"fontsize": NAME, "fixedsize": "true", "penwidth": 1.2},
        edges={},
    )


# ---- geometry ----------------------------------------------------------------------------------


def _rows(places: Places) -> list[list[str]]:
    """Names of the cells of each row, finest first, from left to right."""
    ordered = sorted(places, key=lambda name: places[name])
    return [
        [name for name in ordered if places[name].row == row]
        for row in sorted({spot.row for spot in places.values()})
    ]


def _boxes(network: Network, places: Places) -> Boxes:
    """The boxes of all cells, equal ones, in straight columns; arcs find room above their rows."""
    shapes = (theme.dimensions(network.shape_of(cell.value)) for cell in network.cells)
    names = max(cells.name_width(network, cell) for cell in network.cells) + 10
    width = max(WIDTH, min(names, WIDEST), *(theme.width_of(shape, SMALL) + 10 for shape in shapes))
    xs = _columns(network, places, width)
    ys: dict[int, float] = {}
    y = 0.0
    for row in _rows(places):
        number = places[row[0]].row
        y -= max(ROW_GAP, _highest(number, network.edges, places) + 18) + HEIGHT
        ys[number] = y
    return {name: Box(Point(xs[spot.column], ys[spot.row]), width, HEIGHT) for name, spot in places.items()}


def _columns(network: Network, places: Places, width: float) -> dict[int, float]:
    """The middle of each column; the encoder's frame has room at both sides."""
    beside_frame = _frame_margin(network, width) + GAP / 2 + 4
    columns = sorted({spot.column for spot in places.values()})
    xs = {columns[0]: 0.0}
    for left, right in pairwise(columns):
        gap = max(GAP, beside_frame) if 0 in (left, right) else GAP
        if right == 0 and _beside(network):
            gap = max(gap, _label_width(network) + LABEL_GAP + MARGIN - width)
        if left == last_of_levels(network) and is_compact(network):
            gap = max(gap, U_GAP)
        xs[right] = xs[left] + (width + gap) * (right - left)
    return xs


def _is_arc(edge: Edge, places: Places) -> bool:
    """Whether an edge passes over another cell of its row."""
    tail, head = places[edge.source], places[edge.target]
    between = range(min(tail.column, head.column) + 1, max(tail.column, head.column))
    inside = (spot.row == tail.row and spot.column in between for spot in places.values())
    return tail.row == head.row and any(inside)


def _reach(edge: Edge, places: Places) -> int:
    return abs(places[edge.target].column - places[edge.source].column)


def _rise(edge: Edge, places: Places) -> float:
    """How high an arc goes: higher the further it reaches."""
    return 16.0 + 8.0 * (_reach(edge, places) - 1)


def _highest(row: int, edges: Iterable[Edge], places: Places) -> float:
    """How high the highest arc of a row goes."""
    arcs = (edge for edge in edges if places[edge.source].row == row and _is_arc(edge, places))
    return max((_rise(edge, places) for edge in arcs), default=0.0)


def _path(edge: Edge, places: Places, boxes: Boxes) -> Path:
    tail, head = boxes[edge.source], boxes[edge.target]
    if not _is_arc(edge, places):
        return route(tail, head, [boxes[name] for name in boxes if name not in (edge.source, edge.target)])
    # Long arcs start and end outside of short ones, so that those of one cell don't cross.
    shift = max(0.04, 0.3 - 0.065 * (_reach(edge, places) - 1))
    return arc(tail, head, shift, -shift, _rise(edge, places))


# ---- cells -------------------------------------------------------------------------------------


def _node(network: Network, cell: Cell, boxes: Boxes) -> str:
    style, box = theme.box(cell.role), boxes[cell.name]
    shape = theme.dimensions(network.shape_of(cell.value))
    corners = "filled" if cell.role == "input" else "filled,rounded"
    return dot.node(
        cell.name,
        class_=f"{cell.role} row{cell.row} column{cell.column}",
        label=dot.rows(
            [cells.name_markup(network, cell, box.width - 8)], [font(shape, size=SMALL, color=theme.GREY)]
        ),
        pos=_at(box.center),
        width=round(box.width / 72, 3),
        height=round(box.height / 72, 3),
        fillcolor=style.fill,
        color=style.border,
        style=f"{corners},dashed" if cells.only_trains(network, cell) else corners,
    )


def _at(point: Point) -> str:
    return f"{point.x:.1f},{point.y:.1f}"


def _label_lines(network: Network) -> list[str]:
    """What the encoder is called, and its definition, on one line with that or, a long one, on its own."""
    name = _encoder_path(network)
    word = cells.word(network, name)
    whole = len(name + word) <= 19 and not _beside(network)
    return [f"{name}  {word}".rstrip()] if whole else [name, word]


def _encoder_path(network: Network) -> str:
    return next(cell.path for cell in network.cells if cell.role == "encoder")


def _beside(network: Network) -> bool:
    """Whether the encoder's name stands beside its frame: where it would be inside, an edge leaves."""
    return any(cell.role == "context" for cell in network.cells)


def _label_width(network: Network) -> float:
    return max(theme.width_of(line, LABEL) for line in _label_lines(network))


def _frame_margin(network: Network, width: float) -> float:
    """Between the encoder's boxes and the sides of its frame, which hold its name."""
    return MARGIN if _beside(network) else max(MARGIN, (_label_width(network) - width) / 2 + 6)


def _encoder(network: Network, boxes: Boxes) -> str:
    """The levels of the encoder in a frame with its name."""
    levels = [cell for cell in network.cells if cell.role == "encoder"]
    inner = [boxes[cell.name] for cell in levels]
    margin = _frame_margin(network, inner[0].width)
    left, right = inner[0].left - margin, inner[0].right + margin
    top, bottom = max(box.top for box in inner) + MARGIN, min(box.bottom for box in inner) - MARGIN
    lines = _label_lines(network)
    height = 15.0 * len(lines)
    if _beside(network):
        spot = Point(left - _label_width(network) / 2 - LABEL_GAP, bottom + height / 2)
    else:
        bottom -= height
        spot = Point((left + right) / 2, bottom + height / 2 + 4)
    path = _encoder_path(network)
    first = Markup(font(path, bold=True) + dot.escape(lines[0].removeprefix(path)))
    return dot.cluster(
        "encoder",
        [_node(network, cell, boxes) for cell in levels],
        **theme.FRAME,
        bb=f"{left:.1f},{bottom:.1f},{right:.1f},{top:.1f}",
        lp=_at(spot),
        label=dot.rows([first], *([line] for line in lines[1:])),
        fontsize=LABEL,
    )


# ---- edges and legend --------------------------------------------------------------------------


def _edge(edge: Edge, path: Path, line: Line) -> str:
    return dot.edge(
        edge.source,
        edge.target,
        class_=edge.kind,
        pos=_spline(path, line.head * 10),
        color=line.color,
        style=line.style,
        penwidth=line.width,
        arrowsize=line.head,
    )


def _spline(path: Path, head: float) -> str:
    """A path as Graphviz writes it: the arrow's tip, then Béziers that end where the arrow begins."""
    *curve, before, tip = path
    length = ((tip.x - before.x) ** 2 + (tip.y - before.y) ** 2) ** 0.5
    base = tip.towards(before, min(0.9, head / length))
    return " ".join([f"e,{_at(tip)}", *map(_at, (*curve, before, base))])


def _legend(network: Network, boxes: Boxes, paths: Iterable[Path]) -> list[str]:
    """What the lines mean, right of the bottom row, where nothing else is."""
    entries = cells.legend(network)
    if not entries:
        return []
    width = 30 + max(theme.width_of(words, 9.5) for _, words in entries)
    height = 17.0 * len(entries)
    lowest = min(boxes.values(), key=lambda box: box.bottom)
    area = Box(Point(lowest.right + GAP + width / 2, lowest.top - height / 2), width, height, radius=0)
    points = [point for path in paths for point in samples(path)]
    while any(area.meets(box, 12) for box in boxes.values()) or any(area.holds(point, 8) for point in points):
        area = area._replace(center=Point(area.center.x + GAP / 2, area.center.y))
    lines = ([font(line.arrow or " ", color=line.color), font(words, size=9.5)] for line, words in entries)
    label = dot.rows(*lines, align=("right", "left"), padding=2)
    return [
        dot.node(
            "legend", class_="legend", label=label, **theme.BARE, fixedsize="false", pos=_at(area.center)
        )
    ]
