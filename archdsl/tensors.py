"""What is known of a tensor before torch: its shape, its stride, what it costs to make."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple, Self, TypeAlias


class Shape(tuple[int, ...]):
    """A tensor's shape without the batch: C×H×W, C×D×H×W for a volume, F for a vector."""

    __slots__ = ()

    def __new__(cls, *sizes: int) -> Self:
        return super().__new__(cls, sizes)

    def __getnewargs__(self) -> tuple[Any, ...]:
        """What a copy is made of; a tuple's own would be one argument, the tuple."""
        return tuple(self)

    @property
    def channels(self) -> int:
        return self[0]

    @property
    def spatial(self) -> tuple[int, ...]:
        return self[1:]

    @property
    def rank(self) -> int:
        """How many spatial dimensions: 0 for a vector, 2 for a map, 3 for a volume."""
        return len(self) - 1

    @property
    def elements(self) -> int:
        total = 1
        for size in self:
            total *= size
        return total

    def __str__(self) -> str:
        return "x".join(map(str, self))

    def __repr__(self) -> str:
        return f"Shape({', '.join(map(str, self))})"


class Levels(Shape):
    """The maps that an operation with several outputs gives as one value, finest first.

    As a shape it is that of the deepest map. `strides` are relative to what the operation reads.
    """

    maps: tuple[Shape, ...]
    strides: tuple[int, ...]

    def __new__(cls, maps: tuple[Shape, ...], strides: tuple[int, ...]) -> Self:
        made = super().__new__(cls, *maps[-1])
        made.maps = maps
        made.strides = strides
        return made

    def __getnewargs__(self) -> tuple[Any, ...]:
        return self.maps, self.strides

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Levels) and (self.maps, self.strides) == (other.maps, other.strides)

    def __hash__(self) -> int:
        return hash((self.maps, self.strides))


Shapes: TypeAlias = tuple[Shape, ...]

# Pixels of the image that one step of a map spans; None where a map has no place (after global pooling).
Stride: TypeAlias = Fraction | int | None


def per_pixel(stride: Stride) -> str:
    """A stride as a reader is told it: `/4`, `/2.5`."""
    return f"/{stride if isinstance(stride, int) else f'{float(stride):g}' if stride else '?'}"


def relative(stride: Stride, entered: Stride) -> Stride:
    """A stride counted from a map of another stride: what a step spans of that map's pixels.

    >>> relative(8, 2), relative(8, Fraction(1, 2)), relative(None, 2)
    (Fraction(4, 1), Fraction(16, 1), None)
    """
    return None if stride is None or entered is None else Fraction(stride) / entered


class Cost(NamedTuple):
    """What an operation costs: trainable parameters and multiply-adds of one image."""

    params: int = 0
    macs: int = 0


class Window(NamedTuple):
    """How an operation reads its input, one number a spatial dimension.

    A stride below 1 (as in a transposed convolution) makes the map larger.
    """

    kernel: tuple[int, ...]
    stride: tuple[Fraction, ...]
    dilation: tuple[int, ...]
