"""Where a long row of parts is broken into two or more, one below the other."""

from __future__ import annotations

from collections.abc import Collection

from archdsl.emitters.drawing import dot, theme
from archdsl.emitters.drawing.descent import Flow

LONGEST = 8  # parts in a row that is legible on a page


def breaks(flows: Collection[Flow], count: int) -> list[int]:
    """The parts that begin a new row: near an even division, where one part alone feeds all that follows.

    Where nothing of that kind is near, a row stays as long as it is.
    """
    rows = -(-count // LONGEST)
    found: list[int] = []
    for row in range(1, rows):
        even = count * row / rows
        last = max(found, default=0)
        near = [
            at
            for at in range(last + 2, count - 1)
            if abs(at - even) <= LONGEST / 3 and _feeds(flows, at, count) in range(last, count)
        ]
        if near:
            found.append(min(near, key=lambda at: (abs(at - even), at)))
    return found


def _feeds(flows: Collection[Flow], at: int, count: int) -> int | None:
    """The part that alone feeds those from a number on; None where several do."""
    tails = {tail for tail, head in flows if tail < at <= head < count}
    return tails.pop() if len(tails) == 1 else None


def marks(starts: list[int]) -> list[str]:
    """The circles that say where a row goes on: at its end, and below the image where the next begins."""
    lines = []
    above = "input"
    for letter, start in zip("ABCDEFGH", starts, strict=False):
        lines += [_circle(f"to {start}", letter), _circle(f"from {start}", letter)]
        lines.append(dot.same_rank([above, f"from {start}"]))
        lines.append(dot.edge(above, f"from {start}", style="invis", weight=0))
        above = f"from {start}"
    return lines


def _circle(name: str, letter: str) -> str:
    look = {"shape": "circle", "fixedsize": "true", "width": 0.22, "fontsize": 9, "style": "filled"}
    return dot.node(name, class_="mark", label=letter, color=theme.LINE, **look)
