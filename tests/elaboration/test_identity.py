"""Identity: equal networks share it, different ones never do; closing a space keeps it."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

import archdsl
from archdsl import resources
from archdsl.architecture import Architecture, Space
from archdsl.identity import network_identity
from tests.elaboration.specs import architecture

SPACES = sorted((resources.specs() / "spaces").glob("*.arch"), key=lambda path: path.name)
SAMPLES = 24

EQUAL = [
    ("conv 3x3 8 | bn | relu", "def f(w) = conv 3x3 w | bn | relu\nf 8"),
    ("conv 3x3 8 | bn | relu", "(conv 3x3 8 | bn) as a | relu as b"),
    ("conv 3x3 8 | relu", "conv 3x3 8 | id | relu"),
    ("conv 3x3 8 | pool max 2x2", "conv 3 8 | pool max 2"),
    ("conv 3x3 8 | relu | conv 3x3 8 | relu", "(conv 3x3 8 | relu) * 2"),
    ("add(conv 3x3 8, conv 1x1 8 | relu)", "add(conv 1x1 8 | relu, conv 3x3 8)"),
    ("conv 3x3 8 | if 1 > 2 (relu)", "conv 3x3 8"),
    ("residual(conv 3x3 3)", "add(conv 3x3 3, id)"),
    ("conv 3x3 8 as a | concat(conv 1x1 2, @a)", "conv 3x3 8 | concat(conv 1x1 2, id)"),
    ("input 3x224x224\nconv 3x3 8", "conv 3x3 8"),
    ("residual(conv 3x3 8, shortcut=none, se=post)", "residual(conv 3x3 8, shortcut=none, se=standard)"),
    ("residual(conv 3x3 8, shortcut=none, se=identity)", "residual(conv 3x3 8, shortcut=none)"),
]

DIFFERENT = [
    ("conv 3x3 8", "conv 3x3 8 bias=false"),
    ("conv 3x3 8", "conv 5x5 8"),
    ("conv 3x3 8", "conv 3x1 8"),
    ("input 3x4x32x32\nconv 3 8", "input 3x32x32\nconv 3 8"),
    ("conv 3x3 8", "input 3x225x225\nconv 3x3 8"),
    ("conv 3x3 8 | relu | bn", "conv 3x3 8 | bn | relu"),
    ("concat(conv 3x3 8, conv 1x1 8)", "concat(conv 1x1 8, conv 3x3 8)"),
    ("concat(conv 1x1 4, conv 1x1 4)", "conv 1x1 4 as a | concat(@a, @a)"),
    ("conv 3x3 3 | conv 3x3 3", "conv 3x3 3 as c | share c"),
    ("conv 3x3 8", "conv 3x3 8 | aux (conv 1x1 2) as aux1"),
    ("conv 3x3 8 | aux (conv 1x1 2) weight=0.3 as a", "conv 3x3 8 | aux (conv 1x1 2) weight=0.4 as a"),
    ("residual(conv 3x3 3, se=pre)", "residual(conv 3x3 3, se=standard)"),
    ("residual(conv 3x3 3, se=post)", "residual(conv 3x3 3, se=identity)"),
]


@pytest.mark.parametrize(("one", "other"), EQUAL)
def test_networks_that_are_written_differently_but_equal_share_their_identity(one: str, other: str) -> None:
    assert architecture(one).identity == architecture(other).identity


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_networks_have_different_identities(one: str, other: str) -> None:
    assert architecture(one).identity != architecture(other).identity


def test_three_projections_of_a_non_local_block_are_not_one_that_is_shared() -> None:
    """Wang et al. 2017, arXiv:1711.07971: theta, phi and g are three convolutions of one input."""
    three = "conv 1x1 8 as x | add(mul(conv 1x1 8, conv 1x1 8 | softmax) | mul(id, @x | conv 1x1 8), id)"
    one = (
        "conv 1x1 8 as x | conv 1x1 8 as p"
        " | add(mul(@p, @p | softmax) | mul(id, @p), @x)"
    )  # fmt: skip
    assert architecture(three).identity != architecture(one).identity


def test_the_flat_network_has_the_identity_of_its_blocks() -> None:
    for text in (
        "resnet18",
        "encoder effnet_b0 | skip nested | up transpose | head 1x1 out=2 supervise=deep",
    ):
        found = architecture(text)
        assert network_identity(found.network) == found.identity


def members(path: str) -> tuple[Space, list[Architecture]]:
    found = archdsl.load(resources.specs() / "spaces" / path, input=(3, 64, 64))
    assert isinstance(found, Space)
    return found, [found.sample(seed) for seed in range(SAMPLES)]


def weights_of(module: torch.nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in module.state_dict().items()}


@pytest.mark.parametrize("path", [path.name for path in SPACES])
def test_closing_a_space_keeps_identity_and_module_paths(path: str) -> None:
    found, drawn = members(path)
    for member in drawn[:8]:
        if not found.feasible(member):
            continue
        again = architecture(member.to_text())
        assert again.identity == member.identity
        assert [o.path for o in again.network.operations] == [o.path for o in member.network.operations]


@pytest.mark.parametrize("path", [path.name for path in SPACES])
def test_members_that_share_an_identity_are_one_network(path: str) -> None:
    _, drawn = members(path)
    groups: dict[str, list[Architecture]] = {}
    for member in drawn:
        groups.setdefault(member.identity, []).append(member)
    for group in groups.values():
        different = list({tuple(member.choices.items()): member for member in group}.values())
        for one, other in pairwise(different[:3]):
            same_outputs(one, other)


def same_outputs(one: Architecture, other: Architecture) -> None:
    torch.manual_seed(0)
    first, second = one.to_torch().eval(), other.to_torch().eval()
    assert weights_of(first) == weights_of(second)
    second.load_state_dict(first.state_dict())
    image = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(first(image), second(image))
