"""Every decoder of segmentation_models.pytorch on encoders of the library: what is alive there is built here.

Counted in smp 0.6 with one class. It carries parameters that no gradient reaches (levels that a decoder
doesn't read, a last convolution of EfficientNet, a centre of VGG), which aren't built here: what lives is
what a backward pass through smp's own network finds. What the networks give is compared elsewhere
(test_segmentation.py, test_smp_unet.py), but for the dilated levels of encoders. Smp's own EfficientNet-B0
can't be compared there: it dilates two units of stride 16 as if they had 32, its B1 to B7 and timm's don't.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest
import segmentation_models_pytorch as smp
import torch
from torch import nn

import archdsl
from tests.specs.references import carried, disagreement, images, ours, randomised

GROW = """
def grow(width) =
  conv 1x1 (@in//4) bias=false | bn | relu
  | transpose_conv 4x4 (@in//4) bias=true | bn | relu
  | conv 1x1 width bias=false | bn | relu

"""
CLIMB = "up nearest channels=[256, 128, 64, 32, 16]"
WIDE, NARROW = "head 3x3 out=1", "head 1x1 out=1 align_corners=true"

# What comes before the encoder, its output stride, and what reads its levels: those of strides 2 to 32, or
# the four deepest of a dilated encoder.
DECODERS = {
    "Unet": ("", 32, f"skip plain | {CLIMB} | {WIDE}"),
    "UnetPlusPlus": ("", 32, f"skip nested order=newest | {CLIMB} inner=encoder | {WIDE}"),
    "FPN": ("", 32, "levels [1, 2, 3, 4] | neck fpn smooth=false | head fpn out=1 align_corners=true"),
    "PSPNet": ("", 32, f"levels [0, 1, 2] | context psp | {WIDE} align_corners=true"),
    "DeepLabV3": ("", 8, "head deeplabv3_head out=1 align_corners=true"),
    "DeepLabV3Plus": ("", 16, f"levels [0, 3] | deeplabv3plus as decoder | {NARROW}"),
    "Linknet": (GROW, 32, "skip add | up grow channels=[32] block=id | head 1x1 out=1"),
    "PAN": ("", 16, f"pan as decoder | {WIDE} align_corners=true"),
    "MAnet": ("", 32, f"manet as decoder | {WIDE}"),
    "UPerNet": ("", 32, f"levels [1, 2, 3, 4] | upernet as decoder | {NARROW}"),
    "Segformer": ("", 32, f"segformer at=1 as decoder | {NARROW}"),
}


class Encoder(NamedTuple):
    """An encoder here, and the levels that smp reads: the finest (none: that of here), and the others."""

    name: str
    finest: str
    taps: tuple[str, ...] = ()

    def at(self, stride: int) -> str:
        """The encoder with an output stride."""
        if stride < 32:
            return f"encoder {self.name} output_stride={stride} taps=[{', '.join(self.taps)}]"
        taps = f" taps=[{', '.join((self.finest, *self.taps))}]" if self.finest else ""
        return f"encoder {self.name}{taps}"


def resnet(name: str) -> Encoder:
    return Encoder(name, "", ("layer1", "layer2", "layer3", "layer4"))


def efficientnet(number: int, finest: str = "act1") -> Encoder:
    return Encoder(f"tf_efficientnet_b{number}", finest, ("blocks.1", "blocks.2", "blocks.4", "blocks.6"))


def features(name: str, *places: object) -> Encoder:
    finest, *taps = (f"features.{place}" for place in places)
    return Encoder(name, finest, tuple(taps))


def densenet(depth: int) -> Encoder:
    transitions = (f"transition{n}.relu" for n in (1, 2, 3))
    return features(f"densenet{depth}", "relu0", *transitions, "norm5")


# By smp's names.
ENCODERS = {
    "efficientnet-b0": efficientnet(0),
    "tu-tf_efficientnet_b0": efficientnet(0, finest=""),
    "resnet34": resnet("resnet34"),
    "resnet50": resnet("resnet50"),
    "vgg16": features("vgg16", 8, 15, 22, 29, 30),
    "vgg16_bn": features("vgg16_bn", 12, 22, 32, 42, 43),
    "densenet121": densenet(121),
    "mobilenet_v2": features("mobilenet_v2", 1, 3, 6, 13, 18),
    "se_resnet50": resnet("legacy_seresnet50"),
}

# All parameters that smp has, by decoder; None where it refuses to dilate what pooling strides.
# fmt: off
TOTALS: dict[str, tuple[int | None, ...]] = {
    "efficientnet-b0": (
        6_251_469, 6_569_581, 5_759_485, 4_055_811, 7_304_573, 4_907_469, 4_167_169, 4_098_660, 9_092_357,
        11_613_021, 4_472_445),
    "tu-tf_efficientnet_b0": (
        5_834_701, 6_066_221, 5_347_325, 3_643_651, 6_892_413, 4_495_309, 3_753_773, 3_686_500, 8_669_699,
        11_200_861, 4_056_189),
    "resnet34": (
        24_436_369, 26_078_609, 23_155_393, 21_437_985, 26_007_105, 22_437_457, 21_771_937, 21_475_816,
        31_783_633, 29_599_681, 21_876_545),
    "resnet50": (
        32_521_105, 48_985_745, 26_116_033, 24_300_993, 39_633_729, 26_677_585, 31_177_777, 24_259_816,
        147_439_993, 37_284_673, 24_837_185),
    "vgg16": (
        23_748_241, 39_347_345, 16_798_401, 15_507_649, None, None, 15_978_497, None, 27_926_849, 23_244_353,
        15_535_937),
    "vgg16_bn": (
        23_756_689, 39_355_793, 16_806_849, 15_516_097, None, None, 15_986_945, None, 27_935_297, 23_252_801,
        15_544_385),
    "densenet121": (
        13_607_633, 30_072_273, 9_299_713, 7_746_817, None, None, 10_428_017, None, 44_767_417, 17_320_577,
        8_020_865),
    "mobilenet_v2": (
        6_628_945, 6_824_721, 4_215_425, 2_263_353, 12_647_937, 4_378_513, 4_319_859, 2_416_552, 48_888_741,
        13_019_953, 2_924_289),
    "se_resnet50": (
        35_052_097, 51_516_737, 28_647_025, 26_831_985, 42_164_721, 29_208_577, 33_708_769, 26_790_808,
        149_970_985, 39_815_665, 27_368_177),
}
# fmt: on
GRID = [(encoder, *cell) for encoder in ENCODERS for cell in zip(DECODERS, TOTALS[encoder], strict=True)]


def theirs(decoder: str, encoder: str) -> nn.Module:
    """Smp's network, without memory."""
    with torch.device("meta"):
        model: nn.Module = getattr(smp, decoder)(encoder, encoder_weights=None)
    return model


def spec(decoder: str, encoder: Encoder) -> str:
    """The same network here. VGG has two more convolutions below a U-Net there."""
    before, stride, after = DECODERS[decoder]
    centre = "context (double_conv 512) | " if decoder == "Unet" and encoder.name.startswith("vgg") else ""
    return f"{before}{encoder.at(stride)} | {centre}{after}"


def total(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def alive(module: nn.Module) -> int:
    """The parameters that a gradient reaches."""
    module.train()(torch.empty(2, 3, 256, 256, device="meta")).sum().backward()
    return sum(parameter.numel() for parameter in module.parameters() if parameter.grad is not None)


@pytest.mark.parametrize(("encoder", "decoder", "parameters"), GRID)
def test_each_decoder_on_each_encoder_has_what_is_alive_in_smps(
    encoder: str, decoder: str, parameters: int | None
) -> None:
    text = spec(decoder, ENCODERS[encoder])
    if parameters is None:
        with pytest.raises(ValueError, match="dilated mode"):
            theirs(decoder, encoder)
        assert [found.code for found in archdsl.check(text)] == ["E257"]
        return
    model = theirs(decoder, encoder)
    assert total(model) == parameters
    assert archdsl.load(text).params == alive(model)


# U-Net and UNet++ on other encoders.
OTHERS = {
    **{f"efficientnet-b{n}": efficientnet(n) for n in range(1, 8)},
    **{f"resnet{depth}": resnet(f"resnet{depth}") for depth in (18, 101, 152)},
    "vgg11": features("vgg11", 4, 9, 14, 19, 20),
    "vgg19": features("vgg19", 8, 17, 26, 35, 36),
    **{f"densenet{depth}": densenet(depth) for depth in (161, 169, 201)},
    "senet154": Encoder("legacy_senet154", ""),
    "tu-convnext_tiny": Encoder("convnext_tiny", ""),
    "tu-regnety_080": Encoder("(regnet_y [[2, 168], [4, 448], [10, 896], [1, 2016]] 56)", ""),
}
UNETS = {
    "efficientnet-b1": (8_757_105, 9_075_217),
    "efficientnet-b2": (10_046_291, 10_401_299),
    "efficientnet-b3": (13_159_033, 13_624_793),
    "efficientnet-b4": (20_225_689, 20_813_113),
    "efficientnet-b5": (31_216_001, 31_910_081),
    "efficientnet-b6": (43_825_193, 44_665_129),
    "efficientnet-b7": (67_095_329, 68_163_553),
    "resnet18": (14_328_209, 15_970_449),
    "resnet101": (51_513_233, 67_977_873),
    "resnet152": (67_156_881, 83_621_521),
    "vgg11": (18_254_033, 33_853_137),
    "vgg19": (29_057_937, 44_657_041),
    "densenet161": (38_738_321, 79_056_401),
    "densenet169": (21_202_641,),
    "densenet201": (28_580_561,),
    "senet154": (122_071_489,),
    "tu-regnety_080": (45_673_869,),
    "tu-convnext_tiny": (31_928_753,),
}
CELLS = [
    (encoder, *cell)
    for encoder, counts in UNETS.items()
    for cell in zip(("Unet", "UnetPlusPlus"), counts, strict=False)
]


@pytest.mark.parametrize(("encoder", "decoder", "parameters"), CELLS)
def test_a_unet_on_any_encoder_has_what_is_alive_in_smps(encoder: str, decoder: str, parameters: int) -> None:
    model = theirs(decoder, encoder)
    assert total(model) == parameters
    assert archdsl.load(spec(decoder, OTHERS[encoder])).params == alive(model)


# ---- dilated encoders ----------------------------------------------------------------------------------

# By smp's names: the encoder here, its two deepest levels, and nodes that have the same weights. Its own
# EfficientNets pad for images of one size: a side of 97 is none of theirs.
LAYERS = {f"layer{n}": f"encoder.layer{n}" for n in range(1, 5)}
DILATED = {
    "resnet34": (
        "(resnet34 dilate_first=true)",
        "layer3, layer4",
        {"conv1": "encoder.conv1", "bn1": "encoder.bn1", **LAYERS},
    ),
    "mobilenet_v2": (
        "(mobilenet_v2 dilate_first=true)",
        "features.13, features.18",
        {"features": "encoder.features"},
    ),
    "efficientnet-b1": (
        "(tf_efficientnet_b1 dilate_first=true)",
        "blocks.4, blocks.6",
        {"_conv_stem": "encoder.conv_stem", "_bn0": "encoder.bn1", "_blocks": "encoder.blocks"},
    ),
    "se_resnet50": ("legacy_seresnet50", "layer3, layer4", {"layer0": "encoder.layer0", **LAYERS}),
    "senet154": ("legacy_senet154", "layer3, layer4", {"layer0": "encoder.layer0", **LAYERS}),
}


@pytest.mark.parametrize(
    ("encoder", "stride"),
    [(encoder, stride) for encoder in DILATED for stride in (8, 16) if (encoder, stride) != ("senet154", 8)],
)
def test_a_dilated_encoder_is_smps(encoder: str, stride: int) -> None:
    """In double precision: gates make much of the last bits of single."""
    with torch.device("meta"):
        model = smp.encoders.get_encoder(encoder, weights=None, output_stride=stride)
    model = randomised(model.eval()).double()
    name, taps, nodes = DILATED[encoder]
    module = ours(f"encoder {name} output_stride={stride} taps=[{taps}]")
    carried(model, module, nodes)
    x = images(96 if encoder.startswith("efficientnet") else 97, 64, batch=1).double()
    with torch.inference_mode():
        for got, wanted in zip(module(x), model(x)[-2:], strict=True):
            assert disagreement(got, wanted) <= 1e-6
