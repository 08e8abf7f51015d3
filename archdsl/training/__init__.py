"""Training: a module and data give weights and a score, the same bits each time on the same CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archdsl.training.recipe import Epoch, Outcome, Recipe

if TYPE_CHECKING:
    from archdsl.training.loop import evaluate, fit
    from archdsl.training.reproducible import seeded_build
    from archdsl.training.run import train

__all__ = [
    "Epoch",
    "Outcome",
    "Recipe",
    "evaluate",
    "fit",
    "seeded_build",
    "train",
]

_HOMES = {
    "evaluate": "loop",
    "fit": "loop",
    "seeded_build": "reproducible",
    "train": "run",
}


def __getattr__(name: str) -> Any:
    """What needs torch is imported when it is first asked for."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
