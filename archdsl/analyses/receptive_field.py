"""How much of the image one pixel of the output can see."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import starmap
from typing import NamedTuple, TypeAlias

from archdsl.network import Network, Operation
from archdsl.tensors import Shape

POOLS = ("pool", "gap")
# Each pixel that leaves reads pixels from all over the map, or over its row and its column.
ATTENTION = ("matmul", "criss_cross", "em_attention")
# What leaves has no place in the image.
PLACELESS = ("swap", "flatten")


class Axis(NamedTuple):
    """What a pixel of a map reads along one axis, in pixels of the image.

    Attributes:
        local, step: what windows reach, and pixels from one window to the next; pooling to a fixed
            size adds nothing, and behind it there is no step.
        wide, pace: the same with such pooling and attention counted in.
        apart: whether the map has no place along this axis, as after global pooling.
    """

    local: Fraction = Fraction(1)
    step: Fraction = Fraction(1)
    wide: Fraction = Fraction(1)
    pace: Fraction = Fraction(1)
    apart: bool = False


class Slide(NamedTuple):
    """A window along one axis."""

    kernel: int
    stride: Fraction
    dilation: int


Field: TypeAlias = tuple[Axis, ...]


def receptive_field(network: Network) -> int:
    """Pixels of the image, along its longer reach, that one pixel of the output reads.

    Windows follow the recurrence of Araujo et al. 2019 (doi:10.23915/distill.00021): a kernel adds
    (k-1) steps of the map that it reads. That sum may be more than the image has.

    What depends on the image's size counts for no more than its side: the cells of pooling to a
    fixed size, and the whole of it for attention over all pixels or over rows and columns, and for
    what is pooled to one pixel or a strip and spread over a map again. A global pooling that is not
    spread, as a classifier's, is left out.

    A join sees as far as its farthest branch, in whatever order they stand.
    """
    sides = network.input.spatial
    fields: list[Field] = [tuple(Axis() for _ in sides)]
    for operation in network.operations:
        fields.append(_read(operation, network, [fields[value] for value in operation.inputs]))
    reach = [fields[output.value] for output in network.outputs if not output.training_only]
    seen = (_seen(axis, side) for field in reach for axis, side in zip(field, sides, strict=True))
    return math.ceil(max(seen))


def _seen(axis: Axis, side: int) -> Fraction:
    return max(axis.local, min(axis.wide, Fraction(side)))


def _read(operation: Operation, network: Network, entering: list[Field]) -> Field:
    """The field of what an operation gives."""
    inputs, sides = network.shapes_into(operation), network.input.spatial
    windows = _windows(operation, inputs, len(sides))
    sizes = [_sizes(x, len(sides)) for x in inputs]
    made = []
    for n, (side, window, after) in enumerate(
        zip(sides, windows, _sizes(operation.shape, len(sides)), strict=True)
    ):
        axes = [field[n] for field in entering]
        if operation.op.name == "reshape":
            made.append(axes[1]._replace(local=axes[0].local, wide=Fraction(side)))
            continue
        read = [k for k in range(len(axes)) if k not in operation.op.detached] or [0]
        slid = [_slid(axes[k], sizes[k][n], after, window if k == 0 else None) for k in read]
        if operation.op.name in POOLS and operation.op.window(inputs) is None:
            slid = [_pooled(axes[0], sizes[0][n], after)]
        spread = [_spread(axis, sizes[k][n], after, side) for k, axis in zip(read, slid, strict=True)]
        made.append(_joined(spread, operation.op.name, side))
    return tuple(made)


def _sizes(shape: Shape, rank: int) -> tuple[int, ...]:
    """Pixels along each axis of the image; 1 along those that a map has no more."""
    return (1,) * (rank - shape.rank) + shape.spatial


def _windows(operation: Operation, inputs: tuple[Shape, ...], rank: int) -> list[Slide | None]:
    """How an operation reads its first input along each axis of the image."""
    window = operation.op.window(inputs)
    if window is None:
        return [None] * rank
    axes = starmap(Slide, zip(window.kernel, window.stride, window.dilation, strict=True))
    return [None] * (rank - len(window.kernel)) + list(axes)


def _slid(axis: Axis, before: int, after: int, window: Slide | None) -> Axis:
    """Behind a window; without one, one pixel may have been spread over several."""
    if window is None:
        return axis._replace(pace=axis.pace / after) if before == 1 < after else axis
    reach = (window.kernel - 1) * window.dilation
    return axis._replace(
        local=axis.local + reach * axis.step,
        step=axis.step * window.stride,
        wide=axis.wide + min(reach, before - 1) * axis.pace,
        pace=axis.pace * window.stride,
    )


def _pooled(axis: Axis, before: int, after: int) -> Axis:
    """Behind pooling to `after` pixels, each of which is of a share of the map."""
    if before == after:
        return axis
    pace = axis.pace * Fraction(before, after)
    if after == 1:
        return axis._replace(step=Fraction(0), pace=pace, apart=True)
    cell = max(-(-(n + 1) * before // after) - n * before // after for n in range(after))
    return axis._replace(step=Fraction(0), wide=axis.wide + (cell - 1) * axis.pace, pace=pace)


def _spread(axis: Axis, before: int, after: int, side: int) -> Axis:
    """What has no place sees the whole of the image where it comes back to one."""
    return axis._replace(wide=Fraction(side), apart=False) if axis.apart and before < after else axis


def _joined(axes: list[Axis], word: str, side: int) -> Axis:
    """As far as the farthest; what has a place gives it one."""
    found = Axis(*(max(column) for column in zip(*axes, strict=True)))
    if word in PLACELESS:
        return found._replace(apart=True)
    if word in ATTENTION:
        x = axes[0]
        wide = found.wide if x.apart else Fraction(side)
        return Axis(found.local, x.step, wide, x.pace, x.apart)
    return found
