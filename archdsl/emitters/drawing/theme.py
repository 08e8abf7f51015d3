"""How drawings look: one font, a hue for each role, shapes written short."""

from __future__ import annotations

from dataclasses import dataclass

from archdsl.emitters.drawing.dot import font
from archdsl.tensors import Shape

FONT = "Helvetica,Arial,sans-serif"

INK = "#37474f"
GREY = "#546e7a"  # shapes and other second lines
PALE = "#607d8b"  # words on edges
LINE = "#455a64"


@dataclass(frozen=True)
class Style:
    """Light fill and dark border of one hue."""

    fill: str
    border: str


BOXES = {
    "input": Style("#ffffff", "#90a4ae"),
    "encoder": Style("#cfd8dc", "#455a64"),
    "context": Style("#d1c4e9", "#4527a0"),
    "nested": Style("#dcedc8", "#558b2f"),
    "decoder": Style("#ffe0b2", "#e65100"),
    "top": Style("#ffe0b2", "#e65100"),
    "head": Style("#f8bbd0", "#ad1457"),
    "aux": Style("#fce4ec", "#ad1457"),
    "sum": Style("#fff9c4", "#f9a825"),
    "stage": Style("#e3f2fd", "#1565c0"),
    "plain": Style("#eceff1", "#455a64"),
}

FRAME: dict[str, object] = {
    "style": "rounded,filled",
    "color": "#b0bec5",
    "fillcolor": "#f5f8fa",
    "fontcolor": INK,
    "margin": 13,
    "fontname": FONT,
}

# A word without a box.
BARE: dict[str, object] = {"shape": "plaintext", "style": ""}

GRAPH: dict[str, object] = {
    "splines": "true",
    "fontname": FONT,
    "fontsize": 12,
    "bgcolor": "white",
    "pad": 0.15,
    "outputorder": "edgesfirst",
}

NODES: dict[str, object] = {
    "shape": "box",
    "style": "filled,rounded",
    "fontname": FONT,
    "fontsize": 10,
    "height": 0.3,
    "margin": "0.09,0.05",
    "fillcolor": "white",
    "color": LINE,
}

EDGES: dict[str, object] = {
    "fontname": FONT,
    "fontsize": 9,
    "fontcolor": PALE,
    "color": LINE,
    "arrowsize": 0.6,
    "penwidth": 1.3,
}


def box(role: str) -> Style:
    return BOXES.get(role, BOXES["plain"])


def dimensions(shape: Shape) -> str:
    """`32×112²`: channels, then the side of a square or cube, or each size; `1000` for a vector."""
    if shape.rank > 1 and len(set(shape.spatial)) == 1:
        power = {2: "²", 3: "³"}[shape.rank]
        return f"{shape.channels}×{shape.spatial[0]}{power}"
    return "×".join(map(str, shape))


def width_of(text: str, size: float) -> float:
    """Points that a text may need, for the widest font that stands in for Helvetica (DejaVu Sans)."""
    ems = {"²": 0.41, "³": 0.41, "×": 0.84, ",": 0.32, ".": 0.32, " ": 0.32, "i": 0.28, "l": 0.28, "/": 0.34}
    return sum(ems.get(char, 0.85 if char in "mwMW@" else 0.66) for char in text) * size


def heading(title: str) -> dict[str, object]:
    """Attributes that put a title above a drawing."""
    if not title:
        return {}
    return {"label": font(title, bold=True, color=INK), "labelloc": "t", "labeljust": "l", "fontsize": 14}
