"""What a decoder does at one node: grow coarse maps, join them with finer ones, convolve."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple, TypeAlias

from archdsl.errors.recipes import NotDoubled, NotWhole, PartMoves
from archdsl.op import Op
from archdsl.ops.convolutions import Conv
from archdsl.ops.joins import Add, Concat
from archdsl.ops.norms import BatchNorm
from archdsl.ops.pools import Pool, Unpool
from archdsl.ops.rearrangements import PixelShuffle
from archdsl.ops.resizing import Align, Interpolate
from archdsl.ops.transpose_conv import TransposeConv
from archdsl.stage import Joining, Map, StageValue, Wiring
from archdsl.tensors import per_pixel

RESIZING = ("bilinear", "nearest")
Builder: TypeAlias = Callable[[Wiring, tuple[Map, ...]], Map]


class Step(NamedTuple):
    """The settings of one level of the decoder."""

    form: str | StageValue
    width: int
    block: StageValue
    dilation: int
    se: str
    attention: StageValue | None


def called_with(width: int, stage: StageValue) -> tuple[int, ...]:
    """What a stage of a node is called with: the width, where it takes anything."""
    return (width,) if stage.takes_more else ()


def node(step: Step, join: str, gate: StageValue | None, signalled: StageValue | None) -> Builder:
    """What builds one node from (coarse map, map of its size, skips...)."""

    def build(net: Wiring, maps: tuple[Map, ...]) -> Map:
        coarse, like, skips = maps[0], maps[1:2], maps[2:]
        x = grown(net, step.form, step.width, coarse, like)
        if gate is not None:
            several = len(skips) > 1
            skips = tuple(gated(net, gate, y, f"gate{k}" if several else "gate") for k, y in enumerate(skips))
        if signalled is not None:
            skips = tuple(gated(net, signalled, skip, "gated", signal=x) for skip in skips)
        if join == "add" and skips:
            x = net.add(Add(), matched(net, x, skips[0]), *skips)
        elif join == "concat" and skips:
            x = net.add(Concat(), x, *skips)
        return convolved(net, step, x)

    return build


def full_node(step: Step, row: int, joining: Joining, gates: tuple[StageValue | None, ...]) -> Builder:
    """What builds a node of `row` from the maps of all levels, finest first (Huang et al. 2020)."""

    def build(net: Wiring, maps: tuple[Map, ...]) -> Map:
        like, scales = maps[row], []
        for level, x in enumerate(maps):
            below = net.part(f"scale{level}")
            if level < row:
                pool = Pool("max", size=whole_steps(like, x), pad=0, ceil=True)
                x = below.add(Align(), below.add(pool, x, name="pool"), like)
            elif level > row:
                x = grown(below, step.form, joining.width, x, (like,))
            made = below.call(joining.block, x, *called_with(joining.width, joining.block), name="block")
            kept(x, made)
            gate = gates[level] if level <= row and gates else None
            scales.append(made if gate is None else gated(below, gate, made, "gate"))
        return convolved(net, step, net.add(Concat(), *scales))

    return build


# ---- larger maps ---------------------------------------------------------------------------------


def grown(net: Wiring, form: str | StageValue, width: int, x: Map, like: tuple[Map, ...]) -> Map:
    """A map twice as large; with another, in its size, by as many steps as it takes."""
    if form in RESIZING:
        assert isinstance(form, str)
        op: Op = Interpolate(form) if like else Interpolate(form, scale=2.0)
        return net.add(op, x, *like, name="up")
    if form == "unpool":
        return net.add(Unpool(size=whole_steps(x, like[0]), pad=0), matched(net, x, like[0]), *like)
    count = doublings(form, x, like[0]) if like else 1
    for number in range(1, count + 1):
        x = doubled(net, form, width, x, "up" if count == 1 else f"up{number}")
    return net.add(Align(), x, *like) if like else x


def doubled(net: Wiring, form: str | StageValue, width: int, x: Map, name: str) -> Map:
    """A map twice as large."""
    if form == "transpose":
        return net.add(TransposeConv(kernel=2, out=width, stride=2), x, name=name)
    if form == "pixelshuffle":
        below = net.part(name)
        x = below.add(Conv(kernel=1, out=4 * width), x, name="0")
        return below.add(PixelShuffle(2), x, name="1")
    assert not isinstance(form, str)
    made = net.call(form, x, *called_with(width, form), name=name)
    if made.stride is None or made.stride * 2 != x.stride:
        raise NotDoubled(form.word, str(x.shape), str(made.shape))
    return made


def doublings(form: str | StageValue, coarse: Map, fine: Map) -> int:
    """How often a map is doubled on its way to another's size; raises NotDoubled if that can't be."""
    steps = _ratio(coarse, fine)
    if steps < 2 or steps.denominator > 1 or steps.numerator & (steps.numerator - 1):
        word = form if isinstance(form, str) else form.word
        raise NotDoubled(word, per_pixel(fine.stride), per_pixel(coarse.stride), levels=True)
    return steps.numerator.bit_length() - 1


def whole_steps(coarse: Map, fine: Map) -> int:
    """How many times larger the finer map is; raises NotWhole if that is no whole number."""
    steps = _ratio(coarse, fine)
    if steps.denominator > 1:
        raise NotWhole(per_pixel(fine.stride), per_pixel(coarse.stride))
    return steps.numerator


def _ratio(coarse: Map, fine: Map) -> Fraction:
    assert coarse.stride is not None, "levels have a stride"
    assert fine.stride is not None, "levels have a stride"
    return Fraction(coarse.stride) / Fraction(fine.stride)


# ---- parts of a node -----------------------------------------------------------------------------


def gated(net: Wiring, gate: StageValue, x: Map, name: str, **signal: Map) -> Map:
    """A map, weighed by a gate, which may see what climbs as its `signal`."""
    made = net.call(gate, x, name=name, **signal)
    if made.shape != x.shape:
        raise PartMoves(str(x.shape), str(made.shape), "a gate", "gate" if signal else "attention")
    return made


def matched(net: Wiring, x: Map, skip: Map) -> Map:
    """A map with its skip's channels: a sum needs them equal, and resizing keeps what was there."""
    if x.shape.channels == skip.shape.channels:
        return x
    below = net.part("project")
    x = below.add(Conv(kernel=1, out=skip.shape.channels, bias=False), x, name="0")
    return below.add(BatchNorm(), x, name="1")


def convolved(net: Wiring, step: Step, x: Map) -> Map:
    """The block of a node, with its SE and attention."""
    keywords: dict[str, Any] = {} if step.dilation == 1 else {"dilation": step.dilation}
    place = step.se
    if place != "none" and step.block.takes("se"):
        keywords["se"] = place
        place = "none"
    if place == "pre":
        x = net.call(net.library("se"), x, name="se")
    before, x = x, net.call(step.block, x, *called_with(step.width, step.block), name="block", **keywords)
    kept(before, x)
    if place in ("standard", "post"):
        x = net.call(net.library("se"), x, name="se")
    if step.attention is not None:
        x = gated(net, step.attention, x, "attention")
    return x


def kept(before: Map, after: Map) -> None:
    """Raises PartMoves for a block of a decoder that changes the size of its map."""
    if after.shape.spatial != before.shape.spatial:
        raise PartMoves(str(before.shape), str(after.shape), "a block", "block")
