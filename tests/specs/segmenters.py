"""Segmentation networks of the library and their references: what to build there, and which node is which.

One entry a model file. `carried` takes the weights over by `nodes`; tests/specs/test_segmentation.py then
compares the outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import segmentation_models_pytorch as smp
import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn

from tests.specs.references import carried, disagreement, images, ours, randomised
from tests.specs.torch_segmenters import FullyConvolutional, SPNet
from tests.specs.torch_skips import AttentionUNet, SegNet, UNet3Plus
from tests.specs.torch_unets import (
    EfficientUnet,
    FCDenseNet,
    Nested,
    NestedEfficientNet,
    R2UNet,
    ResUNet,
    TernausNet,
    Unpadded,
)


class Segmenter(NamedTuple):
    """What a segmentation network is compared with.

    Attributes:
        library: the package that has the reference; torch, where the tests have it (torch_*.py).
        make: builds it; called on the meta device.
        nodes: paths there, and what they are called here.
        size: of the images with which the two are compared.
        channels: of the images.
        scale: of their values.
    """

    library: str
    make: Callable[[], nn.Module]
    nodes: Mapping[str, str]
    size: tuple[int, int] = (64, 96)
    channels: int = 3
    scale: float = 1


def _smp(name: str, encoder: str, nodes: Mapping[str, str], **options: object) -> Segmenter:
    def make() -> nn.Module:
        model: nn.Module = getattr(smp, name)(encoder, encoder_weights=None, **options)
        return model

    return Segmenter("segmentation_models_pytorch", make, {"encoder": "encoder", **nodes}, (128, 160))


def _torchvision(name: str, *, aux: bool = True) -> Segmenter:
    options = {"aux_loss": True} if aux else {}

    def make() -> nn.Module:
        model: nn.Module = torchvision.models.get_model(name, weights=None, weights_backbone=None, **options)
        return model

    nodes = {"backbone": "encoder", "classifier": "head", **({"aux_classifier": "aux"} if aux else {})}
    return Segmenter("torchvision", make, nodes, (65, 97))


class ImagePyramid(nn.Module):
    """Farabet et al. 2012, arXiv:1202.2160, section 2.2, with one of torchvision's ResNets in each place."""

    def __init__(self) -> None:
        super().__init__()
        self.body = torchvision.models.resnet50(replace_stride_with_dilation=(False, True, True))
        self.body.avgpool = self.body.fc = nn.Identity()
        self.head = nn.Conv2d(3 * 2048, 21, 1)

    def features(self, x: Tensor) -> Tensor:
        for name, part in self.body.named_children():
            if name not in ("avgpool", "fc"):
                x = part(x)
        return x

    def forward(self, x: Tensor) -> Tensor:
        maps = [self.features(x)]
        for scale in (0.5, 0.25):
            coarse = self.features(F.interpolate(x, scale_factor=scale, mode="bilinear"))
            maps.append(F.interpolate(coarse, maps[0].shape[2:], mode="bilinear"))
        return F.interpolate(self.head(torch.cat(maps, 1)), x.shape[2:], mode="bilinear")


def _fpn(encoder: str) -> Segmenter:
    """Levels of smp's pyramid are p2 to p5, its segmentation blocks are those of p5 to p2."""
    nodes = {"decoder.p5": "neck.inner_blocks.3.0", "segmentation_head.0": "head.predictor"}
    nodes |= {f"decoder.p{level + 2}.skip_conv": f"neck.inner_blocks.{level}.0" for level in range(3)}
    nodes |= {f"decoder.seg_blocks.{3 - level}": f"head.scale{level}" for level in range(4)}
    return _smp("FPN", encoder, nodes)


# What the nodes of smp's U-Net are called here, the coarsest first.
UNET_NODES = ("x3_1", "x2_2", "x1_3", "x0_4", "top1")
UNET = {
    **{f"decoder.blocks.{n}": f"decoder.{node}" for n, node in enumerate(UNET_NODES)},
    "segmentation_head": "head",
}


def _unpadded() -> Segmenter:
    nodes = {f"down.{n}": f"down{n + 1}" for n in range(5)}
    nodes |= {f"grow.{n}": f"grow{n + 1}" for n in range(4)}
    nodes |= {f"up.{n}": f"up{n + 1}" for n in range(4)}
    make = partial(Unpadded, 1, 2, (64, 128, 256, 512, 1024))
    return Segmenter("torch", make, {**nodes, "head": "head"}, (204, 220), channels=1)


def _fc_densenet(layers: tuple[int, ...], bottleneck: int, growth: int) -> Segmenter:
    nodes = {f"grow.{n}": f"decoder.x{4 - n}_{n + 1}.up" for n in range(5)}
    nodes |= {f"up.{n}": f"decoder.x{4 - n}_{n + 1}.block" for n in range(5)}
    make = partial(FCDenseNet, layers, bottleneck, growth, 11)
    return Segmenter("torch", make, {**nodes, "down": "encoder", "head": "head"}, (70, 101))


def _ternausnet(depth: int, nodes: Mapping[str, str]) -> Segmenter:
    ends = {"encoder": "encoder.features", "last": "decoder.x0_5.block", "head": "head"}
    return Segmenter("torch", partial(TernausNet, depth), {**nodes, **ends})


def _r2unet() -> Segmenter:
    nodes = {f"down.{n}": f"encoder.x{n}_0" for n in range(5)}
    nodes |= {f"grow.{n}": f"decoder.x{n}_{4 - n}.up" for n in range(4)}
    nodes |= {f"up.{n}": f"decoder.x{n}_{4 - n}.block" for n in range(4)}
    return Segmenter("torch", R2UNet, {**nodes, "head": "head"}, (32, 48))


def _rows(parts: dict[str, str]) -> dict[str, str]:
    """The encoder's and the head's paths, and those of the parts of each row of the decoder."""
    rows = range(4)
    levels = {f"encoder.levels.{row}": f"encoder.x{row}_0" for row in range(5)}
    decoder = {
        f"{their}.{row}": f"decoder.x{row}_{4 - row}.{our}" for their, our in parts.items() for row in rows
    }
    return {**levels, **decoder, "head": "head"}


ATTENTION_UNET = _rows({"ups": "up", "gates": "gated", "blocks": "block"})
UNET3PLUS = {
    **_rows({"blocks": "block"}),
    **{
        f"scales.{row}.{level}": f"decoder.x{row}_{4 - row}.scale{level}.block"
        for row in range(4)
        for level in range(5)
    },
}
SEGNET = {
    "encoder": "encoder.features",
    **{f"decoder.{row}": f"decoder.x{row}_{5 - row}.block" for row in range(5)},
    "head": "head",
}


def _fcn(levels: int) -> Segmenter:
    """Transposed convolutions have small random weights, so values are large."""
    nodes = {f"classifier.{2 * n}": f"decoder.{node}" for n, node in enumerate(("fc6", "fc7", "score"))}
    nodes |= {f"ups.{n}": f"decoder.up{n + 1}" for n in range(levels - 1)}
    nodes |= {"features": "encoder.features", "top": "decoder.top"}
    return Segmenter("torch", partial(FullyConvolutional, levels), nodes, (45, 71), scale=100)


def _spnet(depth: int) -> Segmenter:
    nodes = {part: part for part in ("encoder", "aux", "head")}
    return Segmenter("torch", partial(SPNet, depth), nodes, (65, 97))


def _lattice(*, inside: bool) -> dict[str, str]:
    return {
        f"lattice.{theirs}.x{row}_{column}": f"decoder.x{row}_{column}.{here}"
        for theirs, here in (("grow", "up"), ("up", "block"))
        for row in range(4)
        for column in (range(1, 5 - row) if inside else (4 - row,))
    }


def _nested(*widths: int, inside: bool) -> Segmenter:
    nodes = {f"down.{row}": f"encoder.x{row}_0" for row in range(5)} | _lattice(inside=inside)
    return Segmenter("torch", partial(Nested, widths, inside), {**nodes, "head": "head"}, channels=1)


NESTED_EFFICIENTNET = {
    "encoder": "encoder",
    **_lattice(inside=True),
    "grow": "decoder.top1.up",
    "up": "decoder.top1.block",
    "head": "head",
}
EFFICIENTUNET = {
    "encoder": "encoder",
    **{f"steps.{n}": f"decoder.x{3 - n}_{n + 1}" for n in range(4)},
    "steps.4": "decoder.top1",
    "head": "head",
}
TERNAUSNET16 = {f"steps.{n}": f"decoder.x{4 - n}_{n + 1}.up" for n in range(5)}
# On VGG-11 each step's own convolution stands in the block before it.
TERNAUSNET11 = {
    "steps.0.0": "context",
    **{f"steps.{n}.0": f"decoder.x{5 - n}_{n}.block" for n in range(1, 5)},
    **{f"steps.{n}.2": f"decoder.x{4 - n}_{n + 1}.up" for n in range(5)},
}
RESUNET = {
    "down": "encoder",
    **{f"up.{n}": f"decoder.x{n}_{3 - n}.block" for n in range(3)},
    "head": "head",
}

SEGMENTERS: dict[str, Segmenter] = {
    "attention_unet": Segmenter("torch", AttentionUNet, ATTENTION_UNET, (48, 80)),
    "deeplabv3_mobilenet_v3_large": _torchvision("deeplabv3_mobilenet_v3_large"),
    "deeplabv3_resnet101": _torchvision("deeplabv3_resnet101"),
    "deeplabv3_resnet34": _smp(
        "DeepLabV3",
        "resnet34",
        {
            "decoder.aspp": "head.0",
            "decoder.conv": "head.1",
            "decoder.bn": "head.2",
            "segmentation_head.0": "head.4",
        },
    ),
    "deeplabv3_resnet50": _torchvision("deeplabv3_resnet50"),
    "deeplabv3plus_resnet34": _smp(
        "DeepLabV3Plus",
        "resnet34",
        {
            "decoder.aspp.0": "decoder.aspp",
            "decoder.aspp.1": "decoder.deep.0",
            "decoder.aspp.2": "decoder.deep.1",
            "decoder.block1": "decoder.low_level",
            "decoder.block2": "decoder.fuse",
            "segmentation_head.0": "head",
        },
    ),
    "dpt_vit_base_patch16_224": _smp(
        "DPT",
        "tu-vit_base_patch16_224.augreg_in21k",
        {
            "decoder.projection_blocks": "neck",
            **{f"decoder.reassemble_blocks.{n}": f"decoder.reassembled{n}" for n in range(4)},
            **{f"decoder.fusion_blocks.{3 - n}": f"decoder.fused{n}" for n in range(4)},
            "segmentation_head": "head",
        },
        dynamic_img_size=True,
    ),
    **{
        f"efficientunet_b{n}": Segmenter(
            "torch", partial(EfficientUnet, f"tf_efficientnet_b{n}"), EFFICIENTUNET
        )
        for n in range(8)
    },
    "fc_densenet103": _fc_densenet((4, 5, 7, 10, 12), 15, 16),
    "fc_densenet56": _fc_densenet((4,) * 5, 4, 12),
    "fc_densenet67": _fc_densenet((5,) * 5, 5, 16),
    **{f"fcn{stride}s_vgg16": _fcn(levels) for levels, stride in enumerate((32, 16, 8), 1)},
    "fcn_resnet101": _torchvision("fcn_resnet101"),
    "fcn_resnet50": _torchvision("fcn_resnet50"),
    "fpn_resnet34": _fpn("resnet34"),
    "fpn_resnet50": _fpn("resnet50"),
    "image_pyramid_resnet50": Segmenter(
        "torchvision", ImagePyramid, {"body": "body", "head": "head"}, (129, 97)
    ),
    "linknet_resnet34": _smp(
        "Linknet",
        "resnet34",
        {
            **{f"decoder.blocks.{n}.block": f"decoder.{node}.up" for n, node in enumerate(UNET_NODES)},
            "segmentation_head.0": "head",
        },
    ),
    "lraspp_mobilenet_v3_large": _torchvision("lraspp_mobilenet_v3_large", aux=False),
    "manet_resnet34": _smp(
        "MAnet",
        "resnet34",
        {
            "decoder.center": "decoder.center",
            **{
                f"decoder.blocks.{n}.{theirs}": f"decoder.blocks.{n}.{node}"
                for n in range(4)
                for theirs, node in (("hl_conv", "hl_conv"), ("SE_ll", "low"), ("SE_hl", "high"))
            },
            **{
                f"decoder.blocks.{n}.conv{half}.{layer}": f"decoder.blocks.{n}.block.{3 * half - 3 + layer}"
                for n in range(4)
                for half in (1, 2)
                for layer in (0, 1)
            },
            "decoder.blocks.4": "decoder.top",
            "segmentation_head.0": "head",
        },
    ),
    "pan_resnet34": _smp(
        "PAN",
        "resnet34",
        {
            "decoder.fpa": "decoder.fpa",
            **{f"decoder.gau{4 - n}": f"decoder.gau{n}" for n in (1, 2, 3)},
            "segmentation_head.0": "head",
        },
    ),
    # smp carries two levels of the encoder that nothing reads.
    "pspnet_resnet34": _smp("PSPNet", "resnet34", {"decoder": "context", "segmentation_head.0": "head"}),
    "r2unet": _r2unet(),
    "resunet": Segmenter("torch", ResUNet, RESUNET, (64, 48)),
    "segnet": Segmenter("torch", partial(SegNet, 11), SEGNET),
    **{f"spnet_resnet{depth}": _spnet(depth) for depth in (50, 101)},
    "ternausnet11": _ternausnet(11, TERNAUSNET11),
    "ternausnet16": _ternausnet(16, TERNAUSNET16),
    "unet": _nested(32, 64, 128, 256, 512, inside=False),
    "unet3plus": Segmenter("torch", UNet3Plus, UNET3PLUS, (48, 80)),
    "unet_densenet121": _smp("Unet", "densenet121", UNET),
    "unet_mobilenet_v2": _smp("Unet", "mobilenet_v2", UNET),
    "unet_original": _unpadded(),
    "unet_resnet34": _smp("Unet", "resnet34", UNET),
    "unet_resnet50": _smp("Unet", "resnet50", UNET),
    "unet_vgg16_bn": _smp("Unet", "vgg16_bn", {"decoder.center": "context", **UNET}),
    "unetpp": _nested(32, 64, 128, 256, 512, inside=True),
    "unetpp_effnet_b0": Segmenter("torch", NestedEfficientNet, NESTED_EFFICIENTNET),
    "unetpp_resnet34": _smp(
        "UnetPlusPlus",
        "resnet34",
        {
            # smp's block `x_d_l` is X[3-l, l-d+1] of the paper.
            **{
                f"decoder.blocks.x_{d}_{level}": f"decoder.x{3 - level}_{level - d + 1}"
                for level in range(4)
                for d in range(level + 1)
            },
            "decoder.blocks.x_0_4": "decoder.top1",
            "segmentation_head": "head",
        },
    ),
    "segformer_resnet34": _smp(
        "Segformer",
        "resnet34",
        {
            **{f"decoder.mlp_stage.{4 - n}.linear": f"decoder.mlp{n}" for n in range(5)},
            "decoder.fuse_stage": "decoder.fuse",
            "segmentation_head.0": "head",
        },
    ),
    "upernet_resnet34": _smp(
        "UPerNet",
        "resnet34",
        {
            "decoder.feature_norms.3": "decoder.norm0",
            "decoder.psp": "decoder.p0",
            **{f"decoder.feature_norms.{3 - n}": f"decoder.p{n}.norm" for n in (1, 2, 3)},
            **{f"decoder.fpn_lateral_blocks.{n - 1}": f"decoder.p{n}.lateral" for n in (1, 2, 3)},
            **{f"decoder.fpn_conv_blocks.{n - 1}": f"decoder.smooth{n}" for n in (1, 2, 3)},
            "decoder.fusion_block": "decoder.fusion",
            "segmentation_head.0": "head",
        },
    ),
    "wide_unet": _nested(35, 70, 140, 280, 560, inside=False),
}


def built(name: str) -> nn.Module:
    """The reference of a segmentation network, without memory, in evaluation mode."""
    with torch.device("meta"):
        return SEGMENTERS[name].make().eval()


def compared(name: str, spec: str | None = None) -> float:
    """The largest difference between the outputs of a network and of its reference, with the same weights."""
    found = SEGMENTERS[name]
    theirs = randomised(built(name))
    module = carried(theirs, ours(spec or name), found.nodes)
    x = found.scale * images(*found.size, channels=found.channels)
    with torch.inference_mode():
        wanted = theirs(x)
        got = module(x)
    assert isinstance(got, Tensor)
    return disagreement(got, wanted["out"] if isinstance(wanted, dict) else wanted)
