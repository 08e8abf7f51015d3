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
    "neck": Style("#e1bee7", "#6a1b9a"),
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


# What a character takes of its size of type, in DejaVu Sans: the widest font that stands in for Helvetica.
_WIDTHS = (
    dict.fromkeys("ijl", 0.28)
    | dict.fromkeys(",.|/ ²³Itf", 0.42)
    | dict.fromkeys("×w", 0.84)
    | dict.fromkeys("mMW@%", 1.0)
)


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """Points that a text may need."""
    return sum(_WIDTHS.get(char, 0.66) for char in text) * size * (1.12 if bold else 1)


def heading(title: str) -> dict[str, object]:
    """Attributes that put a title above a drawing."""
    if not title:
        return {}
    return {"label": font(title, bold=True, color=INK), "labelloc": "t", "labeljust": "l", "fontsize": 14}
