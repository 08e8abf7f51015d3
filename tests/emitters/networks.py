"""Networks of real operations, made by hand: what an elaborated spec without recipe stages would give."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction

from archdsl.network import Network, Operation, Output, Scope
from archdsl.op import Op
from archdsl.ops import OPERATIONS
from archdsl.source import Source
from archdsl.tensors import Shape, Stride

PLACE = Source("net.arch", "conv 3x3 64\n").span(0, 4)


class Draft:
    """A network in the making: operations by their words, below the scopes that are open."""

    def __init__(self, input: Shape = Shape(3, 224, 224)):  # noqa: B008 - a shape is a constant
        self.input = input
        self.operations: list[Operation] = []
        self.scopes: list[Scope] = []
        self.prefix = ""

    def add(self, name: str, op: Op, *inputs: int) -> int:
        """An operation; its name is the last part of its path (joins have none). Gives its value."""
        shapes = tuple(self.shape(value) for value in inputs)
        strides: tuple[Stride, ...] = tuple(
            self.operations[value - 1].stride if value else Fraction(1) for value in inputs
        )
        stride = op.stride_after(shapes, strides)
        path = ".".join(part for part in (self.prefix, name) if part)
        self.operations.append(Operation(op, inputs, op.shape(shapes), stride, path, PLACE))
        return len(self.operations)

    def chain(self, value: int, **ops: Op) -> int:
        """Operations one after the other."""
        for name, op in ops.items():
            value = self.add(name, op, value)
        return value

    def shape(self, value: int) -> Shape:
        return self.operations[value - 1].shape if value else self.input

    @contextmanager
    def scope(self, name: str, word: str = "") -> Iterator[None]:
        outer, first = self.prefix, len(self.operations)
        self.prefix = f"{outer}.{name}" if outer else name
        yield
        self.scopes.append(Scope(self.prefix, word, first, len(self.operations)))
        self.prefix = outer

    def network(self, value: int) -> Network:
        return Network(self.input, tuple(self.operations), (Output("out", value),), tuple(self.scopes))


def op(word: str, *arguments: object, **named: object) -> Op:
    return OPERATIONS[word](*arguments, **named)


def bottleneck(draft: Draft, x: int, width: int, stride: int) -> int:
    """ResNet's block, with a projection where the shape changes."""
    y = draft.chain(
        x,
        conv1=op("conv", 1, width), bn1=op("bn"), relu1=op("relu"),
        conv2=op("conv", 3, width, stride=stride), bn2=op("bn"), relu2=op("relu"),
        conv3=op("conv", 1, 4 * width), bn3=op("bn"),
    )  # fmt: skip
    if draft.shape(x) != draft.shape(y):
        with draft.scope("downsample", "project"):
            x = draft.add("1", op("bn"), draft.add("0", op("conv", 1, 4 * width, stride=stride), x))
    return draft.add("relu3", op("relu"), draft.add("", op("add"), y, x))


def resnet50(depths: tuple[int, ...] = (3, 4, 6, 3)) -> Network:
    draft = Draft()
    x = draft.chain(
        0, conv1=op("conv", 7, 64, stride=2), bn1=op("bn"), relu=op("relu"), pool=op("pool", "max", 3, 2)
    )
    for number, (width, depth) in enumerate(zip((64, 128, 256, 512), depths, strict=True), 1):
        with draft.scope(f"layer{number}"):
            for block in range(depth):
                with draft.scope(str(block), "bottleneck"):
                    x = bottleneck(draft, x, width, 2 if number > 1 and not block else 1)
    return draft.network(draft.chain(x, gap=op("gap"), flatten=op("flatten"), fc=op("linear", 1000)))


def vgg16() -> Network:
    draft = Draft()
    x, number = 0, 0
    with draft.scope("features"):
        for width, depth in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
            for _ in range(depth):
                x = draft.chain(x, **{str(number): op("conv", 3, width), str(number + 1): op("relu")})
                number += 2
            x = draft.add(str(number), op("pool", "max", 2), x)
            number += 1
    with draft.scope("classifier"):
        x = draft.chain(
            draft.add("flatten", op("flatten"), x),
            **{
                "0": op("linear", 4096), "1": op("relu"), "2": op("dropout"),
                "3": op("linear", 4096), "4": op("relu"), "5": op("dropout"), "6": op("linear", 1000),
            },
        )  # fmt: skip
    return draft.network(x)


def mbconv(draft: Draft, x: int, out: int, kernel: int, stride: int, expand: int) -> int:
    """EfficientNet's block: expand, depthwise, squeeze and excite, project, sum where shapes agree."""
    into = draft.shape(x).channels
    y = x
    if expand > 1:
        y = draft.chain(y, conv_pw=op("conv", 1, into * expand, bias=False), bn1=op("bn"), act1=op("silu"))
    y = draft.chain(y, conv_dw=op("dwconv", kernel, stride=stride), bn2=op("bn"), act2=op("silu"))
    with draft.scope("se", "_se_mb"):
        gate = draft.chain(
            y, gap=op("gap"), conv_reduce=op("conv", 1, into // 4), act1=op("silu"),
            conv_expand=op("conv", 1, draft.shape(y).channels), gate=op("sigmoid"),
        )  # fmt: skip
        y = draft.add("", op("mul"), y, gate)
    y = draft.chain(y, conv_pwl=op("conv", 1, out), bn3=op("bn"))
    if draft.shape(y) == draft.shape(x):
        y = draft.add("", op("add"), draft.add("drop_path", op("drop_path", 0.2), y), x)
    return y


def efficientnet() -> Network:
    draft = Draft()
    x = draft.chain(0, conv_stem=op("conv", 3, 32, stride=2), bn1=op("bn"), act1=op("silu"))
    table = [(16, 1, 3, 1, 1), (24, 2, 3, 2, 6), (40, 2, 5, 2, 6), (80, 3, 3, 2, 6), (112, 3, 5, 1, 6),
             (192, 4, 5, 2, 6), (320, 1, 3, 1, 6)]  # fmt: skip
    with draft.scope("blocks"):
        for number, (out, depth, kernel, stride, expand) in enumerate(table):
            with draft.scope(str(number), "_stage"):
                for block in range(depth):
                    with draft.scope(str(block), "_mbconv" if expand > 1 else "_ds"):
                        x = mbconv(draft, x, out, kernel, 1 if block else stride, expand)
    x = draft.chain(x, conv_head=op("conv", 1, 1280), bn2=op("bn"), act2=op("silu"))
    return draft.network(draft.chain(x, gap=op("gap"), flatten=op("flatten"), classifier=op("linear", 1000)))


def mobilenet() -> Network:
    """MobileNetV2: one scope holds all blocks side by side, and a block all its operations in another."""
    draft = Draft()
    table = [(16, 1, 1), (24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1)]
    with draft.scope("features"):
        with draft.scope("0", "conv_bn"):
            x = draft.chain(0, **{"0": op("conv", 3, 32, stride=2), "1": op("bn")})
        number = 1
        for out, depth, stride in table:
            for block in range(depth):
                with draft.scope(str(number), "inverted"):
                    wide = 6 * draft.shape(x).channels
                    with draft.scope("conv"):
                        y = draft.chain(
                            x,
                            **{
                                "0": op("conv", 1, wide), "1": op("bn"),
                                "2": op("dwconv", 3, stride=1 if block else stride), "3": op("bn"),
                                "4": op("conv", 1, out), "5": op("bn"),
                            },
                        )  # fmt: skip
                    x = draft.add("", op("add"), y, x) if draft.shape(x) == draft.shape(y) else y
                number += 1
        with draft.scope("18", "conv_bn"):
            x = draft.chain(x, **{"0": op("conv", 1, 1280), "1": op("bn")})
    x = draft.chain(x, gap=op("gap"), flatten=op("flatten"))
    with draft.scope("classifier"):
        x = draft.chain(x, **{"0": op("dropout", 0.2), "1": op("linear", 1000)})
    return draft.network(x)


def by_hand() -> Network:
    """A UNet++ of depth 3 as one scope of its own, without recipe stages."""
    draft = Draft(Shape(3, 64, 64))
    nodes: dict[tuple[int, int], int] = {}
    widths = (8, 16, 32, 64)
    with draft.scope("0", "unetpp"):
        for column in range(4):
            for row in range(4 - column):
                if column:
                    below = draft.add(
                        f"up{row}_{column}", op("transpose_conv", 2, widths[row]), nodes[row + 1, column - 1]
                    )
                    x = draft.add("", op("concat"), below, *(nodes[row, k] for k in range(column)))
                else:
                    x = draft.add(f"pool{row}", op("pool", "max", 2), nodes[row - 1, 0]) if row else 0
                with draft.scope(f"x{row}_{column}", "unit"):
                    nodes[row, column] = draft.chain(
                        x, **{"0": op("conv", 3, widths[row]), "1": op("conv", 3, widths[row])}
                    )
    return draft.network(draft.add("head", op("conv", 1, 1), nodes[0, 3]))


def densenet(depths: tuple[int, ...] = (6, 12, 24, 16)) -> Network:
    draft = Draft()
    with draft.scope("features"):
        x = draft.chain(
            0,
            conv0=op("conv", 7, 64, stride=2),
            norm0=op("bn"),
            relu0=op("relu"),
            pool0=op("pool", "max", 3, 2),
        )
        for block, depth in enumerate(depths, 1):
            with draft.scope(f"denseblock{block}"):
                for layer in range(1, depth + 1):
                    with draft.scope(f"denselayer{layer}", "dense_layer"):
                        y = draft.chain(
                            x, norm1=op("bn"), relu1=op("relu"), conv1=op("conv", 1, 128),
                            norm2=op("bn"), relu2=op("relu"), conv2=op("conv", 3, 32),
                        )  # fmt: skip
                    x = draft.add("", op("concat"), x, y)
            if block < len(depths):
                with draft.scope(f"transition{block}", "transition"):
                    width = draft.shape(x).channels // 2
                    x = draft.chain(
                        x,
                        norm=op("bn"),
                        relu=op("relu"),
                        conv=op("conv", 1, width),
                        pool=op("pool", "avg", 2),
                    )
        x = draft.add("norm5", op("bn"), x)
    return draft.network(
        draft.chain(x, relu=op("relu"), gap=op("gap"), flatten=op("flatten"), classifier=op("linear", 1000))
    )


def lenet() -> Network:
    """A chain without any scope."""
    draft = Draft(Shape(1, 32, 32))
    x = draft.chain(
        0, c1=op("conv", 5, 6, pad=0), a1=op("tanh"), s2=op("pool", "avg", 2),
        c3=op("conv", 5, 16, pad=0), a3=op("tanh"), s4=op("pool", "avg", 2),
        flatten=op("flatten"), f5=op("linear", 120), a5=op("tanh"), f6=op("linear", 84), a6=op("tanh"),
        f7=op("linear", 10),
    )  # fmt: skip
    return draft.network(x)
