"""Reference networks with random weights, and ours holding the same tensors."""

from __future__ import annotations

import timm
import torch
import torchvision
from torch import Tensor, nn

import archdsl
from archdsl.emitters.torch_module import Model

TORCHVISION = (
    "mobilenet_v2",
    "resnet101",
    "resnet152",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnext50_32x4d",
    *(f"vgg{depth}{norm}" for depth in (11, 13, 16, 19) for norm in ("", "_bn")),
)
TIMM = (
    *(f"{family}_b{number}" for family in ("efficientnet", "tf_efficientnet") for number in range(8)),
    *(f"seresnet{depth}" for depth in (18, 34, 50, 101, 152)),
)
CLASSIFIERS = (*TORCHVISION, *TIMM)


def reference(name: str) -> nn.Module:
    """The network in the library that has it, without memory, in evaluation mode."""
    with torch.device("meta"):
        if name in TORCHVISION:
            return torchvision.models.get_model(name, weights=None).eval()
        return timm.create_model(name).eval()


def ours(spec: str, **options: object) -> Model:
    """A spec's module without memory, in evaluation mode."""
    found = archdsl.load(spec, **options)
    assert isinstance(found, archdsl.Architecture)
    with torch.device("meta"):
        return found.to_torch().eval()


def randomised(module: nn.Module, seed: int = 0) -> nn.Module:
    """The module with memory, and random numbers for all of its state.

    Batch normalisation gets statistics, gammas and betas as training might leave them, so that an error
    inside a branch shows: a fresh network may have silent ones.
    """
    module.to_empty(device="cpu")
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in module.state_dict().items():
        _fill(name, tensor, generator)
    return module


def _fill(name: str, tensor: Tensor, generator: torch.Generator) -> None:
    if not tensor.is_floating_point():
        tensor.zero_()
    elif tensor.ndim > 1:
        tensor.normal_(0, (2 / tensor[0].numel()) ** 0.5, generator=generator)
    elif name.endswith(("running_var", "weight")):
        tensor.uniform_(0.5, 1.5, generator=generator)
    else:
        tensor.normal_(0, 0.2, generator=generator)


def images(*size: int, batch: int = 2) -> Tensor:
    """Normally distributed images, the same each time."""
    return torch.randn(batch, 3, *size, generator=torch.Generator().manual_seed(1))


def disagreement(got: Tensor, wanted: Tensor) -> float:
    """The largest difference, as a share of the largest number wanted."""
    assert wanted.std() > 0.1, "this says nothing: the reference's output hardly varies"
    return float((got - wanted).abs().max() / wanted.abs().max())
