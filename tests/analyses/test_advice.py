"""Advice: told where it helps, and not where a spec is as it should be."""

from __future__ import annotations

from itertools import product

import pytest
import torch

import archdsl
from archdsl.analyses.gridding import Gridding
from archdsl.errors import Severity
from archdsl.source import Source

UNET = "encoder resnet18 | skip plain | up transpose | head 1x1 out=2"


def advice(text: str) -> list[str]:
    """The codes of what is told of a spec, all of it advice."""
    found = archdsl.check(Source("a.arch", text))
    assert all(diagnostic.severity is Severity.ADVICE for diagnostic in found)
    return [diagnostic.code for diagnostic in found]


TOLD = {
    "a recipe that ends in a decoder": ("W001", "encoder resnet18 | skip plain | up transpose"),
    "a recipe that ends in an encoder with a name": ("W001", "encoder resnet18 as backbone"),
    "a schedule of an encoder that is cut": (
        "W002",
        "encoder resnet18 depth=3 | skip plain | up transpose channels=[64, 32, 16, 8] | head 1x1 out=2",
    ),
    "a schedule that repeats": (
        "W002",
        "encoder resnet18 | skip plain | up bilinear se=[none] * 5 + [post] | head 1x1 out=2",
    ),
    "a hidden word among options": (
        "W003",
        "def nearest(_width) = upsample 2\n"
        "encoder resnet18 | skip plain | up {bilinear, nearest} | head 1x1 out=2",
    ),
    "a depthwise convolution with a bias": (
        "W004",
        "conv 3x3 64 | relu | conv 3x3 64 stride=16 | relu | dwconv 3x3 | bn",
    ),
    "a join in a definition": (
        "W005",
        "def block = conv 3x3 8 as a | pool max 2 | upsample 2 | concat(id, @a)\nblock",
    ),
    "a parameter that only another's name contains": ("W006", "def f(w, width) = conv 3x3 width\nf 1 8"),
    "a let that only a comment names": ("W007", "let width = 8  # width\nconv 3x3 8"),
    "rates of a decoder": (
        "W009",
        "encoder resnet18 | skip plain | up nearest dilation=[1, 1, 1, 2, 2] | head 1x1 out=2",
    ),
    "dropout of a unit that goes on": ("W010", "(conv 3x3 8 bias=false | bn | relu | dropout 0.1) * 2"),
    "dropout right before a norm": ("W010", "conv 3x3 8 | dropout 0.1 | bn | relu"),
    "a norm behind dropout of an activation": ("W011", "conv 3x3 8 | relu | dropout 0 | gn 4"),
    "linear layers in series": ("W012", "gap | flatten | linear 64 | dropout 0.5 | linear 10"),
    "a head right behind a convolution": ("W012", "conv 3x3 8 bias=false | bn | head 1x1 out=2"),
    "a mean between kernels": ("W012", "conv 3x3 8 | pool avg 2 | conv 3x3 8 | relu"),
    "repeated pixels between kernels": ("W012", "conv 3x3 8 | upsample 2 | conv 3x3 8 | relu"),
    "mixed pixels between kernels": ("W012", "conv 3x3 8 | interpolate scale=2 | conv 3x3 8 | relu"),
    "transposed convolutions in series": (
        "W012",
        "conv 3x3 8 stride=4 | relu | (transpose_conv 4x4 8) * 2 | relu",
    ),
    "kernels side by side": ("W012", "concat(conv 3x3 8, conv 5x5 8) | conv 3x3 8 | relu"),
    "a branch of a pyramid": (
        "W015",
        "pyramid(conv 3x3 8, conv 3x3 8 stride=2, conv 3x3 8 stride=4)\n"
        "| skip plain depth=1 | up nearest | head 1x1 out=2",
    ),
    "levels below the decoder's": (
        "W014",
        "encoder resnet18 | levels [0, 1, 2, 3] | skip plain depth=2 | up nearest | head 1x1 out=2",
    ),
    "a depth below the decoder's": (
        "W014",
        "encoder resnet18 depth=5 | skip plain depth=2 | up nearest | head 1x1 out=2",
    ),
    "maps of a neck": ("W014", "encoder resnet18 | neck fpn 32 | level 2 | relu | head 1x1 out=2"),
    "a level that no decoder climbs from": (
        "W014",
        "encoder resnet18 taps=[layer1, layer2, layer4] | deeplabv3plus as decoder | head 1x1 out=2",
    ),
    "a stage inside a definition": ("W015", "def f = conv 3x3 8 as a | relu | @a | tanh\nf | f"),
    "depthwise blocks where multiply-adds are limited": (
        "W016",
        "encoder mobilenet_v2 | skip plain | up nearest | head 1x1 out=2\nrequire macs < 10G",
    ),
    "members that are all too large": ("W008", "conv 3x3 {8, 16}\nrequire params < 10"),
    "members that all compute too much of a stated input": (
        "W008",
        "input 3x32x32\nconv 3x3 {8, 16}\nrequire macs < 10",
    ),
}


@pytest.mark.parametrize(("code", "text"), TOLD.values(), ids=list(TOLD))
def test_advice_is_told(code: str, text: str) -> None:
    assert advice(text) == [code]


SILENT = {
    "a recipe": UNET,
    "a head by hand": "encoder resnet18 | skip plain | up transpose | conv 1x1 2",
    "features of plain stages": "conv 3x3 8 | relu",
    "a value for each level": (
        "encoder resnet18 | skip plain | up transpose channels=[64, 32, 16, 8, 4] | head 1x1 out=2"
    ),
    "a gate for the image too": (
        "encoder resnet18 | skip plain input=true attention=[scse] * 5 | up transpose | head 1x1 out=2"
    ),
    "a schedule as long as the deepest member": (
        "encoder resnet18 depth={3, 5} | skip plain | up nearest channels=[64, 32, 16, 8, 4] | head 1x1 out=2"
    ),
    "a word that the library defines too": "encoder plain | skip plain | up transpose | head 1x1 out=2",
    "a definition in brackets": (
        "def nearest(_width) = upsample 2\nencoder resnet18 | skip plain | up (nearest) | head 1x1 out=2"
    ),
    "biases of the library": "vgg11_bn",
    "a bias that something else reads": "conv 3x3 8 as a | bn | add(id, @a)",
    "no bias": "conv 3x3 8 bias=false | bn",
    "a bias that is asked for": "conv 3x3 8 bias=true | bn",
    "a bias that the file asks for": "default conv bias=true\nconv 3x3 8 | bn",
    "a join that aligns": "conv 3x3 8 as a | pool max 2 | interpolate like=@a | add(id, @a)",
    "rates without a hole": "for d in [1, 2, 5] (conv 3x3 8 dilation=d | relu)",
    "rates without a hole that break the rule": "for d in [1, 2, 5, 1, 2, 5] (conv 3x3 8 dilation=d | relu)",
    "rates behind whole kernels": "conv 5x5 8 | relu | for d in [2, 4, 6] (conv 3x3 8 dilation=d | relu)",
    "parallel branches": "concat(each d in [6, 12, 18] (conv 3x3 8 dilation=d | relu))",
    "a dilated encoder": "encoder resnet50 output_stride=8 | skip none | up bilinear | head 1x1 out=2",
    "dropout behind the last norm": "conv 3x3 8 bias=false | bn | relu | dropout 0.5 | conv 1x1 2",
    "dropout without a norm": "(conv 3x3 8 | relu | dropout 0.5) * 2",
    "dropout that drops nothing": "conv 3x3 8 | relu | dropout 0 | conv 3x3 8 bias=false | bn",
    "a norm before an activation": "(conv 3x3 8 bias=false | bn | relu) * 2 | bn | relu",
    "a separable convolution": "conv 7x7 64 stride=8 | relu | conv 1x7 64 | conv 7x1 64 | relu",
    "a bottleneck that is meant to be linear": "conv 3x3 64 | relu | conv 1x1 16 | conv 1x1 64 | relu",
    "a linear bottleneck": "conv 3x3 16 | relu | conv 1x1 16 | conv 1x1 72 | relu",
    "a map that two read": "conv 3x3 8 as a | concat(conv 3x3 8 | relu, id)",
    "a transposed convolution": "conv 3x3 8 | relu | transpose_conv 2x2 8 | conv 3x3 8 | relu",
    "an encoder that is cut": (
        "def net = conv 3x3 8 stride=2 | relu | conv 3x3 9 stride=2 | relu | gap | flatten | linear 3\n"
        "encoder net | skip plain | up nearest | head 1x1 out=2"
    ),
    "depthwise layers of the library": "encoder effnet_b0 | skip plain | up nearest | head 1x1 out=2",
    "the largest of a window": "conv 3x3 8 | pool max 2 | conv 3x3 8 | relu",
    "a projection before a resize": "conv 3x3 64 | relu | conv 1x1 8 | upsample 2 | conv 1x1 2",
    "a fusion of branches": "concat(conv 3x3 8, conv 5x5 8) | conv 1x1 8 | relu",
    "a branch with an activation": "concat(conv 3x3 8 | relu, conv 5x5 8) | conv 3x3 8 | relu",
    "lateral maps": (
        "conv 3x3 8 | relu as a | pool max 2 | conv 1x1 8 | interpolate like=@a | add(id, @a) | conv 3x3 8"
    ),
    "pixels of channels": "conv 3x3 32 | pixelshuffle 2 | conv 3x3 8 | relu",
    "levels that are climbed past": (
        "encoder resnet18 | levels [1, 2, 3] | skip none | up nearest | head 1x1 out=2"
    ),
    "levels that nobody asked for": ("encoder resnet18 | skip plain depth=2 | up nearest | head 1x1 out=2"),
    "levels that are all read": (
        "encoder resnet18 depth=3 | neck fpn 32 | skip plain | up nearest | head 1x1 out=2"
    ),
    "a depth that some members read": (
        "encoder resnet18 depth=5 | skip plain depth={2, 4} | up nearest | head 1x1 out=2"
    ),
    "a join of equal maps": "conv 3x3 8 | residual(conv 3x3 8 stride=2)",
    "a parameter that a hole reads": "def f(n) = conv 3x3 8 as block{n}\nf 3",
    "a parameter that is a map": "def f(skip) = concat(id, @skip)\nconv 3x3 8 as a | f @a",
    "a parameter that is a stage": "def f(block) = block 8\nf (conv 3x3)",
    "a parameter that another's default reads": "def f(w, v=2*w) = conv 3x3 v\nf 4",
    "a parameter that keeps a place": "def f(_width) = upsample 2\nf 3",
    "a let that a let reads": "let a = 4\nlet b = 2*a\nconv 3x3 b",
    "a let that a default reads": "let b = false\ndefault conv bias=b\nconv 3x3 8",
    "a space that some members are small enough for": "conv 3x3 {8, 16}\nrequire params < 300",
    "a space whose input the data give": "conv 3x3 {8, 16}\nrequire macs < 10",
}


@pytest.mark.parametrize("text", SILENT.values(), ids=list(SILENT))
def test_a_spec_that_is_as_it_should_be_gets_no_advice(text: str) -> None:
    assert advice(text) == []


def test_advice_waits_until_there_are_no_mistakes() -> None:
    found = archdsl.check(Source("a.arch", "let width = 8\nconv 3x3 wdth\n"))
    assert [diagnostic.severity for diagnostic in found] == [Severity.ERROR]


def test_a_closed_members_advice_is_that_of_its_spec() -> None:
    (told,) = archdsl.load("conv 3x3 8 | bn").diagnostics
    assert told.code == "W004"


def test_objects_that_are_larger_than_the_field_are_told() -> None:
    """Two 3x3 read 5 pixels, and a 3x3 behind a stride of 2 four more."""
    spec = Source("a.arch", "conv 3x3 8 | relu | conv 3x3 8 stride=2 | relu | conv 3x3 8")
    assert archdsl.check(spec, object_size=9) == ()
    (told,) = archdsl.check(spec, object_size=10)
    assert (told.code, told.message) == ("W013", "the receptive field is 9 pixels, the objects are 10 wide")


# ---- gridding: every serial stack of up to four 3x3 with rates up to 9 -----------------------------


def reads_all(rates: tuple[int, ...]) -> bool:
    """Whether the sums of a tap of each kernel are all whole numbers between the least and the greatest."""
    sums = {0}
    for rate in rates:
        sums = {total + tap * rate for total in sums for tap in (-1, 0, 1)}
    return len(sums) == 2 * sum(rates) + 1


@pytest.mark.parametrize("rates", [(2, 4, 6), (2, 2), (1, 2, 9), (1, 2, 5), (1, 2, 5, 1, 2, 5), (12, 24, 36)])
def test_holes_are_decided_exactly(rates: tuple[int, ...]) -> None:
    listed = ", ".join(map(str, rates))
    found = advice(f"for d in [{listed}] (conv 3x3 4 dilation=d | relu)")
    assert found == ([] if reads_all(rates) else ["W009"])


def read_in_torch(text: str) -> list[bool]:
    """Which pixels of a row of the image reach a pixel of the result, from the first of them to the last.

    Weights and image are positive: no activation stops a gradient, and no two paths cancel.
    """
    module = archdsl.compile(f"input 3x64x64\n{text}").double()
    image = torch.ones(1, 3, 64, 64, dtype=torch.double, requires_grad=True)
    with torch.no_grad():
        for weight in module.parameters():
            weight.fill_(0.1)
    out = module(image)
    out[0, 0, out.shape[2] // 2, out.shape[3] // 2].backward()
    assert image.grad is not None
    row = image.grad[0].abs().sum((0, 1)) > 0
    (read,) = row.nonzero(as_tuple=True)
    return row[int(read[0]) : int(read[-1]) + 1].tolist()


BEHIND_WINDOWS = {
    "a pool": ("conv 3x3 8 | relu | pool avg 2 | conv 3x3 8 dilation=2", True),
    "a pool of twos alone": ("pool avg 2 | conv 3x3 8 dilation=2", False),
    "a stride": ("conv 3x3 8 stride=2 | relu | conv 3x3 8 dilation=2", False),
    "a kernel as wide as the step between taps": ("conv 4x4 8 stride=2 | relu | conv 3x3 8 dilation=2", True),
    "a stride that leaves pixels out": ("conv 1x1 8 stride=2 | relu | conv 3x3 8 dilation=2", False),
    "two strides": ("conv 7x7 8 stride=2 | relu | pool avg 3 stride=2 | conv 3x3 8 dilation=2", True),
    "two rates": ("conv 3x3 8 | relu | pool avg 2 | (conv 3x3 8 dilation=2 | relu) * 2", True),
    "a larger rate": ("conv 3x3 8 | relu | pool avg 2 | conv 3x3 8 dilation=3", False),
    "one axis": ("conv 3x3 8 | relu | pool avg 1x2 | conv 3x3 8 dilation=1x3", False),
    "pooling at the same resolution": (
        "conv 3x3 8 dilation=2 | relu | pool avg 3 stride=1 | conv 3x3 8 dilation=2",
        True,
    ),
    "pooling behind": ("conv 3x3 8 dilation=2 | relu | pool avg 2 | conv 3x3 8", True),
    "narrow pooling behind": ("conv 3x3 8 dilation=3 | relu | pool avg 2", False),
    "kernels in parallel": (
        "conv 3x3 8 | relu"
        " | concat(conv 3x3 8 dilation=2 | relu, conv 3x3 8 dilation=3 | relu) | conv 3x3 8 dilation=2",
        True,
    ),
    "kernels in parallel that leave out every other pixel": (
        "concat(conv 3x3 8 dilation=2 | relu, conv 3x3 8 dilation=4 | relu) | conv 3x3 8 dilation=2",
        False,
    ),
    "kernels in parallel behind a pool": (
        "conv 3x3 8 | relu | pool avg 2"
        " | concat(conv 3x3 8 dilation=2 | relu, conv 3x3 8 dilation=3 | relu) | conv 3x3 8 dilation=2",
        True,
    ),
}


@pytest.mark.parametrize(("text", "whole"), BEHIND_WINDOWS.values(), ids=list(BEHIND_WINDOWS))
def test_pixels_that_earlier_windows_have_read_are_no_holes(text: str, whole: bool) -> None:
    assert all(read_in_torch(text)) == whole
    assert advice(text) == ([] if whole else ["W009"])


@pytest.mark.parametrize(("rate", "codes"), [(5, []), (6, ["W009"])])
def test_holes_of_parallel_kernels_are_none_of_what_follows(rate: int, codes: list[str]) -> None:
    """Through the 1x1 beside them two kernels of 3 read 5 pixels, which taps at a distance of 5 join."""
    parallel = "concat(conv 1x1 8 | relu, conv 3x3 8 dilation=12 | relu, conv 3x3 8 dilation=24 | relu)"
    text = f"conv 3x3 8 | relu | {parallel} | conv 3x3 8 | relu | conv 3x3 8 dilation={rate}"
    assert advice(text) == codes


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("conv 3x3 8 | relu | deform 3x3 8 | relu | deform 3x3 8 dilation=2 | relu | head 1x1 out=2", []),
        ("deform 3x3 8 modulated=true | relu | conv 3x3 8 dilation=2", []),
        ("deform 3x3 8 dilation=2", []),
        ("conv 3x3 8 | relu | deform 3x3 8 | relu | conv 3x3 8 dilation=6", ["W009"]),
    ],
)
def test_taps_that_move_leave_no_holes(text: str, codes: list[str]) -> None:
    """Two kernels of 3 read 5 pixels, between which taps at a distance of 6 leave one out."""
    assert advice(f"input 3x64x64\n{text}") == codes


def test_an_option_that_a_spec_lacks_is_no_remedy() -> None:
    taps = "encoder resnet18 taps=[layer1, layer2, layer4]"
    for decoder, offered in (("deeplabv3plus", False), ("skip plain depth=1 | up nearest", True)):
        told = archdsl.check(Source("a.arch", f"{taps} | {decoder} | head 1x1 out=2"))
        assert [("depth=" in str(found.help)) for found in told] == [offered] * len(told) != []


def test_a_single_dilated_kernel_is_no_series() -> None:
    (told,) = archdsl.check(Source("a.arch", "conv 3x3 8 dilation=2"))
    assert told.message == "a kernel dilated 2 leaves holes"


def test_the_rule_of_hybrid_dilated_convolution_is_sound_and_rejects_much() -> None:
    """Counted by brute force: 162 lists keep the rule, all of them without holes; 1,377 others have none."""
    lists = [rates for length in (2, 3, 4) for rates in product(range(1, 10), repeat=length)]
    goals = {rates: Gridding(rates, (3,) * len(rates), 0, 0, 0).goal for rates in lists}
    kept = [rates for rates in lists if rates[0] == 1 and goals[rates] <= 3]
    whole = [rates for rates in lists if reads_all(rates)]
    assert (len(lists), len(kept), len(set(whole) - set(kept))) == (7_371, 162, 1_377)
    assert set(kept) <= set(whole)
    assert sum(goals[rates] <= 3 for rates in set(lists) - set(whole)) == 886
    assert Gridding((1, 2, 5, 1, 2, 5), (3,) * 6, 0, 0, 0).goal == 5
