"""Larger and smaller maps without weights: resize, crop, pad."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import Any, final

from archdsl.errors.shapes import AlignCorners, CropTooLarge, ExactlyOne, NothingLeft, WrongKind
from archdsl.op import Call, Dims, Flag, Int, Layer, MapRef, Op, Real, Recipe, Word, arg
from archdsl.ops.geometry import Axes, Size, axes, want_map
from archdsl.tensors import Shape, Shapes, Stride, Window

# Pixels that one pixel of the result reads along each dimension.
READS = {"nearest": 1, "bilinear": 2, "bicubic": 4}


def _like(word: str, inputs: Shapes) -> Shape:
    """The channels of the first map in the size of the second; raises WantsMap, WrongKind."""
    x, like = inputs
    want_map(word, x)
    if like.rank != x.rank:
        raise WrongKind(word, "maps of one kind", inputs)
    return Shape(x.channels, *like.spatial)


def _scaled(word: str, x: Shape, scale: float) -> tuple[int, ...]:
    """The size of a map by a factor, rounded down; raises NothingLeft."""
    made = tuple(int(i * scale) for i in x.spatial)
    if 0 in made:
        raise NothingLeft(word, x.spatial, (ceil(1 / scale),) * x.rank)
    return made


def _place(inputs: Shapes, strides: tuple[Stride, ...], y: Shape) -> Stride:
    """The second map's stride if there is one, else the first's by what became of the width."""
    if len(strides) == 2 and strides[1] is not None:
        return strides[1]
    return None if strides[0] is None else strides[0] * Fraction(inputs[0][-1], y[-1])


class _Sized(Op):
    """What can take the size of another map, its second input: `like=@x`."""

    maps = ("like",)
    sizing = True

    @property
    def detached(self) -> tuple[int, ...]:
        return (1,)

    def sized_as(self, inputs: Shapes) -> tuple[int, ...]:
        return (1,) if len(inputs) == 2 else ()


@final
class Interpolate(_Sized):
    """Resizes a map by interpolation: by a factor, to a size, or to the size of another map.

    On a volume `bilinear` is trilinear.

    >>> Interpolate(scale=2).shape((Shape(8, 7, 7),))
    Shape(8, 14, 14)
    >>> Interpolate("nearest").shape((Shape(8, 7, 7), Shape(64, 13, 13)))
    Shape(8, 13, 13)
    """

    name = "interpolate"
    inputs = (1, 2)
    mode: str = arg("bilinear", kind=Word(("bilinear", "nearest", "bicubic")), doc="how pixels are mixed")
    size: Size | None = arg(None, kind=Dims(optional=True), doc="size that leaves")
    scale: float | None = arg(None, kind=Real(low=0.01, optional=True), doc="factor of height and width")
    like: None = arg(None, kind=MapRef(), doc="a map whose size is taken")
    align_corners: bool = arg(False, kind=Flag(), doc="whether corner pixels keep their places")

    def shape(self, inputs: Shapes) -> Shape:
        x = inputs[0]
        want_map(self.name, x)
        named = {"a size": self.size, "scale=": self.scale, "like=": inputs[1:] or None}
        given = tuple(name for name, value in named.items() if value is not None)
        if len(given) != 1:
            raise ExactlyOne(self.name, tuple(named), given)
        if self.align_corners and self.mode == "nearest":
            raise AlignCorners(self.mode)
        if self.mode == "bicubic" and x.rank != 2:
            raise WrongKind("interpolate bicubic", "a map", (x,))
        if self.scale is not None:
            return Shape(x.channels, *_scaled(self.name, x, float(self.scale)))
        if self.size is not None:
            return Shape(x.channels, *axes(self.name, "size", self.size, x))
        return _like(self.name, inputs)

    def window(self, inputs: Shapes) -> Window:
        x, y = inputs[0], self.shape(inputs)
        return Window(
            kernel=(READS[self.mode],) * x.rank,
            stride=tuple(map(Fraction, x.spatial, y.spatial)),
            dilation=(1,) * x.rank,
        )

    def sized_as(self, inputs: Shapes) -> tuple[int, ...]:
        return (0,) if self.scale == 1 else super().sized_as(inputs)

    def stride_after(self, inputs: Shapes, strides: tuple[Stride, ...]) -> Stride:
        if self.scale is not None:
            return None if strides[0] is None else strides[0] / Fraction(str(self.scale))
        return _place(inputs, strides, self.shape(inputs))

    def torch(self, inputs: Shapes) -> Recipe:
        x = inputs[0]
        mode = "trilinear" if self.mode == "bilinear" and x.rank == 3 else self.mode
        arguments: dict[str, Any] = {
            "mode": mode,
            "align_corners": None if mode == "nearest" else self.align_corners,
        }
        if self.scale is not None:
            return Layer("torch.nn.Upsample", {"scale_factor": float(self.scale), **arguments})
        if self.size is not None:
            size = axes(self.name, "size", self.size, x)
            return Layer("torch.nn.Upsample", {"size": size, **arguments})
        return Call("archdsl.emitters.layers.resize_like", arguments)


@final
class Upsample(Op):
    """Repeats each pixel: a map becomes `scale` times larger."""

    name = "upsample"
    scale: int = arg(2, kind=Int(low=1), doc="how many times larger the map becomes")

    def shape(self, inputs: Shapes) -> Shape:
        (x,) = inputs
        want_map(self.name, x)
        return Shape(x.channels, *(i * self.scale for i in x.spatial))

    def window(self, inputs: Shapes) -> Window:
        rank = inputs[0].rank
        return Window((1,) * rank, (Fraction(1, self.scale),) * rank, (1,) * rank)

    def torch(self, inputs: Shapes) -> Layer:
        return Layer("torch.nn.Upsample", {"scale_factor": float(self.scale), "mode": "nearest"})


@final
class Crop(_Sized):
    """Cuts a piece out of a map, in a given size or in that of another map: the middle, or from `offset` on.

    >>> Crop().shape((Shape(8, 12, 12), Shape(4, 7, 7)))
    Shape(8, 7, 7)
    """

    name = "crop"
    inputs = (1, 2)
    size: Size | None = arg(None, kind=Dims(optional=True), doc="size that leaves")
    like: None = arg(None, kind=MapRef(), doc="a map whose size is taken")
    offset: Size | None = arg(
        None,
        kind=Dims(low=0, optional=True),
        doc="pixels left out at the top and the left; the middle if not given",
    )

    def _offset(self, x: Shape) -> Axes | None:
        return None if self.offset is None else axes(self.name, "offset", self.offset, x)

    def shape(self, inputs: Shapes) -> Shape:
        x = inputs[0]
        if (self.size is None) == (len(inputs) == 1):
            given = ("a size", "like=") if len(inputs) == 2 else ()
            raise ExactlyOne(self.name, ("a size", "like="), given)
        y = (
            _like(self.name, inputs)
            if self.size is None
            else Shape(x.channels, *axes(self.name, "size", self.size, x))
        )
        offset = self._offset(x) or (0,) * x.rank
        if any(o + side > i for o, side, i in zip(offset, y.spatial, x.spatial, strict=True)):
            raise CropTooLarge(y.spatial, x.spatial, offset)
        return y

    def torch(self, inputs: Shapes) -> Recipe:
        offset = self._offset(inputs[0])
        if self.size is None:
            return Call("archdsl.emitters.layers.crop_like", {"offset": offset})
        size = axes(self.name, "size", self.size, inputs[0])
        return Layer("archdsl.emitters.layers.Crop", {"size": size, "offset": offset})


@final
class Align(_Sized):
    """Crops or pads with zeros, at the bottom and the right, to the size of another map.

    What recipe stages do after a transposed convolution, whose size is a multiple of its stride.
    """

    name = "align"
    inputs = (2, 2)
    like: None = arg(None, kind=MapRef(), doc="a map whose size is taken")

    def shape(self, inputs: Shapes) -> Shape:
        return _like(self.name, inputs)

    def torch(self, inputs: Shapes) -> Call:
        return Call("archdsl.emitters.layers.align_like")


@final
class Pad(Op):
    """Adds zeros on all sides of a map.

    >>> Pad(3).shape((Shape(8, 10, 12),))
    Shape(8, 16, 18)
    """

    name = "pad"
    size: Size = arg(kind=Dims(low=0), doc="pixels added on each side")

    def shape(self, inputs: Shapes) -> Shape:
        (x,) = inputs
        sides = axes(self.name, "size", self.size, x)
        return Shape(x.channels, *(i + 2 * p for i, p in zip(x.spatial, sides, strict=True)))

    def torch(self, inputs: Shapes) -> Layer:
        (x,) = inputs
        sides = axes(self.name, "size", self.size, x)
        # Torch wants the last dimension first, and both of its sides.
        padding = tuple(p for p in reversed(sides) for _ in range(2))
        return Layer(f"torch.nn.ZeroPad{x.rank}d", {"padding": padding})
