"""The operation that does nothing, and the one that leaves nothing."""

from __future__ import annotations

from typing import final

from archdsl.op import Layer, Op
from archdsl.tensors import Shape, Shapes


@final
class Identity(Op):
    """What enters leaves."""

    name = "id"

    def shape(self, inputs: Shapes) -> Shape:
        return inputs[0]

    def torch(self, inputs: Shapes) -> Layer:
        return Layer("torch.nn.Identity", {})


@final
class Zero(Op):
    """Its input times 0: what feeds it is built and counted, but changes nothing."""

    name = "zero"

    def shape(self, inputs: Shapes) -> Shape:
        return inputs[0]

    def torch(self, inputs: Shapes) -> Layer:
        return Layer("archdsl.emitters.layers.Zero", {})
