"""`neck NAME`: a module on all levels, between the encoder and what reads them."""

from __future__ import annotations

from typing import Any, final

from archdsl.errors.recipes import NoPyramid, WrongFlow
from archdsl.op import arg
from archdsl.stage import Lattice, Map, Pyramid, Stage, StageName, StageValue, Wiring, described_flow


@final
class Neck(Stage):
    """Pyramid → Pyramid: each level, seen with the others."""

    name = "neck"
    part = "neck"
    form: str | StageValue = arg(
        kind=StageName(own=("none",), rest=True, optional=True), doc="the module, of a pyramid"
    )

    def wire(self, net: Wiring, flow: Any) -> Pyramid:
        if not isinstance(flow, Pyramid):
            mend = "`neck` stands before `skip`" if isinstance(flow, Lattice) else ""
            raise WrongFlow("neck", "a pyramid", described_flow(flow), mend)
        if self.form is None or isinstance(self.form, str):
            return flow
        made = net.run(self.form, flow, name="neck")
        if isinstance(made, Map):
            raise NoPyramid(self.form.word)
        _draw(net, flow, made, self.form.word)
        return made


def _draw(net: Wiring, before: Pyramid, after: Pyramid, word: str) -> None:
    """A column of its own, each level beside the one of its stride; levels below are fed by the deepest."""
    names = {level.stride: net.drawing_of(level) for level in before.maps}
    deepest = net.drawing_of(before.maps[-1])
    lowest, column = net.spot_of(deepest) or (len(before.maps) - 1, 0)
    for index, level in enumerate(after.maps):
        source = names.get(level.stride, deepest)
        row, _ = net.spot_of(source) or (index, 0)
        if level.stride not in names:
            lowest = row = lowest + 1
        name = f"p{_number(level, index)}_{column + 1}"
        net.drawn(name, "neck", row, column + 1, level)
        net.edge(source, name, "lateral", word)


def _number(level: Map, index: int) -> int:
    """What the field calls a level: P3 has stride 2^3."""
    stride = int(level.stride or 0)
    return stride.bit_length() - 1 if stride > 0 and stride == level.stride else index
