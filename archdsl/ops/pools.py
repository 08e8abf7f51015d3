"""Pooling: over windows, to a given size, over the whole map."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, final

from archdsl.errors.shapes import ExactlyOne, PaddingTooLarge, WrongPartner, described
from archdsl.op import Call, Dims, Flag, Layer, MapRef, Op, Word, arg
from archdsl.ops.geometry import Axes, Size, axes, centred, slide, want_map
from archdsl.tensors import Shape, Shapes, Stride, Window


def _padding(op: Pool | Unpool, size: Axes, x: Shape) -> Axes:
    """Pixels around the map, for each spatial dimension; raises PaddingTooLarge."""
    if op.pad is None:
        return centred(size, (1,) * x.rank)
    pad = axes(op.name, "pad", op.pad, x)
    most = tuple(k // 2 for k in size)
    if any(p > m for p, m in zip(pad, most, strict=True)):
        raise PaddingTooLarge(op.name, size, pad, most)
    return pad


@final
class Pool(Op):
    """The largest number, or the mean, of each window; or, with `to`, a map of a given size.

    >>> Pool("max", 2).shape((Shape(8, 33, 32),))
    Shape(8, 16, 16)
    >>> Pool("max", 3, stride=2).shape((Shape(8, 33, 32),))
    Shape(8, 17, 16)
    >>> Pool("avg", to=4).shape((Shape(8, 33, 32),))
    Shape(8, 4, 4)
    """

    name = "pool"
    kind: str = arg(kind=Word(("max", "avg")), doc="the largest number or the mean")
    size: Size | None = arg(None, kind=Dims(optional=True), doc="size of the window")
    stride: Size | None = arg(
        None, kind=Dims(optional=True), doc="step between windows; the window's size if not given"
    )
    pad: Size | None = arg(
        None, kind=Dims(low=0, optional=True), doc="pixels around the map; (size-1)//2 if not given"
    )
    ceil: bool = arg(False, kind=Flag(), doc="whether a window may reach over the edge")
    count_pad: bool = arg(True, kind=Flag(), doc="whether the mean counts the padding")
    to: Size | None = arg(None, kind=Dims(optional=True), doc="size that leaves, whatever enters")

    def _axes(self, x: Shape) -> tuple[Axes, Axes, Axes]:
        """Window, stride and padding, a number for each spatial dimension."""
        if self.size is None:
            raise ExactlyOne(self.name, ("a size", "to="), ())
        if self.to is not None:
            raise ExactlyOne(self.name, ("a size", "to="), ("a size", "to="))
        size = axes(self.name, "size", self.size, x)
        stride = size if self.stride is None else axes(self.name, "stride", self.stride, x)
        return size, stride, _padding(self, size, x)

    @property
    def _adaptive(self) -> Size | None:
        return self.to if self.size is None else None

    def shape(self, inputs: Shapes) -> Shape:
        (x,) = inputs
        if self._adaptive is not None:
            return Shape(x.channels, *axes(self.name, "to", self._adaptive, x))
        size, stride, pad = self._axes(x)
        # Torch's mean over a volume wants a map of the window's size before it is padded.
        if self.kind == "avg" and x.rank == 3:
            slide(self.name, x, size, stride, (0, 0, 0))
        return Shape(x.channels, *slide(self.name, x, size, stride, pad, ceil=self.ceil))

    def window(self, inputs: Shapes) -> Window | None:
        if self._adaptive is not None:
            return None
        size, stride, _ = self._axes(inputs[0])
        return Window(size, tuple(map(Fraction, stride)), (1,) * len(size))

    def sized_as(self, inputs: Shapes) -> tuple[int, ...]:
        return () if self._adaptive is not None else super().sized_as(inputs)

    def stride_after(self, inputs: Shapes, strides: tuple[Stride, ...]) -> Stride:
        return None if self._adaptive is not None else super().stride_after(inputs, strides)

    def torch(self, inputs: Shapes) -> Layer:
        (x,) = inputs
        word = "Max" if self.kind == "max" else "Avg"
        if self._adaptive is not None:
            to = axes(self.name, "to", self._adaptive, x)
            return Layer(f"torch.nn.Adaptive{word}Pool{x.rank}d", {"output_size": to})
        size, stride, pad = self._axes(x)
        arguments: dict[str, Any] = {
            "kernel_size": size,
            "stride": stride,
            "padding": pad,
            "ceil_mode": self.ceil,
        }
        if self.kind == "avg":
            arguments["count_include_pad"] = self.count_pad
        target = f"archdsl.emitters.pooling.Ceil{word}" if self.ceil else f"torch.nn.{word}"
        return Layer(f"{target}Pool{x.rank}d", arguments)


@final
class Unpool(Op):
    """Puts each number where the largest of a window of `pool max` stood, among zeros.

    The places are worked out from the map that was pooled, whose size comes back exactly
    (Badrinarayanan et al. 2015, arXiv:1511.00561). The map may be that of `pool max` or, one larger
    along an odd side, that of `ceil=true`.

    >>> Unpool().shape((Shape(8, 16, 16), Shape(8, 33, 32)))
    Shape(8, 33, 32)
    """

    name = "unpool"
    inputs = (2, 2)
    maps = ("of",)
    of: None = arg(None, kind=MapRef(), doc="the map that was pooled")
    size: Size = arg(2, kind=Dims(), doc="size of the window, which steps by it")
    pad: Size | None = arg(
        None, kind=Dims(low=0, optional=True), doc="pixels around the map; (size-1)//2 if not given"
    )

    def shape(self, inputs: Shapes) -> Shape:
        x, of = inputs
        size = axes(self.name, "size", self.size, of)
        pad = _padding(self, size, of)
        least = slide(self.name, of, size, size, pad)
        most = slide(self.name, of, size, size, pad, ceil=True)
        fits = x.rank == of.rank and x.channels == of.channels
        if not fits or any(i not in ends for i, *ends in zip(x.spatial, least, most, strict=True)):
            raise WrongPartner(self.name, "of", f"the map that {described(x)} was pooled from", of)
        return of

    def window(self, inputs: Shapes) -> Window:
        size = axes(self.name, "size", self.size, inputs[0])
        return Window((1,) * len(size), tuple(Fraction(1, k) for k in size), (1,) * len(size))

    @property
    def detached(self) -> tuple[int, ...]:
        return (1,)

    def sized_as(self, inputs: Shapes) -> tuple[int, ...]:
        return (1,)

    def stride_after(self, inputs: Shapes, strides: tuple[Stride, ...]) -> Stride:
        return strides[1]

    def torch(self, inputs: Shapes) -> Call:
        of = inputs[1]
        size = axes(self.name, "size", self.size, of)
        return Call("archdsl.emitters.layers.unpool", {"size": size, "pad": _padding(self, size, of)})


@final
class GlobalPool(Op):
    """The mean of each channel: C×H×W becomes C×1×1; or of each row or column, a strip.

    >>> GlobalPool().shape((Shape(512, 7, 5),))
    Shape(512, 1, 1)
    >>> GlobalPool("width").shape((Shape(512, 7, 5),))
    Shape(512, 7, 1)
    """

    name = "gap"
    over: str = arg("all", kind=Word(("all", "height", "width")), doc="which pixels a mean is of")

    def _sizes(self, x: Shape) -> tuple[int | None, ...]:
        """A number for each spatial dimension; None for one that stays."""
        want_map(self.name, x)
        if self.over == "all":
            return (1,) * x.rank
        gone = x.rank - (1 if self.over == "width" else 2)
        return tuple(1 if axis == gone else None for axis in range(x.rank))

    def shape(self, inputs: Shapes) -> Shape:
        (x,) = inputs
        sizes = zip(self._sizes(x), x.spatial, strict=True)
        return Shape(x.channels, *(kept if to is None else to for to, kept in sizes))

    def stride_after(self, inputs: Shapes, strides: tuple[Stride, ...]) -> Stride:
        return None

    def sized_as(self, inputs: Shapes) -> tuple[int, ...]:
        return ()

    def torch(self, inputs: Shapes) -> Layer:
        (x,) = inputs
        to = 1 if self.over == "all" else self._sizes(x)
        return Layer(f"torch.nn.AdaptiveAvgPool{x.rank}d", {"output_size": to})


@final
class ChannelPool(Op):
    """The largest number, or the mean, of the channels of each pixel: C×H×W becomes 1×H×W.

    >>> ChannelPool("max").shape((Shape(512, 7, 5),))
    Shape(1, 7, 5)
    """

    name = "channel_pool"
    kind: str = arg(kind=Word(("max", "avg")), doc="the largest number or the mean")

    def shape(self, inputs: Shapes) -> Shape:
        return Shape(1, *inputs[0].spatial)

    def torch(self, inputs: Shapes) -> Call:
        name = "largest" if self.kind == "max" else "mean"
        return Call(f"archdsl.emitters.layers.{name}_of_channels")
