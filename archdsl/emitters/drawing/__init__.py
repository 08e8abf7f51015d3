"""Drawings of networks: DOT text, and SVG, PNG or PDF where there is a Graphviz."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from archdsl.emitters.drawing.backends import render
from archdsl.emitters.drawing.ends import is_whole, with_ends
from archdsl.emitters.drawing.full import draw_full
from archdsl.emitters.drawing.grid import draw_grid
from archdsl.emitters.drawing.reads import with_reads
from archdsl.emitters.drawing.strip import draw_strip
from archdsl.errors.commands import WrongEnding
from archdsl.errors.drawing import NotDrawn
from archdsl.files import write_atomically
from archdsl.network import Network

ENDINGS = (".svg", ".png", ".pdf", ".dot")
LEVELS = ("recipe", "full")


class Drawn(NamedTuple):
    """The file that was written; `advice` says why it is another one than was asked for."""

    path: Path
    advice: NotDrawn | None = None


def draw(network: Network, *, title: str = "", level: str = "recipe") -> str:
    """A network as DOT text, the same for the same network.

    At the level `recipe` an encoder with its decoder is the grid that people know, any other
    network a row of its parts with the block that repeats; at `full` it is every operation.
    """
    if level not in LEVELS:
        raise ValueError(f"level is one of {', '.join(LEVELS)}, not {level!r}")
    if level == "full":
        return draw_full(network, title)
    recipe = with_reads(with_ends(network))
    if _is_grid(recipe):
        return draw_grid(recipe, title)
    return draw_strip(network, title)


def _is_grid(network: Network) -> bool:
    """Whether the recipe makes a picture: several levels, something leads to every cell, and it is whole.

    A head on the deepest level alone leaves the other levels out of the network; a decoder that is a
    definition is no cell.
    """
    names = {cell.name for cell in network.cells}
    fed = {edge.target for edge in network.edges if edge.source in names} | {"input"}
    levels = sum(cell.role == "encoder" for cell in network.cells)
    return levels > 1 and names <= fed and is_whole(network)


def svg(network: Network, *, title: str = "", level: str = "recipe") -> str | None:
    """A drawing as SVG text; None where nothing can draw."""
    image = render(draw(network, title=title, level=level), "svg")
    return None if isinstance(image, str) else image.decode()


def write(network: Network, path: Path, *, title: str = "", level: str = "recipe") -> Drawn:
    """Draws a network into a file, whole or not at all; its ending (`ENDINGS`) says the format.

    Where nothing can draw, the DOT text is written beside it, with the ending `.dot`.

    Raises:
        WrongEnding: no format has this ending.
        Unwritable: the operating system refused.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise WrongEnding(str(path), ENDINGS)
    text = draw(network, title=title, level=level)
    if ending == ".dot":
        write_atomically(path, text.encode())
        return Drawn(path)
    image = render(text, ending[1:])
    if isinstance(image, str):
        instead = path.with_suffix(".dot")
        write_atomically(instead, text.encode())
        return Drawn(instead, NotDrawn(str(path), str(instead), image))
    write_atomically(path, image)
    return Drawn(path)
