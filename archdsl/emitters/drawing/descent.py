"""Networks that go down in resolution and come up again, with skips: a U, a row for each resolution."""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise
from typing import TypeAlias

from archdsl.emitters.drawing.outline import Part
from archdsl.network import Network

Flow: TypeAlias = tuple[int, int]  # from one part to another, by number; the image is -1


def turn(network: Network, parts: list[Part], flows: Collection[Flow]) -> int | None:
    """The part at which a network turns upwards: its last of the lowest resolution on the way down.

    None where it does not come up again, or no skip leads past the turn.
    """
    strides = [network.operations[part.last - 1].stride for part in parts]
    known = [stride for stride in strides if stride is not None]
    if len(known) < len(strides) or not known:
        return None
    bottom = known.index(max(known))
    while bottom + 1 < len(parts) and known[bottom + 1] == known[bottom] and (bottom, bottom + 1) in flows:
        bottom += 1
    rises = any(after < before for before, after in pairwise(known[bottom:]))
    skips = [(tail, head) for tail, head in flows if 0 <= tail < bottom < head < len(parts)]
    return bottom if rises and skips else None


def towards(network: Network, parts: list[Part], flow: Flow, bottom: int) -> dict[str, object]:
    """Attributes that make an edge lead down, up or along a row; `upwards` turns its ends round."""
    tail, head = flow
    if tail < 0 or head >= len(parts):
        return {"minlen": 0}
    fine, coarse = (network.operations[parts[number].last - 1].stride for number in flow)
    assert fine is not None
    assert coarse is not None
    if coarse > fine or (coarse == fine and head <= bottom):
        return {"minlen": 1}
    return {"minlen": 0} if coarse == fine else {"minlen": 1, "dir": "back"}
