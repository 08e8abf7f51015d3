"""Advice: told where it helps, and not where a spec is as it should be."""

from __future__ import annotations

import pytest

import archdsl
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
    "a depthwise convolution with a bias": ("W004", "dwconv 3x3 | bn"),
    "a join in a definition": (
        "W005",
        "def block = conv 3x3 8 as a | pool max 2 | upsample 2 | concat(id, @a)\nblock",
    ),
    "a parameter that only another's name contains": ("W006", "def f(w, width) = conv 3x3 width\nf 1 8"),
    "a let that only a comment names": ("W007", "let width = 8  # width\nconv 3x3 8"),
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
    "a join that aligns": "conv 3x3 8 as a | pool max 2 | interpolate like=@a | add(id, @a)",
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
