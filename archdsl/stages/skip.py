"""`skip NAME`: how a decoder's nodes join what climbs with what the encoder left on the way."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, final

from archdsl.errors.recipes import LevelsInDisorder, SingleLevel, TooDeep, WrongFlow
from archdsl.op import Flag, Int, Word, arg
from archdsl.stage import (
    EVERYWHERE,
    Gate,
    Lattice,
    Map,
    PerLevel,
    PerLevelValue,
    Pyramid,
    Stage,
    StageName,
    Wiring,
)

JOINS = {"none": "none", "plain": "concat", "add": "add", "nested": "concat"}


@final
class Skip(Stage):
    """Pyramid → Lattice.

    none, plain (U-Net, arXiv:1505.04597), add (LinkNet, FCN), nested (UNet++, arXiv:1807.10165).
    """

    name = "skip"
    part = "decoder"
    form: str = arg(
        kind=StageName(own=tuple(JOINS), optional=True, closed=True),
        doc="which nodes exist and how they join",
    )
    depth: int | None = arg(None, kind=Int(low=1, optional=True), doc="how many levels are climbed")
    input: bool = arg(False, kind=Flag(), doc="whether the image itself joins at full resolution")
    attention: PerLevelValue = arg(EVERYWHERE, kind=PerLevel(Gate()), doc="gates each skip before the join")
    order: str = arg("column", kind=Word(("column", "newest")), doc="order of a nested node's skips")

    def wire(self, net: Wiring, flow: Any) -> Lattice:
        if not isinstance(flow, Pyramid):
            raise WrongFlow(
                "skip", "a pyramid", "one map", "an `encoder` makes one: `encoder resnet34 | skip plain`"
            )
        strides = tuple(f"/{level.stride}" for level in flow.maps)
        if len(flow.maps) < 2:
            raise SingleLevel("skip", strides)
        if not in_order(flow.maps):
            raise LevelsInDisorder("skip", strides)
        form = self.form or "none"
        depth = len(flow.maps) - 1 if self.depth is None else self.depth
        if depth >= len(flow.maps):
            raise TooDeep("skip", depth, strides)
        gated = depth + self.input
        gates = (
            self.attention.aligned("attention", gated) if not self.attention.listed else self._gates(gated)
        )
        return Lattice(
            maps=flow.maps[: depth + 1],
            join=JOINS[form],
            nested=form == "nested",
            gates=gates,
            with_input=self.input,
            newest_first=self.order == "newest",
            bottom=net.drawing_of(flow.maps[depth]),
        )

    def _gates(self, count: int) -> tuple[Any, ...]:
        """Finest first: a longer schedule is used from its start."""
        turned = PerLevelValue(tuple(reversed(self.attention.values)), True)
        return tuple(reversed(turned.aligned("attention", count)))


def in_order(levels: tuple[Map, ...]) -> bool:
    """Whether each level is coarser than the one before."""
    strides = [level.stride for level in levels]
    return None not in strides and all(a < b for a, b in pairwise(strides))  # type: ignore[operator]
