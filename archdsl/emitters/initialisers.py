"""What the words for initial weights mean in torch.

Each sets all of a module's weights; biases become 0. A module without a word keeps torch's own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

Fill = Callable[[Any], None]


def _weights(fill: Callable[[nn.Module, Tensor], object]) -> Fill:
    """An initialiser that fills a layer's weights and sets its bias to 0."""

    def initialise(module: Any) -> None:
        fill(module, module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)

    return initialise


def _kaiming_group(module: nn.Module, weight: Tensor) -> Tensor:
    """N(0, 2 / fan_out) with the fan of one group, as EfficientNet has it: k*k for a depthwise one."""
    fan = weight[0, 0].numel() * weight.shape[0] // getattr(module, "groups", 1)
    return nn.init.normal_(weight, 0.0, math.sqrt(2 / fan))


def _uniform_out(module: nn.Module, weight: Tensor) -> Tensor:
    """U(-r, r) with r = 1 / sqrt(features that leave), as EfficientNet's classifiers have it."""
    bound = 1 / math.sqrt(weight.shape[0])
    return nn.init.uniform_(weight, -bound, bound)


def _identity(module: nn.Module, weight: Tensor) -> Tensor:
    """What enters leaves; beyond the channels that both sides have, zeros."""
    if weight.ndim == 2:
        return nn.init.eye_(weight)
    return nn.init.dirac_(weight, getattr(module, "groups", 1))


def _bilinear(module: nn.Module, weight: Tensor) -> Tensor:
    """Each channel interpolated for itself, as a transposed convolution twice its stride wide does.

    Long et al. 2014, arXiv:1411.4038, section 3.3.
    """
    kernel = torch.ones(())
    for side in weight.shape[2:]:
        factor = (side + 1) // 2
        centre = factor - 1 if side % 2 else factor - 0.5
        kernel = kernel[..., None] * (1 - (torch.arange(side) - centre).abs() / factor)
    channels = torch.arange(weight.shape[0])
    with torch.no_grad():
        weight.zero_()
        weight[channels, channels % weight.shape[1]] = kernel.to(weight)
    return weight


def _zero_gamma(norm: Any) -> None:
    norm.reset_parameters()
    nn.init.zeros_(norm.weight)


INITIALISERS: dict[str, Fill] = {
    "kaiming_out": _weights(
        lambda _, weight: nn.init.kaiming_normal_(weight, mode="fan_out", nonlinearity="relu")
    ),
    "kaiming_group": _weights(_kaiming_group),
    "kaiming_in": _weights(
        lambda _, weight: nn.init.kaiming_normal_(weight, mode="fan_in", nonlinearity="relu")
    ),
    "kaiming_uniform": _weights(
        lambda _, weight: nn.init.kaiming_uniform_(weight, mode="fan_in", nonlinearity="relu")
    ),
    "xavier": _weights(lambda _, weight: nn.init.xavier_uniform_(weight)),
    "normal": _weights(lambda _, weight: nn.init.normal_(weight, std=0.01)),
    "truncated": _weights(lambda _, weight: nn.init.trunc_normal_(weight, std=0.01, a=-2.0, b=2.0)),
    "truncated_02": _weights(lambda _, weight: nn.init.trunc_normal_(weight, std=0.02, a=-2.0, b=2.0)),
    "uniform_out": _weights(_uniform_out),
    "bilinear": _weights(_bilinear),
    "identity": _weights(_identity),
    "zero": _weights(lambda _, weight: nn.init.zeros_(weight)),
    "zero_gamma": _zero_gamma,
}
