"""The deformable convolution: each tap of a window reads where another map says."""

from __future__ import annotations

from fractions import Fraction
from math import prod
from typing import final

from archdsl.errors.shapes import IndivisibleChannels, WrongKind, WrongPartner
from archdsl.op import Dims, Flag, Int, Layer, MapRef, Op, arg
from archdsl.ops.geometry import Axes, Size, axes, centred, extent, slide
from archdsl.ops.initial_weights import INIT, chosen
from archdsl.tensors import Cost, Shape, Shapes, Window


@final
class DeformableConv(Op):
    """A convolution whose taps move, by a height and a width for each tap of each pixel.

    Dai et al. 2017, arXiv:1703.06211. `mask` says how much each tap counts (Zhu et al. 2018,
    arXiv:1811.11168). Several sets of offsets serve a part of the channels each.

    >>> DeformableConv(kernel=3, out=8).shape((Shape(4, 9, 9), Shape(18, 9, 9)))
    Shape(8, 9, 9)
    """

    name = "deform_conv"
    inputs = (2, 3)
    maps = ("offset", "mask")
    has_weights = True
    kernel: Size = arg(kind=Dims(), doc="size of the window")
    out: int = arg(kind=Int(low=1), doc="channels that leave")
    stride: Size = arg(1, kind=Dims(), doc="step from one window to the next")
    dilation: Size = arg(1, kind=Dims(), doc="step from one pixel of a window to the next")
    groups: int = arg(1, kind=Int(low=1), doc="groups of channels that do not see one another")
    bias: bool = arg(True, kind=Flag(), doc="whether each channel has a constant added")
    init: str = arg("torch", kind=INIT, doc="initial weights")
    offset: None = arg(None, kind=MapRef(), doc="by how much each tap moves down and right")
    mask: None = arg(None, kind=MapRef(), doc="how much each tap counts")

    def _axes(self, x: Shape) -> tuple[Axes, Axes, Axes]:
        """Kernel, stride and dilation."""
        sizes = (("kernel", self.kernel), ("stride", self.stride), ("dilation", self.dilation))
        if x.rank == 3:
            raise WrongKind(self.name, "a map", (x,))
        kernel, stride, dilation = (axes(self.name, word, size, x) for word, size in sizes)
        return kernel, stride, dilation

    def shape(self, inputs: Shapes) -> Shape:
        x, offset, *masks = inputs
        kernel, stride, dilation = self._axes(x)
        for channels in (x.channels, self.out):
            if channels % self.groups:
                raise IndivisibleChannels(channels, self.groups)
        padding = centred(kernel, dilation)
        place = slide(self.name, x, extent(kernel, dilation), stride, padding)
        taps = prod(kernel)
        sets = offset.channels // (2 * taps)
        if sets == 0 or offset != Shape(2 * taps * sets, *place):
            wanted = f"{2 * taps} offsets for each of {_pixels(place)}, or a multiple"
            raise WrongPartner(self.name, "offset", wanted, offset)
        if x.channels % sets:
            raise IndivisibleChannels(x.channels, sets, "sets of offsets")
        for mask in masks:
            if mask != Shape(taps * sets, *place):
                wanted = f"{taps * sets} weights for each of {_pixels(place)}"
                raise WrongPartner(self.name, "mask", wanted, mask)
        return Shape(self.out, *place)

    def cost(self, inputs: Shapes) -> Cost:
        x, y = inputs[0], self.shape(inputs)
        weights = x.channels // self.groups * self.out * prod(self._axes(x)[0])
        return Cost(params=weights + (self.out if self.bias else 0), macs=weights * prod(y.spatial))

    def window(self, inputs: Shapes) -> Window:
        """Where it reads while no tap has moved."""
        kernel, stride, dilation = self._axes(inputs[0])
        return Window(kernel, tuple(map(Fraction, stride)), dilation)

    def torch(self, inputs: Shapes) -> Layer:
        x = inputs[0]
        kernel, stride, dilation = self._axes(x)
        arguments = {
            "in_channels": x.channels,
            "out_channels": self.out,
            "kernel_size": kernel,
            "stride": stride,
            "padding": centred(kernel, dilation),
            "dilation": dilation,
            "groups": self.groups,
            "bias": self.bias,
        }
        return Layer("archdsl.emitters.layers.deformable_conv", arguments, init=chosen(self.init))


def _pixels(place: Axes) -> str:
    return f"{'x'.join(map(str, place))} pixels"
