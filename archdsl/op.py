"""The contract of an operation: its arguments, its shape rule, its cost rule, its torch recipe.

An operation is a frozen record; its fields are its arguments, in the order in which a spec may
give them by position. It knows nothing of specs, networks or torch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any, ClassVar, NamedTuple, TypeAlias

from archdsl.records import Value, defaults_of
from archdsl.tensors import Cost, Shape, Shapes, Stride, Window

# ---- kinds of arguments ------------------------------------------------------------------------


class Int(Value):
    """A whole number; a map counts as its channels."""

    low: int | None = None
    high: int | None = None
    optional: bool = False


class Real(Value):
    """A number."""

    low: float | None = None
    high: float | None = None
    optional: bool = False


class Flag(Value):
    """`true` or `false`."""


class Dims(Value):
    """A size such as `3x3` or `7x3x3`; a number stands for a square or a cube."""

    low: int = 1
    optional: bool = False


class Word(Value):
    """One of a few words."""

    options: tuple[str, ...]
    optional: bool = False


class Padding(Value):
    """`symmetric` ((k-1)//2 scaled by the dilation), `same` (TensorFlow's), or a number or size."""


class MapRef(Value):
    """A named map (`@x`) that becomes one more input of the operation."""


class Model(Value):
    """A model of timm by its name."""


Kind: TypeAlias = Int | Real | Flag | Dims | Word | Padding | MapRef | Model


def arg(default: Any = dataclasses.MISSING, *, kind: object, doc: str) -> Any:
    """A field of an operation: what it accepts and what it is for, said once for checker and help."""
    return dataclasses.field(default=default, metadata={"kind": kind, "doc": doc})


# ---- recipes -----------------------------------------------------------------------------------


class Layer(Value):
    """One torch module, called with the operation's inputs in order.

    `target` is a dotted name of the emitters' closed table, such as `torch.nn.Conv2d`.
    """

    target: str
    arguments: Mapping[str, Any]
    init: str | None = None


class Call(NamedTuple):
    """One function, called with the operation's inputs in order (as one list where `as_list`)."""

    target: str
    arguments: Mapping[str, Any] = {}
    as_list: bool = False


class Weight(Value):
    """One learned tensor at the operation's own path, and a function of the inputs and of it."""

    target: str
    shape: tuple[int, ...]
    initial: float


Recipe: TypeAlias = Layer | Call | Weight


# ---- the contract ------------------------------------------------------------------------------


class Op(Value):
    """One operation of a network. Subclasses are final, frozen records.

    Class attributes:
        name: the word of the language.
        inputs: least and greatest number of inputs; None for no bound.
        maps: names of arguments that are maps and become further inputs, in order, after the map
            that flows (`interpolate like=@x`); a spec may leave them out unless `inputs` says no.
        commutative: whether the order of inputs changes nothing.
        has_weights: whether it has parameters: repeated on the same input, it is another one each
            time. (`depth` and `activations` count those with multiply-adds: not norms.)
        sizing: whether of its `detached` inputs only height and width count: any map of that size
            would do.
        opaque: whether what it computes is another library's: of a network with it only shapes and
            parameters are known.
    """

    name: ClassVar[str]
    inputs: ClassVar[tuple[int, int | None]] = (1, 1)
    maps: ClassVar[tuple[str, ...]] = ()
    commutative: ClassVar[bool] = False
    has_weights: ClassVar[bool] = False
    sizing: ClassVar[bool] = False
    opaque: ClassVar[bool] = False

    def shape(self, inputs: Shapes) -> Shape:
        """The shape that leaves; raises a Mistake of errors/shapes.py when the inputs don't fit."""
        raise NotImplementedError

    def cost(self, inputs: Shapes) -> Cost:
        """Trainable parameters and multiply-adds of convolutions, linear layers, matrix products."""
        return Cost()

    def torch(self, inputs: Shapes) -> Recipe:
        """What the torch emitter builds."""
        raise NotImplementedError

    def window(self, inputs: Shapes) -> Window | None:
        """How it reads its (first) input; None for an operation on single pixels or on all of them."""
        return None

    @property
    def detached(self) -> tuple[int, ...]:
        """Numbers of the inputs that no gradient reaches: it reads their size, or where they are largest."""
        return ()

    def sized_as(self, inputs: Shapes) -> tuple[int, ...]:
        """Numbers of the inputs whose height and width leave, whatever they are; none if nothing says so."""
        window = self.window(inputs)
        moves = window is not None and any(step != 1 for step in window.stride)
        return () if moves or self.shape(inputs).spatial != inputs[0].spatial else (0,)

    def narrowed(self, read: Collection[int]) -> tuple[Op, tuple[int, ...]]:
        """Of an operation that gives several maps (`Levels`): what does for those that are read.

        Returns the operation, and which of the old maps are its own, finest first.
        """
        raise NotImplementedError

    def stride_after(self, inputs: Shapes, strides: tuple[Stride, ...]) -> Stride:
        """The stride of what leaves, by the window; joins take the first input that has a place."""
        known = next((stride for stride in strides if stride is not None), None)
        window = self.window(inputs)
        if known is None or window is None:
            return known
        return known * window.stride[-1]


_ARGUMENTS: dict[type, dict[str, dataclasses.Field[Any]]] = {}


def arguments(kind: type[Any]) -> dict[str, dataclasses.Field[Any]]:
    """The arguments of an operation or a recipe stage (a class) by name, in positional order."""
    if kind not in _ARGUMENTS:
        defaults_of(kind)
        _ARGUMENTS[kind] = {field.name: field for field in dataclasses.fields(kind)}
    return _ARGUMENTS[kind]


def per_axis(size: int | tuple[int, ...], rank: int) -> tuple[int, ...]:
    """A number for each spatial dimension; a single number counts for all of them."""
    return (size,) * rank if isinstance(size, int) else size
