"""Weights for the pixels around each pixel, and sums by such weights: what conditional random fields pass on.

Both read a window of 2*radius+1 pixels a side, zeros beyond the edge.
"""

from __future__ import annotations

from fractions import Fraction
from typing import final

from archdsl.errors.shapes import WrongPartner
from archdsl.op import Call, Int, MapRef, Op, Real, arg
from archdsl.ops.geometry import want_map
from archdsl.tensors import Cost, Shape, Shapes, Window


def _window(side: int, rank: int) -> Window:
    return Window((side,) * rank, (Fraction(1),) * rank, (1,) * rank)


@final
class Affinity(Op):
    """How much each pixel around a pixel counts for it: by how near it is, and how alike.

    exp(-distance²/(2*spatial²) - difference²/(2*range²)), the difference being that of all channels;
    without `range` nearness alone. Divided by the sum of the first factor over the window, so that
    the weights of a pixel sum to 1 where all is alike. A pixel doesn't count for itself.

    >>> Affinity(radius=1).shape((Shape(3, 32, 32),))
    Shape(9, 32, 32)
    """

    name = "affinity"
    sizing = True
    radius: int = arg(kind=Int(low=1, high=16), doc="how far the window reaches to each side")
    spatial: float = arg(3.0, kind=Real(low=0.01), doc="pixels at which nearness has faded")
    range: float | None = arg(
        None, kind=Real(low=0.001, optional=True), doc="difference at which likeness has faded"
    )

    @property
    def _side(self) -> int:
        return 2 * self.radius + 1

    def shape(self, inputs: Shapes) -> Shape:
        (x,) = inputs
        want_map(self.name, x)
        return Shape(self._side**x.rank, *x.spatial)

    def cost(self, inputs: Shapes) -> Cost:
        """The squares of differences."""
        (x,) = inputs
        taps = self._side**x.rank - 1
        return Cost(macs=0 if self.range is None else taps * x.elements)

    def window(self, inputs: Shapes) -> Window | None:
        return None if self.range is None else _window(self._side, inputs[0].rank)

    @property
    def detached(self) -> tuple[int, ...]:
        return () if self.range is not None else (0,)

    def torch(self, inputs: Shapes) -> Call:
        arguments = {
            "radius": self.radius,
            "spatial": float(self.spatial),
            "difference": None if self.range is None else float(self.range),
        }
        return Call("archdsl.emitters.layers.affinity", arguments)


@final
class LocalFilter(Op):
    """Each pixel becomes a sum of the pixels around it, by weights of its own: a channel of another map each.

    >>> LocalFilter().shape((Shape(21, 32, 32), Shape(49, 32, 32)))
    Shape(21, 32, 32)
    """

    name = "local_filter"
    inputs = (2, 2)
    maps = ("by",)
    by: None = arg(None, kind=MapRef(), doc="the weights, a channel for each pixel of an odd window")

    def _side(self, inputs: Shapes) -> int:
        """The side of the window; raises WantsMap, WrongPartner."""
        x, by = inputs
        want_map(self.name, x)
        side: int = round(by.channels ** (1 / x.rank))
        if side % 2 == 0 or by != Shape(side**x.rank, *x.spatial):
            place = "x".join(map(str, x.spatial))
            few = ", ".join(str(side**x.rank) for side in (3, 5))
            raise WrongPartner(self.name, "by", f"{few}, ... weights for each of {place} pixels", by)
        return side

    def shape(self, inputs: Shapes) -> Shape:
        self._side(inputs)
        return inputs[0]

    def cost(self, inputs: Shapes) -> Cost:
        x, by = inputs
        return Cost(macs=by.channels * x.elements)

    def window(self, inputs: Shapes) -> Window:
        return _window(self._side(inputs), inputs[0].rank)

    def torch(self, inputs: Shapes) -> Call:
        return Call("archdsl.emitters.layers.local_filter", {"radius": self._side(inputs) // 2})
