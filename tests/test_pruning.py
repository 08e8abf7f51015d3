"""What only its size is read of: it isn't built, and another map of that size stands in for it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import archdsl
from archdsl import ArchError, Architecture
from archdsl.identity import network_identity


def closed(spec: str) -> Architecture:
    found = archdsl.load(spec)
    assert isinstance(found, Architecture)
    return found


def without_gradient(architecture: Architecture) -> list[str]:
    module = architecture.to_torch().train()
    returned = module(torch.rand(2, *architecture.input))
    outputs = [returned] if isinstance(returned, Tensor) else list(returned.values())
    torch.stack([output.sum() for output in outputs]).sum().backward()
    return [name for name, parameter in module.named_parameters() if parameter.grad is None]


NARROW = "input 3x64x64\nencoder plain widths=[4, 8, 16]"
DECODER = "skip none | up bilinear channels=4 | head 1x1 out=2"
# A spec with a part of which only the size is read, and the same without that part.
PAIRS = {
    "a level": (
        f"{NARROW} | pyramid(level 0 | conv 3x3 8, level 1, level 2) | {DECODER}",
        f"{NARROW} | {DECODER}",
    ),
    "a level that a definition makes": (
        f"{NARROW} | pyramid(level 0 | double_conv 8, level 1 | se, level 2) | {DECODER}",
        f"{NARROW} | {DECODER}",
    ),
    "levels, transposed": (
        f"{NARROW} | pyramid(level 0 | double_conv 8, level 1, level 2) | skip none"
        " | up transpose channels=4",
        f"{NARROW} | skip none | up transpose channels=4",
    ),
    "a map by hand": (
        "input 3x64x64\nconv 3x3 4 | pool max 2 as x | conv 3x3 4 | conv 3x3 8 as y | @x"
        " | conv 3x3 4 stride=2 | interpolate like=@y",
        "input 3x64x64\nconv 3x3 4 | pool max 2 as x | conv 3x3 4 stride=2 | interpolate like=@x",
    ),
    "a chain of sizes": (
        "input 3x64x64\nconv 3x3 4 | pool max 2 | interpolate like=@input | conv 3x3 8 as y | @in"
        " | conv 3x3 8 stride=2 | interpolate like=@y",
        "input 3x64x64\nconv 3x3 8 stride=2 | interpolate like=@input",
    ),
    "a sum one of whose maps is used": (
        f"{NARROW} | pyramid(level 0 | add(conv 3x3 4, id) | relu, level 1, level 2) | {DECODER}",
        f"{NARROW} | {DECODER}",
    ),
    "a sum whose other map is another's": (
        "input 3x64x64\nconv 3x3 4 as a | pool max 2 as b | @a | conv 3x3 4 stride=2 | add(id, @b) as y"
        " | @b | conv 1x1 2 | interpolate like=@y",
        "input 3x64x64\nconv 3x3 4 | pool max 2 as b | conv 1x1 2 | interpolate like=@b",
    ),
    "what a pooling is followed by": (
        f"{NARROW} | pyramid(level 0 | pool max 2 | conv 3x3 8, level 2) | {DECODER}",
        f"{NARROW} | pyramid(level 0 | pool max 2, level 2) | {DECODER}",
    ),
    "inside a definition": (
        "input 3x64x64\ndef f(w) = conv 3x3 w as a | conv 3x3 9 as y | @in | conv 3x3 w stride=2 as b"
        " | interpolate like=@y | concat(id, @a)\nf 8 | relu",
        "input 3x64x64\ndef f(w) = conv 3x3 w as a | @in | conv 3x3 w stride=2 as b"
        " | interpolate like=@a | concat(id, @a)\nf 8 | relu",
    ),
    "of a definition's argument": (
        "input 3x64x64\ndef f(x) = @x | pool max 2 as p | @in | conv 3x3 4 | interpolate like=@p\n"
        "conv 3x3 4 as y | f @y",
        "input 3x64x64\nconv 3x3 4 as y | pool max 2 as p | @y | conv 3x3 4 | interpolate like=@p",
    ),
    "what an auxiliary head reads": (
        "input 3x64x64\nconv 3x3 4 as x | conv 3x3 8 as y | @x | aux (conv 1x1 2 | interpolate like=@y)"
        " as aux | conv 1x1 2",
        "input 3x64x64\nconv 3x3 4 as x | aux (conv 1x1 2 | interpolate like=@x) as aux | conv 1x1 2",
    ),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_what_is_read_for_its_size_alone_is_not_built(pair: str) -> None:
    long, short = map(closed, PAIRS[pair])
    assert (long.params, long.macs) == (short.params, short.macs)


@pytest.mark.parametrize("pair", PAIRS)
def test_it_is_the_network_without_that_part(pair: str) -> None:
    long, short = map(closed, PAIRS[pair])
    assert long.identity == short.identity == network_identity(long.network)


@pytest.mark.parametrize("pair", PAIRS)
def test_every_parameter_learns(pair: str) -> None:
    assert without_gradient(closed(PAIRS[pair][0])) == []


@pytest.mark.parametrize("size", [(64, 64), (65, 97), (33, 50)])
@pytest.mark.parametrize("pair", PAIRS)
def test_what_stands_in_has_that_size_at_every_size(pair: str, size: tuple[int, int]) -> None:
    long, short = (closed(spec).to_torch().eval() for spec in PAIRS[pair])
    weights = zip(long.state_dict(), short.state_dict().values(), strict=True)
    long.load_state_dict(dict(weights))
    image = torch.rand(1, 3, *size)
    with torch.no_grad():
        assert torch.equal(long(image), short(image))


@pytest.mark.parametrize("neck", ["fpn", "fpn smooth=false", "none"])
@pytest.mark.parametrize("up", ["bilinear", "nearest", "transpose", "pixelshuffle"])
def test_a_neck_of_which_the_coarsest_level_alone_is_read(neck: str, up: str) -> None:
    made = closed(f"{NARROW} | neck {neck} | skip none | up {up} | head 1x1 out=2")
    assert without_gradient(made) == []


def test_a_map_that_is_used_keeps_its_place() -> None:
    """Nothing stands in for what is built anyway, though an earlier map has the same size."""
    made = closed("conv 3x3 4 as a | relu as b | pool max 2 | conv 3x3 4 | interpolate like=@b | add(id, @b)")
    resized = next(operation for operation in made.network.operations if operation.op.name == "interpolate")
    assert made.network.operations[resized.inputs[1] - 1].op.name == "relu"


@pytest.mark.parametrize(
    "line",
    [
        f"{NARROW} | pyramid(level 0 | conv 3x3 8 stride=2, level 2) | {DECODER}",
        "input 3x64x64\nconv 3x3 8 as y | pool max 2 as p | @in | conv 3x3 8 | interpolate like=@p",
        "input 3x64x64\nconv 3x3 3 as x | @in | pool max 2 | conv 3x3 3 | unpool of=@x | conv 1x1 2",
    ],
)
def test_weights_that_nothing_can_stand_in_for_are_a_mistake(line: str) -> None:
    with pytest.raises(ArchError) as error:
        archdsl.load(line)
    assert [found.code for found in error.value.diagnostics] == ["E219"]
