"""What operations do to numbers, where torch or the field's libraries have a word for it."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest
import timm.layers
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from archdsl.emitters.initialisers import INITIALISERS
from archdsl.emitters.torch_module import TARGETS, make
from archdsl.op import Layer
from archdsl.ops import OPERATIONS
from archdsl.ops.initial_weights import INITIAL_WEIGHTS
from archdsl.tensors import Shape, Stride

X = torch.arange(2 * 12 * 9 * 8, dtype=torch.float32).reshape(2, 12, 9, 8).sin()


@pytest.fixture(autouse=True)
def a_seed() -> None:
    torch.manual_seed(0)


def module(word: str, x: Tensor = X, **arguments: Any) -> Any:
    recipe = OPERATIONS[word](**arguments).torch((Shape(*x.shape[1:]),))
    assert isinstance(recipe, Layer)
    return make(recipe)


def called(word: str, *inputs: Tensor, **arguments: Any) -> Tensor:
    """What an operation with a function gives."""
    recipe = OPERATIONS[word](**arguments).torch(tuple(Shape(*x.shape[1:]) for x in inputs))
    made: Tensor = TARGETS[recipe.target](*inputs, **recipe.arguments)
    return made


# ---- layers of our own ------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(9, 8), (5, 14), (17, 16)])
@pytest.mark.parametrize(
    ("kernel", "stride", "dilation"),
    [(3, 1, 1), (3, 2, 1), (5, 2, 1), (3, 3, 2), (1, 2, 1), (2, 3, 1), (4, 2, 1)],
)
def test_same_padding_is_that_of_timm(size: tuple[int, int], kernel: int, stride: int, dilation: int) -> None:
    x = torch.randn(1, 4, *size)
    conv = module("conv", x, kernel=kernel, out=3, stride=stride, dilation=dilation, pad="same")
    expected = timm.layers.conv2d_same(
        x, conv.weight, conv.bias, (stride, stride), dilation=(dilation, dilation)
    )
    torch.testing.assert_close(conv(x), expected)


def test_layer_norm_of_maps_is_that_of_timm() -> None:
    norm, expected = module("ln", eps=1e-3), timm.layers.LayerNorm2d(12, eps=1e-3)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    expected.load_state_dict(norm.state_dict())
    torch.testing.assert_close(norm(X), expected(X))


@pytest.mark.parametrize("rate", [0.0, 0.3, 1.0])
def test_drop_path_is_that_of_timm(rate: float) -> None:
    x, drop = torch.randn(64, 3, 2, 2), module("drop_path", rate=rate)
    torch.manual_seed(1)
    made = drop.train()(x)
    torch.manual_seed(1)
    torch.testing.assert_close(made, timm.layers.drop_path(x, rate, training=True))
    assert torch.equal(drop.eval()(x), x)


def test_channels_are_shuffled_as_torch_does() -> None:
    assert torch.equal(module("shuffle", groups=3)(X), F.channel_shuffle(X, 3))


def test_chunks_are_those_of_torch() -> None:
    for index, expected in enumerate(X.chunk(4, dim=1)):
        assert torch.equal(module("chunk", index=index, of=4)(X), expected)


def test_a_crop_is_the_middle() -> None:
    assert torch.equal(module("crop", size=(5, 4))(X), X[..., 2:7, 2:6])
    assert torch.equal(called("crop", X, torch.zeros(2, 1, 4, 3)), X[..., 2:6, 2:5])


def test_a_crop_with_an_offset_starts_there() -> None:
    assert torch.equal(module("crop", size=(5, 4), offset=(3, 1))(X), X[..., 3:8, 1:5])
    assert torch.equal(called("crop", X, torch.zeros(2, 1, 4, 3), offset=0), X[..., :4, :3])


def test_reshape_keeps_the_order_of_the_numbers() -> None:
    expected = X.flatten(1).unflatten(1, (X.shape[3], X.shape[1], X.shape[2]))
    assert torch.equal(called("reshape", X, torch.zeros(expected.shape)), expected)


def test_align_crops_or_adds_zeros_at_the_bottom_right() -> None:
    like = torch.zeros(2, 1, 7, 10)
    expected = torch.zeros(2, 12, 7, 10)
    expected[..., :8] = X[..., :7, :]
    assert torch.equal(called("align", X, like), expected)


@pytest.mark.parametrize("ceil", [False, True])
@pytest.mark.parametrize("shape", [(12, 8, 10), (12, 9, 7), (6, 5, 8, 7)])
@pytest.mark.parametrize("size", [2, 3])
def test_unpool_is_that_of_torch(shape: tuple[int, ...], size: int, ceil: bool) -> None:
    of, rank = torch.randn(2, *shape), len(shape) - 1
    pool, back = (F.max_pool2d, F.max_unpool2d) if rank == 2 else (F.max_pool3d, F.max_unpool3d)
    pad = (size - 1) // 2
    pooled, places = pool(of, size, size, pad, ceil_mode=ceil, return_indices=True)
    expected = back(pooled, places, size, size, pad, output_size=of.shape)
    recipe = OPERATIONS["unpool"](size=size).torch((Shape(*pooled.shape[1:]), Shape(*shape)))
    assert torch.equal(TARGETS[recipe.target](pooled, of, **recipe.arguments), expected)


def test_merge_depth_keeps_the_depths_of_a_channel_together() -> None:
    x = torch.randn(2, 3, 4, 5, 6)
    made = module("merge_depth", x)(x)
    assert torch.equal(made[:, 1 * 4 + 2], x[:, 1, 2])


def test_zero_is_zero() -> None:
    assert not module("zero")(X).any()


def test_upsample_repeats_pixels() -> None:
    assert torch.equal(module("upsample", scale=2)(X), X.repeat_interleave(2, 2).repeat_interleave(2, 3))


def test_pad_adds_zeros_to_the_right_sides() -> None:
    made = module("pad", size=(1, 2))(X)
    assert torch.equal(made[..., 1:-1, 2:-2], X)
    assert made.count_nonzero() == X.count_nonzero()


# ---- arguments reach torch -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "arguments", "expected"),
    [
        ("pool", {"kind": "avg", "size": 3, "stride": 1, "count_pad": False},
         lambda x: F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)),
        ("pool", {"kind": "avg", "size": 3, "stride": 2}, lambda x: F.avg_pool2d(x, 3, 2, 1)),
        ("pool", {"kind": "max", "size": 3, "stride": 2, "pad": 0, "ceil": True},
         lambda x: F.max_pool2d(x, 3, 2, 0, ceil_mode=True)),
        ("pool", {"kind": "max", "size": 2}, lambda x: F.max_pool2d(x, 2)),
        ("pool", {"kind": "avg", "to": 4}, lambda x: F.adaptive_avg_pool2d(x, 4)),
        ("pool", {"kind": "max", "to": (2, 3)}, lambda x: F.adaptive_max_pool2d(x, (2, 3))),
        ("gap", {}, lambda x: x.mean((2, 3), keepdim=True)),
        ("interpolate", {"scale": 2}, lambda x: F.interpolate(x, scale_factor=2, mode="bilinear")),
        ("interpolate", {"size": (4, 20), "align_corners": True},
         lambda x: F.interpolate(x, (4, 20), mode="bilinear", align_corners=True)),
        ("interpolate", {"mode": "nearest", "scale": 1.5},
         lambda x: F.interpolate(x, scale_factor=1.5, mode="nearest")),
        ("interpolate", {"mode": "bicubic", "scale": 3},
         lambda x: F.interpolate(x, scale_factor=3, mode="bicubic")),
        ("leaky_relu", {"slope": 0.1}, lambda x: F.leaky_relu(x, 0.1)),
        ("elu", {"alpha": 0.3}, lambda x: F.elu(x, 0.3)),
        ("relu", {}, F.relu), ("relu6", {}, F.relu6), ("silu", {}, F.silu), ("hswish", {}, F.hardswish),
        ("hsigmoid", {}, F.hardsigmoid), ("gelu", {}, F.gelu), ("sigmoid", {}, torch.sigmoid),
        ("tanh", {}, torch.tanh), ("softmax", {}, lambda x: x.softmax(1)), ("selu", {}, F.selu),
        ("mish", {}, F.mish), ("softplus", {}, F.softplus), ("id", {}, lambda x: x),
        ("prelu", {}, lambda x: F.leaky_relu(x, 0.25)),
        ("gn", {"groups": 4, "eps": 0.1}, lambda x: F.group_norm(x, 4, eps=0.1)),
        ("lrn", {"size": 3, "alpha": 0.3, "k": 2}, lambda x: F.local_response_norm(x, 3, 0.3, k=2)),
        ("pixelshuffle", {"factor": 2}, lambda x: F.pixel_shuffle(x, 2)),
        ("flatten", {}, lambda x: x.reshape(2, -1)),
    ],
)  # fmt: skip
def test_an_operation_is_the_function_of_torch(word: str, arguments: dict[str, Any], expected: Any) -> None:
    x = 4 * X
    torch.testing.assert_close(module(word, x, **arguments)(x), expected(x))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"padding": 1}),
        ({"stride": 2}, {"padding": 1, "stride": 2}),
        ({"dilation": 3}, {"padding": 3, "dilation": 3}),
        ({"groups": 3}, {"padding": 1, "groups": 3}),
        ({"pad": 0}, {"padding": 0}),
        ({"pad": (0, 2), "stride": (1, 2)}, {"padding": (0, 2), "stride": (1, 2)}),
    ],
)
def test_a_convolution_is_that_of_torch(given: dict[str, Any], expected: dict[str, Any]) -> None:
    conv = module("conv", kernel=3, out=6, **given)
    torch.testing.assert_close(conv(X), F.conv2d(X, conv.weight, conv.bias, **expected))


def test_a_depthwise_convolution_gives_each_channel_its_own() -> None:
    conv = module("dwconv", kernel=5, multiplier=2)
    assert tuple(conv.weight.shape) == (24, 1, 5, 5)
    torch.testing.assert_close(conv(X), F.conv2d(X, conv.weight, conv.bias, padding=2, groups=12))


def test_a_transposed_convolution_is_that_of_torch() -> None:
    conv = module("transpose_conv", kernel=3, out=6, stride=2, groups=3)
    expected = F.conv_transpose2d(X, conv.weight, conv.bias, 2, padding=1, output_padding=1, groups=3)
    torch.testing.assert_close(conv(X), expected)


def test_batch_norm_has_its_eps_and_momentum() -> None:
    norm = module("bn", eps=1e-3, momentum=0.01)
    torch.testing.assert_close(norm.train()(X), F.batch_norm(X, None, None, training=True, eps=1e-3))
    torch.testing.assert_close(norm.running_mean, 0.01 * X.mean((0, 2, 3)))


@pytest.mark.parametrize(("whole", "together"), [(True, True), (False, False)])
def test_dropout_takes_numbers_or_whole_channels(whole: bool, together: bool) -> None:
    made = module("dropout", rate=0.5, channels=whole).train()(torch.ones(64, 12, 9, 8))
    assert set(made.unique().tolist()) == {0.0, 2.0}
    assert bool((made.std((2, 3)) == 0).all()) == together


def test_volumes_are_interpolated_along_three_dimensions() -> None:
    x = torch.randn(1, 2, 3, 4, 5)
    torch.testing.assert_close(
        module("interpolate", x, scale=2)(x), F.interpolate(x, scale_factor=2, mode="trilinear")
    )


# ---- strides -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "arguments", "strides", "expected"),
    [
        ("conv", {"kernel": 3, "out": 4, "stride": 2}, (4,), 8),
        ("conv", {"kernel": 3, "out": 4}, (4,), 4),
        ("transpose_conv", {"kernel": 2, "out": 4, "stride": 2}, (8,), 4),
        ("pool", {"kind": "max", "size": 2}, (4,), 8),
        ("pool", {"kind": "avg", "to": 1}, (4,), None),
        ("gap", {}, (4,), None),
        ("flatten", {}, (4,), None),
        ("upsample", {"scale": 4}, (8,), 2),
        ("pixelshuffle", {"factor": 2}, (8,), 4),
        ("interpolate", {"scale": 2}, (8,), 4),
        ("interpolate", {"scale": 0.5}, (8,), 16),
        ("interpolate", {"size": 16}, (8,), 4),
        ("interpolate", {}, (None, 4), 4),
        ("interpolate", {}, (16, 4), 4),
        ("align", {}, (8, 8), 8),
        ("unpool", {}, (8, 4), 4),
        ("crop", {}, (4, 4), 4),
        ("reshape", {}, (None, 4), 4),
        ("add", {}, (None, 4), 4),
        ("bn", {}, (16,), 16),
        ("relu", {}, (None,), None),
    ],
)
def test_the_stride_follows_what_an_operation_does(
    word: str, arguments: dict[str, Any], strides: tuple[int | None, ...], expected: int | None
) -> None:
    known: tuple[Stride, ...] = tuple(None if stride is None else Fraction(stride) for stride in strides)
    inputs = (Shape(4, 8, 8),) * len(strides)
    assert OPERATIONS[word](**arguments).stride_after(inputs, known) == expected


# ---- initial weights -------------------------------------------------------------------------------------


def test_every_word_for_initial_weights_has_a_meaning() -> None:
    assert set(INITIALISERS) == {*INITIAL_WEIGHTS, "zero_gamma"} - {"torch"}


@pytest.mark.parametrize(
    ("word", "deviation"),
    [
        ("kaiming_out", math.sqrt(2 / (9 * 64))),
        ("kaiming_group", math.sqrt(2 / (9 * 64 / 4))),
        ("kaiming_in", math.sqrt(2 / (9 * 32 / 4))),
        ("kaiming_uniform", math.sqrt(2 / (9 * 32 / 4))),
        ("xavier", math.sqrt(2 / (9 * 64 + 9 * 32 / 4))),
        ("normal", 0.01),
        ("truncated", 0.01),
        ("truncated_02", 0.02),
        ("uniform_out", 1 / math.sqrt(64) / math.sqrt(3)),
        ("zero", 0.0),
    ],
)
def test_initial_weights_have_the_deviation_of_their_papers(word: str, deviation: float) -> None:
    """Of a convolution from 32 to 64 channels in 4 groups; its bias starts at 0."""
    conv = module("conv", torch.zeros(1, 32, 8, 8), kernel=3, out=64, groups=4, init=word)
    assert conv.weight.std().item() == pytest.approx(deviation, rel=0.05)
    assert conv.weight.mean().item() == pytest.approx(0, abs=0.1 * deviation)
    assert not conv.bias.any()


@pytest.mark.parametrize(("kernel", "scale"), [(4, 2), (16, 8)])
def test_bilinear_weights_interpolate_where_the_edge_is_not_seen(kernel: int, scale: int) -> None:
    """Each channel for itself, like corners that are not aligned."""
    climb = module("transpose_conv", X, kernel=kernel, out=12, stride=scale, bias=False, init="bilinear")
    expected = F.interpolate(X, scale_factor=scale, mode="bilinear")
    inner = (..., slice(scale, -scale), slice(scale, -scale))
    torch.testing.assert_close(climb(X)[inner], expected[inner])


def test_without_a_word_weights_are_those_of_torch() -> None:
    conv = module("conv", torch.zeros(1, 32, 8, 8), kernel=3, out=64)
    torch.manual_seed(0)
    expected = nn.Conv2d(32, 64, 3)
    assert torch.equal(conv.weight, expected.weight)
    assert torch.equal(conv.bias, expected.bias)


def test_a_batch_norm_may_start_silent() -> None:
    norm = module("bn", init="zero")
    assert torch.equal(norm.running_mean, torch.zeros(12))
    assert torch.equal(norm.running_var, torch.ones(12))
    assert not norm(X).any()
