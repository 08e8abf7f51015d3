"""Which numbers of a spec are widths, and what they are scaled to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

import archdsl
from archdsl.errors import ArchError
from archdsl.errors.matching import NothingToScale
from archdsl.scaling import Scalable
from archdsl.scaling.matching import Match, nearer, nearest, nearest_base, rounded
from archdsl.source import Source, Span

# A spec, and the widths that it writes: those in guillemets, in the order of their size.
WIDTHS = {
    "a convolution": "conv 3x3 16 stride=2 groups=1 | relu | head 1x1 out=7",
    "by name": "conv 3x3 out=16 | bn | head 1x1 out=7",
    "not the answer": "conv 3x3 16 | relu | conv 1x1 7",
    "not the answer before an activation": "conv 3x3 16 | relu | conv 1x1 7 | sigmoid",
    "not classes": "let classes = 7\n\nconv 3x3 16 | relu | gap | flatten | linear classes",
    "a let": "let w = 16\n\nconv 3x3 (2*w) | relu | conv 1x1 (w//4) | head 1x1 out=7",
    "a parameter": "def f(w, k=3) = conv k (4*w)\n\nf 16 5 | relu | head 1x1 out=7",
    "a parameter by name": "def f(k, w) = conv k w\n\nf 5 w=16 | relu | head 1x1 out=7",
    "a default": "def f(w=16) = conv 3x3 w\n\nf | relu | head 1x1 out=7",
    "a default that is a stage": "def f(stem=(conv 3x3 16)) = stem | bn\n\nf | relu | head 1x1 out=7",
    "handed on": "def f(w) = conv 3x3 w\ndef g(v) = f v\n\ng 16 | relu | head 1x1 out=7",
    "a block of the library": "double_conv 16 | head 1x1 out=7",
    "its factors stay": "conv 3x3 16 | relu | mbconv 16 expand=3 kernel=5 | head 1x1 out=7",
    "a gate's ratio stays": "conv 3x3 16 | relu | se r=8 | head 1x1 out=7",
    "a mask has one channel": "conv 3x3 16 | relu | mul(id, conv 1x1 1 | sigmoid) | head 1x1 out=7",
    "a loop": "for w in [16, 16] (conv 3x3 w | relu) | head 1x1 out=7",
    "rows of a loop": "for (w, k) in [[16, 3], [16, 5]] (conv k w | relu) | head 1x1 out=7",
    "rates stay": "for d in [1, 2, 5] (conv 3x3 16 dilation=d | relu) | head 1x1 out=7",
    "repeats stay": "(conv 3x3 16 | relu) * 3 | head 1x1 out=7",
    "a list that is repeated": "encoder plain widths=[16] * 3 | level 2 | head 1x1 out=7",
    "a choice of two": "def f(w) = conv 3x3 (16 if stride(@in) > 1 else w)\n\nf 16 | relu | head 1x1 out=7",
    "one of two factors": "def f(width, n) = conv 3x3 (width*n)\n\nf 16 3 | relu | head 1x1 out=7",
    "times a power": "for i in 0..1 (conv 3x3 (pow(2, i)*16) | relu) | head 1x1 out=7",
    "a table that is handed on": (
        "def f(rows) = for (k, w) in rows (conv k w | relu)\n\nf [[3, 16], [5, 16]] | head 1x1 out=7"
    ),
    "a let that is a table": (
        "let rows = [[3, 16], [5, 16]]\n\nfor (k, w) in rows (conv k w | relu) | head 1x1 out=7"
    ),
    "a block that is handed in": (
        "def unit(k, w) = conv k w | relu\ndef f(block) = block 5 16\n\nf unit | head 1x1 out=7"
    ),
    "a block that has an argument": (
        "def unit(k, w) = conv k w | relu\ndef f(block) = block 16\n\nf (unit 5) | head 1x1 out=7"
    ),
    "an operation that is handed in": (
        "def f(block) = block kernel=5 out=16\n\nf conv | relu | head 1x1 out=7"
    ),
    "a smallest one stays": "conv 3x3 max(4, 16) | relu | conv 3x3 max(4, @in//8) | relu | head 1x1 out=7",
}


def architecture(spec: str) -> archdsl.Architecture:
    found = archdsl.load(spec)
    assert isinstance(found, archdsl.Architecture)
    return found


def scalable(spec: str) -> Scalable:
    return Scalable(architecture(spec))


def with_widths(found: Scalable, become: Mapping[int, int]) -> archdsl.Architecture:
    return found.scaled([become.get(width, width) for width in found.widths])


@pytest.mark.parametrize("name", WIDTHS)
def test_the_widths_of_a_spec_are_its_numbers_of_channels(name: str) -> None:
    assert set(scalable(WIDTHS[name]).widths) - {4} == {16}


@pytest.mark.parametrize("name", WIDTHS)
def test_a_spec_with_other_widths_is_that_text(name: str) -> None:
    """16 is written nowhere but where it is a width."""
    made = with_widths(scalable(WIDTHS[name]), {16: 24})
    assert made.identity == architecture(WIDTHS[name].replace("16", "24")).identity


def test_what_a_decoder_takes_by_default_is_written_out() -> None:
    """16 at the image's own resolution, 32 at half of it, up to 256 at /16."""
    found = scalable("encoder resnet18 | skip nested | up transpose as climb | head 1x1 out=2")
    assert found.widths == (256, 128, 64, 32, 16)
    text = found.scaled([2 * width for width in found.widths]).to_text()
    assert "| up transpose channels=[512, 256, 128, 64, 32] as climb" in text


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_shallower_decoder_has_fewer_of_them(depth: int) -> None:
    found = scalable(f"encoder resnet18 | skip nested depth={depth} | up nearest | head 1x1 out=2")
    assert found.widths == (128, 64, 32, 16)[-depth - 1 :]


def test_a_decoder_that_sums_has_the_widths_of_its_encoder() -> None:
    assert scalable("encoder resnet18 | skip add | up transpose | head 1x1 out=2").is_fixed
    own = "encoder plain widths=[8, 16] | skip add | up transpose | head 1x1 out=2"
    assert scalable(own).widths == (8, 16)


@pytest.mark.parametrize(
    "model", ["resnet50", "efficientnet_b7", "mobilenet_v2", "vgg16", "shufflenet_v1_g3"]
)
def test_a_published_network_has_none(model: str) -> None:
    assert scalable(model).is_fixed
    assert scalable(f"encoder {model} | skip add | up nearest | head 1x1 out=2").is_fixed


def test_other_widths_are_one_for_each() -> None:
    found = scalable("conv 3x3 16 | relu | conv 3x3 32 | relu | head 1x1 out=7")
    for widths in ([8], [8, 16, 32]):
        with pytest.raises(ValueError, match="2 widths"):
            found.scaled(widths)


def test_published_weights_do_not_stay() -> None:
    text = 'about task=segmentation weights="timm:x.y"\n\nencoder plain widths=[8, 16] | level 1'
    assert with_widths(scalable(text), {8: 9, 16: 18}).about == {"task": "segmentation"}


# ---- matching ----------------------------------------------------------------------------------------


def square(widths: Sequence[int], factor: float) -> int:
    return sum(width**2 for width in widths)


def test_equal_widths_stay_equal_and_groups_divide_them() -> None:
    assert rounded([32, 64, 64, 100], 1.1, 8) == (32, 72, 72, 112)
    assert rounded([2], 0.01) == (1,)
    assert rounded([24, 384], 1.05, 32) == (24, 416)


def test_the_nearest_figure_is_found_from_both_sides() -> None:
    """10² + 20² = 500: three times as wide is 4,500, a tenth is 5; 1,460 is just above 17² + 34²."""
    assert nearest([10, 20], square, 4_500).widths == (30, 60)
    assert nearest([10, 20], square, 5).widths == (1, 2)
    assert nearest([10, 20], square, 1_460).figure == 17**2 + 34**2


def test_single_widths_are_moved_where_one_factor_is_too_coarse() -> None:
    """4² + 6² = 52 and 4² + 7² = 65 are what one factor gives about 58; 5² + 6² = 61 is nearer."""
    coarse = nearest([2, 3], square, 58)
    assert (coarse.widths, coarse.figure) == ((4, 6), 52)
    found = nearer(coarse, [2, 3], square, 58, tolerance=0.06)
    assert (found.widths, found.figure, found.moved) == ((5, 6), 61, {0})
    assert nearer(coarse, [2, 3], square, 58, tolerance=0.11) is coarse
    assert nearer(coarse, [2, 3], square, 58, tolerance=0.0).figure == 3**2 + 7**2


def test_two_widths_are_moved_against_each_other() -> None:
    """50² + 50² = 5,000; either moved by itself goes away from 5,002, 51² + 49² is that."""
    start = Match(1.0, (50, 50), 5_000)
    found = nearer(start, [4, 5], square, 5_002, tolerance=0.0)
    assert (found.widths, found.figure, found.moved) == ((51, 49), 5_002, {0, 1})


def test_equal_widths_are_moved_together_first_then_one_by_itself() -> None:
    """10² + 10² = 200: both one up are 242, one of them is 221."""
    start = Match(1.0, (10, 10), 200)
    assert nearer(start, [5, 5], square, 242, tolerance=0.0).widths == (11, 11)
    assert nearer(start, [5, 5], square, 221, tolerance=0.0).widths == (11, 10)


def test_a_width_that_can_not_be_moved_stays() -> None:
    """Groups of 2 divide the first only if it is even: 10² + 20² = 500, 12² + 20² = 544."""

    def grouped(widths: Sequence[int], factor: float) -> int:
        if widths[0] % 2:
            raise ArchError(NothingToScale("odd").at(Span(Source("a", ""), 0, 0)))
        return square(widths, factor)

    start = Match(1.0, (10, 20), 500)
    assert nearer(start, [10, 20], grouped, 544, tolerance=0.0).widths == (12, 20)


def test_the_base_of_the_wide_unet_is_35() -> None:
    """Zhou et al. 2018 widened 32 to 35: their code has 9,282,246 parameters; 34 would have 8,759,523."""
    found = scalable("unet")

    def params(widths: Sequence[int], factor: float = 1.0) -> int:
        return found.scaled(widths, factor).params

    match = nearest_base(found.widths, params, 9_041_601)
    assert (match.base, match.figure) == (35, 9_282_246)
    assert params([width // 32 * 34 for width in found.widths]) == 8_759_523


def test_the_width_of_a_group_is_one_where_widths_are_rounded_to_groups() -> None:
    """A number that is written there is what hardware likes and stays."""
    whole = "def f(w, group, width=1) = conv 3x3 round_to(width*w, group)\n\n"
    spec = whole + "f 32 16 | relu | head 1x1 out=7"
    assert Scalable(architecture(spec), factors=False).widths == (32, 16)
    stays = "def f(w, width=1) = conv 3x3 round_to(width*w, 16)\n\nf 32 | relu | head 1x1 out=7"
    assert Scalable(architecture(stays), factors=False).widths == (32,)
