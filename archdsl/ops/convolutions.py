"""Convolutions: full and depthwise."""

from __future__ import annotations

from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING, NamedTuple, final

from archdsl.errors.shapes import IndivisibleChannels
from archdsl.op import Dims, Flag, Int, Layer, Op, Padding, arg
from archdsl.ops.geometry import Axes, Size, axes, centred, extent, slide
from archdsl.ops.initial_weights import INIT, chosen
from archdsl.tensors import Cost, Shape, Shapes, Window


class _Applied(NamedTuple):
    """A convolution's arguments for one input, a number for each spatial dimension.

    `padding` is None for TensorFlow's `same`, which depends on the input's size.
    """

    kernel: Axes
    stride: Axes
    dilation: Axes
    padding: Axes | None


class _Convolution(Op):
    """The rules that full and depthwise convolutions share; their fields are the subclasses'."""

    has_weights = True

    if TYPE_CHECKING:  # the order of the fields is the subclasses'
        kernel: Size
        stride: Size
        dilation: Size
        pad: Size | str
        bias: bool
        init: str

    def _channels(self, x: Shape) -> tuple[int, int]:
        """Channels that leave, and groups."""
        raise NotImplementedError

    def _applied(self, x: Shape) -> _Applied:
        kernel = axes(self.name, "kernel", self.kernel, x)
        stride = axes(self.name, "stride", self.stride, x)
        dilation = axes(self.name, "dilation", self.dilation, x)
        if self.pad == "symmetric":
            return _Applied(kernel, stride, dilation, centred(kernel, dilation))
        if isinstance(self.pad, str):
            return _Applied(kernel, stride, dilation, None)
        return _Applied(kernel, stride, dilation, axes(self.name, "pad", self.pad, x))

    def shape(self, inputs: Shapes) -> Shape:
        (x,) = inputs
        kernel, stride, dilation, padding = self._applied(x)
        out, groups = self._channels(x)
        for channels in (x.channels, out):
            if channels % groups:
                raise IndivisibleChannels(channels, groups)
        if padding is None:
            return Shape(out, *(-(-i // s) for i, s in zip(x.spatial, stride, strict=True)))
        return Shape(out, *slide(self.name, x, extent(kernel, dilation), stride, padding))

    def cost(self, inputs: Shapes) -> Cost:
        (x,), y = inputs, self.shape(inputs)
        out, groups = self._channels(x)
        weights = x.channels // groups * out * prod(axes(self.name, "kernel", self.kernel, x))
        return Cost(params=weights + (out if self.bias else 0), macs=weights * prod(y.spatial))

    def window(self, inputs: Shapes) -> Window:
        kernel, stride, dilation, _ = self._applied(inputs[0])
        return Window(kernel, tuple(map(Fraction, stride)), dilation)

    def torch(self, inputs: Shapes) -> Layer:
        (x,) = inputs
        kernel, stride, dilation, padding = self._applied(x)
        out, groups = self._channels(x)
        arguments = {
            "in_channels": x.channels,
            "out_channels": out,
            "kernel_size": kernel,
            "stride": stride,
            "dilation": dilation,
            "groups": groups,
            "bias": self.bias,
        }
        if padding is None:
            return Layer(f"archdsl.emitters.layers.SameConv{x.rank}d", arguments, init=chosen(self.init))
        return Layer(f"torch.nn.Conv{x.rank}d", {**arguments, "padding": padding}, init=chosen(self.init))


@final
class Conv(_Convolution):
    """A convolution: a weighted sum over a window around each pixel, for each channel that leaves.

    It keeps the size of a map at stride 1 and divides it by any other, rounded up. On a volume it is
    three-dimensional.

    >>> Conv(kernel=3, out=8, stride=2).shape((Shape(3, 33, 32),))
    Shape(8, 17, 16)
    """

    name = "conv"
    kernel: Size = arg(kind=Dims(), doc="size of the window")
    out: int = arg(kind=Int(low=1), doc="channels that leave")
    stride: Size = arg(1, kind=Dims(), doc="step from one window to the next")
    dilation: Size = arg(1, kind=Dims(), doc="step from one pixel of a window to the next")
    groups: int = arg(1, kind=Int(low=1), doc="groups of channels that do not see one another")
    bias: bool = arg(True, kind=Flag(), doc="whether each channel has a constant added")
    pad: Size | str = arg("symmetric", kind=Padding(), doc="zeros around the map")
    init: str = arg("torch", kind=INIT, doc="initial weights")

    def _channels(self, x: Shape) -> tuple[int, int]:
        return self.out, self.groups


@final
class DepthwiseConv(_Convolution):
    """A convolution of each channel by itself.

    >>> DepthwiseConv(kernel=3).shape((Shape(3, 32, 32),))
    Shape(3, 32, 32)
    """

    name = "dwconv"
    kernel: Size = arg(kind=Dims(), doc="size of the window")
    multiplier: int = arg(1, kind=Int(low=1), doc="channels that leave for each that enters")
    stride: Size = arg(1, kind=Dims(), doc="step from one window to the next")
    dilation: Size = arg(1, kind=Dims(), doc="step from one pixel of a window to the next")
    bias: bool = arg(True, kind=Flag(), doc="whether each channel has a constant added")
    pad: Size | str = arg("symmetric", kind=Padding(), doc="zeros around the map")
    init: str = arg("torch", kind=INIT, doc="initial weights")

    def _channels(self, x: Shape) -> tuple[int, int]:
        return x.channels * self.multiplier, x.channels
