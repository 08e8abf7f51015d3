"""What is known of timm's models without timm: a line each of `timm.txt`, which `measuring` writes."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

TABLE = Path(__file__).with_name("timm.txt")


class Level(NamedTuple):
    """One of the maps that a backbone gives.

    Attributes:
        number: timm's, of `out_indices`.
        channels, stride: of the map.
        offset: a side of n pixels becomes (n + offset) // stride.
        params: trainable parameters of a backbone that ends in this level, for three channels.
    """

    number: int
    channels: int
    stride: int
    offset: int
    params: int

    def side(self, pixels: int) -> int:
        """The side of the map of an image with a side of so many pixels."""
        return (pixels + self.offset) // self.stride

    def __str__(self) -> str:
        return f"{self.number}:{self.channels}/{self.stride}{self.offset:+}:{self.params}"


class Backbone(NamedTuple):
    """A model of timm as a backbone.

    Attributes:
        name: as timm calls it.
        sizes: what images it takes: `any`, `/32` for sides that 32 divides, `224x224` for this size alone.
        layout: `first` or `last`, where the channels of its maps stand.
        dilates: output strides that it can keep to, beside its own.
        per_channel: trainable parameters for each channel of the image; 0 where it takes three only.
        levels: finest first.
    """

    name: str
    sizes: str
    layout: str
    dilates: tuple[int, ...]
    per_channel: int
    levels: tuple[Level, ...]

    def __str__(self) -> str:
        dilates = ",".join(map(str, self.dilates)) or "-"
        levels = " ".join(map(str, self.levels))
        return f"{self.name} {self.sizes} {self.layout} {dilates} {self.per_channel} {levels}"

    def __repr__(self) -> str:
        """What tells it from others: figures of the same model may be measured again."""
        return f"Backbone({self.name}, {len(self.levels)})"

    @property
    def reach(self) -> int:
        """The deepest stride."""
        return self.levels[-1].stride

    def down_to(self, count: int) -> Backbone:
        """The part of it that gives the finest `count` levels."""
        return self._replace(levels=self.levels[:count])

    def refuses(self, sides: tuple[int, ...]) -> str:
        """What images it takes, where those with such sides are none of them."""
        if self.sizes == "any":
            return ""
        if self.sizes.startswith("/"):
            divisor = int(self.sizes[1:])
            return f"images with sides that {divisor} divides" if any(n % divisor for n in sides) else ""
        return "" if "x".join(map(str, sides)) == self.sizes else f"images of {self.sizes} only"


_LEVEL = re.compile(r"(\d+):(\d+)/(\d+)([+-]\d+):(\d+)")


def parsed(line: str) -> Backbone:
    """A line of the table."""
    name, sizes, layout, dilates, per_channel, *levels = line.split()
    found = (_LEVEL.fullmatch(level) for level in levels)
    return Backbone(
        name,
        sizes,
        layout,
        () if dilates == "-" else tuple(map(int, dilates.split(","))),
        int(per_channel),
        tuple(Level(*map(int, level.groups())) for level in found if level),
    )


@cache
def lines() -> dict[str, str]:
    """The lines of the table by the models' names."""
    text = TABLE.read_text(encoding="utf-8")
    rows = (line for line in text.splitlines() if line and not line.startswith("#"))
    return {line.split(" ", 1)[0]: line for line in rows}
