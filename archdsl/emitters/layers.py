"""The few modules and functions that torch lacks.

None of them looks at the value of a size: sizes of other maps and odd sizes are arithmetic, without
a branch, so that modules compile whole and export with dynamic height and width.
"""

from __future__ import annotations

import functools
import itertools
import math
import operator
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from archdsl.errors.modules import PackageMissing

# ---- modules -----------------------------------------------------------------------------------


class _Same(nn.modules.conv._ConvNd):
    """Pads as TensorFlow's `same` does: by the input's size, an odd pixel at the bottom and the right."""

    def forward(self, x: Tensor) -> Tensor:
        padding: list[Any] = []
        for size, kernel, stride, dilation in zip(
            x.shape[2:], self.kernel_size, self.stride, self.dilation, strict=True
        ):
            total = _same_padding(size, dilation * (kernel - 1) + 1, stride)
            # F.pad wants the last dimension first.
            padding = [total // 2, total - total // 2, *padding]
        made: Tensor = super().forward(F.pad(x, padding))
        return made


def _same_padding(size: int, extent: int, stride: int) -> int | torch.SymInt:
    """Zeros along one dimension, on both sides together: max(0, extent - 1 - (size - 1) % stride).

    Exporters can't reason about `max`, so it stays away where the window covers the stride.
    """
    if extent == 1:
        return 0
    zeros = extent - 1 - (size - 1) % stride
    return zeros if extent >= stride else torch.sym_max(zeros, 0)


class SameConv2d(_Same, nn.Conv2d):
    """A convolution of maps that gives ceil(size / stride)."""


class SameConv3d(_Same, nn.Conv3d):
    """A convolution of volumes that gives ceil(size / stride)."""


class MapLayerNorm(nn.LayerNorm):
    """Layer normalisation over the channels of each pixel of B×C×H×W or B×C×D×H×W."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


class MapLinear(nn.Linear):
    """A fully connected layer of the channels of each pixel of B×C×H×W or B×C×D×H×W."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


class DropPath(nn.Module):
    """Stochastic depth: in training, an image becomes 0 with probability `rate`, else x / (1 - rate)."""

    def __init__(self, rate: float):
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.rate == 0:
            return x
        kept = x.new_empty((x.shape[0],) + (1,) * (x.ndim - 1)).bernoulli_(1 - self.rate)
        return x * kept if self.rate == 1 else x * kept / (1 - self.rate)

    def extra_repr(self) -> str:
        return f"rate={self.rate}"


class ChannelShuffle(nn.Module):
    """Channel i*n + j of g groups of n channels becomes channel j*g + i."""

    def __init__(self, groups: int):
        super().__init__()
        self.groups = groups

    def forward(self, x: Tensor) -> Tensor:
        return torch.unflatten(x, 1, (self.groups, -1)).transpose(1, 2).flatten(1, 2)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"


class Chunk(nn.Module):
    """Channels `start` to `start + length`."""

    def __init__(self, start: int, length: int):
        super().__init__()
        self.start, self.length = start, length

    def forward(self, x: Tensor) -> Tensor:
        return x.narrow(1, self.start, self.length)

    def extra_repr(self) -> str:
        return f"start={self.start}, length={self.length}"


class Crop(nn.Module):
    """A piece of a map, of a given size: from `offset` on, or the middle."""

    def __init__(self, size: Sequence[int], offset: Sequence[int] | None = None):
        super().__init__()
        self.size, self.offset = tuple(size), offset

    def forward(self, x: Tensor) -> Tensor:
        return _cropped(x, self.size, self.offset)

    def extra_repr(self) -> str:
        return f"size={self.size}, offset={self.offset}"


class Zero(nn.Module):
    """Its input times 0."""

    def forward(self, x: Tensor) -> Tensor:
        return x * 0


class SoftmaxOfAll(nn.Module):
    """exp(x), divided by its sum over all numbers of an image's map."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1).softmax(1).reshape(x.shape)


# ---- modules of packages that need not be there --------------------------------------------------------


def deformable_conv(**arguments: Any) -> nn.Module:
    """torchvision's deformable convolution, called with a map and its offsets (and weights of taps).

    Raises:
        PackageMissing: torchvision is not installed.
    """
    try:
        from torchvision.ops import DeformConv2d
    except ImportError:
        raise PackageMissing("deform_conv", "torchvision", "deform") from None
    made: nn.Module = DeformConv2d(**arguments)
    return made


class EMAttention(nn.Module):
    """Each pixel as a mean of a few bases, fitted to it by expectation maximisation.

    Li et al. 2019, arXiv:1907.13426, section 3. `mu` is a moving average of the bases of training.
    """

    mu: Tensor

    def __init__(self, channels: int, bases: int, steps: int, momentum: float):
        super().__init__()
        self.steps, self.momentum = steps, momentum
        self.register_buffer("mu", _of_length_1(torch.randn(1, channels, bases)))

    def forward(self, x: Tensor) -> Tensor:
        pixels = x.flatten(2)
        mu = self.mu.repeat(x.shape[0], 1, 1)
        for _ in range(self.steps):
            shares = torch.bmm(pixels.transpose(1, 2), mu).softmax(2)
            mu = torch.bmm(pixels, shares / (1e-6 + shares.sum(1, keepdim=True)))
            mu = _of_length_1(mu)
        if self.training:
            with torch.no_grad():
                self.mu.lerp_(mu.mean(0, keepdim=True).to(self.mu), self.momentum)
        return torch.bmm(mu, shares.transpose(1, 2)).reshape(x.shape)

    def extra_repr(self) -> str:
        return f"bases={self.mu.shape[2]}, steps={self.steps}, momentum={self.momentum}"


def _of_length_1(bases: Tensor) -> Tensor:
    made: Tensor = bases / (1e-6 + bases.norm(dim=1, keepdim=True))
    return made


# ---- functions ---------------------------------------------------------------------------------


def swap(x: Tensor) -> Tensor:
    """B×C×H×W as B×(H*W)×C×1, a volume as B×(D*H*W)×C×1×1."""
    return x.flatten(2).transpose(1, 2)[(..., *(None,) * (x.ndim - 3))]


def matrix_product(x: Tensor, by: Tensor) -> Tensor:
    """The matrix of `by`, channels times pixels, times that of x, in the height and width of x."""
    made: Tensor = torch.unflatten(torch.bmm(by.flatten(2), x.flatten(2)), 2, x.shape[2:])
    return made


def affinity(x: Tensor, radius: int, spatial: float, difference: float | None) -> Tensor:
    """How much each pixel of a window counts for the one in its middle, a channel each."""
    offsets = _offsets(radius, x.ndim - 2)
    exponents = [-sum(d * d for d in offset) / (2 * spatial**2) for offset in offsets]
    total = sum(math.exp(e) for e, offset in zip(exponents, offsets, strict=True) if any(offset))
    around = _around(x if difference is None else x / (difference * math.sqrt(2)), radius)
    middle = next(around[place] for place, offset in enumerate(offsets) if not any(offset))
    weights = []
    for exponent, offset, there in zip(exponents, offsets, around, strict=True):
        if not any(offset):
            weights.append(torch.zeros_like(x[:, :1]))
        elif difference is None:
            weights.append(torch.full_like(x[:, :1], math.exp(exponent) / total))
        else:
            apart = there - middle
            unlike = (apart * apart).sum(1, keepdim=True)
            weights.append((exponent - math.log(total) - unlike).exp())
    return torch.cat(weights, 1)


def local_filter(x: Tensor, by: Tensor, radius: int) -> Tensor:
    """Sums of the pixels of a window, by the weights that each pixel has for them."""
    return total([there * by[:, n : n + 1] for n, there in enumerate(_around(x, radius))])


def _offsets(radius: int, rank: int) -> list[tuple[int, ...]]:
    """From the pixel in the middle of a window to each of it, row by row."""
    return list(itertools.product(range(-radius, radius + 1), repeat=rank))


def _around(x: Tensor, radius: int) -> list[Tensor]:
    """x moved by each offset of a window: views of one tensor with zeros around it."""
    rank = x.ndim - 2
    padded = F.pad(x, [radius] * (2 * rank))
    moved = []
    for offset in _offsets(radius, rank):
        there = padded
        for axis, step in enumerate(offset):
            there = there.narrow(axis + 2, radius + step, x.shape[axis + 2])
        moved.append(there)
    return moved


def criss_cross(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Means of each pixel's row and column, by how alike queries and keys are.

    Huang et al. 2018, arXiv:1811.11721, equations 1 and 2.
    """
    height = queries.shape[2]
    down = queries.permute(0, 3, 2, 1) @ keys.permute(0, 3, 1, 2)  # B×W×H×H
    across = queries.permute(0, 2, 3, 1) @ keys.permute(0, 2, 1, 3)  # B×H×W×W
    # A pixel is in its row already.
    itself = torch.eye(height, dtype=torch.bool, device=queries.device)
    down = down.masked_fill(itself, -math.inf).transpose(1, 2)
    shares = torch.cat([down, across], 3).softmax(3)
    vertical = shares[..., :height].transpose(1, 2) @ values.permute(0, 3, 2, 1)  # B×W×H×C
    horizontal = shares[..., height:] @ values.permute(0, 2, 3, 1)  # B×H×W×C
    made: Tensor = vertical.permute(0, 3, 2, 1) + horizontal.permute(0, 3, 1, 2)
    return made


def mean_of_channels(x: Tensor) -> Tensor:
    """The mean of each pixel's channels, as one channel."""
    return x.mean(1, keepdim=True)


def largest_of_channels(x: Tensor) -> Tensor:
    """The largest of each pixel's channels, as one channel."""
    return x.amax(1, keepdim=True)


def scaled(x: Tensor, factor: float) -> Tensor:
    """x times a number."""
    return x * factor


def level(maps: list[Tensor], index: int, last: bool) -> Tensor:
    """One of the maps that a backbone gives; `last` if their channels stand last."""
    return maps[index].permute(0, 3, 1, 2) if last else maps[index]


def resize_like(x: Tensor, like: Tensor, mode: str, align_corners: bool | None) -> Tensor:
    """x in the height and width of `like`, by interpolation."""
    return F.interpolate(x, size=like.shape[2:], mode=mode, align_corners=align_corners)


def align_like(x: Tensor, like: Tensor) -> Tensor:
    """x in the height and width of `like`, cropped or padded with zeros at the bottom and the right."""
    padding: list[int] = []
    for size, wanted in zip(x.shape[2:], like.shape[2:], strict=True):
        padding = [0, wanted - size, *padding]
    return F.pad(x, padding)


def reshape_like(x: Tensor, like: Tensor) -> Tensor:
    """The numbers of x, in their order, in the shape of `like`."""
    return x.reshape(like.shape)


def unpool(x: Tensor, of: Tensor, size: tuple[int, ...], pad: tuple[int, ...]) -> Tensor:
    """x where the largest numbers of the windows of `of` stand, among zeros.

    As `max_unpool`, which looks at the values of sizes. Windows that reach over an edge, which x may not
    have, get zeros. The map is padded to whole windows: a pooling that rounds up looks at values, too.
    """
    padding: list[int] = []
    for side, step, around in zip(of.shape[2:], size, pad, strict=True):
        padding = [around, around + (-side - 2 * around) % step, *padding]
    padded = F.pad(of, padding, value=-math.inf)
    pool = F.max_pool2d_with_indices if of.ndim == 4 else F.max_pool3d_with_indices
    largest, places = pool(padded, size, size)
    flat = torch.zeros_like(padded).flatten(2)
    spread = flat.scatter(2, places.flatten(2), align_like(x, largest).flatten(2)).reshape(padded.shape)
    return F.pad(spread, [-margin for margin in padding])


def crop_like(x: Tensor, like: Tensor, offset: Sequence[int] | None) -> Tensor:
    """A piece of x in the height and width of `like`: from `offset` on, or the middle."""
    return _cropped(x, like.shape[2:], offset)


def _cropped(x: Tensor, wanted: Sequence[int], offset: Sequence[int] | None) -> Tensor:
    padding: list[int] = []
    for axis, (size, side) in enumerate(zip(x.shape[2:], wanted, strict=True)):
        before = (size - side) // 2 if offset is None else offset[axis]
        padding = [-before, side - size + before, *padding]
    return F.pad(x, padding)


def total(maps: Sequence[Tensor]) -> Tensor:
    """The sum of any number of maps."""
    return functools.reduce(operator.add, maps)


def product(maps: Sequence[Tensor]) -> Tensor:
    """The product of any number of maps."""
    return functools.reduce(operator.mul, maps)
