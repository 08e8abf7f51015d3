"""Several maps become one."""

from __future__ import annotations

from typing import final

from archdsl.errors.shapes import DifferentChannels, DifferentSizes, WrongKind
from archdsl.op import Call, Op
from archdsl.tensors import Shape, Shapes


def _one_kind(word: str, inputs: Shapes) -> None:
    """Raises WrongKind unless all are maps, all volumes or all vectors."""
    if len({x.rank for x in inputs}) > 1:
        raise WrongKind(word, "maps of one kind", inputs)


def _one_size(word: str, inputs: Shapes) -> None:
    if len({x.spatial for x in inputs}) > 1:
        raise DifferentSizes(word, inputs)


@final
class Concat(Op):
    """Joins maps on their channels, in order.

    >>> Concat().shape((Shape(64, 28, 28), Shape(32, 28, 28)))
    Shape(96, 28, 28)
    """

    name = "concat"
    inputs = (1, None)

    def shape(self, inputs: Shapes) -> Shape:
        _one_kind(self.name, inputs)
        _one_size(self.name, inputs)
        return Shape(sum(x.channels for x in inputs), *inputs[0].spatial)

    def sized_as(self, inputs: Shapes) -> tuple[int, ...]:
        return tuple(range(len(inputs)))

    def torch(self, inputs: Shapes) -> Call:
        return Call("torch.cat", {"dim": 1}, as_list=True)


@final
class Add(Op):
    """The sum of maps of one shape."""

    name = "add"
    inputs = (1, None)
    commutative = True

    def shape(self, inputs: Shapes) -> Shape:
        _one_kind(self.name, inputs)
        _one_size(self.name, inputs)
        if len({x.channels for x in inputs}) > 1:
            raise DifferentChannels(self.name, inputs)
        return inputs[0]

    def sized_as(self, inputs: Shapes) -> tuple[int, ...]:
        return tuple(range(len(inputs)))

    def torch(self, inputs: Shapes) -> Call:
        if len(inputs) == 2:
            return Call("operator.add")
        return Call("archdsl.emitters.layers.total", as_list=True)


@final
class Mul(Op):
    """The product of maps; 1x1 maps and maps of one channel are spread over the others.

    >>> Mul().shape((Shape(64, 28, 28), Shape(64, 1, 1), Shape(1, 28, 28)))
    Shape(64, 28, 28)
    """

    name = "mul"
    inputs = (1, None)
    commutative = True

    def shape(self, inputs: Shapes) -> Shape:
        _one_kind(self.name, inputs)
        largest = Shape(*map(max, *inputs)) if len(inputs) > 1 else inputs[0]
        for x in inputs:
            if x.channels not in (1, largest.channels):
                raise DifferentChannels(self.name, inputs)
            if any(i not in (1, o) for i, o in zip(x.spatial, largest.spatial, strict=True)):
                raise DifferentSizes(self.name, inputs)
        return largest

    def sized_as(self, inputs: Shapes) -> tuple[int, ...]:
        spatial = self.shape(inputs).spatial
        return tuple(n for n, x in enumerate(inputs) if x.spatial == spatial and 1 not in spatial)

    def torch(self, inputs: Shapes) -> Call:
        if len(inputs) == 2:
            return Call("operator.mul")
        return Call("archdsl.emitters.layers.product", as_list=True)
