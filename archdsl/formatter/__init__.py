"""Tree to text, in the one style."""

from __future__ import annotations

from archdsl.formatter.layout import render
from archdsl.formatter.printing import layout
from archdsl.formatter.spec import format_spec, format_tree
from archdsl.syntax import Node

__all__ = ["format_node", "format_spec", "format_tree"]


def format_node(node: Node) -> str:
    """The canonical text of an expression or element, on one line: `aspp rates=[6, 12, 18]`."""
    return render(layout(node), width=1 << 30)
