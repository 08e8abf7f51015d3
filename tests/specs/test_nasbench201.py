"""NAS-Bench-201's networks as a definition, beside the space that chooses their cells."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import archdsl
from archdsl import resources
from tests.specs.references import disagreement, images, ours, randomised

EVERY = ["zeroize", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3", "skip_connect"]
NUMBER_9930 = ["nor_conv_3x3"] * 3 + ["skip_connect"] + ["nor_conv_3x3"] * 2


def cell(words: list[str]) -> str:
    return f"cell=[{', '.join(words)}]"


def test_the_network_has_the_published_size_of_number_9930() -> None:
    found = archdsl.load("input 3x32x32\n\nnasbench201")
    assert found.params / 1e6 == pytest.approx(1.289, abs=5e-4)
    assert found.macs / 1e6 == pytest.approx(184.73, abs=5e-3)


@pytest.mark.parametrize("given", ["", cell(EVERY)])
@pytest.mark.parametrize("size", [(32, 32), (97, 131)])
def test_its_levels_are_its_three_resolutions_under_a_unet(given: str, size: tuple[int, int]) -> None:
    image = "x".join(map(str, (3, *size)))
    network = archdsl.load(f"input {image}\n\nencoder (nasbench201 {given})").network
    # Figure 1 of the paper: 16, 32 and 64 channels; a 3x3 of stride 2 halves a side, rounded up.
    sides = [size, *(tuple(-(-side // step) for side in size) for step in (2, 4))]
    wanted = [(width, *side) for width, side in zip((16, 32, 64), sides, strict=True)]
    assert [network.operations[output.value - 1].shape for output in network.outputs] == wanted
    unet = f"input {image}\n\nencoder (nasbench201 {given}) | skip plain | up transpose | head 1x1 out=2"
    assert archdsl.check(unet) == ()
    assert archdsl.load(unet).network.operations[-1].shape == (2, *size)


def test_a_members_network_is_the_definition_with_its_cell() -> None:
    space = archdsl.load(resources.specs() / "spaces" / "nasbench201.arch")
    assert isinstance(space, archdsl.Space)
    member = space.close({f"edges.{place}": word for place, word in enumerate(EVERY)})
    alone = archdsl.load(f"input 3x32x32\n\nnasbench201 {cell(EVERY)}")
    assert member.identity == alone.identity


class Zero(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return 0 * x


def unit(kernel: int, inner: int, outer: int, stride: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(inner, outer, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(nn.ReLU(), conv, nn.BatchNorm2d(outer))


class Cell(nn.Module):
    """The paper's section 2.1: node j sums its edges from all nodes before."""

    def __init__(self, words: list[str], width: int) -> None:
        super().__init__()
        made = {
            "zeroize": Zero,
            "skip_connect": nn.Identity,
            "nor_conv_1x1": lambda: unit(1, width, width),
            "nor_conv_3x3": lambda: unit(3, width, width),
            "avg_pool_3x3": lambda: nn.AvgPool2d(3, 1, 1, count_include_pad=False),
        }
        self.edges = nn.ModuleList(made[word]() for word in words)

    def forward(self, x: Tensor) -> Tensor:
        to1, to2_0, to2_1, to3_0, to3_1, to3_2 = self.edges
        one = to1(x)
        two = to2_0(x) + to2_1(one)
        return to3_0(x) + to3_1(one) + to3_2(two)


class Reduction(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(unit(3, width, 2 * width, 2), unit(3, 2 * width, 2 * width))
        self.short = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(width, 2 * width, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) + self.short(x)


def reference(words: list[str]) -> nn.Sequential:
    stages: list[nn.Module] = [nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16)]
    for width in (16, 32, 64):
        stages += [Cell(words, width) for _ in range(5)]
        stages += [Reduction(width)] if width < 64 else [nn.BatchNorm2d(64), nn.ReLU()]
    return nn.Sequential(*stages, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)).eval()


@pytest.mark.parametrize("words", [NUMBER_9930, EVERY])
def test_outputs_are_those_of_the_papers_network(words: list[str]) -> None:
    module = randomised(ours(f"nasbench201 {cell(words)}", input=(3, 32, 32)))
    theirs = reference(words)
    state = module.state_dict().values()
    assert len(state) == len(theirs.state_dict())
    theirs.load_state_dict(dict(zip(theirs.state_dict(), state, strict=True)))  # the same order
    x = images(32, 32)
    with torch.inference_mode():
        assert disagreement(module(x), theirs(x)) <= 1e-4
