"""What operations refuse, and with which facts."""

from __future__ import annotations

from typing import Any

import pytest

from archdsl.errors.base import Mistake
from archdsl.errors.shapes import (
    AlignCorners,
    CropTooLarge,
    DifferentChannels,
    DifferentSizes,
    ExactlyOne,
    IndivisibleChannels,
    KernelBelowStride,
    KernelTooLarge,
    NoSuchChunk,
    NothingLeft,
    PaddingTooLarge,
    WantsMap,
    WantsVector,
    WrongKind,
    WrongPartner,
    WrongRank,
)
from archdsl.ops import OPERATIONS
from archdsl.tensors import Shape

MAP, VOLUME, VECTOR = Shape(8, 12, 10), Shape(8, 6, 12, 10), Shape(8)


def refused(expected: type[Mistake], word: str, /, *inputs: Shape, **arguments: Any) -> Any:
    """The mistake that an operation's shape rule raises."""
    with pytest.raises(expected) as caught:
        OPERATIONS[word](**arguments).shape(inputs)
    mistake = caught.value
    assert mistake.message()
    assert not mistake.message().endswith(".")
    return mistake


# ---- channels ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "arguments", "x", "channels", "parts"),
    [
        ("conv", {"kernel": 3, "out": 8, "groups": 4}, Shape(21, 9, 9), 21, 4),
        ("conv", {"kernel": 3, "out": 6, "groups": 4}, Shape(8, 9, 9), 6, 4),
        ("transpose_conv", {"kernel": 2, "out": 6, "groups": 4}, Shape(8, 9, 9), 6, 4),
        ("gn", {"groups": 32}, Shape(48, 9, 9), 48, 32),
        ("shuffle", {"groups": 3}, MAP, 8, 3),
        ("chunk", {"index": 0, "of": 3}, MAP, 8, 3),
        ("pixelshuffle", {"factor": 3}, MAP, 8, 9),
    ],
)
def test_channels_must_divide_into_parts(
    word: str, arguments: dict[str, Any], x: Shape, channels: int, parts: int
) -> None:
    mistake = refused(IndivisibleChannels, word, x, **arguments)
    assert (mistake.channels, mistake.parts) == (channels, parts)
    assert f"{channels} channels do not divide into {parts}" in mistake.message()


def test_help_names_the_nearest_channels_that_divide() -> None:
    assert "20 or 24" in IndivisibleChannels(21, 4).help()
    assert "at least 32" in IndivisibleChannels(21, 32).help()


def test_summed_maps_have_the_same_channels() -> None:
    shapes = (Shape(64, 56, 56), Shape(32, 56, 56))
    assert refused(DifferentChannels, "add", *shapes).shapes == shapes
    assert refused(DifferentChannels, "mul", *shapes).shapes == shapes


# ---- sizes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["add", "concat", "mul"])
def test_joined_maps_have_the_same_size(word: str) -> None:
    shapes = (Shape(64, 112, 112), Shape(64, 224, 224))
    mistake = refused(DifferentSizes, word, *shapes)
    assert mistake.shapes == shapes
    assert "like=@x" in mistake.help() or "residual" in mistake.help()


def test_two_roundings_of_one_size_are_told_from_two_strides() -> None:
    rounded = DifferentSizes("add", (Shape(64, 114, 114), Shape(64, 113, 113)))
    strided = DifferentSizes("add", (Shape(64, 112, 112), Shape(64, 224, 224)))
    assert "odd size" in rounded.help()
    assert "stride" in strided.help()


@pytest.mark.parametrize(
    ("word", "arguments", "x", "minimum"),
    [
        ("conv", {"kernel": 7, "out": 8, "pad": 0}, Shape(3, 6, 9), (7, 7)),
        ("conv", {"kernel": 3, "out": 8, "dilation": 3, "pad": 1}, Shape(3, 4, 9), (5, 5)),
        ("conv", {"kernel": (2, 5), "out": 8}, Shape(3, 1, 9), (2, 1)),
        ("dwconv", {"kernel": 5, "pad": 0}, Shape(3, 9, 4), (5, 5)),
        ("pool", {"kind": "max", "size": 2}, Shape(3, 1, 1), (2, 2)),
        ("pool", {"kind": "max", "size": 3, "stride": 2, "pad": 0}, Shape(3, 2, 5), (3, 3)),
        ("pool", {"kind": "avg", "size": 3}, Shape(3, 2, 5, 5), (3, 3, 3)),
    ],
)
def test_a_window_fits_into_its_input(
    word: str, arguments: dict[str, Any], x: Shape, minimum: tuple[int, ...]
) -> None:
    mistake = refused(KernelTooLarge, word, x, **arguments)
    assert mistake.minimum == minimum
    assert "x".join(map(str, minimum)) in mistake.help()
    OPERATIONS[word](**arguments).shape((Shape(3, *minimum),))


def test_a_factor_leaves_at_least_a_pixel() -> None:
    assert refused(NothingLeft, "interpolate", Shape(3, 8, 3), scale=0.25).minimum == (4, 4)


@pytest.mark.parametrize(("kernel", "stride"), [(1, 2), (3, 4), (2, 1), ((3, 1), 2)])
def test_a_transposed_convolution_multiplies_by_its_stride_or_is_refused(kernel: Any, stride: Any) -> None:
    refused(KernelBelowStride, "transpose_conv", MAP, kernel=kernel, out=4, stride=stride)


def test_a_crop_lies_inside() -> None:
    mistake = refused(CropTooLarge, "crop", MAP, size=11)
    assert (mistake.wanted, mistake.given) == ((11, 11), (12, 10))
    refused(CropTooLarge, "crop", MAP, Shape(3, 12, 11))
    refused(CropTooLarge, "crop", MAP, size=9, offset=(3, 2))
    OPERATIONS["crop"](size=9, offset=(3, 1)).shape((MAP,))


def test_pooling_windows_see_more_than_padding() -> None:
    assert refused(PaddingTooLarge, "pool", MAP, kind="max", size=3, pad=2).most == (1, 1)


def test_a_transposed_convolution_leaves_a_pixel() -> None:
    mistake = refused(PaddingTooLarge, "transpose_conv", MAP, kernel=4, out=8, pad=2)
    assert mistake.most == (1, 1)
    assert OPERATIONS["transpose_conv"](kernel=4, out=8, pad=1).shape((Shape(3, 1, 1),)) == Shape(8, 2, 2)


# ---- kinds ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "arguments"),
    [
        ("conv", {"kernel": 3, "out": 8}),
        ("dwconv", {"kernel": 3}),
        ("transpose_conv", {"kernel": 2, "out": 8}),
        ("pool", {"kind": "max", "size": 2}),
        ("pool", {"kind": "max", "to": 2}),
        ("gap", {}),
        ("upsample", {}),
        ("interpolate", {"scale": 2}),
        ("interpolate", {"size": 2}),
        ("crop", {"size": 2}),
        ("pad", {"size": 2}),
    ],
)
def test_a_vector_has_no_place(word: str, arguments: dict[str, Any]) -> None:
    mistake = refused(WantsMap, word, VECTOR, **arguments)
    assert mistake.given == VECTOR
    assert "8 features" in mistake.label()


def test_linear_reads_vectors_and_help_says_flatten() -> None:
    mistake = refused(WantsVector, "linear", Shape(512, 1, 1), out=10)
    assert "flatten" in mistake.help()
    assert "512x1x1" in mistake.label()


@pytest.mark.parametrize(
    ("word", "arguments", "x", "argument"),
    [
        ("conv", {"kernel": (3, 3), "out": 8}, VOLUME, "kernel"),
        ("conv", {"kernel": (3, 3, 3), "out": 8}, MAP, "kernel"),
        ("conv", {"kernel": 3, "out": 8, "stride": (1, 2)}, VOLUME, "stride"),
        ("conv", {"kernel": 3, "out": 8, "pad": (1, 1, 1)}, MAP, "pad"),
        ("pool", {"kind": "avg", "size": (2, 2)}, VOLUME, "size"),
        ("pool", {"kind": "avg", "to": (2, 2)}, VOLUME, "to"),
        ("interpolate", {"size": (8, 8, 8)}, MAP, "size"),
    ],
)
def test_sizes_have_a_number_for_each_dimension(
    word: str, arguments: dict[str, Any], x: Shape, argument: str
) -> None:
    mistake = refused(WrongRank, word, x, **arguments)
    assert mistake.argument == argument
    assert str(x) in mistake.message()


@pytest.mark.parametrize("word", ["add", "concat", "mul"])
@pytest.mark.parametrize("other", [VOLUME, VECTOR])
def test_maps_are_joined_with_maps(word: str, other: Shape) -> None:
    assert refused(WrongKind, word, MAP, other).shapes == (MAP, other)


@pytest.mark.parametrize("word", ["interpolate", "crop", "align"])
def test_a_map_takes_the_size_of_a_map(word: str) -> None:
    refused(WrongKind, word, MAP, VOLUME)


def test_some_operations_exist_for_maps_or_volumes_only() -> None:
    refused(WrongKind, "pixelshuffle", VOLUME)
    refused(WrongKind, "merge_depth", MAP)
    refused(WrongKind, "interpolate", VOLUME, mode="bicubic", scale=2)
    refused(WrongKind, "deform_conv", VOLUME, VOLUME, kernel=3, out=8)


# ---- arguments that belong together ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "arguments", "inputs", "given"),
    [
        ("pool", {"kind": "max"}, (MAP,), ()),
        ("pool", {"kind": "max", "size": 2, "to": 2}, (MAP,), ("a size", "to=")),
        ("interpolate", {}, (MAP,), ()),
        ("interpolate", {"scale": 2, "size": 8}, (MAP,), ("a size", "scale=")),
        ("interpolate", {"scale": 2}, (MAP, MAP), ("scale=", "like=")),
        ("crop", {}, (MAP,), ()),
        ("crop", {"size": 4}, (MAP, MAP), ("a size", "like=")),
    ],
)
def test_one_of_several_arguments_says_the_size(
    word: str, arguments: dict[str, Any], inputs: tuple[Shape, ...], given: tuple[str, ...]
) -> None:
    assert refused(ExactlyOne, word, *inputs, **arguments).given == given


def test_chunks_count_from_zero() -> None:
    assert "last one is 1" in refused(NoSuchChunk, "chunk", MAP, index=2, of=2).help()


def test_nearest_has_no_corners_to_align() -> None:
    refused(AlignCorners, "interpolate", MAP, mode="nearest", scale=2, align_corners=True)


# ---- partners ------------------------------------------------------------------------------------


def test_a_matrix_has_a_column_for_each_row_of_the_other() -> None:
    mistake = refused(WrongPartner, "matmul", Shape(35, 12, 10), Shape(8, 6, 6))
    assert (mistake.blames(), mistake.given) == ("by", Shape(8, 6, 6))


@pytest.mark.parametrize(
    ("argument", "partners"),
    [
        ("offset", (Shape(9, 12, 10),)),
        ("offset", (Shape(27, 12, 10),)),
        ("offset", (Shape(18, 12, 9),)),
        ("offset", (VECTOR,)),
        ("mask", (Shape(18, 12, 10), Shape(18, 12, 10))),
        ("mask", (Shape(36, 12, 10), Shape(9, 12, 10))),
        ("mask", (Shape(18, 12, 10), Shape(9, 6, 5))),
    ],
)
def test_a_deformable_convolution_has_an_offset_and_a_weight_for_each_tap(
    argument: str, partners: tuple[Shape, ...]
) -> None:
    mistake = refused(WrongPartner, "deform_conv", MAP, *partners, kernel=3, out=8)
    assert (mistake.blames(), mistake.given) == (argument, partners[-1])
    assert "12x10 pixels" in mistake.message()


@pytest.mark.parametrize("by", [Shape(16, 12, 10), Shape(8, 12, 10), Shape(9, 12, 9), VECTOR, VOLUME])
def test_a_local_filter_has_a_weight_for_each_pixel_of_an_odd_window(by: Shape) -> None:
    mistake = refused(WrongPartner, "local_filter", MAP, by)
    assert (mistake.blames(), mistake.given) == ("by", by)
    assert "9, 25, ... weights for each of 12x10 pixels" in mistake.message()


def test_sets_of_offsets_divide_the_channels() -> None:
    mistake = refused(IndivisibleChannels, "deform_conv", MAP, Shape(54, 12, 10), kernel=3, out=8)
    assert (mistake.parts, mistake.blames()) == (3, "offset")


@pytest.mark.parametrize(
    ("argument", "partners"),
    [
        ("keys", (Shape(4, 12, 10), MAP)),
        ("keys", (Shape(3, 12, 9), MAP)),
        ("values", (MAP, Shape(8, 10, 12))),
    ],
)
def test_queries_keys_and_values_of_a_criss_cross_are_of_one_place(
    argument: str, partners: tuple[Shape, Shape]
) -> None:
    mistake = refused(WrongPartner, "criss_cross", MAP, *partners)
    assert (mistake.blames(), mistake.given) == (argument, partners[argument == "values"])


def test_a_criss_cross_is_of_rows_and_columns() -> None:
    volume = Shape(3, 4, 5, 6)
    refused(WrongKind, "criss_cross", volume, volume, volume)


def test_a_map_is_reshaped_like_one_of_as_many_numbers() -> None:
    mistake = refused(WrongPartner, "reshape", Shape(35, 64, 1), Shape(64, 7, 6))
    assert (mistake.blames(), mistake.given) == ("like", Shape(64, 7, 6))


@pytest.mark.parametrize("of", [Shape(8, 26, 20), Shape(7, 24, 20), Shape(8, 24, 20, 20)])
def test_what_is_unpooled_was_pooled_from_the_other_map(of: Shape) -> None:
    mistake = refused(WrongPartner, "unpool", MAP, of, size=2)
    assert (mistake.blames(), mistake.given) == ("of", of)
