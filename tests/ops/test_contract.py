"""The rules of every operation against torch, over random arguments and inputs."""

from __future__ import annotations

import dataclasses
import unittest.mock
from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

import hypothesis.strategies as st
import pytest
import torch
import torchvision  # noqa: F401  (torch learns its operators)
from hypothesis import HealthCheck, given, settings
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode, conv_flop_count

from archdsl.emitters.torch_module import TARGETS, make, tensor
from archdsl.errors import Mistake
from archdsl.op import Layer, Op, Weight, arguments
from archdsl.ops import OPERATIONS
from archdsl.ops.initial_weights import INITIAL_WEIGHTS
from archdsl.tensors import Shape

BATCH = 2

Draw = Callable[[st.SearchStrategy[Any]], Any]


class Case(NamedTuple):
    """An operation and the shapes that enter it."""

    op: Op
    inputs: tuple[Shape, ...]

    def __str__(self) -> str:
        return f"{self.op} of {', '.join(map(str, self.inputs))}"


# ---- random arguments and inputs, valid by construction ------------------------------------------


def op(word: str, **given: Any) -> Op:
    return OPERATIONS[word](**given)


def whole(low: int, high: int) -> st.SearchStrategy[int]:
    return st.integers(low, high)


channels = whole(1, 12)
ranks = st.sampled_from([2, 2, 3])


def side(rank: int) -> st.SearchStrategy[int]:
    return whole(1, 17 if rank == 2 else 7)


@st.composite
def maps(draw: Draw, multiple: int = 1, rank: int | None = None) -> Shape:
    rank = draw(ranks) if rank is None else rank
    return Shape(multiple * draw(channels), *(draw(side(rank)) for _ in range(rank)))


vectors = st.builds(Shape, whole(1, 40))
anything = st.one_of(maps(), vectors)


def sizes(rank: int, low: int, high: int) -> st.SearchStrategy[int | tuple[int, ...]]:
    """A number for all dimensions, or one for each."""
    number = whole(low, high)
    return st.one_of(number, st.tuples(*[number] * rank))


def each(size: int | tuple[int, ...], rank: int) -> tuple[int, ...]:
    return (size,) * rank if isinstance(size, int) else size


def plain(word: str, inputs: st.SearchStrategy[Shape] = anything) -> st.SearchStrategy[Case]:
    """An operation without arguments."""
    return inputs.map(lambda x: Case(op(word), (x,)))


def join(shapes: st.SearchStrategy[tuple[Shape, ...]], word: str) -> st.SearchStrategy[Case]:
    return shapes.map(lambda inputs: Case(op(word), inputs))


@st.composite
def convolved(draw: Draw, word: str) -> Case:
    rank = draw(ranks)
    kernel = draw(sizes(rank, 1, 5 if rank == 2 else 3))
    dilation = draw(sizes(rank, 1, 3))
    pad = draw(st.one_of(st.sampled_from(["symmetric", "same"]), sizes(rank, 0, 3)))
    kernels, dilations = each(kernel, rank), each(dilation, rank)
    padding = [d * (k - 1) // 2 for k, d in zip(kernels, dilations, strict=True)]
    if not isinstance(pad, str):
        padding = list(each(pad, rank))
    spatial = [
        max(1, d * (k - 1) + 1 - 2 * p) + draw(whole(0, 12 if rank == 2 else 4))
        for k, d, p in zip(kernels, dilations, padding, strict=True)
    ]
    given: dict[str, Any] = {
        "kernel": kernel,
        "stride": draw(sizes(rank, 1, 4)),
        "dilation": dilation,
        "pad": pad,
        "bias": draw(st.booleans()),
        "init": draw(st.sampled_from(INITIAL_WEIGHTS)),
    }
    if word == "dwconv":
        return Case(op(word, multiplier=draw(whole(1, 3)), **given), (Shape(draw(channels), *spatial),))
    groups = draw(whole(1, 3))
    given.update(out=groups * draw(whole(1, 6)), groups=groups)
    return Case(op(word, **given), (Shape(groups * draw(whole(1, 6)), *spatial),))


@st.composite
def deformed(draw: Draw, side: int | None = None) -> Case:
    """With maps of the size that a convolution with the same arguments gives."""
    kernel, stride, dilation = (draw(sizes(2, 1, 3)) for _ in range(3))
    spatial = tuple(
        side or d * (k - 1) + draw(whole(1, 12))
        for k, d in zip(each(kernel, 2), each(dilation, 2), strict=True)
    )
    groups, sets = draw(whole(1, 2)), draw(whole(1, 2))
    given = {"kernel": kernel, "stride": stride, "dilation": dilation}
    place = op("conv", out=1, **given).shape((Shape(1, *spatial),)).spatial
    made = op(
        "deform_conv",
        out=groups * draw(whole(1, 6)),
        groups=groups,
        bias=draw(st.booleans()),
        init=draw(st.sampled_from(INITIAL_WEIGHTS)),
        **given,
    )
    taps = sets * prod(each(kernel, 2))
    masks = (Shape(taps, *place),) * draw(whole(0, 1))
    return Case(made, (Shape(groups * sets * draw(whole(1, 3)), *spatial), Shape(2 * taps, *place), *masks))


@st.composite
def transposed(draw: Draw) -> Case:
    rank = draw(ranks)
    stride = draw(sizes(rank, 1, 4))
    kernel = tuple(s + (2 * draw(whole(0, 1)) if s == 1 else draw(whole(0, 3))) for s in each(stride, rank))
    pad = draw(st.none() | st.tuples(*(whole(0, (k - 1) // 2) for k in kernel)))
    groups = draw(whole(1, 3))
    made = op(
        "transpose_conv",
        kernel=kernel,
        out=groups * draw(whole(1, 4)),
        stride=stride,
        groups=groups,
        bias=draw(st.booleans()),
        pad=pad,
        init=draw(st.sampled_from(INITIAL_WEIGHTS)),
    )
    return Case(made, (Shape(groups * draw(whole(1, 4)), *(draw(whole(1, 5)) for _ in range(rank))),))


@st.composite
def pooled_to(draw: Draw) -> Case:
    rank = draw(ranks)
    kind = draw(st.sampled_from(["max", "avg"]))
    return Case(op("pool", kind=kind, to=draw(sizes(rank, 1, 6))), (draw(maps(rank=rank)),))


@st.composite
def pooled(draw: Draw, ceil: st.SearchStrategy[bool]) -> Case:
    rank = draw(ranks)
    kind = draw(st.sampled_from(["max", "avg"]))
    size = draw(sizes(rank, 1, 5))
    windows = each(size, rank)
    pad = draw(st.none() | st.tuples(*(whole(0, k // 2) for k in windows)))
    padding = [(k - 1) // 2 for k in windows] if pad is None else pad
    if kind == "avg" and rank == 3:  # torch wants a volume of the window's size before it is padded
        padding = [0] * rank
    spatial = [
        max(1, k - 2 * p) + draw(whole(0, 9 if rank == 2 else 4))
        for k, p in zip(windows, padding, strict=True)
    ]
    made = op(
        "pool",
        kind=kind,
        size=size,
        stride=draw(st.none() | sizes(rank, 1, 4)),
        pad=pad,
        ceil=draw(ceil),
        count_pad=draw(st.booleans()),
    )
    return Case(made, (Shape(draw(channels), *spatial),))


@st.composite
def interpolated(draw: Draw) -> Case:
    x = draw(maps())
    mode = draw(st.sampled_from(["bilinear", "nearest", "bicubic"][: 5 - x.rank]))
    given: dict[str, Any] = {"mode": mode, "align_corners": mode != "nearest" and draw(st.booleans())}
    way = draw(st.sampled_from(["size", "scale", "like"]))
    if way == "like":
        return Case(op("interpolate", **given), (x, draw(maps(rank=x.rank))))
    if way == "size":
        return Case(op("interpolate", size=draw(sizes(x.rank, 1, 20)), **given), (x,))
    least = 1 / min(x.spatial)
    factors = st.sampled_from([1, 2, 3, 4]) | st.floats(least * 1.001, max(3, 2 * least))
    return Case(op("interpolate", scale=draw(factors), **given), (x,))


@st.composite
def crossed(draw: Draw) -> Case:
    queries = draw(maps(rank=2))
    return Case(op("criss_cross"), (queries, queries, Shape(draw(channels), *queries.spatial)))


@st.composite
def reshaped(draw: Draw) -> Case:
    x = draw(maps())
    return Case(op("reshape"), (x, Shape(*draw(st.permutations(x)))))


@st.composite
def cropped(draw: Draw) -> Case:
    x = draw(maps())
    size = tuple(draw(whole(1, side)) for side in x.spatial)
    places = st.tuples(*(whole(0, side - kept) for side, kept in zip(x.spatial, size, strict=True)))
    offset = draw(st.none() | places)
    if draw(st.booleans()):
        return Case(op("crop", size=size, offset=offset), (x,))
    return Case(op("crop", offset=offset), (x, Shape(draw(channels), *size)))


@st.composite
def aligned(draw: Draw) -> Case:
    x = draw(maps())
    return Case(op("align"), (x, draw(maps(rank=x.rank))))


@st.composite
def unpooled(draw: Draw, side: int | None = None) -> Case:
    size = tuple(draw(whole(1, 4)) for _ in range(draw(ranks)))
    of = Shape(draw(channels), *(side * k if side else draw(whole(k, 17)) for k in size))
    pooled = op("pool", kind="max", size=size, ceil=draw(st.booleans())).shape((of,))
    return Case(op("unpool", size=size), (pooled, of))


@st.composite
def padded(draw: Draw) -> Case:
    x = draw(maps())
    return Case(op("pad", size=draw(sizes(x.rank, 0, 4))), (x,))


@st.composite
def chunked(draw: Draw) -> Case:
    of = draw(whole(1, 4))
    return Case(op("chunk", index=draw(whole(0, of - 1)), of=of), (draw(maps(multiple=of)),))


@st.composite
def shuffled(draw: Draw, word: str, argument: str) -> Case:
    parts = draw(whole(1, 4))
    return Case(op(word, **{argument: parts}), (draw(maps(multiple=parts)),))


@st.composite
def pixels_shuffled(draw: Draw) -> Case:
    factor = draw(whole(1, 3))
    return Case(op("pixelshuffle", factor=factor), (draw(maps(multiple=factor**2, rank=2)),))


@st.composite
def same_but_channels(draw: Draw) -> tuple[Shape, ...]:
    x = draw(anything)
    return tuple(Shape(draw(channels), *x.spatial) for _ in range(draw(whole(1, 4))))


@st.composite
def spread(draw: Draw) -> tuple[Shape, ...]:
    """Maps in each of which some dimensions are 1."""
    x = draw(anything)
    return tuple(Shape(*(draw(st.sampled_from([1, n])) for n in x)) for _ in range(draw(whole(1, 4))))


@st.composite
def filtered(draw: Draw, side: int | None = None) -> Case:
    x = draw(maps())
    spatial = x.spatial if side is None else (side,) * x.rank
    taps = draw(st.sampled_from([1, 3, 5] if x.rank == 2 else [1, 3])) ** x.rank
    return Case(op("local_filter"), (Shape(x.channels, *spatial), Shape(taps, *spatial)))


@st.composite
def multiplied(draw: Draw) -> Case:
    by = draw(maps())
    return Case(op("matmul"), (Shape(prod(by.spatial), *draw(maps()).spatial), by))


def one_of(word: str, argument: str, options: list[str], inputs: Any = anything) -> Any:
    """An operation with one argument that is a word."""
    return st.builds(
        lambda x, option: Case(op(word, **{argument: option}), (x,)), inputs, st.sampled_from(options)
    )


equal = st.builds(lambda x, n: (x,) * n, anything, whole(1, 4))
rates = st.floats(0, 1)

CASES: dict[str, st.SearchStrategy[Case]] = {
    "conv": convolved("conv"),
    "dwconv": convolved("dwconv"),
    "deform_conv": deformed(),
    "transpose_conv": transposed(),
    "linear": st.builds(
        lambda x, out, bias, init: Case(
            op("linear", out=out, bias=bias, init=init, over="channels" if x.rank else "all"), (x,)
        ),
        anything,
        whole(1, 20),
        st.booleans(),
        st.sampled_from(INITIAL_WEIGHTS),
    ),
    "bn": st.builds(
        lambda x, init: Case(op("bn", init=init), (x,)), anything, st.sampled_from(["one", "zero"])
    ),
    "gn": shuffled("gn", "groups"),
    "ln": plain("ln"),
    "lrn": st.builds(
        lambda x, size, beta: Case(op("lrn", size=size, beta=beta), (x,)), maps(), whole(1, 6), rates
    ),
    **{
        word: plain(word)
        for word in (
            "relu", "relu6", "silu", "hswish", "hsigmoid", "gelu", "sigmoid", "tanh", "selu",
            "prelu", "mish", "softplus", "id", "zero", "flatten",
        )
    },
    "elu": st.builds(lambda x, alpha: Case(op("elu", alpha=alpha), (x,)), anything, rates),
    "leaky_relu": st.builds(lambda x, slope: Case(op("leaky_relu", slope=slope), (x,)), anything, rates),
    "pool": pooled_to() | pooled(st.booleans()),
    "gap": one_of("gap", "over", ["all", "height", "width"], maps()),
    "channel_pool": one_of("channel_pool", "kind", ["max", "avg"]),
    "softmax": one_of("softmax", "over", ["channels", "all"]),
    "swap": plain("swap", maps()),
    "criss_cross": crossed(),
    "em_attention": st.builds(
        lambda x, bases, steps: Case(op("em_attention", bases=bases, steps=steps), (x,)),
        maps(), whole(1, 9), whole(1, 3),
    ),
    "reshape": reshaped(),
    "matmul": multiplied(),
    "affinity": st.builds(
        lambda x, radius, spatial, difference: Case(
            op("affinity", radius=radius, spatial=spatial, range=difference), (x,)
        ),
        maps(),
        whole(1, 2),
        st.floats(0.5, 9),
        st.none() | st.floats(0.5, 9),
    ),
    "local_filter": filtered(),
    "scale": st.builds(lambda x, factor: Case(op("scale", factor=factor), (x,)), anything, rates),
    "gain": st.builds(
        lambda x, init, own: Case(op("gain", init=init, channels=own), (x,)), anything, rates, st.booleans()
    ),
    "interpolate": interpolated(),
    "upsample": st.builds(lambda x, scale: Case(op("upsample", scale=scale), (x,)), maps(), whole(1, 4)),
    "crop": cropped(),
    "pad": padded(),
    "align": aligned(),
    "unpool": unpooled(),
    "merge_depth": plain("merge_depth", maps(rank=3)),
    "pixelshuffle": pixels_shuffled(),
    "shuffle": shuffled("shuffle", "groups"),
    "chunk": chunked(),
    "concat": join(same_but_channels(), "concat"),
    "add": join(equal, "add"),
    "mul": join(spread(), "mul"),
    "dropout": st.builds(
        lambda x, rate, whole: Case(op("dropout", rate=rate, channels=whole), (x,)),
        anything,
        rates,
        st.booleans(),
    ),
    "drop_path": st.builds(lambda x, rate: Case(op("drop_path", rate=rate), (x,)), anything, rates),
}  # fmt: skip


# ---- the contract --------------------------------------------------------------------------------


def module_of(case: Case) -> tuple[nn.Module | None, Callable[..., Tensor]]:
    """What the emitter makes of an operation: its module if it has one, and what is called."""
    recipe = case.op.torch(case.inputs)
    if isinstance(recipe, Layer):
        module = make(recipe)
        return module, module
    function = TARGETS[recipe.target]
    if isinstance(recipe, Weight):
        weight = tensor(recipe)
        return nn.ParameterList([weight]), lambda *inputs: function(*inputs, weight)
    if recipe.as_list:
        return None, lambda *inputs: function(list(inputs), **recipe.arguments)
    return None, lambda *inputs: function(*inputs, **recipe.arguments)


def counted_as_convolution(*shapes: list[int], out_shape: list[int], **_: object) -> int:
    """A deformable convolution multiplies and adds what an ordinary one does; torch does not know."""
    image, weight = shapes[:2]
    return conv_flop_count(image, weight, out_shape)


def products(*_: object, out_shape: list[int], **__: object) -> int:
    """Two operations, a product and a sum, for each number that is multiplied."""
    return 2 * prod(out_shape)


# What torch doesn't count: sums by weights that are made of single products.
WINDOW_BY_WINDOW = ("affinity", "local_filter")
UNCOUNTED = {torch.ops.torchvision.deform_conv2d: counted_as_convolution}
PRODUCTS = {torch.ops.aten.mul: products}


def test_every_operation_has_random_cases() -> None:
    assert set(CASES) == set(OPERATIONS)


@pytest.mark.parametrize("word", CASES)
def test_the_rules_of_an_operation_agree_with_torch(word: str) -> None:
    @settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(CASES[word])
    def agree(case: Case) -> None:
        shape, cost = case.op.shape(case.inputs), case.op.cost(case.inputs)
        module, call = module_of(case)
        with (
            torch.no_grad(),
            FlopCounterMode(
                display=False, custom_mapping=PRODUCTS if word in WINDOW_BY_WINDOW else UNCOUNTED
            ) as counter,
        ):
            made = call(*(torch.rand(BATCH, *shape) for shape in case.inputs))
        assert tuple(made.shape) == (BATCH, *shape)
        parameters = sum(p.numel() for p in module.parameters()) if module else 0
        assert cost.params == parameters
        assert cost.macs == counter.get_total_flops() / 2 / BATCH
        assert case.op.has_weights == (parameters > 0)

    agree()


@settings(max_examples=300, deadline=None, derandomize=True)
@given(pooled(st.just(True)))
def test_a_pooling_that_rounds_up_gives_exporters_what_torchs_gives(case: Case) -> None:
    recipe = case.op.torch(case.inputs)
    assert isinstance(recipe, Layer)
    theirs = getattr(nn, recipe.target.partition("Ceil")[2])(**recipe.arguments)
    assert theirs.ceil_mode
    x = torch.randn(BATCH, *case.inputs[0]) - 2  # zeros in the place of what isn't there would be the largest
    with unittest.mock.patch("torch.compiler.is_exporting", return_value=True):
        made = make(recipe)(x)
    torch.testing.assert_close(made, theirs(x), atol=0 if "Max" in recipe.target else 1e-5, rtol=0)


@pytest.mark.parametrize("word", CASES)
def test_a_gradient_reaches_every_input_that_is_not_detached(word: str) -> None:
    @settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(CASES[word])
    def agree(case: Case) -> None:
        _, call = module_of(case)
        tensors = [torch.rand(BATCH, *shape, requires_grad=True) for shape in case.inputs]
        made = call(*tensors)
        if made.requires_grad:
            made.sum().backward()
        detached = {n for n, tensor in enumerate(tensors) if tensor.grad is None}
        assert detached == set(case.op.detached) & set(range(len(tensors)))

    agree()


@pytest.mark.parametrize("word", [word for word in CASES if OPERATIONS[word].sizing])
def test_of_a_sizing_operation_s_detached_inputs_only_the_size_counts(word: str) -> None:
    @settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(CASES[word])
    def agree(case: Case) -> None:
        _, call = module_of(case)
        tensors = [torch.rand(BATCH, *shape) for shape in case.inputs]
        others = list(tensors)
        for number in set(case.op.detached) & set(range(len(others))):
            others[number] = torch.rand(BATCH, 5, *case.inputs[number].spatial)
        assert torch.equal(call(*tensors), call(*others))

    agree()


@pytest.mark.parametrize("word", CASES)
def test_what_has_the_size_of_an_input_has_it_at_every_size(word: str) -> None:
    @settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(CASES[word], whole(1, 9))
    def agree(case: Case, more: int) -> None:
        numbers = case.op.sized_as(case.inputs)
        # Sides of 1 stay: they may be means over the map, which are spread over all of it.
        larger = tuple(
            Shape(shape.channels, *(side if side == 1 else side + more for side in shape.spatial))
            for shape in case.inputs
        )
        try:
            made = case.op.shape(larger)
        except Mistake:
            return
        assert all(made.spatial == larger[number].spatial for number in numbers)

    agree()


@pytest.mark.parametrize(
    ("word", "arguments", "inputs", "numbers"),
    [
        ("relu", {}, [(8, 7, 5)], (0,)),
        ("bn", {}, [(8, 7, 5)], (0,)),
        ("conv", {"kernel": 3, "out": 4}, [(8, 7, 5)], (0,)),
        ("conv", {"kernel": 3, "out": 4, "stride": 2}, [(8, 7, 5)], ()),
        ("conv", {"kernel": 3, "out": 4, "pad": 0}, [(8, 7, 5)], ()),
        ("pool", {"kind": "max", "size": 3, "stride": 1}, [(8, 7, 5)], (0,)),
        ("pool", {"kind": "avg", "to": 7}, [(8, 7, 7)], ()),
        ("gap", {}, [(8, 1, 1)], ()),
        ("add", {}, [(8, 7, 5), (8, 7, 5)], (0, 1)),
        ("concat", {}, [(8, 7, 5), (4, 7, 5)], (0, 1)),
        ("mul", {}, [(8, 1, 1), (8, 7, 5)], (1,)),
        ("mul", {}, [(8, 1, 1), (8, 1, 1)], ()),
        ("crop", {"size": 7}, [(8, 7, 7)], ()),
        ("crop", {}, [(8, 9, 9), (4, 7, 7)], (1,)),
        ("align", {}, [(8, 9, 9), (4, 7, 7)], (1,)),
        ("interpolate", {}, [(8, 9, 9), (4, 7, 7)], (1,)),
        ("interpolate", {"size": 7}, [(8, 7, 7)], ()),
        ("interpolate", {"scale": 1}, [(8, 7, 7)], (0,)),
        ("interpolate", {"scale": 1.1}, [(8, 7, 7)], ()),
        ("swap", {}, [(5, 5, 1)], ()),
    ],
)
def test_which_input_has_the_size_that_leaves(
    word: str, arguments: dict[str, Any], inputs: list[tuple[int, ...]], numbers: tuple[int, ...]
) -> None:
    shapes = tuple(Shape(*sizes) for sizes in inputs)
    assert op(word, **arguments).sized_as(shapes) == numbers


@pytest.mark.parametrize("word", CASES)
def test_an_operation_takes_as_many_inputs_as_it_says(word: str) -> None:
    low, high = OPERATIONS[word].inputs
    assert low >= 1

    @settings(max_examples=20, deadline=None, derandomize=True)
    @given(CASES[word])
    def within(case: Case) -> None:
        assert low <= len(case.inputs) <= (high or len(case.inputs))

    within()
    assert len(OPERATIONS[word].maps) == (0 if high is None else high - 1)


@pytest.mark.parametrize("word", [word for word in CASES if OPERATIONS[word].commutative])
def test_the_order_of_a_commutative_operation_changes_nothing(word: str) -> None:
    @settings(max_examples=20, deadline=None, derandomize=True)
    @given(CASES[word])
    def same(case: Case) -> None:
        _, call = module_of(case)
        tensors = [torch.rand(1, *shape) for shape in case.inputs]
        torch.testing.assert_close(call(*tensors), call(*reversed(tensors)))
        assert case.op.shape(case.inputs) == case.op.shape(case.inputs[::-1])

    same()


WINDOWED = [
    "conv", "dwconv", "deform_conv", "transpose_conv", "pool", "unpool", "interpolate", "upsample",
    "pixelshuffle", "affinity", "local_filter",
]  # fmt: skip
# Where other maps have to fit a map of 24 pixels a side.
OF_24 = {"deform_conv": deformed(side=24), "local_filter": filtered(side=24), "unpool": unpooled(side=24)}
WEIGHTED_SUMS = ("conv", "dwconv", "deform_conv", "transpose_conv")


@pytest.mark.parametrize("word", CASES)
def test_a_window_says_how_many_pixels_of_the_input_a_pixel_reads(word: str) -> None:
    """Exactly for weighted sums; the largest of a window is one pixel, and weights may be 0 elsewhere."""
    windows = 0

    @settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(OF_24.get(word, CASES[word]))
    def read(case: Case) -> None:
        nonlocal windows
        x, *others = case.inputs
        case = Case(case.op, (Shape(x.channels, *(24,) * x.rank), *others))
        window = case.op.window(case.inputs) if x.rank else None
        if window is None:
            return
        windows += 1
        exact = word in WEIGHTED_SUMS or getattr(case.op, "kind", "") == "avg"
        for reads, kernel, dilation in zip(pixels_read(case), window.kernel, window.dilation, strict=True):
            extent = dilation * (kernel - 1) + 1
            assert reads == extent if exact else reads <= extent

    read()
    assert (windows > 0) == (word in WINDOWED)


def pixels_read(case: Case) -> list[int]:
    """Along each dimension, from the first to the last pixel that a pixel in the middle reads."""
    module, call = module_of(case)
    for parameter in module.parameters() if module else ():
        nn.init.constant_(parameter, 1.0)
    x = torch.rand(1, *case.inputs[0], requires_grad=True)
    others = [torch.rand(1, *shape) for shape in case.inputs[1:]]
    if case.op.name == "deform_conv":
        others[0].zero_()  # no tap has moved
    made = call(x, *others)[0, 0]
    most = [0] * made.ndim
    # Neighbours along the diagonal: those of a transposed convolution read windows of several sizes.
    for step in range(4):
        place = tuple(min(size // 2 + step, size - 1) for size in made.shape)
        (gradient,) = torch.autograd.grad(made[place], x, retain_graph=True)
        for axis, places in enumerate(gradient[0].abs().sum(0).nonzero().T):
            if len(places):  # one that was unpooled may read none
                most[axis] = max(most[axis], int(places.max() - places.min()) + 1)
    return most


# ---- what people read ----------------------------------------------------------------------------


@pytest.mark.parametrize("word", OPERATIONS)
def test_every_operation_and_argument_says_what_it_is_for(word: str) -> None:
    kind = OPERATIONS[word]
    assert kind.name == word
    assert kind.__doc__
    assert not kind.__doc__.startswith(f"{kind.__name__}(")  # what dataclasses write where there is none
    for argument in arguments(kind).values():
        assert argument.metadata["doc"]
        assert argument.metadata["kind"]


@pytest.mark.parametrize("word", OPERATIONS)
def test_operations_are_values(word: str) -> None:
    @settings(max_examples=10, deadline=None, derandomize=True)
    @given(CASES[word])
    def is_value(case: Case) -> None:
        twin = dataclasses.replace(case.op)
        assert twin == case.op
        assert hash(twin) == hash(case.op)
        assert repr(twin) == repr(case.op)

    is_value()
