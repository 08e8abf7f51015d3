"""`skip NAME`: how a decoder's nodes join what climbs with what the encoder left on the way."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, final

from archdsl.errors.encoders import LevelsInDisorder, SingleLevel, TooDeep
from archdsl.errors.recipes import NoSignal, OptionOfOther, WrongFlow
from archdsl.op import Flag, Int, Word, arg
from archdsl.stage import (
    EVERYWHERE,
    Gate,
    Joining,
    Lattice,
    Map,
    PerLevel,
    PerLevelValue,
    Pyramid,
    Stage,
    StageName,
    StageValue,
    Wiring,
    described_flow,
)
from archdsl.tensors import per_pixel

JOINS = {
    "none": "none", "plain": "concat", "add": "add", "nested": "concat", "gated": "concat", "full": "concat",
}  # fmt: skip
# The form that each of these options belongs to.
OWNERS = {"gate": "gated", "channels": "full", "block": "full"}
SCALE_WIDTH = 64  # channels of each scale of UNet 3+


@final
class Skip(Stage):
    """Pyramid → Lattice.

    none, plain (U-Net, arXiv:1505.04597), add (LinkNet, FCN), nested (UNet++, arXiv:1807.10165), gated
    (Attention U-Net, arXiv:1804.03999), full (UNet 3+, arXiv:2004.08790).
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
    gate: StageValue | None = arg(None, kind=StageName(), doc="of `gated`: weighs a skip, given what climbs")
    channels: int | None = arg(None, kind=Int(low=1), doc="of `full`: width of each scale")
    block: StageValue | None = arg(None, kind=StageName(), doc="of `full`: convolves each scale")

    def wire(self, net: Wiring, flow: Any) -> Lattice:
        if not isinstance(flow, Pyramid):
            makes = "an `encoder` makes one: `encoder resnet34 | skip plain`"
            mend = makes if isinstance(flow, Map) else ""
            raise WrongFlow("skip", "a pyramid", described_flow(flow), mend)
        strides = tuple(per_pixel(level.stride) for level in flow.maps)
        if len(flow.maps) < 2:
            folds = flow.maps[0].shape.rank < net.image.shape.rank
            raise SingleLevel("skip", strides, folds, *net.blocks())
        if not in_order(flow.maps):
            raise LevelsInDisorder("skip", strides)
        form = self.form or "none"
        for option, owner in OWNERS.items():
            if form != owner and getattr(self, option) is not None:
                raise OptionOfOther(option, form, owner)
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
            full=self._joining(net) if form == "full" else None,
            gates=gates,
            signalled=self._signalled(net) if form == "gated" else None,
            with_input=self.input,
            newest_first=self.order == "newest",
        )

    def _signalled(self, net: Wiring) -> StageValue:
        gate = self.gate or net.library("attention_gate")
        if not gate.takes("signal"):
            raise NoSignal(gate.word)
        return gate

    def _joining(self, net: Wiring) -> Joining:
        return Joining(self.channels or SCALE_WIDTH, self.block or net.library("single_conv"))

    def _gates(self, count: int) -> tuple[Any, ...]:
        """Finest first: a longer schedule is used from its start."""
        turned = PerLevelValue(tuple(reversed(self.attention.values)), True)
        return tuple(reversed(turned.aligned("attention", count)))


def in_order(levels: tuple[Map, ...]) -> bool:
    """Whether each level is coarser than the one before."""
    strides = [level.stride for level in levels if level.stride is not None]
    return len(strides) == len(levels) and all(a < b for a, b in pairwise(strides))
