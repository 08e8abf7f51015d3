"""Any network of the library as the encoder of any decoder: shapes and costs alone, no tensors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import pytest

import archdsl
from archdsl import Architecture, Space, resources
from archdsl.tensors import Shape

Kind: TypeAlias = tuple[tuple[object, tuple[int, ...]], ...]

MODELS = sorted((resources.specs() / "models").glob("*.arch"))
CLASSIFIERS = [path.stem for path in MODELS if "task=classification" in path.read_text(encoding="utf-8")]
VOLUMES = "hybridsn"  # reads the bands of a volume
ENCODERS = [name for name in (*CLASSIFIERS, "plain", "spnet_resnet50") if not name.startswith(VOLUMES)]

# An even size, and odd ones; colours, grey, and a channel more.
SIZES = ("3x224x224", "1x225x225", "4x97x131")
# Every decoder that fits levels of any strides; PAN and unpooling want more of them (below).
SPEC = """
input {size}

encoder {name}
| {{
    skip {{none, plain, add, nested, gated, full}}
    | up {{transpose, bilinear, nearest, pixelshuffle}} | head 1x1 out=2,
    skip {{none, plain, nested, gated}} input=true | up transpose block=residual_block | head 1x1 out=2,
    skip {{plain, nested, full}} | up bilinear | head 1x1 out=2 supervise=deep,
    context {{aspp, ppm, strip, mixed, nonlocal, self_attention, channel_self_attention, dilated}}
    | skip plain | up nearest | head 1x1 out=2,
    neck fpn | skip {{none, add}} | up bilinear | head 1x1 out=2,
    {{psp, deeplabv3plus, upernet, manet}} | head 3x3 out=2,
    head {{1x1, fcn_head, deeplabv3_head, spnet_head, fpn}} out=2}}
"""
kinds: dict[Kind, str] = {}


@pytest.mark.parametrize("name", ENCODERS)
def test_any_network_is_the_encoder_of_any_decoder_at_any_size(name: str) -> None:
    encoder = archdsl.load(f"input {SIZES[-1]}\n\nencoder {name}")
    assert isinstance(encoder, Architecture)
    kind = tuple((stride, shape.spatial) for shape, stride in outputs(encoder))
    # A decoder sees sizes and strides: networks with the same are the same to it, and one is tried.
    if kinds.setdefault(kind, name) != name:
        return
    for size in SIZES:
        space = archdsl.load(SPEC.format(size=size, name=name))
        assert isinstance(space, Space)
        for member in space:
            image = member.input.spatial
            assert [(shape.spatial, stride) for shape, stride in outputs(member)] == [(image, 1)] * len(
                member.network.outputs
            ), member.choices
            assert member.params > 0 < member.macs


def outputs(architecture: Architecture) -> Iterator[tuple[Shape, object]]:
    """Shape and stride of what leaves, training-only outputs included."""
    for output in architecture.network.outputs:
        operation = architecture.network.operations[output.value - 1]
        assert isinstance(operation.shape, Shape)
        yield operation.shape, operation.stride


@pytest.mark.parametrize(
    ("code", "size", "spec"),
    [
        ("E207", "3x97x131", "encoder hybridsn | skip plain | up transpose | head 1x1 out=2"),
        ("E251", "3x97x131", "encoder convnext_tiny | skip plain depth=4 | up transpose | head 1x1 out=2"),
        ("E256", "3x97x131", "encoder convnext_tiny depth=1 | skip plain | up transpose | head 1x1 out=2"),
        ("E256", "3x97x131", "encoder squeezenet1_0 depth=5 | skip plain | up transpose | head 1x1 out=2"),
        ("E257", "3x97x131", "encoder densenet121 output_stride=16 | head 1x1 out=2"),
        ("E259", "3x97x131", "encoder resnet34 | pan | head 1x1 out=2"),
        ("E272", "3x97x131", "encoder alexnet | skip none | up unpool | head 3x3 out=2"),
    ],
)
def test_what_a_network_has_not_is_told(code: str, size: str, spec: str) -> None:
    found = archdsl.check(f"input {size}\n\n{spec}")
    assert [mistake.code for mistake in found] == [code]
