"""Maps as matrices: what attention is made of.

A map is a matrix with a row for each channel and a column for each pixel. With `swap` and `matmul`
attention reads `conv 1x1 8 | swap as k`, then `conv 1x1 8 | matmul @k | softmax | matmul @v`.
"""

from __future__ import annotations

from math import prod
from typing import final

from archdsl.errors.shapes import WrongPartner
from archdsl.op import Call, MapRef, Op, arg
from archdsl.ops.geometry import want_map
from archdsl.tensors import Cost, Shape, Shapes, Stride


@final
class Swap(Op):
    """Channels become pixels and pixels channels: C×H×W becomes (H*W)×C×1.

    >>> Swap().shape((Shape(64, 7, 5),))
    Shape(35, 64, 1)
    """

    name = "swap"

    def shape(self, inputs: Shapes) -> Shape:
        (x,) = inputs
        want_map(self.name, x)
        return Shape(prod(x.spatial), x.channels, *(1,) * (x.rank - 1))

    def sized_as(self, inputs: Shapes) -> tuple[int, ...]:
        return ()

    def stride_after(self, inputs: Shapes, strides: tuple[Stride, ...]) -> Stride:
        return None

    def torch(self, inputs: Shapes) -> Call:
        return Call("archdsl.emitters.layers.swap")


@final
class MatMul(Op):
    """The matrix of another map times this one: each pixel becomes a weighted sum of its columns.

    The other map has a pixel for each channel here; its channels leave.

    >>> MatMul().shape((Shape(35, 7, 5), Shape(64, 7, 5)))
    Shape(64, 7, 5)
    """

    name = "matmul"
    inputs = (2, 2)
    maps = ("by",)
    by: None = arg(None, kind=MapRef(), doc="the map on the left, a pixel for each channel here")

    def shape(self, inputs: Shapes) -> Shape:
        x, by = inputs
        want_map(self.name, x)
        want_map(self.name, by)
        if prod(by.spatial) != x.channels:
            raise WrongPartner(self.name, "by", f"a map of {x.channels} pixels, one for each channel", by)
        return Shape(by.channels, *x.spatial)

    def cost(self, inputs: Shapes) -> Cost:
        x, by = inputs
        return Cost(macs=by.channels * x.elements)

    def stride_after(self, inputs: Shapes, strides: tuple[Stride, ...]) -> Stride:
        return strides[0]

    def torch(self, inputs: Shapes) -> Call:
        return Call("archdsl.emitters.layers.matrix_product")
