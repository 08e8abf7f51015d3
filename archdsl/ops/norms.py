"""Normalisation: over the batch, over groups of channels, over all channels of a pixel."""

from __future__ import annotations

from typing import final

from archdsl.errors.shapes import IndivisibleChannels
from archdsl.op import Int, Layer, Op, Real, Word, arg
from archdsl.tensors import Cost, Shape, Shapes


class _Norm(Op):
    """Keeps the shape; has a factor (gamma) and a constant (beta) for each channel."""

    has_weights = True

    def shape(self, inputs: Shapes) -> Shape:
        return inputs[0]

    def cost(self, inputs: Shapes) -> Cost:
        return Cost(params=2 * inputs[0].channels)


@final
class BatchNorm(_Norm):
    """Batch normalisation (Ioffe and Szegedy, 2015), with running statistics for inference."""

    name = "bn"
    eps: float = arg(1e-5, kind=Real(low=0), doc="added to the variance")
    momentum: float = arg(0.1, kind=Real(low=0, high=1), doc="share of a new batch in the running statistics")
    init: str = arg("one", kind=Word(("one", "zero")), doc="initial gamma; zero silences a residual branch")

    def torch(self, inputs: Shapes) -> Layer:
        (x,) = inputs
        arguments = {"num_features": x.channels, "eps": self.eps, "momentum": self.momentum}
        init = "zero_gamma" if self.init == "zero" else None
        return Layer(f"torch.nn.BatchNorm{x.rank or 1}d", arguments, init=init)


@final
class GroupNorm(_Norm):
    """Group normalisation (Wu and He, 2018): over groups of channels of one image."""

    name = "gn"
    groups: int = arg(32, kind=Int(low=1), doc="groups of channels")
    eps: float = arg(1e-5, kind=Real(low=0), doc="added to the variance")

    def shape(self, inputs: Shapes) -> Shape:
        (x,) = inputs
        if x.channels % self.groups:
            raise IndivisibleChannels(x.channels, self.groups)
        return x

    def torch(self, inputs: Shapes) -> Layer:
        (x,) = inputs
        arguments = {"num_groups": self.groups, "num_channels": x.channels, "eps": self.eps}
        return Layer("torch.nn.GroupNorm", arguments)


@final
class LayerNorm(_Norm):
    """Layer normalisation (Ba et al., 2016) over the channels of each pixel, as in ConvNeXt."""

    name = "ln"
    eps: float = arg(1e-6, kind=Real(low=0), doc="added to the variance")

    def torch(self, inputs: Shapes) -> Layer:
        (x,) = inputs
        target = "archdsl.emitters.layers.MapLayerNorm" if x.rank else "torch.nn.LayerNorm"
        return Layer(target, {"normalized_shape": x.channels, "eps": self.eps})
