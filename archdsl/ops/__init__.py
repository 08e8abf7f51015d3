"""The operations of the language, by word."""

from __future__ import annotations

from archdsl.op import Op
from archdsl.ops.activations import (
    ELU,
    GELU,
    SELU,
    HardSigmoid,
    HardSwish,
    LeakyReLU,
    Mish,
    PReLU,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from archdsl.ops.attention import CrissCross, EMAttention
from archdsl.ops.convolutions import Conv, DepthwiseConv
from archdsl.ops.deformable import DeformableConv
from archdsl.ops.factors import Gain, Scale
from archdsl.ops.joins import Add, Concat, Mul
from archdsl.ops.linear import Linear
from archdsl.ops.local_response import LocalResponseNorm
from archdsl.ops.neighbours import Affinity, LocalFilter
from archdsl.ops.norms import BatchNorm, GroupNorm, LayerNorm
from archdsl.ops.pools import ChannelPool, GlobalPool, Pool, Unpool
from archdsl.ops.products import MatMul, Swap
from archdsl.ops.rearrangements import Chunk, Flatten, MergeDepth, PixelShuffle, Reshape, Shuffle
from archdsl.ops.regularisers import Dropout, DropPath
from archdsl.ops.resizing import Align, Crop, Interpolate, Pad, Upsample
from archdsl.ops.transpose_conv import TransposeConv
from archdsl.ops.trivial import Identity, Zero

_MEMBERS: tuple[type[Op], ...] = (
    Conv, DepthwiseConv, DeformableConv, TransposeConv, Linear,
    BatchNorm, GroupNorm, LayerNorm, LocalResponseNorm,
    ReLU, ReLU6, LeakyReLU, PReLU, ELU, SELU, SiLU, HardSwish, GELU, Mish, Softplus,
    Sigmoid, HardSigmoid, Tanh, Softmax,
    Pool, Unpool, GlobalPool, ChannelPool, Interpolate, Upsample, Crop, Pad, Align,
    Flatten, MergeDepth, Reshape, PixelShuffle, Shuffle, Chunk,
    Concat, Add, Mul, MatMul, Swap, CrissCross, EMAttention, Affinity, LocalFilter, Scale, Gain,
    Dropout, DropPath,
    Identity, Zero,
)  # fmt: skip

OPERATIONS: dict[str, type[Op]] = {member.name: member for member in _MEMBERS}
