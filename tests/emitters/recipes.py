"""Networks with recipe cells, made by hand: what an elaborated spec would give a drawing."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import archdsl
from archdsl.network import Cell, Edge, Network, Operation, Output, Scope
from archdsl.op import Layer, Op
from archdsl.source import Source
from archdsl.tensors import Shape, Shapes

ENCODER = (16, 24, 40, 112, 320)
DECODER = (32, 64, 128, 256, 256)
MODELS = Path(__file__).parents[2] / "specs" / "models"
PLACE = Source("a.arch", "encoder effnet_b0\n").span(0, 7)


class Made(Op):
    """Stands for all that makes one cell."""

    name = "made"
    inputs = (1, None)

    def torch(self, inputs: Shapes) -> Layer:
        return Layer("torch.nn.Identity", {})


class Recipe:
    """Collects cells and edges, an operation a cell."""

    def __init__(self, input: Shape):
        self.input = input
        self.operations: list[Operation] = []
        self.cells = [Cell("input", "input", 0, -1, 0, "")]
        self.edges: list[Edge] = []

    def add(
        self, name: str, role: str, row: int, column: int, shape: Shape, *edges: Edge, path: str = ""
    ) -> None:
        values = {cell.name: cell.value for cell in self.cells}
        inputs = tuple(values[edge.source] for edge in edges)
        self.operations.append(Operation(Made(), inputs, shape, Fraction(1), path or name, PLACE))
        self.cells.append(Cell(name, role, row, column, len(self.operations), path or name))
        self.edges += edges

    def encode(self, levels: int, finest: int = 2, widths: tuple[int, ...] = ENCODER) -> None:
        for row in range(levels):
            before = f"x{row - 1}_0" if row else "input"
            kind = "down" if row else "flow"
            self.add(
                f"x{row}_0",
                "encoder",
                row,
                0,
                self.at(row, widths[row], finest),
                Edge(before, f"x{row}_0", kind),
                path="encoder",
            )

    def at(self, row: int, channels: int, finest: int = 2) -> Shape:
        return Shape(channels, *(-(-side // (finest * 2**row)) for side in self.input.spatial))

    def network(self, *outputs: Output, word: str = "effnet_b0", scopes: tuple[Scope, ...] = ()) -> Network:
        encoder = Scope("encoder", word, 0, sum(cell.role == "encoder" for cell in self.cells))
        return Network(
            self.input,
            tuple(self.operations),
            outputs,
            (encoder, *scopes),
            tuple(self.cells),
            tuple(self.edges),
        )

    def value(self, name: str) -> int:
        return next(cell.value for cell in self.cells if cell.name == name)


def steps(recipe: Recipe, source: str, count: int, suffix: str = "") -> str:
    """Steps above the finest tap, from a node; the name of the last."""
    for number in range(1, count + 1):
        name = f"top{number}{suffix}"
        spatial = (side // 2 ** (count - number) for side in recipe.input.spatial)
        recipe.add(
            name, "top", -number, 0, Shape(16, *spatial), Edge(source, name, "up", "up ×2, transposed conv")
        )
        source = name
    return source


def nested(depth: int, tops: int = 1, supervise: bool = False, side: int = 224) -> Network:
    """A UNet++ of a depth over an encoder whose finest tap is at stride 2^tops."""
    recipe = Recipe(Shape(3, side, side))
    finest = 2**tops
    recipe.encode(depth + 1, finest, (*ENCODER, 512))
    for column in range(1, depth + 1):
        for row in range(depth - column + 1):
            name = f"x{row}_{column}"
            skips = [
                Edge(f"x{row}_{j}", name, "skip" if j == column - 1 else "long", "concat")
                for j in range(column)
            ]
            up = Edge(f"x{row + 1}_{column - 1}", name, "up", "up ×2, transposed conv")
            role = "decoder" if row + column == depth else "nested"
            recipe.add(name, role, row, column, recipe.at(row, (*DECODER, 256)[row], finest), up, *skips)
    outputs = []
    for j in [depth, *(range(1, depth) if supervise else ())]:
        last = j == depth
        source = steps(recipe, f"x0_{j}", tops, "" if last else f"_{j}")
        name = "head" if last else f"head{j}"
        recipe.add(name, "head", -tops, j, Shape(2, side, side), Edge(source, name, "flow"))
        outputs.append(Output("out" if last else f"out{j}", recipe.value(name), not last))
    return recipe.network(*outputs)


def plain(
    depth: int = 4, join: str = "concat", tops: int = 0, context: str = "", up: str = "up ×2, transposed conv"
) -> Network:
    """A U-Net; `join` is `concat`, `add` or `` for no skips."""
    recipe = Recipe(Shape(1, 256, 256))
    finest = 2**tops
    recipe.encode(depth + 1, finest, (64, 128, 256, 512, 1024, 1024))
    below, scopes = f"x{depth}_0", ()
    if context:
        recipe.add(
            "context", "context", depth, 0, recipe.at(depth, 1024, finest), Edge(below, "context", "flow")
        )
        below, scopes = "context", (Scope("context", context, depth + 1, depth + 2),)
    for row in reversed(range(depth)):
        name = f"x{row}_{depth - row}"
        skips = [Edge(f"x{row}_0", name, "skip", join)] if join else []
        shape = recipe.at(row, 64 * 2**row, finest)
        recipe.add(name, "decoder", row, depth - row, shape, Edge(below, name, "up", up), *skips)
        below = name
    below = steps(recipe, below, tops)
    recipe.add("head", "head", 0, depth + 1, Shape(2, 256, 256), Edge(below, "head", "flow"))
    return recipe.network(Output("out", recipe.value("head")), word="plain", scopes=scopes)


def with_aux(network: Network, source: str, name: str) -> Network:
    """The same network with an auxiliary head on a cell."""
    before = next(cell for cell in network.cells if cell.name == source)
    number = len(network.operations) + 1
    return replace(
        network,
        operations=(
            *network.operations,
            Operation(Made(), (before.value,), Shape(2, 28, 28), None, name, PLACE),
        ),
        cells=(*network.cells, Cell(name, "aux", before.row, before.column + 1, number, name)),
        edges=(*network.edges, Edge(source, name, "flow")),
        outputs=(*network.outputs, Output(name, number, training_only=True, weight=0.4)),
    )


# What definitions and full scales make of a grid.
HEAD, RESNET = "| head 1x1 out=2", "encoder resnet18"
FULL = f"{RESNET} | skip full channels=4 | up bilinear {HEAD}"
FPN = f"{RESNET} | levels [1, 2, 3, 4] | neck fpn channels=8"
WRITTEN = {
    "full": FULL,
    "full and deep": f"{FULL} supervise=deep",
    "full to depth 2": f"encoder vgg11 | skip full depth=2 input=true | up nearest {HEAD}",
    "gated": f"encoder vgg11 | skip gated | up transpose {HEAD}",
    "unpool": f"encoder vgg11 | skip none | up unpool {HEAD}",
    "neck": FPN,
    "neck and head": f"{FPN} | head fpn out=2",
    "neck and decoder": f"{FPN} | skip plain | up nearest {HEAD}",
    "neck and nest": f"{RESNET} | neck fpn channels=8 | skip nested | up nearest {HEAD} supervise=deep",
    "neck and full": f"{FPN} | skip full channels=4 | up nearest {HEAD} supervise=deep",
    "context, neck and full": f"{RESNET} | context aspp | neck fpn | skip full | up nearest {HEAD}",
    "two necks": f"{FPN} | neck fpn channels=4 as second | skip add | up nearest {HEAD}",
    "fcn": f"{RESNET} taps=[layer3, layer4] | aux (level 0 | fcn_head 2) as side | head fcn_head out=2",
    "aux in a U": f"{RESNET} | aux (level 2 | conv 1x1 2) as side | skip plain | up bilinear {HEAD}",
    "crf": f"{RESNET} | skip nested depth=2 | up bilinear {HEAD} | crf iterations=1",
    "behind": f"{RESNET} | skip plain | up bilinear | se | dropout 0.5 {HEAD} | sigmoid",
    "two contexts": (
        f"{RESNET} as backbone | context aspp | context ppm as more | skip plain | up bilinear"
        " | head 1x1 out=2 as score"
    ),
    "context": f"encoder mobilenet_v3_small | context aspp | skip plain | up bilinear {HEAD}",
    "levels": f"{RESNET} | levels [1, 3] | skip plain | up nearest {HEAD}",
}


@cache
def written(name: str) -> Network:
    found = archdsl.load(WRITTEN[name])
    assert isinstance(found, archdsl.Architecture)
    return found.network
