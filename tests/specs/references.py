"""Reference networks with random weights, and ours holding the same tensors."""

from __future__ import annotations

from collections.abc import Mapping

import timm
import torch
import torchvision
from pytorchcv.models import bninception, shufflenet
from torch import Tensor, nn

import archdsl
from archdsl.emitters.torch_module import Model

TORCHVISION = (
    "alexnet",
    *(f"convnext_{size}" for size in ("tiny", "small", "base", "large")),
    *(f"densenet{depth}" for depth in (121, 161, 169, 201)),
    "googlenet",
    "inception_v3",
    "mnasnet1_0",
    "mobilenet_v2",
    "mobilenet_v3_large",
    "mobilenet_v3_small",
    *(f"regnet_y_{size}" for size in ("400mf", "800mf", "1_6gf", "3_2gf", "8gf", "16gf", "32gf")),
    "resnet101",
    "resnet152",
    "resnet18",
    "resnet34",
    "resnet50",
    *(f"resnext{word}" for word in ("50_32x4d", "101_32x8d", "101_64x4d")),
    "squeezenet1_0",
    "squeezenet1_1",
    "wide_resnet101_2",
    "wide_resnet50_2",
    *(f"shufflenet_v2_x{width}" for width in ("0_5", "1_0", "1_5", "2_0")),
    *(f"vgg{depth}{norm}" for depth in (11, 13, 16, 19) for norm in ("", "_bn")),
)
TIMM = (
    *(f"{family}_b{number}" for family in ("efficientnet", "tf_efficientnet") for number in range(8)),
    "dla34",
    "dla60",
    "hrnet_w18",
    *(f"legacy_se{word}" for word in ("net154", "resnet50", "resnet101", "resnet152")),
    "legacy_seresnext50_32x4d",
    "legacy_seresnext101_32x4d",
    "legacy_xception",
    "mobilenet_v1",
    *(f"resnet{variant}" for variant in ("50c", "50d", "101d")),
    *(f"seresnet{depth}" for depth in (18, 34, 50, 101, 152)),
    "tf_efficientnet_b8",
    "tf_efficientnet_lite0",
    "tf_efficientnetv2_b0",
    "tf_efficientnetv2_s",
)
SHUFFLENETS_V1 = tuple(f"shufflenet_v1_g{groups}" for groups in (1, 2, 3, 4, 8))
PYTORCHCV = ("bninception", *SHUFFLENETS_V1)
CLASSIFIERS = (*TORCHVISION, *TIMM, *PYTORCHCV)

# What the reference calls a network that has another name here.
NAMES = {
    "mobilenet_v1": "mobilenetv1_100",
    **{name: name.replace("_v1", "") + "_w1" for name in SHUFFLENETS_V1},
}

# Without which torchvision warns of its initial weights.
OPTIONS = {name: {"init_weights": False} for name in ("googlenet", "inception_v3")}


def reference(name: str) -> nn.Module:
    """The network in the library that has it, without memory, in evaluation mode."""
    word = NAMES.get(name, name)
    if name.startswith("regnet_y"):  # torchvision works its widths out with tensors
        return torchvision.models.get_model(word, weights=None).eval().to("meta")
    with torch.device("meta"):
        if name in TORCHVISION:
            return torchvision.models.get_model(word, weights=None, **OPTIONS.get(name, {})).eval()
        if name in PYTORCHCV:
            return getattr(bninception if name == "bninception" else shufflenet, word)().eval()
        return timm.create_model(word).eval()


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


def named(theirs: nn.Module, module: nn.Module) -> nn.Module:
    """Our module with the weights of a reference that has the same names."""
    module.load_state_dict(theirs.state_dict(), strict=True, assign=True)
    return module


def carried(theirs: nn.Module, module: nn.Module, nodes: Mapping[str, str]) -> nn.Module:
    """Our module with the weights of a reference that has other names, node by node.

    `nodes` has for each path of theirs the path of ours. Below a path tensors follow one another in the order
    in which both networks define them; what a node of theirs has beyond ours, at its end, is not used there.
    """
    state, own = theirs.state_dict(), module.state_dict()
    found: dict[str, Tensor] = {}
    for their_path, our_path in nodes.items():
        names = [name for name in own if name.startswith(f"{our_path}.")]
        values = [tensor for name, tensor in state.items() if name.startswith(f"{their_path}.")]
        assert 0 < len(names) <= len(values), (
            f"{our_path} has {len(names)}, {their_path} {len(values)} tensors"
        )
        found.update(zip(names, values, strict=False))
    module.load_state_dict(found, strict=True, assign=True)
    return module


def images(*size: int, batch: int = 2, channels: int = 3) -> Tensor:
    """Normally distributed images, the same each time."""
    return torch.randn(batch, channels, *size, generator=torch.Generator().manual_seed(1))


def difference(module: nn.Module, theirs: nn.Module, x: Tensor) -> float:
    """The largest difference between what two modules give, as a share of the largest number of theirs."""
    with torch.inference_mode():
        return disagreement(module(x), theirs(x))


def disagreement(got: Tensor, wanted: Tensor) -> float:
    """The largest difference, as a share of the largest number wanted."""
    assert wanted.std() > 0.1, "this says nothing: the reference's output hardly varies"
    return float((got - wanted).abs().max() / wanted.abs().max())
