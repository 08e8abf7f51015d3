"""What torch, timm, Keras and segmentation_models.pytorch call the things that a spec has words for."""

from __future__ import annotations

import re
from collections.abc import Iterable

# A word as `plain` leaves it, and ours for it: the first that is known where it stands is meant.
WORDS = {
    # stages
    "adaptiveavgpool": ("gap",),
    "avgpool": ("pool avg",),
    "averagepooling": ("pool avg",),
    "backbone": ("encoder",),
    "batchnorm": ("bn",),
    "batchnormalization": ("bn",),
    "cat": ("concat", "plain"),
    "classifier": ("head",),
    "concat": ("plain",),
    "concatenate": ("concat", "plain"),
    "convtranspose": ("transpose", "transpose_conv"),
    "decoder": ("up",),
    "deconv": ("transpose", "transpose_conv"),
    "deformconv": ("deform",),
    "densecrf": ("crf",),
    "depthwiseconv": ("dwconv",),
    "fc": ("linear",),
    "globalaveragepooling": ("gap",),
    "globalavgpool": ("gap",),
    "groupnorm": ("gn",),
    "hardsigmoid": ("hsigmoid",),
    "hardswish": ("hswish",),
    "identity": ("id",),
    "layernorm": ("ln",),
    "lrelu": ("leaky_relu",),
    "maxpool": ("pool max",),
    "maxpooling": ("pool max",),
    "resblock": ("residual_block",),
    "segmentationhead": ("head",),
    "separableconv": ("sepconv",),
    "sum": ("add",),
    "swish": ("silu",),
    "upconv": ("up_conv", "transpose"),
    # forms of `skip`
    "attention": ("gated",),
    "linknet": ("add",),
    "unetplusplus": ("nested",),
    "unetpp": ("nested",),
    # options
    "atrousrates": ("rates",),
    "classes": ("out",),
    "dilations": ("rates",),
    "droprate": ("rate", "dropout"),
    "encoderdepth": ("depth",),
    "encoderweights": ("weights",),
    "factor": ("scale",),
    "filters": ("out",),
    "kernel": ("size",),
    "kernelsize": ("kernel", "size"),
    "mean": ("avg",),
    "negativeslope": ("slope",),
    "numclasses": ("out", "classes"),
    "outchannels": ("out",),
    "outfeatures": ("out",),
    "outindices": ("taps",),
    "p": ("rate", "dropout"),
    "poolsize": ("size",),
    "pretrained": ("weights",),
    "reduction": ("r",),
    "scalefactor": ("scale", "factor"),
    "strides": ("stride",),
    "usebias": ("bias",),
    # figures
    "flops": ("macs",),
    "gflops": ("macs",),
    "madds": ("macs",),
    # of commands and studies
    "batchsize": ("batch",),
    "gpu": ("device",),
    "imagesize": ("size",),
    "imgsize": ("size",),
    "lr": ("learning_rate",),
    # values
    "no": ("false",),
    "yes": ("true",),
}

# For what has no word of ours: what to do instead.
_CHANNELS = "how many channels enter is known from what flows; those of the image stand in `input 1x256x256`"
_FREEZING = "weights are frozen in Python: `model.encoder.requires_grad_(False)`"
_LAYERS = "layers are stages of their own, `conv 3x3 64 | bn | relu`, and `block=` takes a definition of such"
_UNET = "a U-Net is `encoder resnet34 | skip plain | up transpose | head 1x1 out=2`"
_NAME = "the backbone's name stands bare: `encoder resnet34`"
NOTES = {
    "activation": _LAYERS,
    "norm": _LAYERS,
    "usebatchnorm": _LAYERS,
    "usenorm": _LAYERS,
    "import": 'the definitions of another file come with `use "blocks.arch"`',
    "include": 'the definitions of another file come with `use "blocks.arch"`',
    "range": "`a..b` counts from a to b: `for i in 0..2 (...)`",
    "backbone": _NAME,
    "encodername": _NAME,
    "freeze": _FREEZING,
    "frozen": _FREEZING,
    "inchannels": _CHANNELS,
    "inchans": _CHANNELS,
    "infeatures": _CHANNELS,
    "inplace": "it changes nothing that a network computes: leave it out",
    "trainable": _FREEZING,
    "unet": _UNET,
    "upsampling": "a head resizes to the image's size by itself; `size=own` leaves that out",
}

_RANK = re.compile(r"(?<=\w\w)[123]d$")


def plain(word: str) -> str:
    """A word without what only spelling adds: capitals, `_`, the rank of torch's modules, `timm:`."""
    return _RANK.sub("", word.lower().removeprefix("timm:")).replace("_", "")


def ours(got: str, known: Iterable[str]) -> str | None:
    """Our word for a foreign one, if it is among the known: `bn` for `BatchNorm2d`."""
    words = set(known)
    return next((word for word in WORDS.get(plain(got), ()) if word.split()[0] in words), None)


def note(got: str) -> str:
    """What to do instead of a foreign word that has no counterpart."""
    return NOTES.get(plain(got), "")
