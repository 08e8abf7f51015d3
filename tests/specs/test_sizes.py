"""Parameters and multiply-adds of the library against what others measured or publish."""

from __future__ import annotations

import pytest
from torchvision.models import get_model_weights

import archdsl
from tests.specs.references import TORCHVISION

# Trainable parameters with 1,000 classes, counted in torchvision 0.29, timm 1.0, pytorchcv 0.0.74.
PARAMETERS = {
    "alexnet": 61_100_840,
    "squeezenet1_0": 1_248_424,
    "squeezenet1_1": 1_235_496,
    "vgg11": 132_863_336,
    "vgg13": 133_047_848,
    "vgg16": 138_357_544,
    "vgg16_bn": 138_365_992,
    "vgg19": 143_667_240,
    "vgg19_bn": 143_678_248,
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
    "resnext50_32x4d": 25_028_904,
    "resnext101_32x8d": 88_791_336,
    "resnext101_64x4d": 83_455_272,
    "wide_resnet50_2": 68_883_240,
    "wide_resnet101_2": 126_886_696,
    "googlenet": 13_004_888,
    "inception_v3": 27_161_264,
    "bninception": 11_295_240,
    "densenet121": 7_978_856,
    "densenet161": 28_681_000,
    "densenet169": 14_149_480,
    "densenet201": 20_013_928,
    "mobilenet_v2": 3_504_872,
    "seresnet50": 28_088_024,
    "legacy_senet154": 115_088_984,
    "legacy_seresnet50": 28_088_024,
    "legacy_seresnet101": 49_326_872,
    "legacy_seresnet152": 66_821_848,
    "legacy_seresnext50_32x4d": 27_559_896,
    "seresnet101": 49_326_872,
    "seresnet152": 66_821_848,
    "efficientnet_b0": 5_288_548,
    "efficientnet_b1": 7_794_184,
    "efficientnet_b2": 9_109_994,
    "efficientnet_b3": 12_233_232,
    "efficientnet_b4": 19_341_616,
    "efficientnet_b5": 30_389_784,
    "efficientnet_b6": 43_040_704,
    "efficientnet_b7": 66_347_960,
    "tf_efficientnet_b0": 5_288_548,
    "tf_efficientnet_b1": 7_794_184,
    "tf_efficientnet_b2": 9_109_994,
    "tf_efficientnet_b3": 12_233_232,
    "tf_efficientnet_b4": 19_341_616,
    "tf_efficientnet_b5": 30_389_784,
    "tf_efficientnet_b6": 43_040_704,
    "tf_efficientnet_b7": 66_347_960,
    "tf_efficientnet_b8": 87_413_142,
    "tf_efficientnet_lite0": 4_652_008,
    "tf_efficientnetv2_b0": 7_139_704,
    "tf_efficientnetv2_s": 21_458_488,
    "mobilenet_v1": 4_231_976,
    "mobilenet_v3_large": 5_483_032,
    "mobilenet_v3_small": 2_542_856,
    "mnasnet1_0": 4_383_312,
    "legacy_xception": 22_855_952,
    "resnet50c": 25_576_264,
    "resnet50d": 25_576_264,
    "convnext_tiny": 28_589_128,
    "convnext_small": 50_223_688,
    "convnext_base": 88_591_464,
    "convnext_large": 197_767_336,
    "regnet_y_400mf": 4_344_144,
    "regnet_y_8gf": 39_381_472,
    "regnet_y_16gf": 83_590_140,
    "regnet_y_32gf": 145_046_770,
    "dla34": 15_742_104,
    "dla60": 22_036_632,
    "hrnet_w18": 21_299_004,
    "shufflenet_v1_g1": 1_531_936,
    "shufflenet_v1_g2": 1_733_848,
    "shufflenet_v1_g3": 1_865_728,
    "shufflenet_v1_g4": 1_968_344,
    "shufflenet_v1_g8": 2_434_768,
    "shufflenet_v2_x0_5": 1_366_792,
    "shufflenet_v2_x1_0": 2_278_604,
    "shufflenet_v2_x1_5": 3_503_624,
    "shufflenet_v2_x2_0": 7_393_996,
}

# Encoders of segmentation_models.pytorch 0.6 on the same classifiers: nothing follows the last level.
ENCODER_PARAMETERS = {
    "resnet34": 21_284_672,
    "resnet50": 23_508_032,
    "vgg16": 14_714_688,
    "vgg16_bn": 14_723_136,
    "tf_efficientnet_b0": 3_595_388,
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_model_has_the_published_number_of_parameters(name: str) -> None:
    assert archdsl.load(name).params == PARAMETERS[name]


@pytest.mark.parametrize("name", TORCHVISION)
def test_multiply_adds_are_those_that_torchvision_states(name: str) -> None:
    weights = get_model_weights(name)["IMAGENET1K_V1"]
    assert archdsl.load(name).macs / 1e9 == pytest.approx(weights.meta["_ops"], abs=5e-4)


@pytest.mark.parametrize("number", [0, 1, 3, 4, 5, 6, 7])  # torchvision measured b2 at another size
def test_multiply_adds_of_an_efficientnet_are_those_that_torchvision_states(number: int) -> None:
    weights = get_model_weights(f"efficientnet_b{number}")["IMAGENET1K_V1"]
    for family in ("efficientnet", "tf_efficientnet"):
        macs = archdsl.load(f"{family}_b{number}").macs
        assert macs / 1e9 == pytest.approx(weights.meta["_ops"], abs=5e-4)


@pytest.mark.parametrize("name", ENCODER_PARAMETERS)
def test_an_encoder_has_nothing_after_its_last_level(name: str) -> None:
    assert archdsl.load(f"encoder {name}").params == ENCODER_PARAMETERS[name]


def test_the_stages_of_efficientnet_b0_have_their_parameters() -> None:
    """Counted in TensorFlow's network."""
    found = archdsl.load("tf_efficientnet_b0")
    assert isinstance(found, archdsl.Architecture)
    count = {row.path: row.params for row in found.summary(2).rows}
    stages = [1_448, 16_714, 46_640, 242_930, 543_148, 2_026_348, 717_232]
    assert [count[f"blocks.{number}"] for number in range(7)] == stages
    assert sum(stages) + 928 + 412_160 + 1_281_000 == found.params
