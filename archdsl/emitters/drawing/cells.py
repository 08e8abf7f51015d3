"""What the cells and edges of a recipe say: names in boxes, colours of edges, the words of the legend."""

from __future__ import annotations

import re
from dataclasses import dataclass

from archdsl.emitters.drawing import theme
from archdsl.emitters.drawing.dot import Markup, font
from archdsl.emitters.drawing.phrases import is_main, window
from archdsl.network import Cell, Edge, Network

NAME, SMALL = 13.0, 9.0  # sizes of type


@dataclass(frozen=True)
class Line:
    """How edges of one kind look, and what the legend calls them (nothing: they explain themselves)."""

    color: str
    words: str = ""
    arrow: str = "⟶"
    style: str = "solid"
    width: float = 1.3
    head: float = 0.6


LINES = {
    "down": Line("#455a64", "stride-2 stage"),
    "up": Line("#2e7d32", "up ×2"),
    "skip": Line("#1565c0", "skip"),
    "long": Line("#64a4e0", "dense skip", "⇢", "dashed", 1.0, 0.5),
    "indices": Line("#00838f", "pooling indices", "⇢", "dashed", 1.0, 0.5),
    "lateral": Line("#6a1b9a", "neck"),
    "exchange": Line("#8e24aa", "neck, between levels"),
    "flow": Line("#455a64"),
}
OUTWARDS = Line("#ad1457")  # to a head


def line(edge: Edge, head: Cell) -> Line:
    plain = LINES.get(edge.kind, LINES["flow"])
    return OUTWARDS if plain is LINES["flow"] and head.role in ("head", "aux") else plain


def only_trains(network: Network, cell: Cell) -> bool:
    """Whether a cell exists in training only."""
    return cell.value > 0 and cell.value - 1 not in network.inference


# ---- names -------------------------------------------------------------------------------------


def name(network: Network, cell: Cell) -> tuple[str, str]:
    """What stands in the box: a bold word, and what follows it in plain type."""
    if level := re.fullmatch(r"x(\d+)_(\d+)", cell.name):
        return "X", f"{level[1]},{level[2]}"
    if cell.role == "neck":
        return "P", cell.name[1:].partition("_")[0]
    if cell.role == "input":
        return "", cell.name
    if cell.role == "top":
        return "up", f"×{_growth(network, cell)}"
    if cell.role == "head" and cell.name == "head":
        return cell.path, _kernel(network, cell)
    return (word(network, cell.path) if cell.role == "context" else "") or cell.name, ""


def name_markup(network: Network, cell: Cell, room: float) -> Markup:
    """The name in the size of type at which it fits into `room` points."""
    bold, plain = name(network, cell)
    if bold in ("X", "P"):
        return Markup(f"{font(bold, bold=True)}<sup>{font(plain, size=10)}</sup>")
    size = NAME * min(1.0, room / name_width(network, cell))
    parts = [font(text, size=round(size, 1), bold=text is bold) for text in (bold, plain) if text]
    return Markup(" ".join(parts))


def name_width(network: Network, cell: Cell) -> float:
    """Points that the name of a cell may need."""
    bold, plain = name(network, cell)
    return theme.width_of(bold, NAME, bold=True) + theme.width_of(f" {plain}".rstrip(), NAME)


def word(network: Network, path: str) -> str:
    """The name of the definition that made the scope of a path."""
    return next((scope.word for scope in network.scopes if scope.path == path), "")


def _growth(network: Network, cell: Cell) -> int:
    """How many times larger a map leaves the cell than it came."""
    before = next((edge.source for edge in network.edges if edge.target == cell.name), cell.name)
    return _ratio(network, next(other for other in network.cells if other.name == before), cell)


def _kernel(network: Network, cell: Cell) -> str:
    """The window of a head that is one convolution."""
    inside = [op for op in network.operations if f"{op.path}.".startswith(f"{cell.path}.")]
    windows = [window(op.op, op.shape.rank) for op in inside if is_main(network, op)]
    return windows[0] if len(windows) == 1 else ""


def _ratio(network: Network, small: Cell, large: Cell) -> int:
    """How many times the side of the smaller map fits into that of the larger one."""
    return round(network.shape_of(large.value)[-1] / network.shape_of(small.value)[-1])


# ---- legend ------------------------------------------------------------------------------------


def legend(network: Network) -> list[tuple[Line, str]]:
    """The kinds of lines that occur, each with what it means here."""
    found = []
    for kind, look in LINES.items():
        edges = [edge for edge in network.edges if edge.kind == kind]
        if edges and look.words:
            found.append((look, _meaning(network, edges, look)))
    if any(only_trains(network, cell) for cell in network.cells):
        found.append((Line(theme.INK, arrow=""), "dashed box: in training only"))
    return found


def _meaning(network: Network, edges: list[Edge], look: Line) -> str:
    cells = {cell.name: cell for cell in network.cells}
    labels = ", ".join(dict.fromkeys(edge.label for edge in edges if edge.label))
    if look is LINES["down"]:
        halves = all(_ratio(network, cells[edge.target], cells[edge.source]) == 2 for edge in edges)
        return look.words if halves else "stage of the encoder"
    if look is LINES["up"]:
        return labels or look.words
    what = look.words
    if look is LINES["long"] and not any(cell.role == "nested" for cell in network.cells):
        across = any(cells[e.source].row != cells[e.target].row for e in edges if e.source != "input")
        what = "full-scale skip" if across else "long skip"
    return f"{what} ({labels})" if labels else what
