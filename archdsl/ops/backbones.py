"""Backbones that another library builds, and the maps that they give."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from fractions import Fraction
from typing import Any, final

from archdsl.backbones.table import ANY_SIZE, CLASS_TOKEN, REGISTERS, Backbone
from archdsl.errors.encoders import NoSuchOutputStride, NoToken
from archdsl.errors.shapes import OtherImage, of_other_rank
from archdsl.op import Call, Flag, Int, Layer, Model, Op, arg
from archdsl.tensors import Cost, Levels, Shape, Shapes, Stride


@final
class Timm(Op):
    """A model of timm without its classifier; gives all its levels at once.

    Channels, sizes and parameters are those of a table; what it computes, and so its multiply-adds, only
    timm knows.
    """

    name = "timm"
    has_weights = True
    opaque = True
    model: Backbone = arg(kind=Model(), doc="the model's name in timm")
    output_stride: int | None = arg(
        None, kind=Int(low=1, optional=True), doc="deepest stride, the rest dilated"
    )
    class_token: bool = arg(
        False, kind=Flag(), doc="whether each pixel of a level gets its class token's channels beside its own"
    )
    mean_token: bool = arg(
        False, kind=Flag(), doc="whether it gets the mean of class token, distillation token and registers"
    )

    def shape(self, inputs: Shapes) -> Levels:
        (x,) = inputs
        if x.rank != 2:
            raise of_other_rank(self.word, x)
        self._check_settings(x)
        levels = self.model.levels
        stride = self.output_stride or levels[-1].stride
        last = next(level for level in levels if level.stride >= stride)
        maps = []
        for level in levels:
            at = min(level, last, key=lambda one: one.stride)
            maps.append(Shape(self._width(level.channels), *(at.side(side) for side in x.spatial)))
        if min(min(one.spatial) for one in maps) < 1:
            least = max(level.stride - level.offset for level in levels if level.stride <= last.stride)
            raise OtherImage(self.word, f"images of {least}x{least} or larger", str(x))
        return Levels(tuple(maps), tuple(min(level.stride, last.stride) for level in levels))

    def _check_settings(self, x: Shape) -> None:
        """Raises for an image, or an output stride, that the model doesn't take."""
        model = self.model
        wanted = model.refuses(x.spatial)
        if wanted:
            raise OtherImage(self.word, wanted, str(x))
        if x.channels != 3 and not model.per_channel:
            raise OtherImage(self.word, "images of 3 channels", str(x))
        stride = self.output_stride or model.reach
        if stride not in (model.reach, *model.dilates):
            raise NoSuchOutputStride(self.word, stride, (*model.dilates, model.reach))
        registers = REGISTERS in model.traits
        if CLASS_TOKEN not in model.traits and (self.class_token or (self.mean_token and not registers)):
            raise NoToken(self.word, self.tokens[0], registers)

    def _width(self, channels: int) -> int:
        """The channels of a level whose own map has so many."""
        return channels * (1 + len(self.tokens))

    @property
    def tokens(self) -> tuple[str, ...]:
        """The options that give each pixel a token's channels."""
        return tuple(name for name in ("class_token", "mean_token") if getattr(self, name))

    @property
    def word(self) -> str:
        """How a spec calls it."""
        return f"timm:{self.model.name}"

    def cost(self, inputs: Shapes) -> Cost:
        more = (inputs[0].channels - 3) * self.model.per_channel
        return Cost(params=self.model.levels[-1].params + more)

    def stride_after(self, inputs: Shapes, strides: tuple[Stride, ...]) -> Stride:
        known = strides[0]
        return None if known is None else known * self.shape(inputs).strides[-1]

    def torch(self, inputs: Shapes) -> Layer:
        channels = tuple(level.channels for level in self.model.levels)
        return Layer("archdsl.backbones.building.checked", {**self.settings(inputs), "channels": channels})

    def settings(self, inputs: Shapes) -> dict[str, Any]:
        """What timm has to know to build it."""
        levels = tuple(level.number for level in self.model.levels)
        found: dict[str, Any] = {"name": self.model.name, "levels": levels, "in_chans": inputs[0].channels}
        if self.output_stride is not None:
            found["output_stride"] = self.output_stride
        if ANY_SIZE in self.model.traits:
            found[ANY_SIZE] = True
        return found | dict.fromkeys(self.tokens, True)

    def narrowed(self, read: Collection[int]) -> tuple[Timm, tuple[int, ...]]:
        levels = self.model.levels[: max(read) + 1]
        kept = tuple(place for place, level in enumerate(levels) if place in read or not level.path)
        model = self.model.narrowed(kept)
        stride = self.output_stride or model.reach
        return replace(self, model=model, output_stride=stride if stride < model.reach else None), kept


@final
class Level(Op):
    """One of the maps of an operation that gives several; `last` if their channels stand last.

    >>> Level(0).shape((Levels((Shape(8, 4, 4), Shape(16, 2, 2)), (2, 4)),))
    Shape(8, 4, 4)
    """

    name = "level"
    index: int = arg(kind=Int(low=0), doc="which map, counted from the finest")
    last: bool = arg(False, kind=Flag(), doc="whether its channels stand last")

    def shape(self, inputs: Shapes) -> Shape:
        (maps,) = inputs
        assert isinstance(maps, Levels)
        return maps.maps[self.index]

    def sized_as(self, inputs: Shapes) -> tuple[int, ...]:
        return ()  # what it reads is no map

    def stride_after(self, inputs: Shapes, strides: tuple[Stride, ...]) -> Stride:
        (maps,), known = inputs, strides[0]
        assert isinstance(maps, Levels)
        return None if known is None else known * Fraction(maps.strides[self.index], maps.strides[-1])

    def torch(self, inputs: Shapes) -> Call:
        return Call("archdsl.emitters.layers.level", {"index": self.index, "last": self.last})
