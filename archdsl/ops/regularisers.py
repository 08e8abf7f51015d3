"""What changes numbers in training only."""

from __future__ import annotations

from typing import final

from archdsl.op import Flag, Layer, Op, Real, arg
from archdsl.tensors import Shape, Shapes


@final
class Dropout(Op):
    """In training, sets numbers (or whole channels) to zero at random and scales the others up."""

    name = "dropout"
    rate: float = arg(0.5, kind=Real(low=0, high=1), doc="share that is set to zero")
    channels: bool = arg(False, kind=Flag(), doc="whether whole channels go together")

    def shape(self, inputs: Shapes) -> Shape:
        return inputs[0]

    def torch(self, inputs: Shapes) -> Layer:
        (x,) = inputs
        suffix = f"{x.rank}d" if self.channels and x.rank else ""
        return Layer(f"torch.nn.Dropout{suffix}", {"p": self.rate})


@final
class DropPath(Op):
    """Stochastic depth (Huang et al., 2016): in training, sets whole images to zero at random."""

    name = "drop_path"
    rate: float = arg(0.0, kind=Real(low=0, high=1), doc="share of images whose branch is left out")
    ramp: bool = arg(False, kind=Flag(), doc="whether it is rate*i/n for the i-th of the network's n, from 0")

    def shape(self, inputs: Shapes) -> Shape:
        return inputs[0]

    def torch(self, inputs: Shapes) -> Layer:
        return Layer("archdsl.emitters.layers.DropPath", {"rate": self.rate})
