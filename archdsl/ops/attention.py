"""Attention over a whole map that costs less than all pairs of pixels."""

from __future__ import annotations

from typing import final

from archdsl.errors.shapes import WrongKind, WrongPartner
from archdsl.op import Call, Int, Layer, MapRef, Op, Real, arg
from archdsl.ops.geometry import want_map
from archdsl.tensors import Cost, Shape, Shapes


@final
class CrissCross(Op):
    """Each pixel becomes a mean of its row and its column, weighed by how alike query and key are.

    What flows are the queries; a pixel counts once for itself (Huang et al., 2018).

    >>> CrissCross().shape((Shape(8, 7, 5), Shape(8, 7, 5), Shape(64, 7, 5)))
    Shape(64, 7, 5)
    """

    name = "criss_cross"
    inputs = (3, 3)
    maps = ("keys", "values")
    keys: None = arg(None, kind=MapRef(), doc="what queries are compared with")
    values: None = arg(None, kind=MapRef(), doc="what the means are of")

    def shape(self, inputs: Shapes) -> Shape:
        x, keys, values = inputs
        if x.rank != 2:
            raise WrongKind(self.name, "a map", (x,))
        if keys != x:
            raise WrongPartner(self.name, "keys", f"a map of {x}, as the queries are", keys)
        if values.spatial != x.spatial:
            place = "x".join(map(str, x.spatial))
            raise WrongPartner(self.name, "values", f"a map of {place} pixels, as the queries are", values)
        return values

    def cost(self, inputs: Shapes) -> Cost:
        x, _, values = inputs
        return Cost(macs=sum(x.spatial) * (x.elements + values.elements))

    def torch(self, inputs: Shapes) -> Call:
        return Call("archdsl.emitters.layers.criss_cross")


@final
class EMAttention(Op):
    """Each pixel becomes a mean of a few bases, which expectation maximisation fits to the image.

    The bases start from a moving average of those of training (Li et al., 2019).

    >>> EMAttention(bases=64).shape((Shape(512, 7, 5),))
    Shape(512, 7, 5)
    """

    name = "em_attention"
    bases: int = arg(64, kind=Int(low=1), doc="how many bases")
    steps: int = arg(3, kind=Int(low=1), doc="how often weights and bases are fitted in turn")
    momentum: float = arg(0.1, kind=Real(low=0, high=1), doc="share of a new batch in the moving average")

    def shape(self, inputs: Shapes) -> Shape:
        (x,) = inputs
        want_map(self.name, x)
        return x

    def cost(self, inputs: Shapes) -> Cost:
        (x,) = inputs
        return Cost(macs=(2 * self.steps + 1) * self.bases * x.elements)

    def torch(self, inputs: Shapes) -> Layer:
        (x,) = inputs
        arguments = {
            "channels": x.channels,
            "bases": self.bases,
            "steps": self.steps,
            "momentum": self.momentum,
        }
        return Layer("archdsl.emitters.layers.EMAttention", arguments)
