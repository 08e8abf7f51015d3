"""The transposed convolution."""

from __future__ import annotations

from fractions import Fraction
from math import prod
from typing import final

from archdsl.errors.shapes import IndivisibleChannels, KernelBelowStride, PaddingTooLarge
from archdsl.op import Dims, Flag, Int, Layer, Op, arg
from archdsl.ops.geometry import Axes, Size, axes
from archdsl.ops.initial_weights import INIT, chosen
from archdsl.tensors import Cost, Shape, Shapes, Window


@final
class TransposeConv(Op):
    """A transposed convolution: multiplies the size of a map by its stride, with learned weights.

    With `pad` it gives (n - 1) * stride + kernel - 2 * pad pixels of n.

    >>> TransposeConv(kernel=4, out=8, stride=2).shape((Shape(16, 7, 7),))
    Shape(8, 14, 14)
    >>> TransposeConv(kernel=4, out=8, stride=2, pad=0).shape((Shape(16, 7, 7),))
    Shape(8, 16, 16)
    """

    name = "transpose_conv"
    has_weights = True
    kernel: Size = arg(kind=Dims(), doc="size of the window")
    out: int = arg(kind=Int(low=1), doc="channels that leave")
    stride: Size = arg(2, kind=Dims(), doc="how many times larger the map becomes")
    groups: int = arg(1, kind=Int(low=1), doc="groups of channels that do not see one another")
    bias: bool = arg(True, kind=Flag(), doc="whether each channel has a constant added")
    pad: Size | None = arg(
        None, kind=Dims(low=0, optional=True), doc="pixels cut from each side; what makes the size a multiple"
    )
    init: str = arg("torch", kind=INIT, doc="initial weights")

    def _axes(self, x: Shape) -> tuple[Axes, Axes]:
        kernel = axes(self.name, "kernel", self.kernel, x)
        stride = axes(self.name, "stride", self.stride, x)
        # Torch takes no output padding at stride 1, which an even kernel would need.
        if self.pad is None and any(
            k < s or (s == 1 and k % 2 == 0) for k, s in zip(kernel, stride, strict=True)
        ):
            raise KernelBelowStride(kernel, stride)
        return kernel, stride

    def _paddings(self, x: Shape) -> tuple[Axes, Axes]:
        """What is cut from each side, and what is added at the end."""
        kernel, stride = self._axes(x)
        if self.pad is None:
            sides = tuple(zip(kernel, stride, strict=True))
            return tuple((k - s + 1) // 2 for k, s in sides), tuple((k - s) % 2 for k, s in sides)
        pad, most = axes(self.name, "pad", self.pad, x), tuple((k - 1) // 2 for k in kernel)
        if any(p > m for p, m in zip(pad, most, strict=True)):
            raise PaddingTooLarge(self.name, kernel, pad, most)
        return pad, (0,) * x.rank

    def shape(self, inputs: Shapes) -> Shape:
        (x,) = inputs
        kernel, stride = self._axes(x)
        pad, more = self._paddings(x)
        for channels in (x.channels, self.out):
            if channels % self.groups:
                raise IndivisibleChannels(channels, self.groups)
        sides = zip(x.spatial, kernel, stride, pad, more, strict=True)
        return Shape(self.out, *((i - 1) * s + k - 2 * p + m for i, k, s, p, m in sides))

    def cost(self, inputs: Shapes) -> Cost:
        (x,) = inputs
        weights = x.channels // self.groups * self.out * prod(self._axes(x)[0])
        return Cost(params=weights + (self.out if self.bias else 0), macs=weights * prod(x.spatial))

    def window(self, inputs: Shapes) -> Window:
        """An output pixel reads ceil(kernel / stride) pixels of the input at most."""
        kernel, stride = self._axes(inputs[0])
        return Window(
            kernel=tuple(-(-k // s) for k, s in zip(kernel, stride, strict=True)),
            stride=tuple(Fraction(1, s) for s in stride),
            dilation=(1,) * len(kernel),
        )

    def torch(self, inputs: Shapes) -> Layer:
        (x,) = inputs
        kernel, stride = self._axes(x)
        padding, output_padding = self._paddings(x)
        arguments = {
            "in_channels": x.channels,
            "out_channels": self.out,
            "kernel_size": kernel,
            "stride": stride,
            "padding": padding,
            "output_padding": output_padding,
            "groups": self.groups,
            "bias": self.bias,
        }
        return Layer(f"torch.nn.ConvTranspose{x.rank}d", arguments, init=chosen(self.init))
