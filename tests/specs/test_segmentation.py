"""Segmentation networks that are no U-Net against torchvision, segmentation_models.pytorch, their papers."""

from __future__ import annotations

import pytest
import segmentation_models_pytorch as smp
import torch
from torch import Tensor, nn

import archdsl
from tests.specs.references import carried, difference, disagreement, images, ours, randomised
from tests.specs.segmenters import SEGMENTERS, built, compared
from tests.specs.torch_segmenters import FullyConvolutional

TOLERANCE = 1e-4


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("name", [name for name in SEGMENTERS if "resnet101" not in name])
def test_a_network_with_its_references_weights_gives_its_references_output(name: str) -> None:
    assert compared(name) <= TOLERANCE


# ---- torchvision -----------------------------------------------------------------------------------

# With 21 classes: as it is used, and with the auxiliary classifier of training.
TORCHVISION = {
    "fcn_resnet50": (32_957_013, 35_322_218),
    "fcn_resnet101": (51_949_141, 54_314_346),
    "deeplabv3_resnet50": (39_638_869, 42_004_074),
    "deeplabv3_resnet101": (58_630_997, 60_996_202),
    "deeplabv3_mobilenet_v3_large": (11_025_477, 11_029_328),
    "lraspp_mobilenet_v3_large": (3_221_538, 3_221_538),
}


@pytest.mark.parametrize("name", TORCHVISION)
def test_a_model_has_torchvisions_parameters_with_and_without_what_only_training_has(name: str) -> None:
    found = archdsl.load(name)
    assert isinstance(found, archdsl.Architecture)
    with torch.device("meta"):
        module = found.to_torch(inference=True)
    assert (parameters(module), found.params) == TORCHVISION[name]
    assert parameters(built(name)) == TORCHVISION[name][1]


@pytest.mark.parametrize("name", ["fcn_resnet50", "deeplabv3_mobilenet_v3_large", "spnet_resnet50"])
def test_the_outputs_of_training_are_the_references(name: str) -> None:
    """torchvision gives its auxiliary output in inference, too."""
    theirs = randomised(built(name))
    module = carried(theirs, ours(name), SEGMENTERS[name].nodes)
    x = images(65, 97)
    with torch.inference_mode():
        got, wanted = in_training(module)(x), in_training(theirs)(x)
    for output in ("aux", "out"):
        assert disagreement(got[output], wanted[output]) <= TOLERANCE, output


def in_training(module: nn.Module) -> nn.Module:
    """The module with all of its outputs, while batch norms and dropouts stay as they are."""
    module.training = True
    return module


@pytest.mark.parametrize("name", [name for name in TORCHVISION if "lraspp" not in name])
def test_the_auxiliary_loss_has_the_weight_that_torchvision_trains_with(name: str) -> None:
    assert ours(name).loss_weights == {"out": 1.0, "aux": 0.5}


# ---- segmentation_models.pytorch --------------------------------------------------------------------

SMP = {
    "pspnet_resnet34": 1_501_217,  # what is alive: smp carries two levels of the encoder that nothing reads
    "deeplabv3_resnet34": 26_007_105,
    "deeplabv3plus_resnet34": 22_437_457,
    "pan_resnet34": 21_475_816,
    "upernet_resnet34": 29_599_681,
    "manet_resnet34": 31_783_633,
    "fpn_resnet34": 23_155_393,
    "fpn_resnet50": 26_116_033,
    "linknet_resnet34": 21_771_937,
}


@pytest.mark.parametrize("name", SMP)
def test_a_model_has_smps_parameters(name: str) -> None:
    assert archdsl.load(name).params == SMP[name]


def test_the_parts_of_dpt_have_smps_parameters() -> None:
    """smp carries the last norm and the classifier of the transformer, which nothing reads."""
    name = "dpt_vit_base_patch16_224"
    found = archdsl.load(name)
    assert isinstance(found, archdsl.Architecture)
    count = {row.path: row.params for row in found.summary(1).rows}
    theirs = built(name)
    unread = parameters(theirs.encoder.model.norm) + parameters(theirs.encoder.model.head)
    assert count["encoder"] == parameters(theirs.encoder) - unread == 85_797_120
    assert count["neck"] + count["decoder"] == parameters(theirs.decoder) == 34_619_904
    assert count["head"] == parameters(theirs.segmentation_head) == 590_593


READOUTS = {"cat": "class_token=true | neck project_readout", "add": "mean_token=true | neck add_readout"}


@pytest.mark.parametrize("readout", ["cat", "add", "ignore"])
@pytest.mark.parametrize("name", ["test_vit", "deit_tiny_distilled_patch16_224"])
def test_dpt_of_other_blocks_widths_and_readouts_is_smps(name: str, readout: str) -> None:
    """The second has a token of distillation behind the class token."""
    with torch.device("meta"):
        theirs = smp.DPT(
            f"tu-{name}",
            encoder_depth=3,
            encoder_output_indices=[1, 3, 5],
            encoder_weights=None,
            decoder_readout=readout,
            decoder_intermediate_channels=(24, 40, 48),
            decoder_fusion_channels=16,
            dynamic_img_size=True,
            classes=2,
        ).eval()
    module = ours(
        f"""
input 3x96x160

encoder timm:{name} taps=[blocks.1, blocks.3, blocks.5] {READOUTS.get(readout, "")}
| dpt [24, 40, 48] channels=16 as decoder | head fcn_head out=2 r=1 align_corners=true
"""
    )
    nodes = {
        "encoder": "encoder",
        "segmentation_head": "head",
        **{f"decoder.reassemble_blocks.{n}": f"decoder.reassembled{n}" for n in range(3)},
        **{f"decoder.fusion_blocks.{2 - n}": f"decoder.fused{n}" for n in range(3)},
        **({"decoder.projection_blocks": "neck"} if readout == "cat" else {}),
    }
    carried(randomised(theirs), module, nodes)
    x = images(96, 160)
    with torch.inference_mode():
        assert disagreement(module(x), theirs(x)) <= TOLERANCE


B0 = "encoder tf_efficientnet_b0"
ON_EFFICIENTNET_B0 = {
    "pspnet_resnet34": (113_993, f"{B0} depth=3 | context psp | head 3x3 out=1 align_corners=true"),
    "deeplabv3_resnet34": (
        6_892_413,
        f"{B0} output_stride=8 | head deeplabv3_head out=1 align_corners=true",
    ),
    "deeplabv3plus_resnet34": (
        4_495_309,
        f"{B0} output_stride=16 taps=[blocks.1, blocks.6] | deeplabv3plus as decoder"
        " | head 1x1 out=1 align_corners=true",
    ),
    "pan_resnet34": (
        3_686_500,
        f"{B0} output_stride=16 taps=[blocks.1, blocks.2, blocks.4, blocks.6] | pan as decoder"
        " | head 3x3 out=1 align_corners=true",
    ),
    "upernet_resnet34": (
        11_200_861,
        f"{B0} | levels [1, 2, 3, 4] | upernet as decoder | head 1x1 out=1 align_corners=true",
    ),
    "manet_resnet34": (8_669_699, f"{B0} | manet as decoder | head 3x3 out=1"),
}


@pytest.mark.parametrize("name", ON_EFFICIENTNET_B0)
def test_the_same_decoder_on_efficientnet_b0_is_smps(name: str) -> None:
    count, spec = ON_EFFICIENTNET_B0[name]
    assert archdsl.load(spec).params == count
    with torch.device("meta"):
        theirs = type(built(name))("tu-tf_efficientnet_b0", encoder_weights=None).eval()
    module = carried(randomised(theirs), ours(spec), SEGMENTERS[name].nodes)
    assert difference(module, theirs, images(128, 160)) <= TOLERANCE


# ---- FCN on VGG-16 -----------------------------------------------------------------------------------

FC6, FC7, SCORE = 512 * 4096 * 49 + 4096, 4096 * 4096 + 4096, 4096 * 21 + 21
FEATURES = 14_714_688  # of torchvision's vgg16


def upscore(stride: int) -> int:
    return 21 * 21 * (2 * stride) ** 2


# As pytorch-fcn counts them, and as its layers add up.
FCN = {
    "fcn32s_vgg16": (136_152_917, upscore(32)),
    "fcn16s_vgg16": (134_815_994, upscore(2) + 512 * 21 + 21 + upscore(16)),
    "fcn8s_vgg16": (134_489_759, 2 * upscore(2) + (512 + 256) * 21 + 42 + upscore(8)),
}


@pytest.mark.parametrize("name", FCN)
def test_a_fully_convolutional_vgg_has_the_published_parameters_and_the_images_size(name: str) -> None:
    published, climbs = FCN[name]
    found = archdsl.load(name)
    assert isinstance(found, archdsl.Architecture)
    assert found.params == published == FEATURES + FC6 + FC7 + SCORE + climbs
    with torch.device("meta"):
        module = found.to_torch()
        for size in ((224, 224), (97, 131), (1, 32)):
            assert module(torch.empty(1, 3, *size)).shape == (1, 21, *size)


@pytest.mark.parametrize(("name", "levels"), list(zip(FCN, (1, 2, 3), strict=True)))
@pytest.mark.parametrize("size", [(64, 96), (45, 71)])
def test_a_fully_convolutional_network_crops_as_its_authors_do(
    name: str, levels: int, size: tuple[int, int]
) -> None:
    taps = ["features.8", "features.11", "features.14"][-levels:]
    spec = (
        f"pad 99 | encoder (vgg [1, 1, 1, 1, 1] ceil=true) taps=[{', '.join(taps)}]"
        " | fcn 21 hidden=8 as decoder"
    )
    with torch.device("meta"):
        plan = [64, "M", 128, "M", 256, "M", 512, "M", 512, "M"]
        theirs = FullyConvolutional(levels, plan, hidden=8).eval()
    module = carried(randomised(theirs), ours(spec), SEGMENTERS[name].nodes)
    x = 1000 * images(*size, batch=1)  # transposed convolutions have small random weights
    assert difference(module, theirs, x) <= TOLERANCE


# ---- SPNet --------------------------------------------------------------------------------------------

# As the authors' code has them with 150 classes and the auxiliary head: without strips in the encoder, with.
SPNET = {"spnet_resnet50": (41_721_068, 47_838_124), "spnet_resnet101": (60_713_196, 66_830_252)}


@pytest.mark.parametrize("name", SPNET)
@pytest.mark.parametrize("strips", [False, True])
def test_spnet_has_its_authors_parameters(name: str, strips: bool) -> None:
    encoder = f"({name} strips={str(strips).lower()})"
    spec = f"""
encoder {encoder} taps=[layer3, layer4] | aux (level 0 | fcn_head 150) as aux | head spnet_head out=150
"""
    assert archdsl.load(spec).params == SPNET[name][strips]
    assert not strips or archdsl.load(name).params == SPNET[name][strips]


def test_the_head_of_spnet_has_its_authors_parameters() -> None:
    assert archdsl.load("input 2048x16x16\n\nspnet_head 150").params == 15_690_902


# ---- of any encoder -----------------------------------------------------------------------------------


def test_the_check_tells_the_smallest_image_that_pan_can_take() -> None:
    """A side of 113 is 57, 29, 15, 8 pixels after halving, rounded up, and 4, 2, 1 after pooling."""
    spec = "input 3x112x128\n\nencoder resnet34 output_stride=16 | pan as decoder | head 3x3 out=1"
    (found,) = archdsl.check(spec)
    assert (found.code, found.help) == ("E259", "the smallest input is 113x113")
    assert archdsl.check(spec.replace("112x128", "113x113")) == ()


DECODERS = (
    "context psp | head 3x3 out=2",
    "head deeplabv3_head out=2",
    "head fcn_head out=2",
    "head spnet_head out=2",
    "lraspp_head 2 as head | interpolate like=@input",
    "levels [1, 4] | deeplabv3plus as decoder | head 1x1 out=2",
    "pan as decoder | head 3x3 out=2",
    "upernet 32 as decoder | head 1x1 out=2",
    "manet as decoder | head 3x3 out=2",
    "levels [1, 2, 3, 4] | dpt channels=32 as decoder | head fcn_head out=2 r=1",
)


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("encoder", ["mobilenet_v2", "effnet_b0"])
def test_a_decoder_takes_any_encoder_and_odd_sizes_and_trains_all_it_has(encoder: str, decoder: str) -> None:
    module = ours(f"input 3x231x260\n\nencoder {encoder} | {decoder}").train()
    x = torch.empty(2, 3, 231, 260, device="meta")
    made = module(x)
    assert isinstance(made, Tensor)
    assert made.shape == (2, 2, 231, 260)
    made.sum().backward()
    assert [name for name, parameter in module.named_parameters() if parameter.grad is None] == []
