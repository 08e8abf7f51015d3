"""Trees as short texts, to compare them with."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from archdsl.parser import parse
from archdsl.source import Source
from archdsl.syntax import Node, Number


def shape(value: Any) -> str:
    """A node as its class and what it holds, without places: `Range(1, 4, -)`."""
    if isinstance(value, Number):
        return str(value.value)
    if isinstance(value, Node):
        held = [field.name for field in fields(value) if not field.name.endswith("span")]
        parts = [shape(getattr(value, name)) for name in held]
        if type(value).__name__ in ("Name", "Text", "Dimensions"):
            return f"{type(value).__name__}:{parts[0]}"
        return f"{type(value).__name__}({', '.join(parts)})"
    if isinstance(value, tuple):
        return f"[{', '.join(map(shape, value))}]"
    return "-" if value is None else str(value)


def shape_of(text: str) -> str:
    """The shape of a text's only statement."""
    (statement,) = parse(Source("a.arch", text)).statements
    return shape(statement)
