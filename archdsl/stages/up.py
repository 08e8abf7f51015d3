"""`up NAME`: climbs the decoder: grow the coarse map, join the finer ones, convolve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, final

from archdsl.errors.recipes import NotDoubled, PartMoves, WidthOfSum, WrongFlow
from archdsl.op import Int, Word, arg
from archdsl.ops.convolutions import Conv
from archdsl.ops.joins import Add, Concat
from archdsl.ops.norms import BatchNorm
from archdsl.ops.rearrangements import PixelShuffle
from archdsl.ops.resizing import Align, Interpolate
from archdsl.ops.transpose_conv import TransposeConv
from archdsl.stage import (
    EVERYWHERE,
    Gate,
    Lattice,
    Map,
    PerLevel,
    PerLevelValue,
    Pyramid,
    Stage,
    StageName,
    StageValue,
    Wiring,
)

RESIZING = ("bilinear", "nearest")
OWN = ("transpose", *RESIZING, "pixelshuffle")
PLACES = ("none", "standard", "pre", "post", "identity")
LABELS = {
    "transpose": "up ×2, transposed conv",
    "bilinear": "up ×2, bilinear",
    "nearest": "up ×2, nearest",
    "pixelshuffle": "up ×2, pixel shuffle",
}


class Step(NamedTuple):
    """The settings of one level of the decoder."""

    form: str | StageValue
    width: int
    block: StageValue
    dilation: int
    se: str
    attention: StageValue | None

    def width_of(self, stage: StageValue) -> tuple[int, ...]:
        """What a stage is called with: the level's width, where it takes anything."""
        return (self.width,) if stage.takes_more else ()


def default_width(stride: int) -> int:
    """Widths belong to strides, so that a shallower nested network is a part of a deeper one."""
    return {1: 16, 2: 32, 4: 64, 8: 128}.get(stride, 256)


@final
class Up(Stage):
    """Lattice → Map at the image's own resolution."""

    name = "up"
    part = "decoder"
    form: str | StageValue = arg(kind=StageName(own=OWN), doc="how a map is made larger")
    channels: PerLevelValue = arg(
        EVERYWHERE, kind=PerLevel(Int(low=1)), doc="width of each level, coarsest first"
    )
    block: PerLevelValue = arg(EVERYWHERE, kind=PerLevel(StageName()), doc="what convolves after the join")
    se: PerLevelValue = arg(
        EVERYWHERE, kind=PerLevel(Word(PLACES, optional=True)), doc="where SE sits in the block"
    )
    attention: PerLevelValue = arg(EVERYWHERE, kind=PerLevel(Gate()), doc="gates the block's output")
    dilation: PerLevelValue = arg(PerLevelValue((1,), False), kind=PerLevel(Int(low=1)), doc="of the blocks")
    inner: str = arg("level", kind=Word(("level", "encoder")), doc="width of a nested decoder's inner nodes")

    def wire(self, net: Wiring, flow: Any) -> Map:
        if not isinstance(flow, Lattice):
            mend = "say how levels join: `| skip none | up ...`" if isinstance(flow, Pyramid) else ""
            got = "a bare pyramid" if isinstance(flow, Pyramid) else "one map"
            raise WrongFlow("up", "a decoder's wiring", got, mend)
        return Climb(self, net.part("decoder"), flow).run(net)


class Climb:
    """One decoder while it is wired: rows are levels, finest 0; columns count the nodes of a row."""

    def __init__(self, up: Up, net: Wiring, lattice: Lattice) -> None:
        self.up = up
        self.net = net
        self.lattice = lattice
        self.depth = len(lattice.maps) - 1
        stride = lattice.maps[0].stride
        self.tops = 0 if stride is None else max(0, (int(stride) - 1).bit_length())
        self.steps = self._steps()

    def _steps(self) -> list[Step]:
        """Settings of every level that is climbed to, coarsest first: rows, then the tops."""
        up, count = self.up, self.depth + self.tops
        summed = self.lattice.join == "add"
        if summed and (up.channels.listed or up.channels.values != (None,)):
            raise WidthOfSum
        widths = self._widths(count)
        blocks = up.block.aligned("block", count)
        gates = up.attention.aligned("attention", count)
        places = up.se.aligned("se", count)
        rates = up.dilation.aligned("dilation", count)
        default = self.net.library("double_conv")
        return [
            Step(up.form, width, block or default, rate or 1, place or "none", gate)
            for width, block, rate, place, gate in zip(widths, blocks, rates, places, gates, strict=True)
        ]

    def _widths(self, count: int) -> Sequence[int]:
        given = self.up.channels.aligned("channels", count)
        maps = self.lattice.maps
        strides = [int(maps[row].stride or 1) for row in range(self.depth - 1, -1, -1)]
        strides += [2 ** (self.tops - n) for n in range(1, self.tops + 1)]
        widths = [width or default_width(stride) for width, stride in zip(given, strides, strict=True)]
        if self.lattice.join == "add":
            for row in range(self.depth):
                widths[self.depth - 1 - row] = maps[row].shape.channels
        return widths

    def step(self, row: int) -> Step:
        return self.steps[self.depth - 1 - row]

    def run(self, outer: Wiring) -> Map:
        nodes = self._nested() if self.lattice.nested else self._plain()
        last = self.climbed(nodes[0, self.depth], "", f"x0_{self.depth}")
        outer.plan(lambda: self._supervision(nodes))
        return last

    # ---- nodes ---------------------------------------------------------------------------------

    def _plain(self) -> dict[tuple[int, int], Map]:
        """The last node of each row."""
        nodes: dict[tuple[int, int], Map] = {(row, 0): level for row, level in enumerate(self.lattice.maps)}
        for row in range(self.depth - 1, -1, -1):
            column = self.depth - row
            skips = () if self.lattice.join == "none" else ((row, 0),)
            nodes[row, column] = self._node(nodes, row, column, skips)
        return nodes

    def _nested(self) -> dict[tuple[int, int], Map]:
        """Every node of the triangle, column by column (Zhou et al. 2018, arXiv:1807.10165)."""
        nodes: dict[tuple[int, int], Map] = {(row, 0): level for row, level in enumerate(self.lattice.maps)}
        for column in range(1, self.depth + 1):
            for row in range(self.depth - column + 1):
                skips = tuple((row, k) for k in range(column))
                if self.lattice.newest_first:
                    skips = skips[::-1]
                nodes[row, column] = self._node(nodes, row, column, skips)
        return nodes

    def _node(
        self,
        nodes: dict[tuple[int, int], Map],
        row: int,
        column: int,
        skips: tuple[tuple[int, int], ...],
    ) -> Map:
        name = f"x{row}_{column}"
        step = self.step(row)
        if self.up.inner == "encoder" and row + column < self.depth:
            step = Step(
                step.form,
                self.lattice.maps[row].shape.channels,
                step.block,
                step.dilation,
                step.se,
                step.attention,
            )
        gate = self.lattice.gates[row + self.lattice.with_input] if self.lattice.gates else None
        join = self.lattice.join
        like = self.lattice.maps[row]
        self._doubled(step.form, nodes[row + 1, column - 1], like)
        maps = (nodes[row + 1, column - 1], like, *(nodes[place] for place in skips))
        made = self.net.cell(name, ("node", step, join, gate), maps, node(step, join, gate))
        self._draw(made, row, column, skips)
        return made

    @staticmethod
    def _doubled(form: str | StageValue, coarse: Map, fine: Map) -> None:
        """Raises NotDoubled for levels that what only doubles can't climb between."""
        if form not in RESIZING and coarse.stride != 2 * (fine.stride or 0):
            word = form if isinstance(form, str) else form.word
            raise NotDoubled(word, f"/{fine.stride}", f"/{coarse.stride}", levels=True)

    def _draw(self, made: Map, row: int, column: int, skips: tuple[tuple[int, int], ...]) -> None:
        net, name = self.net, f"x{row}_{column}"
        last = row + column == self.depth
        net.drawn(name, "decoder" if last else "nested", row, column, made)
        below = f"x{row + 1}_{column - 1}"
        if column == 1 and row + 1 == self.depth:
            below = self.lattice.bottom
        net.edge(below, name, "up", self._label())
        for _, other in skips:
            near = other == column - 1 or not self.lattice.nested
            kind = "concat" if self.lattice.join == "concat" else "add"
            net.edge(f"x{row}_{other}", name, "skip" if near else "long", kind)

    def _label(self) -> str:
        form = self.up.form
        return LABELS[form] if isinstance(form, str) else f"up ×2, {form.word}"

    # ---- above the finest tap ------------------------------------------------------------------

    def climbed(self, value: Map, suffix: str, source: str) -> Map:
        """The steps above the finest tap, without a skip unless the image joins."""
        for number in range(1, self.tops + 1):
            step = self.steps[self.depth + number - 1]
            name = f"top{number}{suffix}"
            final_step = number == self.tops
            joins = final_step and self.lattice.with_input
            gate = self.lattice.gates[0] if joins and self.lattice.gates else None
            join = self.lattice.join if joins and self.lattice.join != "none" else "none"
            if joins and join == "add":
                join = "concat"
            image = self.net.image
            maps = (value, image, image) if joins else (value, image) if final_step else (value,)
            value = self.net.cell(name, ("top", step, join, gate), maps, node(step, join, gate))
            # Steps of lower depths stand above the node that they start from.
            row, column = (-number, int(suffix[1:])) if suffix else (0, self.depth + number)
            self.net.drawn(name, "top", row, column, value)
            self.net.edge(source, name, "up", self._label())
            if joins:
                self.net.edge("input", name, "long", "concat")
            source = name
        return value

    def _supervision(self, nodes: dict[tuple[int, int], Map]) -> list[tuple[int, Map]]:
        """The maps of lower depths, each with its own steps; of a plain decoder those of its rows."""
        if self.lattice.nested:
            return [
                (column, self.climbed(nodes[0, column], f"_{column}", f"x0_{column}"))
                for column in range(1, self.depth)
            ]
        return [(self.depth - row, nodes[row, self.depth - row]) for row in range(self.depth - 1, 0, -1)]


def node(step: Step, join: str, gate: StageValue | None) -> Callable[[Wiring, tuple[Map, ...]], Map]:
    """What builds one node from (coarse map, map of its size, skips...)."""

    def build(net: Wiring, maps: tuple[Map, ...]) -> Map:
        coarse, like, skips = maps[0], maps[1:2], maps[2:]
        x = grow(net, step, coarse, like)
        if gate is not None:
            several = len(skips) > 1
            skips = tuple(
                net.call(gate, skip, name=f"gate{k}" if several else "gate") for k, skip in enumerate(skips)
            )
        if join == "add" and skips:
            x = net.add(Add(), matched(net, x, skips[0]), *skips)
        elif join == "concat" and skips:
            x = net.add(Concat(), x, *skips)
        return convolved(net, step, x)

    return build


def grow(net: Wiring, step: Step, x: Map, like: tuple[Map, ...]) -> Map:
    """A map twice as large, in the size of another where there is one."""
    if step.form in RESIZING:
        assert isinstance(step.form, str)
        op = Interpolate(step.form) if like else Interpolate(step.form, scale=2.0)
        return net.add(op, x, *like, name="up")
    if step.form == "transpose":
        x = net.add(TransposeConv(kernel=2, out=step.width, stride=2), x, name="up")
    elif step.form == "pixelshuffle":
        below = net.part("up")
        x = below.add(Conv(kernel=1, out=4 * step.width), x, name="0")
        x = below.add(PixelShuffle(2), x, name="1")
    else:
        assert not isinstance(step.form, str)
        before, x = x, net.call(step.form, x, *step.width_of(step.form), name="up")
        if x.stride is None or x.stride * 2 != before.stride:
            raise NotDoubled(step.form.word, str(before.shape), str(x.shape))
    return net.add(Align(), x, *like) if like else x


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
    before, x = x, net.call(step.block, x, *step.width_of(step.block), name="block", **keywords)
    kept(before, x, "a block", "block")
    if place in ("standard", "post"):
        x = net.call(net.library("se"), x, name="se")
    if step.attention is not None:
        before, x = x, net.call(step.attention, x, name="attention")
        kept(before, x, "a gate", "attention")
    return x


def kept(before: Map, after: Map, part: str, option: str) -> None:
    """Raises PartMoves for a part of a decoder that changes the size of its map."""
    if after.shape.spatial != before.shape.spatial:
        raise PartMoves(str(before.shape), str(after.shape), part, option)
