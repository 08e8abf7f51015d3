"""Normalisation of each number by its neighbours among the channels."""

from __future__ import annotations

from typing import final

from archdsl.op import Int, Layer, Op, Real, arg
from archdsl.ops.geometry import want_map
from archdsl.tensors import Shape, Shapes


@final
class LocalResponseNorm(Op):
    """Local response normalisation (Krizhevsky et al., 2012): x / (k + alpha * m)^beta.

    m is the mean of the squares of the `size` channels around x, zeros beyond the first and the last.

    >>> LocalResponseNorm().shape((Shape(96, 55, 55),))
    Shape(96, 55, 55)
    """

    name = "lrn"
    size: int = arg(5, kind=Int(low=1), doc="channels that are looked at")
    alpha: float = arg(1e-4, kind=Real(low=0), doc="factor of the mean of their squares")
    beta: float = arg(0.75, kind=Real(low=0), doc="exponent")
    k: float = arg(1.0, kind=Real(low=0), doc="added to the mean")

    def shape(self, inputs: Shapes) -> Shape:
        (x,) = inputs
        want_map(self.name, x)
        return x

    def torch(self, inputs: Shapes) -> Layer:
        arguments = {"size": self.size, "alpha": self.alpha, "beta": self.beta, "k": self.k}
        return Layer("torch.nn.LocalResponseNorm", arguments)
