"""The SPEC of a call as one architecture, closed and checked."""

from __future__ import annotations

from collections.abc import Mapping

from archdsl.api import load, open_mistake
from archdsl.architecture import Architecture, Space
from archdsl.commands.sources import read
from archdsl.tensors import Shape


def architecture(
    spec: str, *, shape: Shape | None = None, classes: int | None = None, settings: Mapping[str, str]
) -> Architecture:
    """The network that a spec says, with its choices closed by `settings`.

    Raises:
        ArchError: the spec is wrong, or choices are still open.
        Mistake: what is wrong with the path.
    """
    found = load(read(spec), input=shape, classes=classes, set=settings)
    if isinstance(found, Space):
        raise open_mistake(found)
    return found
