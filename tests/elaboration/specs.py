"""Short ways to look at what a spec elaborates to."""

from __future__ import annotations

import archdsl
from archdsl.architecture import Architecture, Space


def architecture(text: str) -> Architecture:
    found = archdsl.load(text)
    assert isinstance(found, Architecture)
    return found


def space(text: str) -> Space:
    found = archdsl.load(text)
    assert isinstance(found, Space)
    return found


def paths(text: str) -> list[str]:
    """Module paths with their operations, joins left out: `0:conv`."""
    return [
        f"{o.path}:{o.op.name}"
        for o in architecture(text).network.operations
        if o.path and o.op.name != "add"
    ]


def modules(text: str) -> list[str]:
    """Module paths of what has weights."""
    return [o.path for o in architecture(text).network.operations if o.op.has_weights]


def shapes(text: str) -> list[str]:
    """Shapes of all operations."""
    return [str(o.shape) for o in architecture(text).network.operations]


def codes(text: str) -> list[str]:
    """Codes of a spec's mistakes."""
    return [d.code for d in archdsl.check(text) if d.severity == "error"]


def names(text: str) -> list[str]:
    """Names of a space's choices."""
    return [choice.name for choice in space(text).choices]
