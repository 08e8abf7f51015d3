"""The levels of a backbone: which of its maps they are, and what of it they need.

What no level needs is not built, so it needn't fit the image either: a head, an auxiliary one, levels below
`depth=`. Where something is too large, the backbone is elaborated for a larger image; the operations that its
levels need then get their shapes from the image that there is.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from archdsl.blocks import Block
from archdsl.elaboration.flows import flow_maps
from archdsl.elaboration.values import Partial
from archdsl.errors import ArchError, Mistake
from archdsl.errors.encoders import NoLevels, NoSuchDepth, NoSuchTap, NoTapsInside
from archdsl.errors.shapes import BY_SIZE
from archdsl.ops.backbones import Timm
from archdsl.stage import Map, Pyramid
from archdsl.tensors import Shape, per_pixel, relative

# Sides of the larger images. What differs between two of them depends on the size of the image.
SIDES = (256, 288)


class Chosen(NamedTuple):
    """The levels of a backbone, and what they need of it.

    Attributes:
        block: the whole definition.
        inputs: the values that it reads.
        levels: finest first, in the block's numbers.
        cut: the part of the block that they need.
    """

    block: Block
    inputs: tuple[int, ...]
    levels: list[Map]
    cut: Block


def levels_of(block: Block, stage: Partial, taps: tuple[str, ...] | None) -> list[Map]:
    """The levels of a backbone, finest first; of several at one stride the last counts."""
    if taps is not None:
        unknown = [path for path in taps if path not in block.leaves]
        if unknown:
            raise _no_such_tap(unknown[0], block, stage)
        return [value_of(block, block.leaves[path]) for path in taps]
    if block.taps:
        marked = [value_of(block, value) for value in block.taps]
    elif isinstance(block.flow, Pyramid):
        marked = list(block.flow.maps)
    else:
        marked = [value_of(block, value) for value in block.levels]
    last: dict[Any, Map] = {}
    for level in marked:
        if level.stride is not None and level.shape.rank:
            last[level.stride] = level
    if not last:
        raise NoLevels(stage.word)
    return [last[stride] for stride in sorted(last)]


def _no_such_tap(path: str, block: Block, stage: Partial) -> Mistake:
    if stage.callee is not Timm:
        top = tuple(dict.fromkeys(leaf.split(".")[0] for leaf in block.leaves))
        return NoSuchTap(path, stage.word, top)
    blocks = tuple(filter(None, block.leaves))  # what it is itself has no path
    return NoSuchTap(path, stage.word, blocks) if blocks else NoTapsInside(stage.word)


def down_to(levels: list[Map], depth: int, stage: Partial, entered: Map) -> list[Map]:
    """The levels down to a stride of 2^depth, counted from the map that entered the encoder."""
    strides = [relative(level.stride, entered.stride) for level in levels]
    if 2**depth not in strides:
        raise NoSuchDepth(stage.word, depth, tuple(map(per_pixel, strides)))
    return levels[: strides.index(2**depth) + 1]


def value_of(block: Block, value: int) -> Map:
    """A value of a block as a map."""
    if value < block.inputs:
        return next(level for level in flow_maps(block.flow) if level.value == value)
    operation = block.operations[value - block.inputs]
    return Map(value, operation.shape, operation.stride)


# ---- a larger image ------------------------------------------------------------------------------


def is_by_size(error: ArchError) -> bool:
    """Whether a larger image may mend all that is wrong."""
    return all(diagnostic.code in BY_SIZE for diagnostic in error.diagnostics)


def larger(value: Map, side: int) -> Map:
    """A map of which no side is shorter than this."""
    return value._replace(shape=Shape(value.shape.channels, *(max(i, side) for i in value.shape.spatial)))


def fitted(one: Chosen, other: Chosen, flow: Map, image: Map) -> Chosen | None:
    """What was chosen for two larger images, for this one; None where it doesn't fit, or depends on size."""
    alike = one.cut.program == other.cut.program and one.cut.outputs == other.cut.outputs
    if not alike or one.inputs != (flow.value, image.value):
        return None
    shapes = (flow.shape, image.shape)
    key = ("fitted", shapes, *(level.value for level in one.levels))
    if key not in one.block.picked:
        try:
            cut = one.cut.resized(shapes)
        except Mistake:
            return None
        sized = zip(one.levels, cut.outputs, strict=True)
        levels = [level._replace(shape=cut.shape_of(value)) for level, value in sized]
        one.block.picked[key] = (levels, cut)
    return one._replace(levels=one.block.picked[key][0], cut=one.block.picked[key][1])
