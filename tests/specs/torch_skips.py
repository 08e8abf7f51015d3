"""Decoders with gated, full-scale and unpooled ways up, written in torch as their papers have them."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn

WIDTHS = (64, 128, 256, 512, 1024)


def unit(before: int, width: int, count: int = 1) -> nn.Sequential:
    """3x3 convolutions with bias, each with batch norm and ReLU."""
    layers: list[nn.Module] = []
    for inputs in (before, *[width] * (count - 1)):
        layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
    return nn.Sequential(*layers)


class Encoder(nn.Module):
    """Two convolutions a level, the largest of 2x2 between them."""

    def __init__(self) -> None:
        super().__init__()
        self.levels = nn.ModuleList(unit(a, b, 2) for a, b in pairwise((3, *WIDTHS)))

    def forward(self, x: Tensor) -> list[Tensor]:
        maps = [self.levels[0](x)]
        for level in self.levels[1:]:
            maps.append(level(F.max_pool2d(maps[-1], 2)))
        return maps


class Gate(nn.Module):
    """Oktay et al. 2018, arXiv:1804.03999, equations 1 and 2, with batch norms."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.skip, self.signal = (
            nn.Sequential(nn.Conv2d(width, width // 2, 1), nn.BatchNorm2d(width // 2)) for _ in range(2)
        )
        self.psi = nn.Sequential(nn.Conv2d(width // 2, 1, 1), nn.BatchNorm2d(1), nn.Sigmoid())

    def forward(self, skip: Tensor, signal: Tensor) -> Tensor:
        return skip * self.psi(F.relu(self.skip(skip) + self.signal(signal)))


class AttentionUNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.ups = nn.ModuleList(unit(2 * width, width) for width in WIDTHS[:-1])
        self.gates = nn.ModuleList(Gate(width) for width in WIDTHS[:-1])
        self.blocks = nn.ModuleList(unit(2 * width, width, 2) for width in WIDTHS[:-1])
        self.head = nn.Conv2d(64, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        maps = self.encoder(x)
        x = maps[-1]
        for row in (3, 2, 1, 0):
            x = self.ups[row](F.interpolate(x, scale_factor=2))
            x = self.blocks[row](torch.cat([x, self.gates[row](maps[row], x)], 1))
        made: Tensor = self.head(x)
        return made


class UNet3Plus(nn.Module):
    """Huang et al. 2020, arXiv:2004.08790."""

    def __init__(self, supervised: bool = False) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.scales = nn.ModuleList(
            nn.ModuleList(
                unit(WIDTHS[level] if level <= row or level == 4 else 320, 64) for level in range(5)
            )
            for row in range(4)
        )
        self.blocks = nn.ModuleList(unit(320, 320) for _ in range(4))
        self.head = nn.Conv2d(320, 1, 3, padding=1)
        others = (1024, 320, 320, 320) if supervised else ()
        self.others = nn.ModuleList(nn.Conv2d(width, 1, 3, padding=1) for width in others)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        size = x.shape[2:]
        maps = self.encoder(x)
        for row in (3, 2, 1, 0):
            scales = []
            for level, scale in enumerate(self.scales[row]):
                factor = 2.0 ** abs(level - row)
                if level < row:
                    y = F.max_pool2d(maps[level], int(factor))
                elif level > row:
                    y = F.interpolate(maps[level], scale_factor=factor, mode="bilinear")
                else:
                    y = maps[level]
                scales.append(scale(y))
            maps[row] = self.blocks[row](torch.cat(scales, 1))
        deep = [head(y) for head, y in zip(self.others, reversed(maps), strict=False)]
        others = {f"head{n}": F.interpolate(y, size, mode="bilinear") for n, y in enumerate(deep)}
        return {"out": self.head(maps[0]), **others}


class SegNet(nn.Module):
    """Badrinarayanan et al. 2015, arXiv:1511.00561: torchvision's VGG16 and its mirror image."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        features = torchvision.models.vgg16_bn().features
        self.encoder = nn.Sequential(*(layer for layer in features if not isinstance(layer, nn.MaxPool2d)))
        self.convs = (2, 2, 3, 3, 3)
        widths = (64, 64, 128, 256, 512, 512)
        self.decoder = nn.ModuleList(
            nn.Sequential(
                unit(widths[row + 1], widths[row + 1], count - 1), unit(widths[row + 1], widths[row])
            )
            if count > 1
            else unit(64, 64)
            for row, count in enumerate((1, *self.convs[1:]))
        )
        self.head = nn.Conv2d(64, classes, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        pooled: list[tuple[Tensor, torch.Size]] = []
        first = 0
        for count in self.convs:
            x = self.encoder[first : first + 3 * count](x)
            size = x.shape
            x, places = F.max_pool2d(x, 2, return_indices=True)
            pooled.append((places, size))
            first += 3 * count
        for row in (4, 3, 2, 1, 0):
            places, size = pooled[row]
            x = self.decoder[row](F.max_unpool2d(x, places, 2, output_size=size))
        made: Tensor = self.head(x)
        return made
