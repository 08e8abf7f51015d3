"""`up NAME`: climbs the decoder: grow the coarse map, join the finer ones, convolve."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias, final

from archdsl.errors.recipes import NothingPooled, WidthOfSum, WrongFlow
from archdsl.op import Int, Word, arg
from archdsl.ops.resizing import Interpolate
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
    described_flow,
)
from archdsl.stages.nodes import RESIZING, Step, full_node, node
from archdsl.tensors import per_pixel

OWN = ("transpose", *RESIZING, "pixelshuffle", "unpool")
Place: TypeAlias = tuple[int, int]  # row and column of a node
Nodes: TypeAlias = dict[Place, Map]
PLACES = ("none", "standard", "pre", "post", "identity")
LABELS = {
    "transpose": "up ×2, transposed conv",
    "bilinear": "up ×2, bilinear",
    "nearest": "up ×2, nearest",
    "pixelshuffle": "up ×2, pixel shuffle",
    "unpool": "up ×2, unpooling",
}


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
            raise WrongFlow("up", "a decoder's wiring", described_flow(flow), mend)
        return Climb(self, net.part("decoder"), flow).run(net)


class Climb:
    """One decoder while it is wired: rows are levels, finest 0; columns count the nodes of a row."""

    def __init__(self, up: Up, net: Wiring, lattice: Lattice) -> None:
        self.up = up
        self.net = net
        self.lattice = lattice
        self.depth = len(lattice.maps) - 1
        self.levels = [net.drawing_of(level) for level in lattice.maps]
        self.spots = [net.spot_of(name) or (row, 0) for row, name in enumerate(self.levels)]
        stride = lattice.maps[0].stride
        self.tops = 0 if stride is None else max(0, (int(stride) - 1).bit_length())
        self.steps = self._steps()

    def _steps(self) -> list[Step]:
        """Settings of every level that is climbed to, coarsest first: rows, then the tops."""
        up, count = self.up, self.depth + self.tops
        if up.form == "unpool" and self.tops:
            raise NothingPooled(per_pixel(self.lattice.maps[0].stride))
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
        """Widths by option, else what a level's form asks for, else by stride."""
        strides = [2 ** (self.tops - n) for n in range(1, self.tops + 1)]
        own = [self._own_width(row) for row in range(self.depth - 1, -1, -1)]
        own += [default_width(stride) for stride in strides]
        channels = self.up.channels
        if self.lattice.join != "add":
            given = channels.aligned("channels", count)
        elif channels.listed and 0 < len(channels.values) <= self.tops:
            given = (*(None,) * self.depth, *channels.aligned("channels", self.tops))
        elif channels.listed or channels.values != (None,):
            raise WidthOfSum(self.tops)
        else:
            given = (None,) * count
        return [width or default for width, default in zip(given, own, strict=True)]

    def _own_width(self, row: int) -> int:
        """What a level is wide where `channels=` doesn't say."""
        maps, lattice = self.lattice.maps, self.lattice
        if lattice.join == "add":
            return maps[row].shape.channels
        if lattice.full is not None:
            return lattice.full.width * len(maps)
        if self.up.form == "unpool":  # what is unpooled next has the channels of what was pooled
            return maps[max(0, row - 1)].shape.channels
        return default_width(int(maps[row].stride or 1))

    def step(self, row: int) -> Step:
        return self.steps[self.depth - 1 - row]

    def run(self, outer: Wiring) -> Map:
        plain = self._plain if self.lattice.full is None else self._full
        nodes = self._nested() if self.lattice.nested else plain()
        last = self.climbed(nodes[0, self.depth], "", f"x0_{self.depth}")
        outer.plan(lambda: self._supervision(nodes))
        return last

    # ---- nodes ---------------------------------------------------------------------------------

    def _plain(self) -> Nodes:
        """The last node of each row."""
        nodes: Nodes = {(row, 0): level for row, level in enumerate(self.lattice.maps)}
        for row in range(self.depth - 1, -1, -1):
            column = self.depth - row
            skips = () if self.lattice.join == "none" else ((row, 0),)
            nodes[row, column] = self._node(nodes, row, column, skips)
        return nodes

    def _full(self) -> Nodes:
        """The last node of each row; it reads all levels (Huang et al. 2020, arXiv:2004.08790)."""
        assert self.lattice.full is not None
        nodes: Nodes = {(row, 0): level for row, level in enumerate(self.lattice.maps)}
        gates = self.lattice.gates[self.lattice.with_input :]
        for row in range(self.depth - 1, -1, -1):
            finer = [(level, 0) for level in range(row + 1)]
            coarser = [(level, self.depth - level) for level in range(row + 1, self.depth + 1)]
            settings = (self.step(row), row, self.lattice.full, gates)
            maps = tuple(nodes[place] for place in (*finer, *coarser))
            name, column = f"x{row}_{self.depth - row}", self.depth - row
            made = self.net.cell(name, ("full", *settings), maps, full_node(*settings))
            nodes[row, column] = made
            self._draw(made, row, column, finer, coarser[1:])
        return nodes

    def _nested(self) -> Nodes:
        """Every node of the triangle, column by column (Zhou et al. 2018, arXiv:1807.10165)."""
        nodes: Nodes = {(row, 0): level for row, level in enumerate(self.lattice.maps)}
        for column in range(1, self.depth + 1):
            for row in range(self.depth - column + 1):
                skips = tuple((row, k) for k in range(column))
                if self.lattice.newest_first:
                    skips = skips[::-1]
                nodes[row, column] = self._node(nodes, row, column, skips)
        return nodes

    def _node(
        self,
        nodes: Nodes,
        row: int,
        column: int,
        skips: tuple[Place, ...],
    ) -> Map:
        name = f"x{row}_{column}"
        step = self.step(row)
        if self.up.inner == "encoder" and row + column < self.depth:
            step = step._replace(width=self.lattice.maps[row].shape.channels)
        gate = self.lattice.gates[row + self.lattice.with_input] if self.lattice.gates else None
        join = self.lattice.join
        like = self.lattice.maps[row]
        signalled = self.lattice.signalled
        maps = (nodes[row + 1, column - 1], like, *(nodes[place] for place in skips))
        key = ("node", step, join, gate, signalled)
        made = self.net.cell(name, key, maps, node(step, join, gate, signalled))
        self._draw(made, row, column, skips)
        return made

    def _draw(
        self, made: Map, row: int, column: int, skips: Sequence[Place], coarser: Iterable[Place] = ()
    ) -> None:
        net, name = self.net, f"x{row}_{column}"
        last = row + column == self.depth
        drawn_row, first = self.spots[row]
        net.drawn(name, "decoder" if last else "nested", drawn_row, first + column, made)
        net.edge(self._cell(row + 1, column - 1), name, "up", self._label())
        label = "gated" if self.lattice.signalled is not None else self.lattice.join
        for level, other in skips:
            near = level == row and (other == column - 1 or not self.lattice.nested)
            net.edge(self._cell(level, other), name, "skip" if near else "long", label)
        for place in coarser:
            net.edge(self._cell(*place), name, "long", label)
        if self.up.form == "unpool" and (row, 0) not in skips:  # a skip tells more than its indices
            net.edge(self._cell(row, 0), name, "indices")

    def _cell(self, row: int, column: int) -> str:
        """The drawing's name of a node, or of a level as it came."""
        return f"x{row}_{column}" if column else self.levels[row]

    def _label(self) -> str:
        form = self.up.form
        return LABELS[form] if isinstance(form, str) else f"up ×2, {form.word}"

    # ---- above the finest tap ------------------------------------------------------------------

    def climbed(self, value: Map, suffix: str, source: str) -> Map:
        """The steps above the finest tap, without a skip unless the image joins."""
        if not self.tops and value.shape.spatial != self.net.image.shape.spatial:
            # Convolutions without padding left less of the image than its stride says.
            value = self.net.add(Interpolate("bilinear"), value, self.net.image)
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
            build = node(step, join, gate, self.lattice.signalled)
            value = self.net.cell(name, ("top", step, join, gate, self.lattice.signalled), maps, build)
            # Steps of lower depths stand above the node that they start from.
            drawn_row, first = self.spots[0]
            column = first + (int(suffix[1:]) if suffix else self.depth + number)
            row = -number if suffix else drawn_row
            self.net.drawn(name, "top", row, column, value)
            self.net.edge(source, name, "up", self._label())
            if joins:
                self.net.edge("input", name, "long", "concat")
            source = name
        return value

    def _supervision(self, nodes: Nodes) -> list[tuple[int, Map]]:
        """The maps of lower depths, each with its own steps; of a plain decoder those of its rows.

        Of a decoder that reads all levels also the deepest one, which its nodes read like one another.
        """
        if self.lattice.nested:
            return [
                (column, self.climbed(nodes[0, column], f"_{column}", f"x0_{column}"))
                for column in range(1, self.depth)
            ]
        least = 1 if self.lattice.full is None else 0
        return [(column, nodes[self.depth - column, column]) for column in range(least, self.depth)]
