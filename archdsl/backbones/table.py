"""What is known of timm's models without timm: a line each of `timm.txt`, which `measuring` writes.

A line names its levels one by one; of a transformer, whose blocks give maps of one size, the blocks that are
alike stand as one: `blocks.0..11:768/16+0:7829760+7087872` are twelve, the first with the first number of
parameters, each further one with the second number more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

TABLE = Path(__file__).with_name("timm.txt")

# What a model has beside its maps, and what timm can be told of it.
CLASS_TOKEN = "class_token"  # timm gives one with each map
REGISTERS = "registers"  # it gives these, and no class token
ANY_SIZE = "dynamic_img_size"  # learned positions are resampled for other images than its own


class Level(NamedTuple):
    """One of the maps that a backbone gives.

    Attributes:
        number: timm's, of `out_indices`.
        channels, stride: of the map.
        offset: a side of n pixels becomes (n + offset) // stride.
        params: trainable parameters of a backbone that ends in this level, for three channels.
        path: what the map leaves, of a model with many maps of one size; else empty.
    """

    number: int
    channels: int
    stride: int
    offset: int
    params: int
    path: str = ""

    def side(self, pixels: int) -> int:
        """The side of the map of an image with a side of so many pixels."""
        return (pixels + self.offset) // self.stride


class Backbone(NamedTuple):
    """A model of timm as a backbone.

    Attributes:
        name: as timm calls it.
        sizes: what images it takes: `any`, `/32` for sides that 32 divides, `224x224` for this size alone.
        layout: `first` or `last`, where the channels of its maps stand.
        dilates: output strides that it can keep to, beside its own.
        per_channel: trainable parameters for each channel of the image; 0 where it takes three only.
        traits: CLASS_TOKEN or REGISTERS, ANY_SIZE where it has them.
        levels: finest first; one of each stride, or with paths all blocks of a transformer.
    """

    name: str
    sizes: str
    layout: str
    dilates: tuple[int, ...]
    per_channel: int
    traits: tuple[str, ...]
    levels: tuple[Level, ...]

    def __str__(self) -> str:
        dilates = ",".join(map(str, self.dilates)) or "-"
        traits = ",".join(self.traits) or "-"
        levels = " ".join(_runs(self.levels))
        return f"{self.name} {self.sizes} {self.layout} {dilates} {self.per_channel} {traits} {levels}"

    def __repr__(self) -> str:
        """What tells it from others: figures of the same model may be measured again."""
        numbers = tuple(level.number for level in self.levels)
        return f"Backbone({self.name}, {numbers if self.levels[-1].path else len(numbers)})"

    @property
    def reach(self) -> int:
        """The deepest stride."""
        return self.levels[-1].stride

    def narrowed(self, kept: Iterable[int]) -> Backbone:
        """The part of it that gives some of its levels, by their places here."""
        return self._replace(levels=tuple(self.levels[place] for place in kept))

    def refuses(self, sides: tuple[int, ...]) -> str:
        """What images it takes, where those with such sides are none of them."""
        if self.sizes == "any":
            return ""
        if self.sizes.startswith("/"):
            divisor = int(self.sizes[1:])
            return f"images with sides that {divisor} divides" if any(n % divisor for n in sides) else ""
        return "" if "x".join(map(str, sides)) == self.sizes else f"images of {self.sizes} only"


# ---- levels as text ----------------------------------------------------------------------------

_RUN = re.compile(r"(?:([a-z_.]+)\.)?(\d+)(?:\.\.(\d+))?:(\d+)/(\d+)([+-]\d+):(\d+)(?:\+(\d+))?")


def _runs(levels: tuple[Level, ...]) -> Iterator[str]:
    """Levels as text; those with paths together where each needs as much more as the next."""
    first = 0
    while first < len(levels):
        start, last = levels[first], first
        step = levels[first + 1].params - start.params if first + 1 < len(levels) else 0
        while start.path and last + 1 < len(levels) and levels[last + 1].params == levels[last].params + step:
            last += 1
        many = last > first
        name = start.path or str(start.number)
        name += f"..{levels[last].number}" if many else ""
        map_ = f"{start.channels}/{start.stride}{start.offset:+}"
        yield f"{name}:{map_}:{start.params}" + (f"+{step}" if many else "")
        first = last + 1


def _read(run: str) -> Iterator[Level]:
    """The levels of such a text."""
    found = _RUN.fullmatch(run)
    assert found, run
    where = found[1]
    first, channels, stride, offset, params = (int(found[group]) for group in (2, 4, 5, 6, 7))
    for number in range(first, int(found[3] or first) + 1):
        more = (number - first) * int(found[8] or 0)
        path = f"{where}.{number}" if where else ""
        yield Level(number, channels, stride, offset, params + more, path)


def parsed(line: str) -> Backbone:
    """A line of the table."""
    name, sizes, layout, dilates, per_channel, traits, *levels = line.split()
    return Backbone(
        name,
        sizes,
        layout,
        () if dilates == "-" else tuple(map(int, dilates.split(","))),
        int(per_channel),
        () if traits == "-" else tuple(traits.split(",")),
        tuple(level for run in levels for level in _read(run)),
    )


@cache
def lines() -> dict[str, str]:
    """The lines of the table by the models' names."""
    text = TABLE.read_text(encoding="utf-8")
    rows = (line for line in text.splitlines() if line and not line.startswith("#"))
    return {line.split(" ", 1)[0]: line for line in rows}
