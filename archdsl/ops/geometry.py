"""How sizes given in a spec apply to a map, and what a sliding window leaves of it."""

from __future__ import annotations

from typing import TypeAlias

from archdsl.errors.shapes import KernelTooLarge, WantsMap, WrongRank
from archdsl.op import per_axis
from archdsl.tensors import Shape

# A size as an argument holds it: one number for all spatial dimensions, or one for each.
Size: TypeAlias = int | tuple[int, ...]
Axes: TypeAlias = tuple[int, ...]


def want_map(word: str, x: Shape) -> None:
    """Raises WantsMap for a vector."""
    if x.rank == 0:
        raise WantsMap(word, x)


def axes(word: str, argument: str, size: Size, x: Shape) -> Axes:
    """An argument's number for each spatial dimension of a map; raises WantsMap, WrongRank."""
    want_map(word, x)
    numbers = per_axis(size, x.rank)
    if len(numbers) != x.rank:
        raise WrongRank(word, argument, numbers, x)
    return numbers


def centred(kernel: Axes, dilation: Axes) -> Axes:
    """The padding at which a window of odd size keeps the size of a map at stride 1."""
    return tuple(d * (k - 1) // 2 for k, d in zip(kernel, dilation, strict=True))


def extent(kernel: Axes, dilation: Axes) -> Axes:
    """The side of a dilated window."""
    return tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))


def slide(word: str, x: Shape, window: Axes, stride: Axes, padding: Axes, *, ceil: bool = False) -> Axes:
    """How many windows fit along each dimension; raises KernelTooLarge where none does."""
    counts = []
    for i, w, s, p in zip(x.spatial, window, stride, padding, strict=True):
        if w > i + 2 * p:
            minimum = tuple(max(1, w - 2 * p) for w, p in zip(window, padding, strict=True))
            raise KernelTooLarge(word, window, x.spatial, minimum)
        counts.append(_ceiled(i, w, s, p) if ceil else (i + 2 * p - w) // s + 1)
    return tuple(counts)


def _ceiled(size: int, window: int, stride: int, padding: int) -> int:
    """A last window that would start beyond the map and its first padding is dropped."""
    count = -(-(size + 2 * padding - window) // stride) + 1
    return count - 1 if (count - 1) * stride >= size + padding else count
