"""U-Net and UNet++ by recipe against what their authors have."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

import archdsl
from archdsl.weights.files import load_file, save_file
from tests.specs.references import disagreement, images, ours, randomised

UNET = """
input 1x512x512

def unit(width) = (conv 3x3 width | relu | dropout 0.5) * 2

encoder plain widths=[32, 64, 128, 256, 512] block=unit
| {skip}
| up transpose channels=[256, 128, 64, 32] block=unit
| head 1x1 out=1 {head}
"""


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def unet(skip: str, head: str = "") -> archdsl.Architecture:
    found = archdsl.load(UNET.format(skip=skip, head=head))
    assert isinstance(found, archdsl.Architecture)
    return found


# ---- the sizes that the authors of UNet++ give ----------------------------------------------------


def test_the_unet_has_7_759_521_parameters() -> None:
    assert unet("skip plain").params == archdsl.load("unet").params == 7_759_521


def test_the_nested_unet_has_9_041_601_parameters() -> None:
    assert unet("skip nested").params == archdsl.load("unetpp").params == 9_041_601


def test_three_more_heads_in_training_add_99_parameters() -> None:
    deep = unet("skip nested", "supervise=deep")
    assert deep.params == 9_041_700
    assert sum(parameter.numel() for parameter in deep.to_torch().parameters()) == 9_041_700


@pytest.mark.parametrize(
    ("form", "depth", "parameters"),
    [
        ("plain", 1, 100_961),
        ("plain", 2, 465_953),
        ("plain", 3, 1_925_025),
        ("nested", 1, 100_961),
        ("nested", 2, 511_105),
        ("nested", 3, 2_204_961),
        ("nested", 4, 9_041_601),
    ],
)
def test_a_shallower_decoder_has_the_published_parameters(form: str, depth: int, parameters: int) -> None:
    assert unet(f"skip {form} depth={depth}").params == parameters


@pytest.mark.parametrize(("depth", "parameters"), [(1, 100_961), (2, 511_105), (3, 2_204_961)])
def test_a_pruned_nested_unet_is_its_part_of_the_trained_one(
    tmp_path: Path, depth: int, parameters: int
) -> None:
    deep = randomised(unet("skip nested", "supervise=deep").to_torch().eval())
    path = tmp_path / "deep.safetensors"
    save_file(deep, path, {})
    pruned = unet(f"skip nested depth={depth}").to_torch().eval()
    load_file(pruned, path)
    assert sum(parameter.numel() for parameter in pruned.parameters()) == parameters
    deep.training = True  # for the outputs of lower depths; dropout stays off
    x = images(32, 48, channels=1)
    with torch.inference_mode():
        assert disagreement(pruned(x), deep(x)[f"head{depth}"]) <= 1e-6


# ---- only what is used is built ------------------------------------------------------------------

LEVELS = {
    "effnet_b0": ["blocks.0", "blocks.1", "blocks.2", "blocks.4", "blocks.6"],
    "resnet34": ["conv1", "layer1", "layer2", "layer3", "layer4"],
    "plain": ["x0_0", "x1_0", "x2_0", "x3_0", "x4_0"],
}


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
@pytest.mark.parametrize("encoder", LEVELS)
def test_a_nested_decoder_builds_only_the_levels_that_it_uses(encoder: str, depth: int) -> None:
    module = ours(f"encoder {encoder} | skip nested depth={depth} | up transpose | head 1x1 out=2")
    keys = module.state_dict().keys()
    built = [level for level in LEVELS[encoder] if any(key.startswith(f"encoder.{level}.") for key in keys)]
    assert built == LEVELS[encoder][: depth + 1]
    assert "encoder.conv_head.weight" not in module.state_dict()


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_shallower_nested_network_is_a_part_of_the_deepest(depth: int) -> None:
    line = "encoder effnet_b0 | skip nested depth={} | up transpose | head 1x1 out=2 supervise=deep"
    deepest = shapes(ours(line.format(4)))
    for key, shape in shapes(ours(line.format(depth))).items():
        head = key.replace("head.", f"head{depth}.") if key.startswith("head.") else key
        top = head.replace("decoder.top1.", f"decoder.top1_{depth}.")
        assert deepest[top] == shape


def shapes(module: nn.Module) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in module.state_dict().items()}
