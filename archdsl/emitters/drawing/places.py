"""Where the cells of a recipe stand: rows are resolutions, columns nesting depth."""

from __future__ import annotations

from typing import NamedTuple

from archdsl.network import Cell, Network

LEVEL_ROLES = ("encoder", "neck")
GRID_ROLES = (*LEVEL_ROLES, "nested", "decoder")


class Place(NamedTuple):
    """Row and column of a cell; rows above the finest level and what stands left of it are negative."""

    row: int
    column: int


Places = dict[str, Place]


def place(network: Network) -> Places:
    """The places of all cells, no two the same.

    Levels and nodes keep those of the recipe; without inner nodes the decoder is one column, so
    that a U-Net looks like a U. What hangs on a node (steps to full resolution, heads) follows it
    to the right when nothing else does, the network's output first; else upwards, above the grid.
    """
    inner = [cell for cell in network.cells if cell.role in GRID_ROLES]
    last = last_of_levels(network) + 1 if is_compact(network) else max(c.column for c in network.cells)
    places = {cell.name: Place(cell.row, min(cell.column, last)) for cell in inner}
    top = min((spot.row for spot in places.values()), default=0)
    feeds = {
        edge.target: edge.source
        for edge in reversed(network.edges)
        if edge.kind not in ("skip", "long", "indices")
    }
    for cell in _hanging(network, feeds):
        before = places.get(feeds.get(cell.name, ""))
        places[cell.name] = _free(places, cell, before, top)
    return places


def is_compact(network: Network) -> bool:
    """Whether the decoder is drawn as one column: it has one node a row, which reads its own and the next."""
    nodes = {cell.name: cell for cell in network.cells if cell.role in GRID_ROLES}
    rows = [cell.row for cell in nodes.values() if cell.role not in LEVEL_ROLES]
    return len(rows) == len(set(rows)) and not any(
        nodes[edge.source].row != nodes[edge.target].row
        for edge in network.edges
        if edge.kind in ("skip", "long") and {edge.source, edge.target} <= nodes.keys()
    )


def last_of_levels(network: Network) -> int:
    """The column of the levels that the decoder reads."""
    return max((cell.column for cell in network.cells if cell.role in LEVEL_ROLES), default=0)


def _hanging(network: Network, feeds: dict[str, str]) -> list[Cell]:
    """The cells that hang on the grid, each after the one that feeds it, those of the output first."""
    main: set[str] = set()
    name = next((cell.name for cell in network.cells if cell.value == network.outputs[0].value), "")
    while name and name not in main:
        main.add(name)
        name = feeds.get(name, "")
    hanging = [cell for cell in network.cells if cell.role not in GRID_ROLES]
    return sorted(hanging, key=lambda cell: (cell.role != "input", cell.name not in main, cell.value))


def _free(places: Places, cell: Cell, before: Place | None, top: int) -> Place:
    """A free place for a cell, beside the one that feeds it."""
    if before is None:
        return Place(top, min((spot.column for spot in places.values()), default=0) - 1)
    if cell.role == "context":
        return Place(before.row + 1, before.column)
    last = max(spot.column for spot in places.values() if spot.row == before.row)
    above = Place(before.row - 1, before.column)
    hemmed = before.row < top or (before.row == top and before.column < last)
    if hemmed and above not in places.values():
        return above
    return Place(before.row, last + 1)
