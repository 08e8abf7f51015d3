"""The fully connected layer."""

from __future__ import annotations

from math import prod
from typing import final

from archdsl.errors.shapes import WantsVector
from archdsl.op import Flag, Int, Layer, Op, Word, arg
from archdsl.ops.initial_weights import INIT, chosen
from archdsl.tensors import Cost, Shape, Shapes


@final
class Linear(Op):
    """A fully connected layer: every number that leaves is a weighted sum of all that enter.

    With `over=channels` it is one of each pixel's channels, the same at all of them, as in transformers.

    >>> Linear(out=10, over="channels").shape((Shape(64, 7, 5),))
    Shape(10, 7, 5)
    """

    name = "linear"
    has_weights = True
    out: int = arg(kind=Int(low=1), doc="features that leave")
    bias: bool = arg(True, kind=Flag(), doc="whether each feature has a constant added")
    init: str = arg("torch", kind=INIT, doc="initial weights")
    over: str = arg("all", kind=Word(("all", "channels")), doc="all numbers of a vector, or each pixel's")

    def shape(self, inputs: Shapes) -> Shape:
        (x,) = inputs
        if x.rank and self.over == "all":
            raise WantsVector(self.name, x)
        return Shape(self.out, *x.spatial)

    def cost(self, inputs: Shapes) -> Cost:
        (x,) = inputs
        weights = x.channels * self.out
        return Cost(params=weights + (self.out if self.bias else 0), macs=weights * prod(x.spatial))

    def torch(self, inputs: Shapes) -> Layer:
        (x,) = inputs
        target = "archdsl.emitters.layers.MapLinear" if x.rank else "torch.nn.Linear"
        arguments = {"in_features": x.channels, "out_features": self.out, "bias": self.bias}
        return Layer(target, arguments, init=chosen(self.init))
