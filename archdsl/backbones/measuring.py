"""Writes `timm.txt`: every model of the timm that is installed, measured on the meta device.

    python -m archdsl.backbones.measuring [NAME ...]

A model is in the table if timm gives its features as maps, channels and strides as it says.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from archdsl.backbones.building import features, is_channels_last, levels_of, maps
from archdsl.backbones.table import ANY_SIZE, CLASS_TOKEN, REGISTERS, TABLE, Backbone, Level, lines

if TYPE_CHECKING:
    from torch import nn

# Dilated models keep to one of these.
OUTPUT_STRIDES = (8, 16)
REACH = 32  # the deepest stride of most
Sides = tuple[int, ...]  # of each level, along one axis
Sides2 = tuple[tuple[int, int], ...]


class Unfit(Exception):
    """A model that is no backbone: timm gives no maps of it, or others than it says."""


def measured(name: str) -> Backbone:
    """What the table says of a model.

    Raises:
        Unfit: it is no backbone.
        LookupError: timm has no model of this name.
    """
    import timm
    import torch

    if not timm.is_model(name):
        raise LookupError(name)
    with torch.device("meta"), torch.no_grad():
        try:
            facts = timm.get_pretrained_cfg(name)
            return _measured(name, facts.input_size if facts else (3, 224, 224))
        except Unfit:
            raise
        except Exception as error:  # whatever a model thinks of being asked for maps
            raise Unfit(f"{type(error).__name__}: {error}") from None


class _Kind(NamedTuple):
    """A model's levels as timm states them; with paths where they are the blocks of a transformer."""

    numbers: tuple[int, ...]
    channels: tuple[int, ...]
    strides: tuple[int, ...]
    paths: tuple[str, ...] = ()


def _measured(name: str, native: tuple[int, int, int]) -> Backbone:
    model = features(name).eval()
    kind = _blocks(model) or _last_of_each_stride(model)
    if kind.numbers != tuple(levels_of(model).out_indices):
        model = features(name, kind.numbers).eval()
    if not kind.strides or list(kind.strides) != sorted(kind.strides):
        raise Unfit(f"strides {kind.strides}")
    sizes, offsets = _sizes(model, kind, native[1:])
    traits = []
    if kind.paths:
        traits = _tokens(name, model, kind, native)
        if resampled := _resampled(name, kind, sizes, native[1:]):
            sizes, offsets = resampled
            traits.append(ANY_SIZE)
    params = _params_of_blocks(name, model, kind) if kind.paths else _params(name, model, kind)
    paths = kind.paths or ("",) * len(params)
    columns = (kind.numbers, kind.channels, kind.strides, offsets, params, paths)
    levels = tuple(Level(*level) for level in zip(*columns, strict=True))
    sides = (225, 223) if sizes == "any" else native[1:]
    dilates = tuple(stride for stride in OUTPUT_STRIDES if _dilates(name, levels, stride, sides))
    layout = "last" if is_channels_last(model) else "first"
    return Backbone(name, sizes, layout, dilates, _per_channel(name, levels), tuple(traits), levels)


def _params(name: str, model: nn.Module, kind: _Kind) -> list[int]:
    """Trainable parameters of a model down to each level."""
    params = [trainable(features(name, kind.numbers[:count])) for count in range(1, len(kind.numbers))]
    return [*params, trainable(model)]


def _params_of_blocks(name: str, model: nn.Module, kind: _Kind) -> list[int]:
    """The same of a transformer, as a rule without building it once for each block."""
    transformer: Any = model.model
    blocks = [trainable(transformer.get_submodule(path)) for path in kind.paths]
    params = [trainable(model) - sum(blocks[count:]) for count in range(1, len(blocks) + 1)]
    # Some have parts that belong to a block and stand elsewhere.
    return params if trainable(features(name, kind.numbers[:1])) == params[0] else _params(name, model, kind)


def trainable(model: nn.Module) -> int:
    """How many parameters a module trains."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def _last_of_each_stride(model: nn.Module) -> _Kind:
    info = levels_of(model)
    stated = zip(info.out_indices, info.channels(), info.reduction(), strict=True)
    last = {stride: (number, channels, stride) for number, channels, stride in stated}
    return _Kind(*zip(*last.values(), strict=True)) if last else _Kind((), (), ())


def _blocks(model: nn.Module) -> _Kind | None:
    """All blocks of a transformer, whose maps have one size; None of other models."""
    whole = getattr(model, "model", None)  # what timm takes the features from
    stated = getattr(whole, "feature_info", ())
    facts = [(fact["num_chs"], fact["reduction"]) for fact in stated]
    paths = tuple(fact["module"] for fact in stated)
    if len(paths) < 2 or len(set(facts)) > 1:
        return None
    prefix = paths[0].rpartition(".")[0]
    if paths != tuple(f"{prefix}.{number}" for number in range(len(paths))):
        return None
    channels, strides = zip(*facts, strict=True)
    return _Kind(tuple(range(len(paths))), channels, strides, paths)


def _tokens(name: str, model: nn.Module, kind: _Kind, native: tuple[int, int, int]) -> list[str]:
    """Which tokens timm gives with each map."""
    import torch

    transformer: Any = model.model
    if getattr(transformer, "has_class_token", getattr(transformer, "cls_token", None) is not None):
        trait, option = CLASS_TOKEN, "class_token"
    elif getattr(transformer, "num_prefix_tokens", 0):
        trait, option = REGISTERS, "mean_token"
    else:
        return []
    try:
        found = features(name, kind.numbers, **{option: True}).eval()(torch.zeros(1, *native))
    except (TypeError, ValueError):  # its blocks don't see them, or timm keeps them
        return []
    joined = all(level.shape[1] == 2 * channels for level, channels in zip(found, kind.channels, strict=True))
    return [trait] if joined else []


# ---- sizes -------------------------------------------------------------------------------------


def _shapes(model: nn.Module, kind: _Kind, height: int, width: int) -> Sides2:
    """Height and width of each level."""
    import torch

    found = maps(model, torch.zeros(1, 3, height, width))
    if [level.ndim for level in found] != [4] * len(kind.channels):
        raise Unfit("its features are no maps")
    if [level.shape[1] for level in found] != list(kind.channels):
        raise Unfit("its maps have other channels than it says")
    return tuple((level.shape[2], level.shape[3]) for level in found)


def _sizes(model: nn.Module, kind: _Kind, native: tuple[int, int]) -> tuple[str, list[int]]:
    """Which images a model takes, and the offset of each level's side."""
    try:
        return "any", _offsets(model, kind)
    except Exception:  # each model has a way of its own to refuse a size, or to round it
        pass
    height, width = native
    sides = _shapes(model, kind, height, width)
    offsets = [
        0 if down == height // stride else down * stride - height
        for (down, _), stride in zip(sides, kind.strides, strict=True)
    ]
    if not _fits(model, kind, offsets, height, width):
        raise Unfit(f"maps of {sides} at {height}x{width}")
    for divisor in sorted({2, 4, 8, 16, 32, 64, 128, height, kind.strides[-1]}):
        steps = [divisor << power for power in range(7) if not power or divisor << power <= 2 * REACH]
        if height % divisor == width % divisor == 0 and all(
            _fits(model, kind, offsets, height + more, width + other)
            for step in steps
            for more, other in ((step, 0), (0, step), (step, step - divisor))
        ):
            return f"/{divisor}", offsets
    return f"{height}x{width}", offsets


def _resampled(name: str, kind: _Kind, sizes: str, native: tuple[int, int]) -> tuple[str, list[int]] | None:
    """The same of a transformer that resamples its positions; None where that adds nothing."""
    fixed = "x".join(map(str, native))
    if sizes != fixed:
        return None
    try:
        found = _sizes(features(name, kind.numbers, **{ANY_SIZE: True}).eval(), kind, native)
    except Exception:  # it has no such setting
        return None
    return None if found[0] == fixed else found


def _fits(model: nn.Module, kind: _Kind, offsets: Sequence[int], height: int, width: int) -> bool:
    """Whether a model takes a size, and its maps are as large as the offsets say."""
    try:
        found = _shapes(model, kind, height, width)
    except Exception:
        return False
    sides = [
        ((height + offset) // stride, (width + offset) // stride)
        for offset, stride in zip(offsets, kind.strides, strict=True)
    ]
    return list(found) == sides


def _offsets(model: nn.Module, kind: _Kind) -> list[int]:
    """The offset of each level, from the sides at which a level grows by a pixel."""
    seen: dict[int, Sides] = {}

    def look(one: int, other: int) -> None:
        shapes = _shapes(model, kind, one, other)
        seen[one] = tuple(height for height, _ in shapes)
        seen[other] = tuple(width for _, width in shapes)

    look(225, 223)
    look(224, 226)
    offsets = [_offset(level, stride, seen, look) for level, stride in enumerate(kind.strides)]
    look(193, 259)
    for side, found in seen.items():
        made = [(side + offset) // stride for offset, stride in zip(offsets, kind.strides, strict=True)]
        if made != list(found):
            raise Unfit(f"sides {found} of {side} pixels")
    return offsets


def _offset(level: int, stride: int, seen: dict[int, Sides], look: Callable[[int, int], None]) -> int:
    low, high = -(10**6), 10**6
    while True:
        for side, found in seen.items():
            low = max(low, found[level] * stride - side)
            high = min(high, found[level] * stride - side + stride - 1)
        if low > high:
            raise Unfit(f"sides {seen}")
        if low == high:
            return low
        # Of offsets up to `middle`, none makes this side a pixel more; of those above, all.
        middle = (low + high + 1) // 2
        side = 224 + (-middle - 224) % stride
        look(side, side - 1)


# ---- settings ----------------------------------------------------------------------------------


def _dilates(name: str, levels: tuple[Level, ...], stride: int, sides: tuple[int, int]) -> bool:
    """Whether a model keeps to an output stride: deeper maps have the size of the first at that stride."""
    first = next((level for level in levels if level.stride == stride), levels[-1])
    if first is levels[-1]:
        return False
    kind = _Kind(*zip(*(level[:3] for level in levels), strict=True))
    try:
        dilated = features(name, kind.numbers, output_stride=stride).eval()
        made = _shapes(dilated, kind, *sides)
    except Exception:  # it has no such setting, or not this one
        return False
    wanted = tuple(
        tuple(at.side(side) for side in sides)
        for at in (level if level.stride < stride else first for level in levels)
    )
    return made == wanted and trainable(dilated) == levels[-1].params


def _per_channel(name: str, levels: tuple[Level, ...]) -> int:
    """Parameters that one more channel of the image costs; 0 where a model takes three only."""
    counts = []
    for channels in (1, 4):
        try:
            counts.append(trainable(features(name, [levels[0].number], in_chans=channels)))
        except Exception:  # it has no such setting
            return 0
    one, four = counts
    more = four - levels[0].params
    return more if levels[0].params - one == 2 * more else 0


# ---- the table ---------------------------------------------------------------------------------


def rows(names: Sequence[str]) -> Iterator[str]:
    """The table's lines of some models; of those that are no backbone the reason goes to stderr."""
    for name in names:
        try:
            yield str(measured(name))
        except Unfit as reason:
            print(f"{name}: {str(reason).splitlines()[0][:100]}", file=sys.stderr)


def main(names: Sequence[str]) -> None:
    """Measures models, all of timm's by default, and writes them into the table."""
    import timm

    known = lines() if names and TABLE.exists() else {}
    made = {row.split(" ", 1)[0]: row for row in rows(names or timm.list_models())}
    columns = "name sizes channels dilates per_channel traits number:channels/stride+offset:parameters"
    head = f"# timm {timm.__version__}: {columns}"
    table = dict(sorted({**known, **made}.items()))
    TABLE.write_text("\n".join([head, *table.values()]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
