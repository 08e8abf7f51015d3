"""Graphviz's DOT as text: statements with quoted attributes, and the markup of labels.

All foreign text (names, titles) passes through `quote` or `escape` here: a label from outside is
never markup, and no attribute that names a file is ever written.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from itertools import chain, repeat


class Markup(str):
    """A label in Graphviz's HTML-like markup, made here from escaped pieces."""


# Characters that XML forbids, and halves of surrogate pairs (undecodable bytes of a file name).
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

# What Graphviz would replace, even in markup, by the name of the graph, node or edge.
_VARIABLE = re.compile(r"\\(?=[GNETHL])")


def escape(text: str) -> Markup:
    """Text as markup that shows exactly this text."""
    plain = _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
    return Markup(html.escape(_VARIABLE.sub("\\\\\N{WORD JOINER}", plain)))


def font(text: str, *, size: float | None = None, color: str = "", bold: bool = False) -> Markup:
    """Text (or markup) in a size and colour."""
    inner = text if isinstance(text, Markup) else escape(text)
    if bold:
        inner = Markup(f"<b>{inner}</b>")
    attributes = (f' point-size="{size:g}"' if size else "") + (f' color="{color}"' if color else "")
    return Markup(f"<font{attributes}>{inner}</font>") if attributes else inner


def rows(*lines: Iterable[str], align: tuple[str, ...] = (), padding: int = 0, fill: str = "") -> Markup:
    """A table, one cell for each piece of text (or markup) of each line; `align` is one word a column.

    With `fill`, a colour, it hides what is drawn below it.

    One run of style a cell: renderers without font metrics put two runs of one line on top of each
    other.
    """
    body = "".join(f"<tr>{_cells(line, align)}</tr>" for line in lines)
    ground = f' bgcolor="{fill}"' if fill else ""
    return Markup(
        f'<table border="0" cellborder="0" cellspacing="0" cellpadding="{padding}"{ground}>{body}</table>'
    )


def _cells(line: Iterable[str], align: tuple[str, ...]) -> str:
    sides = chain(align, repeat("center"))
    return "".join(
        f'<td align="{side}">{cell if isinstance(cell, Markup) else escape(cell)}</td>'
        for cell, side in zip(line, sides, strict=False)
    )


def quote(value: object) -> str:
    """A value as DOT writes it: markup in angle brackets, all else as a quoted string."""
    if isinstance(value, Markup):
        return f"<{value}>"
    text = _UNPRINTABLE.sub(
        "\N{REPLACEMENT CHARACTER}", f"{value:g}" if isinstance(value, float) else str(value)
    )
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def attributes(values: dict[str, object]) -> str:
    """`[name="value", ...]`; a trailing underscore keeps a name (`class_`) from being a keyword."""
    return "[" + " ".join(f"{name.rstrip('_')}={quote(value)}" for name, value in values.items()) + "]"


def node(name: str, **values: object) -> str:
    return f"{quote(name)} {attributes(values)};"


def edge(tail: str, head: str, **values: object) -> str:
    return f"{quote(tail)} -> {quote(head)} {attributes(values)};"


def same_rank(names: Iterable[str]) -> str:
    return f"{{ rank=same; {'; '.join(map(quote, names))}; }}"


def cluster(name: str, lines: Iterable[str], **values: object) -> str:
    """A part with a frame around it."""
    return _braces(f"subgraph {quote(f'cluster_{name}')}", [f"graph {attributes(values)};", *lines])


def digraph(
    lines: Iterable[str],
    *,
    graph: dict[str, object],
    nodes: dict[str, object],
    edges: dict[str, object],
) -> str:
    """A whole file, with the defaults of its graph, nodes and edges."""
    defaults = [f"graph {attributes(graph)};", f"node {attributes(nodes)};", f"edge {attributes(edges)};"]
    return _braces("digraph architecture", [*defaults, *lines]) + "\n"


def _braces(head: str, lines: Iterable[str]) -> str:
    inner = "\n".join(lines)
    return f"{head} {{\n" + "\n".join(f"  {line}" for line in inner.split("\n")) + "\n}"
