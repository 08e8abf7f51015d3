"""Poolings whose last window may reach over the edge, as torch's with `ceil_mode`, that export at any size.

Torch's own look at the values of sizes. Exporters get a map padded to whole windows instead; the rest
is spared the copy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class _Ceil(nn.Module):
    # A number for each dimension.
    kernel_size: Any
    stride: Any
    padding: Any

    def forward(self, x: Tensor) -> Tensor:
        pooled: Tensor = self._whole(x) if torch.compiler.is_exporting() else super().forward(x)
        return pooled

    def _whole(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def _margins(self, sides: Sequence[int]) -> list[int]:
        """Pixels around a map that its windows reach, as F.pad wants them: of the last dimension first."""
        margins: list[int] = []
        for side, kernel, stride, pad in zip(sides, self.kernel_size, self.stride, self.padding, strict=True):
            margins = [pad, _last_end(side, kernel, stride, pad) - side, *margins]
        return margins


def _last_end(side: int, kernel: int, stride: int, pad: int) -> int:
    """Where the last window ends, which starts on the map or on the padding before it.

    It is the smaller one of ceil((side + 2 * pad - kernel) / stride) and floor((side + pad - 1) / stride)
    steps from the first; which one that is doesn't depend on the map.
    """
    steps = (side + pad - 1 + min(0, stride + pad - kernel)) // stride
    return steps * stride + kernel - pad


class _CeilMax(_Ceil):
    def _whole(self, x: Tensor) -> Tensor:
        pool = F.max_pool2d if x.ndim == 4 else F.max_pool3d
        padded = F.pad(x, self._margins(x.shape[2:]), value=-math.inf)
        made: Tensor = pool(padded, self.kernel_size, self.stride)
        return made


class _CeilAvg(_Ceil):
    count_include_pad: bool

    def _whole(self, x: Tensor) -> Tensor:
        pool = F.avg_pool2d if x.ndim == 4 else F.avg_pool3d
        margins, counted = self._margins(x.shape[2:]), torch.ones_like(x[:1, :1])
        means = pool(F.pad(x, margins), self.kernel_size, self.stride)
        if self.count_include_pad:
            around = [pad for pad in reversed(self.padding) for _ in range(2)]
            counted = F.pad(counted, around, value=1)
            margins = [margin - pad for margin, pad in zip(margins, around, strict=True)]
        return means / pool(F.pad(counted, margins), self.kernel_size, self.stride)


class CeilMaxPool2d(_CeilMax, nn.MaxPool2d):
    """The largest number of each window of a map."""


class CeilMaxPool3d(_CeilMax, nn.MaxPool3d):
    """The largest number of each window of a volume."""


class CeilAvgPool2d(_CeilAvg, nn.AvgPool2d):
    """The mean of each window of a map."""


class CeilAvgPool3d(_CeilAvg, nn.AvgPool3d):
    """The mean of each window of a volume."""
