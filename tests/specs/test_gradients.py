"""Nothing is built that no output needs: training reaches every parameter."""

from __future__ import annotations

import functools

import pytest
import torch
from torch import Tensor, nn

import archdsl
from archdsl import resources
from archdsl.emitters.layers import DropPath

MODELS = sorted(path.stem for path in (resources.specs() / "models").glob("*.arch"))
PLACES = ("none", "standard", "pre", "post", "identity")
BLOCKS = ("double_conv", "residual_block", "bottleneck_block", "mbconv", "sepconv_block", "dense_block")


def without_gradient(spec: str) -> list[str]:
    """Parameters that the sum of all training outputs doesn't depend on.

    On the meta device, where a network of any size runs in no time: a gradient is there, but no number.
    """
    found = archdsl.load(spec)
    assert isinstance(found, archdsl.Architecture)
    with torch.device("meta"):
        module = found.to_torch().train()
        image = torch.empty(2, *found.input)
    total = sum(output.sum() for output in outputs(module(image)))
    assert isinstance(total, Tensor)
    total.backward()
    return [name for name, parameter in module.named_parameters() if parameter.grad is None]


def outputs(returned: Tensor | list[Tensor] | dict[str, Tensor]) -> list[Tensor]:
    if isinstance(returned, Tensor):
        return [returned]
    return list(returned.values()) if isinstance(returned, dict) else returned


# ---- the library's models, with numbers ----------------------------------------------------------------

# 64x64 leave 2x2 at stride 32, more than the one number an image for which batch norm has no gradient.
# Some take no less than these; FCNs add 99 pixels on each side.
SIDES = {"inception_v3": 75, "unet_original": 188, "pan_resnet34": 256}
SIDES |= dict.fromkeys(("fcn8s_vgg16", "fcn16s_vgg16", "fcn32s_vgg16"), 8)


@pytest.mark.parametrize("name", MODELS)
def test_a_step_of_training_moves_every_parameter_of_a_model(name: str) -> None:
    """A few units of ReLU that all sleep are bad luck; it is none if they sleep with all initial weights."""
    sleeping = unmoved(name, seed=0)
    for seed in (1, 2):
        if sleeping:
            sleeping &= unmoved(name, seed)
    assert sleeping == set()


def unmoved(name: str, seed: int) -> set[str]:
    """Parameters without a gradient, or one of zeros, after a step towards random numbers."""
    torch.manual_seed(seed)
    found = archdsl.load(name)
    assert isinstance(found, archdsl.Architecture)
    module = found.to_torch().train()
    for part in module.modules():
        if isinstance(part, DropPath):  # a branch that drops out of the step says nothing
            part.rate = 0.0
    left = dict(module.named_parameters())

    def note(path: str, parameter: nn.Parameter) -> None:
        assert parameter.grad is not None
        assert parameter.grad.isfinite().all(), path
        if parameter.grad.any():
            del left[path]
        parameter.grad = None  # the largest networks would need twice the memory

    for path, parameter in module.named_parameters():
        if not parameter.any():  # nor does one that starts silent
            nn.init.normal_(parameter, std=0.1)
        parameter.register_post_accumulate_grad_hook(functools.partial(note, path))
    normalises = any(isinstance(part, nn.modules.batchnorm._BatchNorm) for part in module.modules())
    sides = (min(side, SIDES.get(name, 64)) for side in found.input.spatial)
    made = outputs(module(torch.randn(2 if normalises else 1, found.input.channels, *sides)))
    torch.stack([(output - torch.randn_like(output)).square().mean() for output in made]).sum().backward()
    return set(left)


# ---- parts and places, without ---------------------------------------------------------------------------


@pytest.mark.parametrize("skip", ["none", "plain", "add", "nested", "nested depth=2", "nested order=newest"])
@pytest.mark.parametrize("supervise", ["none", "deep"])
def test_every_parameter_of_a_decoder_has_a_gradient(skip: str, supervise: str) -> None:
    line = f"encoder resnet18 | skip {skip} | up transpose | head 1x1 out=2 supervise={supervise}"
    assert without_gradient(line) == []


@pytest.mark.parametrize("up", ["bilinear", "nearest", "pixelshuffle"])
@pytest.mark.parametrize("skip", ["add", "nested"])
def test_every_parameter_has_a_gradient_however_the_decoder_climbs(skip: str, up: str) -> None:
    line = f"encoder resnet18 | skip {skip} | up {up} | head 1x1 out=2 supervise=deep"
    assert without_gradient(line) == []


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("place", PLACES)
def test_every_parameter_of_a_block_has_a_gradient_wherever_its_se_is(block: str, place: str) -> None:
    line = f"encoder plain | skip plain | up transpose block={block} se={place} | head 1x1 out=2"
    assert without_gradient(line) == []


@pytest.mark.parametrize("gate", ["se", "se_linear", "scse"])
@pytest.mark.parametrize("form", ["plain", "nested"])
def test_every_parameter_of_a_gate_has_a_gradient(gate: str, form: str) -> None:
    decoder = f"skip {form} attention={gate} input=true | up nearest attention={gate}"
    line = f"encoder effnet_b0 | {decoder} | head 1x1 out=2"
    assert without_gradient(line) == []


@pytest.mark.parametrize("place", PLACES)
def test_every_parameter_of_an_encoder_has_a_gradient_wherever_its_se_is(place: str) -> None:
    line = f"encoder (resnet basic [2, 2, 2, 2] se={place}) | skip plain | up nearest | head 1x1 out=2"
    assert without_gradient(line) == []
