"""Nothing is built that no output needs: training reaches every parameter."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import archdsl
from archdsl import resources

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


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_built_drawn_and_trained_in_all_its_parameters(name: str) -> None:
    assert without_gradient(name) == []
    drawn = archdsl.load(name).draw()
    assert drawn.startswith("digraph")
    assert drawn.count("->") > 1


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
