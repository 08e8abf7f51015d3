"""Classic classifiers that no library has: written in torch, or what a library has, changed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
import torchvision
from pytorchcv.models import bninception
from torch import Tensor, nn
from torchvision.models.googlenet import Inception, InceptionAux
from torchvision.ops import SqueezeExcitation

from tests.specs.references import difference, images, named, ours, randomised


def of_1998() -> nn.Module:
    """LeCun et al. 1998, figure 2, with means for pools and all maps read by C3."""
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5), nn.Tanh(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten()),
        *(nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10)),
    )


def of_2012() -> nn.Module:
    """Krizhevsky et al. 2012, section 3: response normalisation of a sum of five, k = 2, alpha = 1e-4."""
    norm, pool = nn.LocalResponseNorm(5, alpha=5 * 1e-4, beta=0.75, k=2), nn.MaxPool2d(3, 2)
    features = nn.Sequential(
        *(nn.Conv2d(3, 96, 11, 4, 2), nn.ReLU(), norm, pool),
        *(nn.Conv2d(96, 256, 5, padding=2, groups=2), nn.ReLU(), norm, pool),
        *(nn.Conv2d(256, 384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(384, 384, 3, padding=1, groups=2), nn.ReLU()),
        *(nn.Conv2d(384, 256, 3, padding=1, groups=2), nn.ReLU(), pool),
    )
    classifier = nn.Sequential(
        *(nn.Flatten(), nn.Linear(256 * 6 * 6, 4096), nn.ReLU(), nn.Dropout()),
        *(nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, 1000)),
    )
    return nn.Sequential(OrderedDict(features=features, classifier=classifier))


class Biased(nn.Module):
    """The convolution of 2014: no batch norm."""

    def __init__(self, channels: int, out: int, **options: Any) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out, **options)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x).relu()


class Wide(Inception):
    """The module of 2014, with its 5x5."""

    def __init__(self, channels: int, *widths: int, conv_block: Any = None) -> None:
        super().__init__(channels, *widths, conv_block=Biased)
        self.branch3[1] = Biased(widths[3], widths[4], kernel_size=5, padding=2)


class Side(InceptionAux):
    def __init__(self, channels: int, classes: int, **options: Any) -> None:
        super().__init__(channels, classes, conv_block=Biased, **options)


def of_2014() -> nn.Module:
    """Torchvision's GoogLeNet as the paper has it, with response normalisation around the second stage."""
    theirs = torchvision.models.GoogLeNet(init_weights=False, blocks=[Biased, Wide, Side])
    theirs.maxpool1 = nn.Sequential(theirs.maxpool1, nn.LocalResponseNorm(5))
    theirs.maxpool2 = nn.Sequential(nn.LocalResponseNorm(5), theirs.maxpool2)
    return theirs


# Channels that leave each module of BN-Inception (Ioffe and Szegedy 2015, figure 5).
MODULES = (256, 320, 576, 576, 576, 608, 608, 1056, 1024, 1024)


def gated_inception() -> nn.Module:
    """Pytorchcv's BN-Inception with squeeze-and-excitation, r = 16, behind each module."""
    theirs = bninception.bninception()
    units = [unit for stage in list(theirs.features)[1:4] for unit in stage]
    for unit, channels in zip(units, MODULES, strict=True):
        unit.add_module("se", SqueezeExcitation(channels, channels // 16))
        unit.register_forward_hook(lambda module, given, made: module.se(made))
    return theirs


# Channels that leave each dense block (Huang et al. 2016, table 1): 64 + 32 a layer, halved in between.
DENSE_BLOCKS = {
    121: (256, 512, 1024, 1024),
    169: (256, 512, 1280, 1664),
    201: (256, 512, 1792, 1920),
}


def gated_densenet(depth: int, blocks: tuple[int, ...]) -> nn.Module:
    """Torchvision's DenseNet with gates sixteen wide after some of its dense blocks."""
    theirs = torchvision.models.get_model(f"densenet{depth}", weights=None)
    features = nn.Sequential()
    for name, part in theirs.features.named_children():
        features.add_module(name, part)
        if name.startswith("denseblock") and (block := int(name[-1])) in blocks:
            features.add_module(f"se{block}", SqueezeExcitation(DENSE_BLOCKS[depth][block - 1], 16))
    theirs.features = features
    return theirs


class Recalibrated(nn.Module):
    """The gate of the authors of HybridSN: no biases."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(width, width // 16, 1, bias=False)
        self.fc2 = nn.Conv2d(width // 16, width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.fc2(self.fc1(x.mean((2, 3), keepdim=True)).relu()).sigmoid()


def hybridsn(norm: bool, gate: bool) -> nn.Module:
    """Roy et al. 2019, table 1."""
    parts: dict[str, nn.Module] = {}
    before = 1
    for n, (width, bands) in enumerate(((8, 7), (16, 5), (32, 3)), 1):
        parts[f"conv{n}"] = nn.Conv3d(before, width, (bands, 3, 3))
        parts |= {f"bn{n}": nn.BatchNorm3d(width)} if norm else {}
        parts[f"relu{n}"] = nn.ReLU()
        before = width
    parts["merged"] = nn.Flatten(1, 2)
    parts |= {"se3": Recalibrated(576)} if gate else {}
    parts["conv4"] = nn.Conv2d(576, 64, 3)
    parts |= {"bn4": nn.BatchNorm2d(64)} if norm else {}
    parts |= {"se4": Recalibrated(64)} if gate else {}
    parts |= {"relu4": nn.ReLU(), "flat": nn.Flatten(), "fc1": nn.Linear(64 * 17 * 17, 256)}
    parts |= {"relu5": nn.ReLU(), "fc2": nn.Linear(256, 128), "relu6": nn.ReLU(), "fc3": nn.Linear(128, 16)}
    return nn.Sequential(OrderedDict(parts))


class Rebuilt(NamedTuple):
    """A classifier with the library's names of its weights.

    Attributes:
        source: what it is made of.
        make: builds it; called on the meta device.
        image: channels and sizes of the images with which the two are compared.
        scale: of their values.
    """

    source: str
    make: Callable[[], nn.Module]
    image: tuple[int, ...] = (3, 64, 96)
    scale: float = 1


DENSENETS = {
    f"se_densenet{depth}{form}": Rebuilt(
        f"torchvision's DenseNet and {gates}", partial(gated_densenet, depth, blocks)
    )
    for depth in DENSE_BLOCKS
    for form, gates, blocks in (("", "one gate", (4,)), ("_all", "four gates", (1, 2, 3, 4)))
}
HYBRIDSNS = {
    f"hybridsn{form}": Rebuilt(
        "gokriznastic/HybridSN", partial(hybridsn, "_bn" in form, "_se" in form), (1, 30, 25, 25)
    )
    for form in ("", "_bn", "_bn_se", "_se")
}
REBUILT = {
    # Responses of a few hundred, so that their normalisation shows.
    "alexnet_2012": Rebuilt("the paper", of_2012, (3, 224, 224), scale=100),
    "googlenet_2014": Rebuilt("the paper with torchvision's GoogLeNet", of_2014, (3, 97, 64)),
    **HYBRIDSNS,
    "lenet5": Rebuilt("the paper", of_1998, (1, 32, 32)),
    **DENSENETS,
    "se_inception": Rebuilt("pytorchcv's BN-Inception and gates", gated_inception, (3, 224, 224)),
}


def rebuilt(name: str) -> nn.Module:
    """A classifier in torch, without memory, in evaluation mode."""
    with torch.device("meta"):
        return REBUILT[name].make().eval()


def differs(name: str) -> float:
    """The largest difference between what a classifier and its rebuild give, with the same weights."""
    channels, *size = REBUILT[name].image
    theirs = randomised(rebuilt(name))
    x = REBUILT[name].scale * images(*size, channels=channels)
    return difference(named(theirs, ours(name)), theirs, x)
