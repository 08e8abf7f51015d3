"""Every number of a map times a number: a given one, or a learned one."""

from __future__ import annotations

from math import prod
from typing import final

from archdsl.op import Call, Flag, Op, Real, Weight, arg
from archdsl.tensors import Cost, Shape, Shapes


class _Factor(Op):
    """Keeps the shape."""

    def shape(self, inputs: Shapes) -> Shape:
        return inputs[0]


@final
class Scale(_Factor):
    """Its input times a number, as in scaled dot products."""

    name = "scale"
    factor: float = arg(kind=Real(), doc="what everything is multiplied by")

    def torch(self, inputs: Shapes) -> Call:
        return Call("archdsl.emitters.layers.scaled", {"factor": self.factor})


@final
class Gain(_Factor):
    """Its input times a learned number: how much a branch, or each of its channels, counts.

    Near 0 it is silent at first. One a channel is the layer scale of Touvron et al. (2021).
    """

    name = "gain"
    has_weights = True
    init: float = arg(0.0, kind=Real(), doc="the number at first")
    channels: bool = arg(False, kind=Flag(), doc="whether each channel has its own")

    def _sizes(self, x: Shape) -> tuple[int, ...]:
        return (x.channels, *(1,) * x.rank) if self.channels else ()

    def cost(self, inputs: Shapes) -> Cost:
        return Cost(params=prod(self._sizes(inputs[0])))

    def torch(self, inputs: Shapes) -> Weight:
        return Weight("operator.mul", self._sizes(inputs[0]), self.init)
