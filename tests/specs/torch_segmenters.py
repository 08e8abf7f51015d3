"""Segmentation networks that are no U-Net, written in torch as their papers have them."""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn
from torchvision.models.vgg import cfgs, make_layers


class FullyConvolutional(nn.Module):
    """Long et al. 2014, section 4, with the paddings and crops of the authors' networks."""

    def __init__(self, levels: int, plan: list[str | int] | None = None, hidden: int = 4096) -> None:
        super().__init__()
        self.features = make_layers(plan or cfgs["D"])
        for layer in self.features:
            if isinstance(layer, nn.MaxPool2d):
                layer.ceil_mode = True
        out, stride = 21, 2 ** (6 - levels)
        climb = partial(nn.ConvTranspose2d, out, out, bias=False)
        self.classifier = nn.Sequential(
            *(nn.Conv2d(512, hidden, 7), nn.ReLU(), nn.Conv2d(hidden, hidden, 1), nn.ReLU()),
            nn.Conv2d(hidden, out, 1),
        )
        self.ups = nn.ModuleList(
            nn.ModuleList([climb(kernel_size=4, stride=2), nn.Conv2d(width, out, 1)])
            for width in (512, 256)[: levels - 1]
        )
        self.top = climb(kernel_size=2 * stride, stride=stride)
        self.offset = {1: 19, 2: 27, 3: 31}[levels]

    def forward(self, x: Tensor) -> Tensor:
        h, pools = F.pad(x, (99,) * 4), []
        for layer in self.features:
            h = layer(h)
            if isinstance(layer, nn.MaxPool2d):
                pools.append(h)
        h = self.classifier(h)
        for (climb, score), pool, offset in zip(self.ups, pools[3:1:-1], (5, 9), strict=False):
            h = climb(h)
            h = h + cropped(score(pool), h, offset)
        return cropped(self.top(h), x, self.offset)


def cropped(h: Tensor, like: Tensor, offset: int) -> Tensor:
    return h[:, :, offset : offset + like.shape[2], offset : offset + like.shape[3]]


class Strips(nn.Module):
    """Hou et al. 2020, section 3.1."""

    def __init__(self, width: int):
        super().__init__()
        self.conv1, self.bn1 = (
            nn.Conv2d(width, width, (3, 1), padding=(1, 0), bias=False),
            nn.BatchNorm2d(width),
        )
        self.conv2, self.bn2 = (
            nn.Conv2d(width, width, (1, 3), padding=(0, 1), bias=False),
            nn.BatchNorm2d(width),
        )
        self.conv3 = nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        rows = self.bn1(self.conv1(x.mean(3, keepdim=True)))
        columns = self.bn2(self.conv2(x.mean(2, keepdim=True)))
        return x * self.conv3(F.relu(rows + columns)).sigmoid()


def spnets_encoder(depth: int) -> nn.Module:
    """torchvision's ResNet, changed as section 3.3 says."""
    model = torchvision.models.get_model(
        f"resnet{depth}", weights=None, replace_stride_with_dilation=(False, True, True)
    )
    steps = [
        (nn.Conv2d(i, o, 3, stride=s, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU())
        for i, o, s in ((3, 64, 2), (64, 64, 1), (64, 128, 1))
    ]
    model.conv1, model.bn1 = nn.Sequential(*[m for step in steps for m in step][:-2]), nn.BatchNorm2d(128)
    first = model.layer1[0]
    first.conv1 = nn.Conv2d(128, 64, 1, bias=False)
    first.downsample[0] = nn.Conv2d(128, 256, 1, bias=False)
    for unit, rate in zip(model.layer4, (4, 8, 16), strict=True):
        unit.conv2.dilation = unit.conv2.padding = (rate, rate)
    for unit in (model.layer1[-1], model.layer2[-1], model.layer3[-1], *model.layer4):
        unit.conv3 = nn.Sequential(Strips(unit.conv3.in_channels), unit.conv3)
    del model.avgpool, model.fc
    return model


def normed(before: int, width: int, *kernel: int) -> nn.Sequential:
    pads = tuple(side // 2 for side in kernel)
    return nn.Sequential(nn.Conv2d(before, width, kernel, padding=pads, bias=False), nn.BatchNorm2d(width))


class MixedPooling(nn.Module):
    """Hou et al. 2020, section 3.2: grids and strips."""

    def __init__(self, width: int) -> None:
        super().__init__()
        quarter = width // 4
        self.to_grids = normed(width, quarter, 1, 1)
        self.grids = nn.ModuleList(normed(quarter, quarter, 3, 3) for _ in range(3))
        self.from_grids = normed(quarter, quarter, 3, 3)
        self.to_strips = normed(width, quarter, 1, 1)
        self.rows, self.columns = normed(quarter, quarter, 1, 3), normed(quarter, quarter, 3, 1)
        self.from_strips = normed(quarter, quarter, 3, 3)
        self.last = normed(2 * quarter, width, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        short = F.relu(self.to_grids(x))
        grids = self.grids[0](short)
        for side, conv in zip((20, 12), self.grids[1:], strict=True):
            grid = conv(F.adaptive_avg_pool2d(short, side))
            grids = grids + F.interpolate(grid, x.shape[2:], mode="bilinear", align_corners=True)
        long = F.relu(self.to_strips(x))
        strips = self.rows(long.mean(2, keepdim=True)) + self.columns(long.mean(3, keepdim=True))
        both = [F.relu(self.from_grids(F.relu(grids))), F.relu(self.from_strips(F.relu(strips)))]
        return F.relu(x + self.last(torch.cat(both, 1)))


class SPNet(nn.Module):
    """Hou et al. 2020, section 3.3, with the auxiliary head of training: it reads `layer3`."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.encoder = spnets_encoder(depth)
        self.aux = nn.Sequential(*normed(1024, 256, 3, 3), nn.ReLU(), nn.Conv2d(256, 150, 1))
        self.head = nn.Sequential(
            *(*normed(2048, 1024, 1, 1), nn.ReLU(), MixedPooling(1024), MixedPooling(1024)),
            *(*normed(1024, 512, 3, 3), nn.ReLU(), nn.Conv2d(512, 150, 1)),
        )

    def forward(self, image: Tensor) -> Tensor | dict[str, Tensor]:
        x, size = image, image.shape[2:]
        outputs = {}
        for name, part in self.encoder.named_children():
            x = part(x)
            if name == "layer3":
                outputs["aux"] = self.aux(x)
        outputs["out"] = self.head(x)
        grown = {
            name: F.interpolate(output, size, mode="bilinear", align_corners=True)
            for name, output in outputs.items()
        }
        return grown if self.training else grown["out"]
