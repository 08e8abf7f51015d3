"""The fully connected layer."""

from __future__ import annotations

from typing import final

from archdsl.errors.shapes import WantsVector
from archdsl.op import Flag, Int, Layer, Op, arg
from archdsl.ops.initial_weights import INIT, chosen
from archdsl.tensors import Cost, Shape, Shapes


@final
class Linear(Op):
    """A fully connected layer: every number that leaves is a weighted sum of all that enter."""

    name = "linear"
    has_weights = True
    out: int = arg(kind=Int(low=1), doc="features that leave")
    bias: bool = arg(True, kind=Flag(), doc="whether each feature has a constant added")
    init: str = arg("torch", kind=INIT, doc="initial weights")

    def shape(self, inputs: Shapes) -> Shape:
        (x,) = inputs
        if x.rank:
            raise WantsVector(self.name, x)
        return Shape(self.out)

    def cost(self, inputs: Shapes) -> Cost:
        weights = inputs[0].elements * self.out
        return Cost(params=weights + (self.out if self.bias else 0), macs=weights)

    def torch(self, inputs: Shapes) -> Layer:
        arguments = {"in_features": inputs[0].elements, "out_features": self.out, "bias": self.bias}
        return Layer("torch.nn.Linear", arguments, init=chosen(self.init))
