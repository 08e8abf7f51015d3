"""U-Nets of other authors against their tables and counts.

With the same networks written in torch test_segmentation.py compares what they give.
"""

from __future__ import annotations

import pytest
import torch

import archdsl
from archdsl import resources
from archdsl.ops.norms import BatchNorm
from tests.specs.references import carried, difference, images, ours, randomised
from tests.specs.segmenters import SEGMENTERS
from tests.specs.torch_unets import EfficientUnet, R2UNet, TernausNet, Unpadded


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def architecture(spec: str) -> archdsl.Architecture:
    found = archdsl.load(spec)
    assert isinstance(found, archdsl.Architecture)
    return found


def maps(spec: str, *words: str) -> list[tuple[int, ...]]:
    """The shapes that operations of these words give, in order."""
    operations = architecture(spec).network.operations
    return [operation.shape for operation in operations if operation.op.name in words]


def statistics(found: archdsl.Architecture) -> int:
    """Means and variances of batch norms: what Keras and Lasagne count as parameters, and torch doesn't."""
    operations = found.network.operations
    return sum(
        2 * operation.shape.channels for operation in operations if isinstance(operation.op, BatchNorm)
    )


# ---- Ronneberger et al. 2015 -----------------------------------------------------------------------


@pytest.mark.parametrize(("channels", "parameters"), [(1, 31_030_658), (3, 31_031_810)])
def test_the_original_unet_has_its_parameters(channels: int, parameters: int) -> None:
    with torch.device("meta"):
        theirs = Unpadded(channels, 2, (64, 128, 256, 512, 1024))
    text = library("unet_original").replace("input 1x", f"input {channels}x")
    assert architecture(text).params == sum(p.numel() for p in theirs.parameters()) == parameters


def library(model: str) -> str:
    return (resources.specs() / "models" / f"{model}.arch").read_text(encoding="utf-8")


def test_the_original_unet_has_the_sizes_of_its_figure() -> None:
    sides = [570, 568, 282, 280, 138, 136, 66, 64, 30, 28]
    sides += [54, 52, 102, 100, 198, 196, 390, 388, 388]
    assert [shape[-1] for shape in maps("unet_original", "conv")] == sides


# ---- Zhou et al. 2018, and the port to PyTorch that most use ---------------------------------------


def test_the_wide_unet_has_9_282_246_parameters() -> None:
    assert architecture("wide_unet").params == 9_282_246


# MrGiovanni's U-Net and UNet++ of images with three channels, and the variant of the wide one that is printed
# as 9.13 million: its transposed convolutions have the widths of before.
NARROW_STEPS = """
input 1x96x96

def unit(width) = (conv 3x3 width | relu) * 2
def grow(width) = transpose_conv 2x2 (width//35*32) stride=2

encoder plain widths=[35, 70, 140, 280, 560] block=unit
| skip plain
| up grow channels=[280, 140, 70, 35] block=unit
| head 1x1 out=1
"""


@pytest.mark.parametrize(
    ("model", "parameters"), [("unet", 7_760_097), ("unetpp", 9_042_177), ("wide_unet", 9_282_876)]
)
def test_two_more_channels_are_nine_weights_each_for_every_filter(model: str, parameters: int) -> None:
    grey = architecture(model).params
    found = archdsl.load(model, input=(3, 96, 96)).params
    assert found == parameters == grey + 2 * 9 * (35 if model == "wide_unet" else 32)


def test_the_wide_unet_of_the_paper_has_narrow_steps() -> None:
    assert architecture(NARROW_STEPS).params == 9_130_476


PORT = """
input {}

def unit(width) = (conv 3x3 width | bn | relu) * 2

encoder plain widths=[32, 64, 128, 256, 512] block=unit
| skip {}
| up bilinear channels=[256, 128, 64, 32] block=unit
| head 1x1 out=1 {}
"""


@pytest.mark.parametrize(
    ("image", "skip", "head", "parameters"),
    [
        ("1x96x96", "plain", "", 7_851_969),
        ("3x96x96", "plain", "", 7_852_545),
        ("1x96x96", "nested", "", 9_162_753),
        ("3x96x96", "nested", "", 9_163_329),
        ("3x96x96", "nested", "supervise=deep", 9_163_428),
    ],
)
def test_recipes_have_the_parameters_of_the_port_with_batch_norm(
    image: str, skip: str, head: str, parameters: int
) -> None:
    assert architecture(PORT.format(image, skip, head)).params == parameters


# ---- EfficientUnet ---------------------------------------------------------------------------------

# Both forms of the Keras code, trainable and all, and the total without the image at the end; the biases of
# the PyTorch port are 1,984 more.
EFFICIENTUNETS = [
    (14_114_174, 14_160_158, 14_159_294, 15_117_726, 15_163_710),
    (16_619_810, 16_685_826, 16_684_962, 17_623_362, 17_689_378),
    (18_125_060, 18_196_596, 18_195_732, 19_456_292, 19_527_828),
    (21_433_130, 21_524_394, 21_523_530, 23_092_042, 23_183_306),
    (28_901_962, 29_031_130, 29_030_266, 31_216_234, 31_345_402),
    (40_319_794, 40_496_498, 40_495_634, 43_289_426, 43_466_130),
    (53_335_770, 53_564_170, 53_563_306, 56_960_762, 57_189_162),
    (77_012_690, 77_327_378, 77_326_514, 81_293_042, 81_607_730),
]
PORTED = [
    14_116_158,
    16_621_794,
    18_127_044,
    21_435_114,
    28_903_946,
    40_321_778,
    53_337_754,
    77_014_674,
]
# Channels at strides 2, 4, 8, 16, 32.
LEVELS = [
    (16, 24, 40, 80, 1280),
    (16, 24, 40, 80, 1280),
    (16, 24, 48, 88, 1408),
    (24, 32, 48, 96, 1536),
    (24, 32, 56, 112, 1792),
    (24, 40, 64, 128, 2048),
    (32, 40, 72, 144, 2304),
    (32, 48, 80, 160, 2560),
]


@pytest.mark.parametrize("number", range(8))
def test_every_efficientunet_has_its_authors_parameters(number: int) -> None:
    transposed, transposed_total, without_image, resized, resized_total = EFFICIENTUNETS[number]
    found = architecture(f"efficientunet_b{number}")
    assert (found.params, found.params + statistics(found)) == (transposed, transposed_total)
    call = f"efficientunet tf_efficientnet_b{number}"
    alone = architecture(f"{call} image=false")
    assert alone.params + statistics(alone) == without_image
    assert alone.network.shape_of(alone.network.outputs[0].value) == (2, 224, 224)
    bilinear = architecture(f"{call} climb=bilinear")
    assert (bilinear.params, bilinear.params + statistics(bilinear)) == (resized, resized_total)
    assert architecture(f"{call} bias=true eps=1e-5").params == PORTED[number] == transposed + 1984


@pytest.mark.parametrize("number", range(8))
def test_an_efficientunet_reads_the_first_block_of_each_resolution(number: int) -> None:
    cells = {cell.name: cell.value for cell in architecture(f"efficientunet_b{number}").network.cells}
    shape_of = architecture(f"efficientunet_b{number}").network.shape_of
    found = [shape_of(cells[f"x{row}_0"]) for row in range(5)]
    assert found == [(width, 112 >> row, 112 >> row) for row, width in enumerate(LEVELS[number])]


def test_an_efficientunet_can_start_from_published_weights() -> None:
    found = architecture("efficientunet tf_efficientnet_b0 weights=imagenet")
    assert found.weights == {"encoder": "timm:tf_efficientnet_b0.aa_in1k"}
    assert architecture("efficientunet_b0").weights == {}


def test_the_port_of_efficientunet_is_its_encoder_and_steps_in_torch() -> None:
    with torch.device("meta"):
        theirs = EfficientUnet("tf_efficientnet_b0", bias=True, eps=1e-5)
    module = ours("efficientunet tf_efficientnet_b0 bias=true eps=1e-5")
    module = carried(randomised(theirs.eval()), module, SEGMENTERS["efficientunet_b0"].nodes)
    assert difference(module, theirs, images(64, 96)) <= 1e-4


# ---- ResUNet, FC-DenseNet: their papers' tables ----------------------------------------------------

# Zhang et al. 2017, table 1: channels and side of every convolution of a 224x224 image; 15 is the last one.
RESUNET = [
    *[(64, 224)] * 2, *[(128, 112)] * 2, *[(256, 56)] * 2, *[(512, 28)] * 2,
    *[(256, 56)] * 2, *[(128, 112)] * 2, *[(64, 224)] * 2,
]  # fmt: skip


def test_resunet_has_the_convolutions_of_its_table() -> None:
    operations = architecture("resunet").network.operations
    found = [o for o in operations if o.op.name == "conv" and o.op.kernel == (3, 3)]
    assert [(o.shape.channels, o.shape[-1]) for o in found] == RESUNET
    # The decoder's first convolutions read what climbs and its skip: 512+256, 256+128, 128+64.
    entering = [3, 64, 64, 128, 128, 256, 256, 512, 768, 256, 384, 128, 192, 64]
    weights = sum(9 * a * b for a, (b, _) in zip(entering, RESUNET, strict=True)) + 64
    assert round(weights / 1e6, 1) == 7.8  # as the paper prints
    # Beyond those: 1x1 shortcuts with batch norm wherever a unit changes its channels, and the norms inside.
    shortcuts = sum(
        a * b + 2 * b for a, b in zip(entering[::2], [64, 128, 256, 512, 256, 128, 64], strict=True)
    )
    norms = 2 * (sum(entering) - 3)
    assert architecture("resunet").params == weights + shortcuts + norms + 1


# Jegou et al. 2016, table 2: channels m after each block. The paper's 578 is 576: 464 + 7*16 = 576.
TIRAMISU = {0: 112, 1: 192, 2: 304, 3: 464, 4: 656}
CLIMBED = {4: 1088, 3: 816, 2: 576, 1: 384, 0: 256}


def test_fc_densenet103_has_the_channels_of_its_table() -> None:
    network = architecture("fc_densenet103").network
    values = {cell.name: cell.value for cell in network.cells}
    for row, channels in TIRAMISU.items():
        assert network.shape_of(values[f"x{row}_0"]) == (channels, 224 >> row, 224 >> row)
    assert network.shape_of(values["x5_0"]) == (15 * 16, 7, 7)
    for row, layers in {4: 12, 3: 10, 2: 7, 1: 5}.items():
        # What climbed, its skip and what the block adds are the table's m; only the last goes on.
        below = network.shape_of(values["x5_0" if row == 4 else f"x{row + 1}_{4 - row}"]).channels
        own = network.shape_of(values[f"x{row}_{5 - row}"]).channels
        assert own == layers * 16
        assert below + TIRAMISU[row] + own == CLIMBED[row]
    assert network.shape_of(values["x0_5"]) == (256, 224, 224)


# Millions that the paper prints, with the statistics of batch norms, which its code counts. Of FC-DenseNet56
# it prints 1.5, but the four layers a block with growth 12 that it states make 1.4.
@pytest.mark.parametrize(
    ("model", "layers", "millions"),
    [("fc_densenet56", 56, 1.4), ("fc_densenet67", 67, 3.5), ("fc_densenet103", 103, 9.4)],
)
def test_an_fc_densenet_has_its_layers_and_parameters(model: str, layers: int, millions: float) -> None:
    found = architecture(model)
    assert len(maps(model, "conv", "transpose_conv")) == layers
    assert round((found.params + statistics(found)) / 1e6, 1) == millions


# ---- TernausNet ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("depth", "parameters"), [(11, 22_927_393), (16, 29_306_465)])
def test_a_ternausnet_has_its_authors_parameters(depth: int, parameters: int) -> None:
    with torch.device("meta"):
        theirs = TernausNet(depth)
    assert (
        architecture(f"ternausnet{depth}").params == sum(p.numel() for p in theirs.parameters()) == parameters
    )


# ---- R2U-Net ---------------------------------------------------------------------------------------


def test_r2unet_has_its_authors_parameters() -> None:
    with torch.device("meta"):
        theirs = R2UNet()
    assert architecture("r2unet").params == sum(p.numel() for p in theirs.parameters()) == 39_091_393


# ---- odd sizes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "model", ["efficientunet_b0", "fc_densenet56", "r2unet", "resunet", "ternausnet11", "wide_unet"]
)
def test_a_unet_gives_back_an_odd_size_and_trains(model: str) -> None:
    with torch.device("meta"):
        module = archdsl.compile(model).train()
        image = torch.empty(2, 1 if model == "wide_unet" else 3, 97, 131)
        answer = module(image)
        answer.sum().backward()
    assert answer.shape[2:] == (97, 131)
    assert all(parameter.grad is not None for parameter in module.parameters())
