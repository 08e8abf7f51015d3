"""Decoders with gated, full-scale and unpooled ways up against networks written in torch."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn

import archdsl
from archdsl import resources
from tests.specs.references import carried, difference, disagreement, images, ours, randomised

TOLERANCE = 1e-4
WIDTHS = (64, 128, 256, 512, 1024)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


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


# ---- Attention U-Net -------------------------------------------------------------------------------


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


def nodes_of(parts: dict[str, str]) -> dict[str, str]:
    """The encoder's and the head's paths, and those of the parts of each row of the decoder."""
    rows = range(4)
    levels = {f"encoder.levels.{row}": f"encoder.x{row}_0" for row in range(5)}
    decoder = {
        f"{their}.{row}": f"decoder.x{row}_{4 - row}.{our}" for their, our in parts.items() for row in rows
    }
    return {**levels, **decoder, "head": "head"}


def test_attention_unet_is_that_of_its_paper() -> None:
    assert archdsl.load("attention_unet").params == 34_878_573
    theirs = randomised(AttentionUNet()).eval()
    nodes = nodes_of({"ups": "up", "gates": "gated", "blocks": "block"})
    module = carried(theirs, ours("attention_unet"), nodes)
    assert difference(module, theirs, images(48, 80, batch=1)) <= TOLERANCE


# ---- UNet 3+ ---------------------------------------------------------------------------------------


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

    def forward(self, x: Tensor) -> list[Tensor]:
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
        return [self.head(maps[0]), *(F.interpolate(y, size, mode="bilinear") for y in deep)]


UNET3PLUS = {
    **nodes_of({"blocks": "block"}),
    **{
        f"scales.{row}.{level}": f"decoder.x{row}_{4 - row}.scale{level}.block"
        for row in range(4)
        for level in range(5)
    },
}
DEEP = {f"others.{number}": f"head{number}" for number in range(4)}


def test_unet_3_plus_is_that_of_its_paper() -> None:
    """And with the heads of deep supervision, which its authors' code has at each of the five levels."""
    text = (resources.specs() / "models" / "unet3plus.arch").read_text("utf-8")
    deep = text.replace("out=classes", "out=classes supervise=deep")
    assert [archdsl.load(spec).params for spec in (text, deep)] == [26_971_777, 26_989_637]
    theirs = randomised(UNet3Plus(supervised=True)).eval()
    module = carried(theirs, ours(deep), {**UNET3PLUS, **DEEP})
    module.training = True  # all outputs, while batch norms stay as they are
    x = images(48, 80, batch=1)
    with torch.inference_mode():
        made = module(x)
        wanted = dict(zip(("out", "head0", "head1", "head2", "head3"), theirs(x), strict=True))
        assert made.keys() == wanted.keys()
        assert max(disagreement(made[name], wanted[name]) for name in wanted) <= TOLERANCE


# ---- SegNet ----------------------------------------------------------------------------------------


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


SEGNET = {
    "encoder": "encoder.features",
    **{f"decoder.{row}": f"decoder.x{row}_{5 - row}.block" for row in range(5)},
    "head": "head",
}


@pytest.mark.parametrize(("classes", "parameters"), [(11, 29_449_355), (21, 29_455_125)])
def test_segnet_has_the_parameters_of_its_paper(classes: int, parameters: int) -> None:
    assert archdsl.load("segnet", classes=classes).params == parameters


@pytest.mark.parametrize("size", [(64, 96), (97, 131)])
def test_segnet_unpools_as_torch_does_at_odd_sizes_too(size: tuple[int, int]) -> None:
    theirs = randomised(SegNet(11)).eval()
    module = carried(theirs, ours("segnet"), SEGNET)
    assert difference(module, theirs, images(*size, batch=1)) <= TOLERANCE
