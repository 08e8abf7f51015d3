"""Networks of the field as a user writes them in one file: tests/examples/."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torchvision
from torch import nn

import archdsl
from tests.specs.references import difference, images, named, randomised

FOLDER = Path(__file__).parents[1] / "examples"

NAMES = sorted(path.stem for path in FOLDER.glob("*.arch"))

# As the authors' code has them; LeeJunHyun's Attention U-Net and R2U-Net, ZJUGiveLab's UNet 3+,
# zhoudaxia233's EfficientUnet, timm's HRNet. The image pyramid by hand: ResNet-50, 1x1 of three times its
# channels to 256, four 3x3 of 256, in the head four 3x3 of 256 to 128 and three of 128 with group norms,
# 1x1 to 21.
IMAGE_PYRAMID = (
    23_508_032 + 3 * 3_840 * 256 + 4 * 256 + 4 * (256 * 256 * 9 + 256)
    + 4 * (256 * 128 * 9 + 256) + 3 * (128 * 128 * 9 + 256) + 129 * 21
)  # fmt: skip
PARAMETERS = {
    "attention_unet": 34_878_573,
    "densenet": 7_978_856,
    "efficientnet": 5_288_548,
    "efficientunet": 14_116_158,
    "fpn_image_pyramid": IMAGE_PYRAMID,
    "googlenet": 13_004_888,
    "hrnet": 21_299_004,
    "r2unet": 39_091_393,
    "resnet": 25_557_032,
    "shufflenetv2": 2_278_604,
    "unet3plus": 26_971_777,
    "unetpp": 9_041_700,
    "unetpp_by_hand": 9_041_700,
}


def example(name: str) -> archdsl.Architecture | archdsl.Space:
    return archdsl.load(FOLDER / f"{name}.arch")


def architecture(name: str) -> archdsl.Architecture:
    found = example(name)
    assert isinstance(found, archdsl.Architecture)
    return found


def space(name: str) -> archdsl.Space:
    found = example(name)
    assert isinstance(found, archdsl.Space)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_an_example_elaborates(name: str) -> None:
    found = example(name)
    assert isinstance(found, archdsl.Architecture) == (name in PARAMETERS)
    if isinstance(found, archdsl.Space):
        assert found.sample(0).params > 0


@pytest.mark.parametrize("name", PARAMETERS)
def test_an_example_has_its_authors_parameters(name: str) -> None:
    assert architecture(name).params == PARAMETERS[name]


def test_googlenets_auxiliary_heads_exist_in_training_only() -> None:
    with torch.device("meta"):
        module = architecture("googlenet").to_torch(inference=True)
    assert sum(parameter.numel() for parameter in module.parameters()) == 6_624_904


def reference(name: str) -> nn.Module:
    """What torchvision or timm has for an example."""
    with torch.device("meta"):
        if name == "googlenet":
            return torchvision.models.googlenet(weights=None, init_weights=False).eval()
        names = {"densenet": "densenet121", "shufflenetv2": "shufflenet_v2_x1_0"}
        return torchvision.models.get_model(names[name], weights=None).eval()


@pytest.mark.parametrize("name", ["densenet", "googlenet", "shufflenetv2"])
def test_an_example_with_the_references_weights_gives_the_references_output(name: str) -> None:
    theirs = randomised(reference(name))
    with torch.device("meta"):
        module = architecture(name).to_torch().eval()
    assert difference(named(theirs, module), theirs, images(96, 64)) <= 1e-4


def test_unetpp_by_hand_is_the_recipe() -> None:
    by_hand, recipe = architecture("unetpp_by_hand"), architecture("unetpp")
    assert (by_hand.macs, by_hand.depth) == (recipe.macs, recipe.depth)


@pytest.mark.parametrize(
    ("norm", "gate", "parameters"),
    [
        ("false", "false", 5_122_176),
        ("true", "false", 5_122_416),
        ("false", "true", 5_164_160),
        ("true", "true", 5_164_400),
    ],
)
def test_each_member_of_hybridsn_has_its_authors_parameters(norm: str, gate: str, parameters: int) -> None:
    closed = space("hybridsn").close({"hybridsn.norm": norm, "hybridsn.gate": gate})
    assert closed.params == parameters
