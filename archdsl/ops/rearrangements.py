"""The same numbers in other places, or some of them."""

from __future__ import annotations

from fractions import Fraction
from typing import final

from archdsl.errors.shapes import IndivisibleChannels, NoSuchChunk, WrongKind, WrongPartner
from archdsl.op import Call, Int, Layer, MapRef, Op, arg
from archdsl.tensors import Shape, Shapes, Stride, Window


@final
class Flatten(Op):
    """Makes a vector of a map: C×H×W becomes C*H*W features.

    >>> Flatten().shape((Shape(8, 4, 4),))
    Shape(128)
    """

    name = "flatten"

    def shape(self, inputs: Shapes) -> Shape:
        return Shape(inputs[0].elements)

    def stride_after(self, inputs: Shapes, strides: tuple[Stride, ...]) -> Stride:
        return None

    def torch(self, inputs: Shapes) -> Layer:
        return Layer("torch.nn.Flatten", {})


@final
class MergeDepth(Op):
    """Makes a map of a volume: C×D×H×W becomes C*D×H×W, all depths of a channel together.

    >>> MergeDepth().shape((Shape(32, 18, 19, 19),))
    Shape(576, 19, 19)
    """

    name = "merge_depth"

    def shape(self, inputs: Shapes) -> Shape:
        (x,) = inputs
        if x.rank != 3:
            raise WrongKind(self.name, "a volume", inputs)
        channels, depth, *spatial = x
        return Shape(channels * depth, *spatial)

    def torch(self, inputs: Shapes) -> Layer:
        return Layer("torch.nn.Flatten", {"start_dim": 1, "end_dim": 2})


@final
class Reshape(Op):
    """The same numbers, in their order, in the shape of another map.

    >>> Reshape().shape((Shape(35, 64, 1), Shape(64, 7, 5)))
    Shape(64, 7, 5)
    """

    name = "reshape"
    inputs = (2, 2)
    maps = ("like",)
    like: None = arg(None, kind=MapRef(), doc="a map whose shape is taken")

    def shape(self, inputs: Shapes) -> Shape:
        x, like = inputs
        if like.elements != x.elements:
            raise WrongPartner(self.name, "like", f"a map of {x.elements:,} numbers, as many as flow", like)
        return like

    @property
    def detached(self) -> tuple[int, ...]:
        return (1,)

    def sized_as(self, inputs: Shapes) -> tuple[int, ...]:
        return (1,)

    def stride_after(self, inputs: Shapes, strides: tuple[Stride, ...]) -> Stride:
        return strides[1]

    def torch(self, inputs: Shapes) -> Call:
        return Call("archdsl.emitters.layers.reshape_like")


@final
class PixelShuffle(Op):
    """Makes r*r channels one that is r times larger (Shi et al., 2016).

    >>> PixelShuffle(2).shape((Shape(8, 7, 7),))
    Shape(2, 14, 14)
    """

    name = "pixelshuffle"
    factor: int = arg(2, kind=Int(low=1), doc="how many times larger the map becomes")

    def shape(self, inputs: Shapes) -> Shape:
        (x,) = inputs
        if x.rank != 2:
            raise WrongKind(self.name, "a map", inputs)
        if x.channels % self.factor**2:
            raise IndivisibleChannels(x.channels, self.factor**2, "squares of pixels")
        return Shape(x.channels // self.factor**2, *(i * self.factor for i in x.spatial))

    def window(self, inputs: Shapes) -> Window:
        return Window((1, 1), (Fraction(1, self.factor),) * 2, (1, 1))

    def torch(self, inputs: Shapes) -> Layer:
        return Layer("torch.nn.PixelShuffle", {"upscale_factor": self.factor})


@final
class Shuffle(Op):
    """Deals the channels of each group out to all groups (ShuffleNet, Zhang et al., 2018)."""

    name = "shuffle"
    groups: int = arg(kind=Int(low=1), doc="groups that the channels come in")

    def shape(self, inputs: Shapes) -> Shape:
        (x,) = inputs
        if x.channels % self.groups:
            raise IndivisibleChannels(x.channels, self.groups)
        return x

    def torch(self, inputs: Shapes) -> Layer:
        return Layer("archdsl.emitters.layers.ChannelShuffle", {"groups": self.groups})


@final
class Chunk(Op):
    """One of several equal pieces of the channels, counted from 0.

    >>> Chunk(0, of=2).shape((Shape(58, 28, 28),))
    Shape(29, 28, 28)
    """

    name = "chunk"
    index: int = arg(kind=Int(low=0), doc="which piece")
    of: int = arg(kind=Int(low=1), doc="how many pieces")

    def shape(self, inputs: Shapes) -> Shape:
        (x,) = inputs
        if self.index >= self.of:
            raise NoSuchChunk(self.index, self.of)
        if x.channels % self.of:
            raise IndivisibleChannels(x.channels, self.of, "chunks")
        return Shape(x.channels // self.of, *x.spatial)

    def torch(self, inputs: Shapes) -> Layer:
        length = inputs[0].channels // self.of
        return Layer("archdsl.emitters.layers.Chunk", {"start": self.index * length, "length": length})
