"""Levels of the library's encoders against timm's, or where timm lacks one, its paper's."""

from __future__ import annotations

import pytest
import timm
import torch
from torch import nn

import archdsl
from archdsl import resources
from tests.specs.references import NAMES, TIMM, TORCHVISION, disagreement, images, ours, randomised, reference

# timm's names of networks that it writes differently; its levels are those of the same network.
TIMM_NAMES = {
    **NAMES,
    "mnasnet1_0": "mnasnet_100",
    "mobilenet_v2": "mobilenetv2_100",
    "mobilenet_v3_large": "mobilenetv3_large_100",
    "mobilenet_v3_small": "mobilenetv3_small_100",
    "regnet_y_400mf": "regnety_004",
    "regnet_y_800mf": "regnety_008_tv",
    "regnet_y_1_6gf": "regnety_016",
    "regnet_y_3_2gf": "regnety_032",
    "regnet_y_8gf": "regnety_080_tv",
    "regnet_y_16gf": "regnety_160",
    "regnet_y_32gf": "regnety_320",
}

# Channels after the first convolution, the pooling and each stage, without the last 1x1 (Zhang et al. 2017,
# table 1; Ma et al. 2018, table 5).
SHUFFLENETS = {
    "shufflenet_v1_g1": (24, 24, 144, 288, 576),
    "shufflenet_v1_g2": (24, 24, 200, 400, 800),
    "shufflenet_v1_g3": (24, 24, 240, 480, 960),
    "shufflenet_v1_g4": (24, 24, 272, 544, 1088),
    "shufflenet_v1_g8": (24, 24, 384, 768, 1536),
    "shufflenet_v2_x0_5": (24, 24, 48, 96, 192),
    "shufflenet_v2_x1_0": (24, 24, 116, 232, 464),
    "shufflenet_v2_x1_5": (24, 24, 176, 352, 704),
    "shufflenet_v2_x2_0": (24, 24, 244, 488, 976),
}
# What their tables say of the same places: before each pooling, and at the end (Krizhevsky et al. 2012,
# figure 2; Szegedy et al. 2014, table 1; Ioffe and Szegedy 2015, figure 5; Iandola et al. 2016, table 1).
CLASSICS = {
    "alexnet": [(64, 4), (192, 8), (256, 16), (256, 32)],
    "alexnet_2012": [(96, 4), (256, 8), (256, 16), (256, 32)],
    "bninception": [(64, 2), (192, 4), (320, 8), (608, 16), (1024, 32)],
    "googlenet": [(64, 2), (192, 4), (480, 8), (832, 16), (1024, 32)],
    "googlenet_2014": [(64, 2), (192, 4), (480, 8), (832, 16), (1024, 32)],
    "lenet5": [(16, 2), (16, 4)],
    "se_densenet169": [(64, 2), (256, 4), (512, 8), (1280, 16), (1664, 32)],
    "se_inception": [(64, 2), (192, 4), (320, 8), (608, 16), (1024, 32)],
    "squeezenet1_0": [(96, 2), (256, 4), (512, 8), (512, 16)],
    "squeezenet1_1": [(64, 2), (128, 4), (256, 8), (512, 16)],
}
UNKNOWN = ("alexnet", "googlenet", "seresnet18", "seresnet34", "shufflenet_v2", "squeezenet", "vgg13")
ENCODERS = [name for name in (*TORCHVISION, *TIMM) if not name.startswith(UNKNOWN)]


# Where timm joins maps of other sizes than their strides say, only multiples of 32 pass through it.
EVEN = ("dla", "hrnet")


@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder_has_timms_levels(name: str) -> None:
    side = 96 if name.startswith(EVEN) else 101
    with torch.device("meta"):
        theirs = timm.create_model(TIMM_NAMES.get(name, name), features_only=True).eval()
        maps = theirs(torch.empty(1, 3, side, side))
    info = theirs.feature_info
    sizes = [tuple(level.shape[2:]) for level in maps]
    assert sized_levels(name, side) == list(zip(info.channels(), info.reduction(), sizes, strict=True))


# Where torchvision's networks leave the levels of those that timm lacks.
NODES = {
    "alexnet": ("features.1", "features.4", "features.11", "features.12"),
    "googlenet": ("conv1", "conv3", "inception3b", "inception4e", "inception5b"),
    "shufflenet_v2_x1_0": ("conv1", "maxpool", "stage2", "stage3", "stage4"),
    "squeezenet1_0": ("features.1", "features.5", "features.10", "features.12"),
    "squeezenet1_1": ("features.1", "features.4", "features.7", "features.12"),
}


@pytest.mark.parametrize("name", NODES)
def test_an_encoder_has_the_sizes_of_torchvisions_levels(name: str) -> None:
    theirs = reference(name)
    maps: list[tuple[int, tuple[int, ...]]] = []
    for node in NODES[name]:
        theirs.get_submodule(node).register_forward_hook(
            lambda part, given, made: maps.append((made.shape[1], tuple(made.shape[2:])))
        )
    theirs(torch.empty(1, 3, 101, 101, device="meta"))
    assert [(channels, size) for channels, _, size in sized_levels(name, 101)] == maps


# A network of each family that timm dilates.
DILATED = (
    "convnext_tiny",
    "efficientnet_b0",
    "mnasnet1_0",
    "mobilenet_v1",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "regnet_y_400mf",
    "resnet50d",
    "seresnet18",
    "tf_efficientnet_b0",
    "tf_efficientnetv2_b0",
)


@pytest.mark.parametrize(
    ("name", "stride"), [*((name, 16) for name in DILATED), ("efficientnet_b0", 8), ("resnet50d", 8)]
)
def test_a_dilated_encoder_gives_the_maps_that_timm_gives(name: str, stride: int) -> None:
    with torch.device("meta"):
        theirs = timm.create_model(
            TIMM_NAMES.get(name, name), features_only=True, output_stride=stride
        ).eval()
    # All units of torchvision's dilated MobileNetV3 have the rate of their level.
    option = " dilate_first=false" if name.startswith("mobilenet_v3") else ""
    module = randomised(ours(f"encoder {name} output_stride={stride}{option}"))
    paired = zip(theirs.state_dict().items(), module.state_dict().values(), strict=True)
    theirs.load_state_dict({key: mine.view(shape.shape) for (key, shape), mine in paired}, assign=True)
    norms = [part for part in module.modules() if isinstance(part, nn.BatchNorm2d)]
    for part in theirs.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.eps = norms[0].eps  # timm's MobileNetV3 has torch's
    x = images(65, 97, batch=1)
    with torch.inference_mode():
        wanted = dict(zip(theirs.feature_info.reduction(), theirs(x), strict=True))  # the last of a stride
        for got, level in zip(module(x), wanted.values(), strict=True):
            assert disagreement(got, level) <= 1e-4


def test_the_plain_encoder_starts_at_the_images_own_resolution() -> None:
    assert levels("plain") == [(16, 1), (32, 2), (64, 4), (128, 8), (256, 16)]


def levels(encoder: str) -> list[tuple[int, int]]:
    """Channels and stride of each level."""
    return [(channels, stride) for channels, stride, _ in sized_levels(encoder, 224)]


def sized_levels(encoder: str, side: int) -> list[tuple[int, int, tuple[int, ...]]]:
    """Channels, stride and size of each level of a square image."""
    network = archdsl.load(f"encoder {encoder}", input=(3, side, side)).network
    left = [network.operations[output.value - 1] for output in network.outputs]
    return [(o.shape.channels, int(o.stride or 0), o.shape.spatial) for o in left]


@pytest.mark.parametrize("name", SHUFFLENETS)
def test_a_shufflenet_has_the_levels_of_its_table(name: str) -> None:
    assert levels(name) == list(zip(SHUFFLENETS[name], (2, 4, 8, 16, 32), strict=True))


@pytest.mark.parametrize("name", CLASSICS)
def test_a_classic_has_the_levels_of_its_table(name: str) -> None:
    assert levels(name) == CLASSICS[name]


@pytest.mark.parametrize(
    "name",
    ["convnext_tiny", "dla34", "hrnet_w18", "inception_v3", "densenet121", "regnet_y_400mf", *CLASSICS],
)
# Among these sides each halving, from the first to the fourth, meets an odd map.
@pytest.mark.parametrize("size", [(97, 131), (199, 216), (226, 228)])
def test_an_encoder_serves_a_decoder_at_an_odd_size(name: str, size: tuple[int, int]) -> None:
    module = ours(f"encoder {name} | skip plain | up transpose | head 1x1 out=2")
    with torch.device("meta"):
        assert module(torch.empty(1, 3, *size)).shape == (1, 2, *size)


CLASSIFIERS = sorted(
    path.stem
    for path in (resources.specs() / "models").glob("*.arch")
    if "task=classification" in path.read_text("utf-8") and not path.stem.startswith("hybridsn")
)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_classifier_serves_a_decoder_whatever_sides_are_odd(name: str) -> None:
    for size in ((199, 216), (226, 228)):
        line = f"encoder {name} | skip plain | up transpose | head 1x1 out=2"
        found = archdsl.load(line, input=(3, *size))
        assert isinstance(found, archdsl.Architecture)
        assert found.network.shape_of(found.network.outputs[0].value) == (2, *size)


@pytest.mark.parametrize(
    "name",
    [
        "densenet121",
        "dla34",
        "efficientnet_b0",
        "hrnet_w18",
        "legacy_seresnet50",
        "legacy_xception",
        "seresnet18",
        "vgg11_bn",
    ],
)
def test_levels_are_the_maps_that_timm_gives(name: str) -> None:
    with torch.device("meta"):
        theirs = timm.create_model(name, features_only=True).eval()
    module = ours(f"encoder {name}")
    # timm writes scopes of its features with underscores (`features_0`); the order is the same.
    randomised(module)
    theirs.load_state_dict(
        dict(zip(theirs.state_dict(), module.state_dict().values(), strict=True)), assign=True
    )
    x = images(64, 64)
    with torch.inference_mode():
        for got, wanted in zip(module(x), theirs(x), strict=True):
            assert disagreement(got, wanted) <= 1e-4
