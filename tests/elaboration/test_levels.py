"""Levels of an encoder that is not built whole: what they don't need may be too large for the image."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import interpolate
from torchvision.models import vgg11

import archdsl
from archdsl import Architecture, Space
from tests.specs.references import disagreement, images, ours, randomised

TRUNK = "conv 3x3 8 stride=2 | relu | conv 3x3 16 stride=2 | relu"
# A head for training alone that wants a map of 5x5, and a last pooling that wants one of 7x7.
SIDE = "aux (pool avg 5x5 stride=3 pad=0 | flatten | linear 10)"
TAIL = "gap | conv 1x1 4 | flatten | linear 10"
DECODER = "skip plain | up bilinear | head 1x1 out=2"


def loaded(spec: str) -> Architecture:
    found = archdsl.load(spec)
    assert isinstance(found, Architecture)
    return found


@pytest.mark.parametrize(
    ("encoder", "size", "sizes"),
    [
        ("vgg11 depth=3", "3x20x28", [(20, 28), (10, 14), (5, 7), (2, 3)]),  # halved, rounded down
        ("vgg11 depth=4", "3x16x16", [(16, 16), (8, 8), (4, 4), (2, 2), (1, 1)]),
        ("densenet121 depth=3", "1x28x28", [(14, 14), (7, 7), (3, 3)]),
        ("alexnet taps=[features.1]", "3x40x40", [(9, 9)]),  # (40 + 2*2 - 11) // 4 + 1
    ],
)
def test_levels_above_what_is_too_large_are_there(
    encoder: str, size: str, sizes: list[tuple[int, ...]]
) -> None:
    network = loaded(f"input {size}\n\nencoder {encoder}").network
    assert [network.operations[output.value - 1].shape.spatial for output in network.outputs] == sizes


def test_such_levels_are_torchvisions() -> None:
    with torch.device("meta"):
        theirs = vgg11().eval()
    randomised(theirs)
    module = ours("encoder vgg11 depth=3", input=(3, 20, 28))
    state = theirs.state_dict()
    module.load_state_dict(
        {name: state[name.removeprefix("encoder.")] for name in module.state_dict()}, assign=True
    )
    x = images(20, 28)
    with torch.inference_mode():
        assert disagreement(module(x)[-1], theirs.features[:15](x)) <= 1e-4


def test_an_encoders_options_count_strides_from_what_enters_it() -> None:
    def strides(encoder: str) -> list[object]:
        network = loaded(f"input 3x64x96\n\nconv 3x3 16 stride=2 | {encoder}").network
        return [network.operations[output.value - 1].stride for output in network.outputs]

    # The stem halves; a ResNet's own levels are /2 /4 /8 /16 /32 of what it gets.
    assert strides("encoder resnet18 depth=2") == [4, 8]
    assert strides("encoder resnet18 output_stride=8") == [4, 8, 16]
    assert strides("encoder (resnet18 output_stride=8)") == [4, 8, 16]
    assert strides("encoder timm:resnet18 depth=2") == [4, 8]


@pytest.mark.parametrize(("options", "level"), [("depth=3", 2), ("output_stride=8", 2), ("", 4)])
def test_a_shared_encoder_is_one_module_called_at_two_scales(options: str, level: int) -> None:
    module = randomised(
        ours(
            f"encoder resnet18 {options} as e | level {level} as a"
            f" | @input | interpolate scale=0.5 | share e | level {level}"
            " | interpolate like=@a | concat(id, @a)",
            input=(3, 64, 96),
        )
    )
    alone = ours(f"encoder resnet18 {options} as e | level {level}", input=(3, 64, 96))
    half = ours(f"encoder resnet18 {options} as e | level {level}", input=(3, 32, 48))
    for single in (alone, half):
        single.load_state_dict(module.state_dict(), assign=True)  # nothing is missing, nothing left over
        single.eval()
    x = images(64, 96)
    with torch.inference_mode():
        fine = alone(x)
        coarse = half(interpolate(x, scale_factor=0.5, mode="bilinear"))
        coarse = interpolate(coarse, fine.shape[2:], mode="bilinear")
        assert disagreement(module(x), torch.cat([coarse, fine], 1)) <= 1e-4


def test_a_network_without_its_head_is_the_trunk_alone() -> None:
    whole = f"def net = {TRUNK} | {SIDE} | {TAIL}"
    small = loaded(f"input 3x16x16\n\n{whole}\n\nencoder net | {DECODER}")
    trunk = loaded(f"input 3x16x16\n\ndef net = {TRUNK}\n\nencoder net | {DECODER}")
    assert small.identity == trunk.identity
    assert (small.params, small.macs) == (trunk.params, trunk.macs)


def test_each_member_of_a_space_is_what_it_is_alone() -> None:
    line = "input 3x20x20\n\nencoder vgg11 depth={} | skip plain | up {} | head 1x1 out=2"
    space = archdsl.load(line.format("{2, 3}", "{bilinear, nearest}"))
    assert isinstance(space, Space)
    members = {(m.choices["encoder.depth"], m.choices["up"]): m.identity for m in space}
    assert members == {
        (depth, up): loaded(line.format(depth, up)).identity
        for depth in ("2", "3")
        for up in ("bilinear", "nearest")
    }


def test_what_the_levels_need_must_fit() -> None:
    with pytest.raises(archdsl.ArchError) as caught:
        archdsl.load("input 3x12x12\n\nencoder vgg11 depth=4")
    assert [mistake.code for mistake in caught.value.diagnostics] == ["E259"]
    assert "smallest input is 16x16" in str(caught.value)  # four pools of 2x2


def test_a_network_whose_layers_depend_on_the_size_of_the_image_must_fit_whole() -> None:
    """Channels that were pixels: another image has other layers."""
    trunk = "conv 3x3 8 stride=2 | mul(id, swap | {} | swap | gap)"
    defs = f"def as_wide = conv 1x1 (@in)\ndef net = {trunk} | pool max 8 pad=0"
    spec = f"input 3x8x8\n\n{defs}\n\nencoder net depth=1"
    assert len(loaded(spec.format("conv 1x1 4")).network.outputs) == 1
    found = archdsl.check(spec.format("as_wide"))
    assert [mistake.code for mistake in found] == ["E259"]


def test_only_other_mistakes_are_told() -> None:
    found = archdsl.check("input 3x20x20\n\nencoder vgg11 depth=3 | skip plain depth=7 | up nearest")
    assert [mistake.code for mistake in found] == ["E251"]
