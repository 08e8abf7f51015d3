"""Every number of a map times one number: a given one, or a learned one."""

from __future__ import annotations

from typing import final

from archdsl.op import Call, Layer, Op, Real, arg
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
    """Its input times a learned number: how much a branch counts. At 0 it is silent at first."""

    name = "gain"
    has_weights = True
    init: float = arg(0.0, kind=Real(), doc="the number at first")

    def cost(self, inputs: Shapes) -> Cost:
        return Cost(params=1)

    def torch(self, inputs: Shapes) -> Layer:
        return Layer("archdsl.emitters.layers.Gain", {"initial": self.init})
