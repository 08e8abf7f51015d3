"""A data set as tensors in memory, and the batches that are drawn from it.

Pixels stay bytes until a batch is made, so that a set takes the memory of its pixels, on the device itself
where they fit. Networks are given pixels that are normalised already.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from archdsl.data.datasheet import Normalisation
from archdsl.data.description import WHITE, Description, describe
from archdsl.data.images import like, read_image, read_mask
from archdsl.data.layout import Example

# Of a device's free memory, what pixels may take: the rest is for weights and activations.
_SHARE = 0.25

# A picture to classify is kept a little larger than its crop, as 256 is to 224.
_MARGIN = 8 / 7


class Batch(NamedTuple):
    images: Tensor
    """batch x channels x size x size, float32, normalised."""
    targets: Tensor
    """int64 class numbers: batch x size x size of masks, or a number an image."""


class Pictures(NamedTuple):
    """The images of a split, each at least as large as a crop."""

    images: tuple[Tensor, ...]
    """channels x height x width, uint8 or uint16."""
    targets: tuple[Tensor, ...]
    """Masks (height x width, uint8), or class numbers (no dimensions, int64)."""


class Window(NamedTuple):
    """Where a crop lies in its picture, and whether it is turned over."""

    top: int
    left: int
    mirrored: bool = False
    upside_down: bool = False


@dataclass(frozen=True, eq=False)
class Data:
    """A data set in memory. Batches are the same bits for the same seed, whatever ran before."""

    description: Description
    size: int
    """Side of the crops, in pixels."""
    normalisation: Normalisation
    """Keep it beside the weights: a network that was trained on this data expects it."""
    train: Pictures
    val: Pictures

    def epoch(self, number: int, *, batch: int, seed: int) -> Iterator[Batch]:
        """One random crop of every training image, in random order.

        Masks and their images are mirrored and turned upside down at random, pictures to classify only
        mirrored. Batches are as even as they can be, at most `batch` images and at least two: batch
        normalisation can't learn from one.
        """
        count, generator = len(self.train.images), random_numbers(seed, number)
        order = torch.randperm(count, generator=generator)
        draws = torch.rand(count, 4, generator=generator).tolist()
        upright = self.description.task == "classification"
        for chosen in order.tensor_split(self.steps(batch)):
            indices = chosen.tolist()
            windows = [self._window(self.train.images[i], *draws[i], upright=upright) for i in indices]
            yield self._batch(self.train, indices, windows)

    def steps(self, batch: int) -> int:
        """How many batches an epoch has: as few as hold all images, but none of a single image."""
        count = len(self.train.images)
        return max(1, min(-(-count // batch), count // 2))

    def validation(self, *, batch: int) -> Iterator[Batch]:
        """The centre crop of every validation image, in the order of their names."""
        count = len(self.val.images)
        for start in range(0, count, batch):
            indices = range(start, min(start + batch, count))
            windows = [self._window(self.val.images[i], 0.5, 0.5, 1.0, 1.0) for i in indices]
            yield self._batch(self.val, indices, windows)

    def on(self, device: torch.device | str) -> Data:
        """This data on a device, where it fits in a part of the free memory there; else as it is."""
        device = torch.device(device)
        tensors = [tensor for split in (self.train, self.val) for part in split for tensor in part]
        if all(tensor.device == device for tensor in tensors):
            return self
        if device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(device)
            if sum(tensor.nbytes for tensor in tensors) > _SHARE * free:
                return self
        return replace(self, train=_moved(self.train, device), val=_moved(self.val, device))

    def _window(
        self, image: Tensor, down: float, right: float, flip: float, tip: float, *, upright: bool = True
    ) -> Window:
        """The crop that four numbers from [0, 1] choose; a flip happens below one half."""
        height, width = image.shape[1:]
        top, left = int(down * (height - self.size + 1)), int(right * (width - self.size + 1))
        return Window(top, left, flip < 0.5, tip < 0.5 and not upright)

    def _batch(self, pictures: Pictures, indices: Sequence[int], windows: Sequence[Window]) -> Batch:
        def crops(tensors: Sequence[Tensor]) -> Tensor:
            pairs = zip(indices, windows, strict=True)
            return torch.stack([_crop(tensors[index], window, self.size) for index, window in pairs])

        mean, std = self._scale
        pixels = crops(pictures.images).float()
        return Batch(pixels.sub_(mean).div_(std), crops(pictures.targets).long())

    @cached_property
    def _scale(self) -> tuple[Tensor, Tensor]:
        """Mean and deviation in the units of the stored pixels and beside them, ready to broadcast."""
        white, device = 2**self.description.bits - 1, self.train.images[0].device
        mean, std = (torch.tensor(part, device=device).view(-1, 1, 1) * white for part in self.normalisation)
        return mean, std


def load(folder: Path | Description, size: int, *, normalisation: Normalisation | None = None) -> Data:
    """Read the training and validation images of a folder into memory.

    Crops for segmentation come from the images as they are; an image smaller than a crop is continued by
    reflection. Pictures to classify are first resized so that their shorter side is 8/7 of a crop.
    `normalisation` replaces the data's own, for weights that were trained with another.

    Raises:
        Mistake: as `describe` does.
    """
    description = folder if isinstance(folder, Description) else describe(folder)
    train, val = (_read(description, description.examples[split], size) for split in ("train", "val"))
    return Data(description, size, normalisation or description.normalisation, train, val)


def random_numbers(*seeds: int) -> torch.Generator:
    """A generator for one purpose: near-by seeds give streams that have nothing in common."""
    digest = hashlib.sha256(" ".join(map(str, seeds)).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "little"))


def _read(description: Description, examples: Sequence[Example], size: int) -> Pictures:
    def read(example: Example) -> tuple[Tensor, Tensor]:
        return _read_example(description, example, size)

    with ThreadPoolExecutor() as pool:
        images, targets = zip(*pool.map(read, examples), strict=True)
    return Pictures(images, targets)


def _read_example(description: Description, example: Example, size: int) -> tuple[Tensor, Tensor]:
    resized = round(size * _MARGIN) if description.task == "classification" else None
    pixels = like(read_image(example.image, resized), description.channels, description.bits)
    # Reflected as often as it takes, on both sides; a picture of one pixel repeats it.
    missing = [max(0, size - side) for side in pixels.shape[:2]]
    border = [(short // 2, short - short // 2) for short in missing]
    image = torch.from_numpy(np.pad(pixels, [*border, (0, 0)], mode="reflect").transpose(2, 0, 1).copy())
    if isinstance(example.target, int):
        return image, torch.tensor(example.target)
    mask = np.pad(read_mask(example.target), border, mode="reflect")
    if description.white_foreground:
        mask = (mask == WHITE).astype(np.uint8)
    return image, torch.from_numpy(mask)


def _crop(tensor: Tensor, window: Window, size: int) -> Tensor:
    """The window of an image or a mask; a class number has no place and stays what it is."""
    if tensor.ndim == 0:
        return tensor
    part = tensor[..., window.top : window.top + size, window.left : window.left + size]
    turned = [axis for axis, turn in ((-2, window.upside_down), (-1, window.mirrored)) if turn]
    return part.flip(turned) if turned else part


def _moved(pictures: Pictures, device: torch.device) -> Pictures:
    return Pictures(*(tuple(tensor.to(device) for tensor in part) for part in pictures))
