"""U-Nets written in torch, as their papers and their authors' code have them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import timm
import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional


def convs(
    before: int, *widths: int, pad: int = 1, norm: bool = False, bias: bool = True, eps: float = 1e-5
) -> nn.Sequential:
    """3x3 convolutions with ReLU after each, and before it `norm`, of this `eps`."""
    layers: list[nn.Module] = []
    for width in widths:
        layers += [nn.Conv2d(before, width, 3, padding=pad, bias=bias)]
        layers += [nn.BatchNorm2d(width, eps=eps)] if norm else []
        layers += [nn.ReLU()]
        before = width
    return nn.Sequential(*layers)


class Unpadded(nn.Module):
    """Figure 1 of arXiv:1505.04597 in torch."""

    def __init__(self, channels: int, classes: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        before = (channels, *widths)
        self.down = nn.ModuleList(convs(before[n], width, width, pad=0) for n, width in enumerate(widths))
        self.grow = nn.ModuleList(nn.ConvTranspose2d(2 * width, width, 2, 2) for width in widths[:-1])
        self.up = nn.ModuleList(convs(2 * width, width, width, pad=0) for width in widths[:-1])
        self.head = nn.Conv2d(widths[0], classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        left = []
        for number, unit in enumerate(self.down):
            x = unit(functional.max_pool2d(x, 2) if number else x)
            left.append(x)
        for number in reversed(range(len(self.up))):
            x = self.grow[number](x)
            rows, columns = (a - b for a, b in zip(left[number].shape[2:], x.shape[2:], strict=True))
            cut = left[number][:, :, rows // 2 :, columns // 2 :][:, :, : x.shape[2], : x.shape[3]]
            x = self.up[number](torch.cat([x, cut], 1))
        return self.head(x)


class EfficientUnet(nn.Module):
    """timm's encoder of this name and the decoder that climbs from it, as the Keras code has both.

    The code's port to PyTorch has `bias` in the decoder and torch's `eps`.
    """

    def __init__(self, encoder: str, bias: bool = False, eps: float = 1e-3) -> None:
        super().__init__()
        self.encoder = timm.create_model(encoder, num_classes=0)
        firsts = [stage[0] for stage in self.encoder.blocks]
        skips = [3, *(self.projection(block).out_channels for block in firsts[:4])]
        self.steps = nn.ModuleList()
        before = self.encoder.conv_head.out_channels
        for width in (512, 256, 128, 64, 32):
            step = nn.ModuleDict({"up": nn.ConvTranspose2d(before, width, 2, 2)})
            step["convs"] = convs(width + skips.pop(), width, width, norm=True, bias=bias, eps=eps)
            self.steps.append(step)
            before = width
        self.head = nn.Conv2d(32, 2, 1)

    @staticmethod
    def projection(block: nn.Module) -> nn.Conv2d:
        """The convolution that ends one, whose name depends on whether the block expands."""
        return [part for part in block.children() if isinstance(part, nn.Conv2d)][-1]

    def forward(self, image: Tensor) -> Tensor:
        skips = [image]
        x = self.encoder.bn1(self.encoder.conv_stem(image))
        for number, stage in enumerate(self.encoder.blocks):
            for place, block in enumerate(stage):
                x = block(x)
                skips += [x] if place == 0 and number < 4 else []
        x = self.encoder.bn2(self.encoder.conv_head(x))
        for step in self.steps:
            x = step["convs"](torch.cat([step["up"](x), skips.pop()], 1))
        return self.head(x)


class ResidualUnit(nn.Module):
    """Norm and activation before each convolution, but for the first unit of all."""

    def __init__(self, before: int, width: int, stride: int = 1, *, bare: bool = False) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *([] if bare else [nn.BatchNorm2d(before), nn.ReLU()]),
            nn.Conv2d(before, width, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
        )
        self.shortcut = nn.Sequential(nn.Conv2d(before, width, 1, stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) + self.shortcut(x)


class ResUNet(nn.Module):
    """Figure 2 and table 1 of arXiv:1711.10684, with the usual shortcut of 1x1 and batch norm."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList([ResidualUnit(3, 64, bare=True)])
        self.down.extend(ResidualUnit(width // 2, width, 2) for width in (128, 256, 512))
        self.up = nn.ModuleList(ResidualUnit(3 * width, width) for width in (64, 128, 256))
        self.head = nn.Conv2d(64, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        left = []
        for unit in self.down:
            x = unit(x)
            left.append(x)
        for number in reversed(range(3)):
            x = functional.interpolate(x, scale_factor=2.0)
            x = self.up[number](torch.cat([x, left[number]], 1))
        return self.head(x)


class DenseBlock(nn.ModuleList):
    """Layers that each read all before them; gives what they add, after what entered if `whole`."""

    def __init__(self, before: int, layers: int, growth: int, *, whole: bool) -> None:
        super().__init__(
            nn.Sequential(
                nn.BatchNorm2d(before + n * growth),
                nn.ReLU(),
                nn.Conv2d(before + n * growth, growth, 3, padding=1),
            )
            for n in range(layers)
        )
        self.whole = whole

    def forward(self, x: Tensor) -> Tensor:
        found = [x]
        for layer in self:
            found.append(layer(torch.cat(found, 1)))
        return torch.cat(found if self.whole else found[1:], 1)


def center_crop(x: Tensor, like: Tensor) -> Tensor:
    height, width = like.shape[2:]
    top, left = (x.shape[2] - height) // 2, (x.shape[3] - width) // 2
    return x[..., top : top + height, left : left + width]


class FCDenseNet(nn.Module):
    """Tables 1 and 2 of arXiv:1611.09326 without dropout; what grows is cropped in the middle."""

    def __init__(self, layers: tuple[int, ...], bottleneck: int, growth: int, classes: int) -> None:
        super().__init__()
        self.down = nn.ModuleList([nn.Conv2d(3, 48, 3, padding=1)])
        skips, width = [], 48
        for count in layers:
            self.down.append(DenseBlock(width, count, growth, whole=True))
            width += count * growth
            skips.append(width)
            self.down.append(
                nn.Sequential(nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, width, 1), nn.MaxPool2d(2))
            )
        self.down.append(DenseBlock(width, bottleneck, growth, whole=False))
        width = bottleneck * growth
        self.grow, self.up = nn.ModuleList(), nn.ModuleList()
        for row in reversed(range(len(layers))):
            self.grow.append(nn.ConvTranspose2d(width, width, 3, 2))
            self.up.append(DenseBlock(width + skips[row], layers[row], growth, whole=row == 0))
            width = layers[row] * growth
        self.head = nn.Conv2d(skips[0] + growth * (layers[0] + layers[1]), classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        left = []
        for number, part in enumerate(self.down):
            x = part(x)
            left += [x] if number % 2 and number < len(self.down) - 1 else []
        for grow, block in zip(self.grow, self.up, strict=True):
            skip = left.pop()
            x = block(torch.cat([center_crop(grow(x), skip), skip], 1))
        return self.head(x)


class TernausNet(nn.Module):
    """torchvision's VGG and the published decoder: (width between, width after) of each step."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.encoder = torchvision.models.get_model(f"vgg{depth}", weights=None).features
        pools = [n for n, layer in enumerate(self.encoder) if isinstance(layer, nn.MaxPool2d)]
        self.levels = [n - 1 for n in pools]
        skips = [512, 512, 256, 128, 64]
        fourth = 128 if depth == 11 else 256
        self.steps = nn.ModuleList()
        before = 512
        for skip, between, width in zip(
            skips, [512, 512, 512, 256, 128], [256, 256, fourth, 64, 32], strict=True
        ):
            self.steps.append(self.step(depth, before, between, width))
            before = width + skip
        self.last = convs(before, 32)
        self.head = nn.Conv2d(32, 1, 1)

    @staticmethod
    def step(depth: int, before: int, between: int, width: int) -> nn.Sequential:
        if depth == 16:
            larger = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
            return nn.Sequential(larger, *convs(before, between, width))
        grow = nn.ConvTranspose2d(between, width, 3, stride=2, padding=1, output_padding=1)
        return nn.Sequential(*convs(before, between), grow, nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        skips = []
        for number, layer in enumerate(self.encoder):
            x = layer(x)
            skips += [x] if number in self.levels else []
        for step in self.steps:
            x = torch.cat([step(x), skips.pop()], 1)
        return self.head(self.last(x))


class Recurrent(nn.Module):
    """One convolution, applied three times."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = convs(width, width, norm=True)

    def forward(self, x: Tensor) -> Tensor:
        answer = self.conv(x)
        for _ in range(2):
            answer = self.conv(x + answer)
        return answer


class RecurrentUnit(nn.Module):
    def __init__(self, before: int, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(before, width, 1)
        self.body = nn.Sequential(Recurrent(width), Recurrent(width))

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        return x + self.body(x)


class R2UNet(nn.Module):
    """arXiv:1802.06955 in torch; joins are [up, skip]."""

    def __init__(self, widths: tuple[int, ...] = (64, 128, 256, 512, 1024)) -> None:
        super().__init__()
        before = (3, *widths)
        self.down = nn.ModuleList(RecurrentUnit(before[n], width) for n, width in enumerate(widths))
        self.grow = nn.ModuleList(convs(2 * width, width, norm=True) for width in widths[:-1])
        self.up = nn.ModuleList(RecurrentUnit(2 * width, width) for width in widths[:-1])
        self.head = nn.Conv2d(widths[0], 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        left = []
        for number, unit in enumerate(self.down):
            x = unit(functional.max_pool2d(x, 2) if number else x)
            left.append(x)
        for number in reversed(range(4)):
            x = self.grow[number](functional.interpolate(x, scale_factor=2.0))
            x = self.up[number](torch.cat([x, left[number]], 1))
        return self.head(x)


class Lattice(nn.Module):
    """Zhou et al. 2018, figure 1: what climbs to a node joins all before it in its row.

    Without what is `inside` it is a U-Net's decoder. `before` has the channels of the encoder's maps.
    """

    def __init__(
        self, before: Sequence[int], widths: Sequence[int], inside: bool = True, norm: bool = False
    ) -> None:
        super().__init__()
        self.grow, self.up = nn.ModuleDict(), nn.ModuleDict()
        rows, depth = [[width] for width in before], len(before) - 1
        for column in range(1, depth + 1):
            for row in range(depth + 1 - column) if inside else (depth - column,):
                width, node = widths[row], f"x{row}_{column}"
                self.grow[node] = nn.ConvTranspose2d(rows[row + 1][-1], width, 2, 2)
                self.up[node] = convs(width + sum(rows[row]), width, width, norm=norm, bias=not norm)
                rows[row].append(width)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        rows = [[x] for x in maps]
        for node, unit in self.up.items():
            row = int(node[1])
            climbed = self.grow[node](rows[row + 1][-1])
            rows[row].append(unit(torch.cat([climbed, *rows[row]], 1)))
        return rows[0][-1]


class Nested(nn.Module):
    """UNet++, as the authors' Keras code has it, and their U-Net without what is `inside`."""

    def __init__(self, widths: tuple[int, ...], inside: bool = True) -> None:
        super().__init__()
        self.down = nn.ModuleList(convs(a, b, b) for a, b in pairwise((1, *widths)))
        self.lattice = Lattice(widths, widths, inside)
        self.head = nn.Conv2d(widths[0], 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        maps: list[Tensor] = []
        for number, unit in enumerate(self.down):
            x = unit(functional.max_pool2d(x, 2) if number else x)
            maps.append(x)
        return self.head(self.lattice(maps))


class NestedEfficientNet(nn.Module):
    """UNet++ over the maps of timm's EfficientNet-B0, the finest of half size, and one step more."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = timm.create_model("efficientnet_b0", features_only=True)
        self.lattice = Lattice(self.encoder.feature_info.channels(), (32, 64, 128, 256), norm=True)
        self.grow = nn.ConvTranspose2d(32, 16, 2, 2)
        self.up = convs(16, 16, 16, norm=True, bias=False)
        self.head = nn.Conv2d(16, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.up(self.grow(self.lattice(self.encoder(x)))))
