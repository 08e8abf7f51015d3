"""The smallest input that a network can take: torch takes it, and not one pixel less."""

from __future__ import annotations

import pytest
import torch

import archdsl
from archdsl import api, checking
from archdsl.architecture import Architecture
from archdsl.elaboration.program import Program
from archdsl.errors import ArchError
from archdsl.ops import OPERATIONS
from archdsl.parser import parse
from archdsl.source import Source
from archdsl.stages import STAGES
from archdsl.tensors import Shape
from archdsl.vocabulary import Vocabulary

# Each with the smallest side that halving, or the sum of its windows, leaves possible.
SMALLEST = {
    "conv 3x3 8 | (pool max 2 | conv 3x3 8 | bn | relu) * 5": 2**5,
    "(conv 3x3 8 pad=0 | relu) * 4": 4 * 2 + 1,
    "conv 3x3 8 pad=0 | pool max 2 | conv 3x3 8 pad=0 | pool max 2 | conv 3x3 8 pad=0 dilation=2": 26,
    "conv 7x7 8 stride=2 pad=0 | bn | interpolate scale=0.25": 7 + 2 * 3,
    "conv 3x3 8 as a | (pool max 2) * 3 | interpolate like=@a | concat(id, @a) | bn": 2**3,
    "conv 3x3 8 | gap | flatten | linear 3": 1,
    "vgg11 | linear 3": 2**5,
    "encoder vgg11_bn | skip plain | up transpose | head 1x1 out=2": 2**5,
    "encoder plain widths=[8, 16, 32] | skip nested | up bilinear | head 1x1 out=2 supervise=deep": 2**2,
    "encoder resnet18 | skip plain | up transpose | head 1x1 out=2": 1,
}


def program(text: str, image: Shape | None = None) -> Program:
    vocabulary = Vocabulary(OPERATIONS, STAGES, api._library(), parse)
    return Program(vocabulary.file(parse(Source("a.arch", text)), None), image)


@pytest.mark.parametrize(("text", "side"), SMALLEST.items(), ids=list(SMALLEST))
def test_the_smallest_input_is_found(text: str, side: int) -> None:
    assert checking.minimum_input(program(text, Shape(3, 64, 64))) == (side, side)


@pytest.mark.parametrize("image", [Shape(3, 1, 1), Shape(3, 5, 300), Shape(3, 224, 224)], ids=str)
def test_the_smallest_input_does_not_depend_on_the_one_that_is_given(image: Shape) -> None:
    text = "conv 3x3 8 | (pool max 2) * 4"
    assert checking.minimum_input(program(text, image)) == (16, 16)


@pytest.mark.parametrize(("text", "side"), SMALLEST.items(), ids=list(SMALLEST))
def test_torch_takes_the_smallest_input_and_nothing_smaller(text: str, side: int) -> None:
    found = archdsl.load(text, input=(3, side, side))
    assert isinstance(found, Architecture)
    torch.manual_seed(0)
    module = found.to_torch()
    module.eval()(torch.zeros(1, 3, side, side))
    module.train()(torch.randn(2, 3, side, side))
    if side > 1:
        with pytest.raises(RuntimeError):
            module.eval()(torch.zeros(1, 3, side - 1, side - 1))


def test_a_join_by_hand_may_need_more_than_the_smallest_windows_do() -> None:
    text = "conv 3x3 8 as a | pool max 2 | pool max 2 | upsample 4 | add(id, @a)"
    assert checking.minimum_input(program(text)) == (4, 4)
    with pytest.raises(ArchError):
        archdsl.load(text, input=(3, 5, 5))


def test_a_window_in_an_image_pooled_to_one_size_is_never_large_enough() -> None:
    assert checking.minimum_input(program("conv 3x3 8 | pool avg to=2 | conv 5x5 8 pad=0")) is None


def test_an_option_that_needs_a_larger_input_is_told_with_its_minimum() -> None:
    text = "input 3x16x16\nencoder {plain, vgg11} | skip plain | up transpose | head 1x1 out=2"
    (told,) = archdsl.check(Source("a.arch", text))
    assert told.code == "E259"
    assert told.span is not None
    assert told.span.text == "3x16x16"
    assert "`encoder=vgg11`" in told.message
    assert "32x32" in told.help


def test_a_size_that_the_caller_gives_is_the_calls_mistake() -> None:
    text = "conv 3x3 8 | (pool max 2) * 4"
    with pytest.raises(ArchError) as caught:
        archdsl.load(text, input=(3, 8, 8))
    (told,) = caught.value.diagnostics
    assert told.code == "E259"
    assert told.span is None
    assert [label.span.text for label in told.labels] == ["pool max 2"]
