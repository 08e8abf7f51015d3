"""archdsl: a language for vision networks, a compiler to torch, a search over what is left open."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archdsl.api import check, compile, load
    from archdsl.architecture import Architecture, Space
    from archdsl.errors import ArchError
    from archdsl.studies import search

_HOMES = {
    "Architecture": "archdsl.architecture",
    "Space": "archdsl.architecture",
    "ArchError": "archdsl.errors",
    "check": "archdsl.api",
    "compile": "archdsl.api",
    "load": "archdsl.api",
    "search": "archdsl.studies",
}

__all__ = ["ArchError", "Architecture", "Space", "check", "compile", "load", "search"]


def __getattr__(name: str) -> Any:
    """Names are loaded on first use, so that `import archdsl` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
