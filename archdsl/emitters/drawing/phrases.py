"""Operations in a few words, as figures of papers have them: `3×3, 64, /2`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from archdsl.network import Network, Operation
from archdsl.op import Call, Op, per_axis
from archdsl.ops.backbones import Level, Timm
from archdsl.ops.convolutions import Conv, DepthwiseConv
from archdsl.ops.deformable import DeformableConv
from archdsl.ops.geometry import Size
from archdsl.ops.joins import Add, Concat, Mul
from archdsl.ops.linear import Linear
from archdsl.ops.pools import GlobalPool, Pool
from archdsl.ops.rearrangements import Flatten, PixelShuffle
from archdsl.ops.resizing import Align, Interpolate, Upsample
from archdsl.ops.transpose_conv import TransposeConv
from archdsl.tensors import Shape, Shapes

JOINS = {Add: "+", Mul: "×", Concat: "cat"}


def is_main(network: Network, operation: Operation) -> bool:
    """Whether a figure tells an operation: it multiplies, pools or changes the shape, and is no join."""
    if isinstance(operation.op, Add | Mul | Concat | Flatten | Align | Level):
        return False
    into = network.shapes_into(operation)
    return operation.shape != into[0] or is_pool(operation.op) or _macs(operation.op, into) > 0


def computes(network: Network, operation: Operation) -> bool:
    """Whether an operation is a convolution, a linear layer or another that multiplies and adds."""
    return _macs(operation.op, network.shapes_into(operation)) > 0


@lru_cache(maxsize=4096)
def _macs(op: Op, inputs: Shapes) -> int:
    return op.cost(inputs).macs


def own_name(network: Network, operation: Operation) -> str:
    """The end of the path of an operation's module; empty for one that has none, such as a join."""
    recipe = operation.op.torch(network.shapes_into(operation))
    return "" if isinstance(recipe, Call) else operation.path.rsplit(".", 1)[-1]


def _window(op: Conv | DepthwiseConv | DeformableConv, rank: int, instead: Mapping[str, str]) -> str:
    told = window(op, rank)
    return (
        told.replace(dims(op.kernel, rank), "×".join(rank * instead["kernel"]))
        if "kernel" in instead
        else told
    )


def contents(operation: Operation) -> tuple[int, ...]:
    """The values that an operation works on, without those whose size alone it takes (`like=`)."""
    return operation.inputs[:1] if "like" in operation.op.maps else operation.inputs


def is_pool(op: Op) -> bool:
    return isinstance(op, Pool | GlobalPool)


def dims(size: Size, rank: int) -> str:
    return "×".join(map(str, per_axis(size, rank)))


def window(op: Op, rank: int) -> str:
    """The size of its window: `3×3`; empty for an operation without one."""
    match op:
        case Conv() | TransposeConv():
            return dims(op.kernel, rank)
        case DepthwiseConv():
            return f"dw {dims(op.kernel, rank)}"
        case DeformableConv():
            return f"deform {dims(op.kernel, rank)}"
        case Pool(size=size) if size is not None:
            return f"{op.kind} {dims(size, rank)}"
    return ""


NOTHING: Mapping[str, str] = MappingProxyType({})


def phrase(op: Op, into: Shape, instead: Mapping[str, str] = NOTHING) -> str:
    """An operation with what tells it from others of its kind.

    `instead` has what stands for `out`, `kernel`, `stride`, `dilation`, `groups` or `kind`.
    """
    rank = into.rank
    out, stride, rate = (instead.get(argument, "") for argument in ("out", "stride", "dilation"))
    match op:
        case Conv() | DeformableConv():
            parts = [_window(op, rank, instead), out or str(op.out), stride or step(op.stride, rank)]
            parts.append(f"rate {rate}" if rate else _rate(op.dilation))
            groups = instead.get("groups", op.groups)
            parts.append("" if groups == 1 else f"{groups} groups")
        case DepthwiseConv():
            parts = [_window(op, rank, instead), stride or step(op.stride, rank)]
            parts.append(f"rate {rate}" if rate else _rate(op.dilation))
        case TransposeConv():
            parts = [f"up {window(op, rank)}", out or str(op.out), f"×{op.stride}"]
        case Linear():
            parts = ["fc", out or str(op.out)]
        case Pool(to=to) if to is not None:
            parts = [f"{op.kind} to {dims(to, rank)}"]
        case Pool():
            told = window(op, rank).replace(op.kind, instead.get("kind", op.kind), 1)
            parts = [told, stride or step(op.size if op.stride is None else op.stride, rank)]
        case GlobalPool():
            parts = ["global avg"]
        case Upsample():
            parts = [f"nearest ×{op.scale}"]
        case Interpolate(scale=scale) if scale is not None:
            parts = [f"{op.mode} ×{scale:g}"]
        case Timm():
            parts = [op.word, f"output stride {op.output_stride}" if op.output_stride else ""]
        case Level():
            parts = [f"level {op.index}"]
        case PixelShuffle():
            parts = [f"pixel shuffle ×{op.factor}"]
        case _:
            parts = [op.name.replace("_", " "), *_unusual(op)]
    return ", ".join(part for part in parts if part)


def described(op: Op, into: Shape) -> str:
    """An operation with its word first: `conv 3×3, 64`."""
    told = phrase(op, into)
    return told if told[0].isalpha() else f"{op.name} {told}"


def step(stride: Size | None, rank: int) -> str:
    """A stride as a figure tells it: `/2`; nothing where it is 1."""
    steps = per_axis(stride or 1, rank)
    if set(steps) == {1}:
        return ""
    return f"/{steps[0]}" if len(set(steps)) == 1 else f"/{'×'.join(map(str, steps))}"


def _rate(dilation: Size) -> str:
    rates = {dilation} if isinstance(dilation, int) else set(dilation)
    return "" if rates == {1} else f"rate {'×'.join(map(str, sorted(rates)))}"


def _unusual(op: Op) -> list[str]:
    """Arguments that are not at their defaults."""
    told = []
    for field in dataclasses.fields(op):
        value = getattr(op, field.name)
        if isinstance(value, bool) and value != field.default:
            told.append(field.name if value else f"no {field.name}")
        elif value != field.default:
            told.append(f"{field.name} {value}")
    return told
