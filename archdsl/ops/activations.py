"""Activations: functions of single numbers (softmax: of a pixel's channels) that keep the shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

from archdsl.op import Layer, Op, Real, arg
from archdsl.tensors import Cost, Shape, Shapes


@dataclass(frozen=True)
class _Activation(Op):
    """Keeps the shape; `layer` is torch's class."""

    layer: ClassVar[str]

    def shape(self, inputs: Shapes) -> Shape:
        return inputs[0]

    def torch(self, inputs: Shapes) -> Layer:
        return Layer(f"torch.nn.{self.layer}", self._arguments())

    def _arguments(self) -> dict[str, Any]:
        return {}


@final
@dataclass(frozen=True)
class ReLU(_Activation):
    """max(x, 0)."""

    name, layer = "relu", "ReLU"


@final
@dataclass(frozen=True)
class ReLU6(_Activation):
    """min(max(x, 0), 6)."""

    name, layer = "relu6", "ReLU6"


@final
@dataclass(frozen=True)
class SiLU(_Activation):
    """x * sigmoid(x), also known as swish."""

    name, layer = "silu", "SiLU"


@final
@dataclass(frozen=True)
class HardSwish(_Activation):
    """x * hsigmoid(x) (Howard et al., 2019)."""

    name, layer = "hswish", "Hardswish"


@final
@dataclass(frozen=True)
class HardSigmoid(_Activation):
    """relu6(x + 3) / 6."""

    name, layer = "hsigmoid", "Hardsigmoid"


@final
@dataclass(frozen=True)
class GELU(_Activation):
    """x times the normal distribution's share below x, exactly."""

    name, layer = "gelu", "GELU"


@final
@dataclass(frozen=True)
class Sigmoid(_Activation):
    """1 / (1 + exp(-x))."""

    name, layer = "sigmoid", "Sigmoid"


@final
@dataclass(frozen=True)
class Tanh(_Activation):
    """The hyperbolic tangent."""

    name, layer = "tanh", "Tanh"


@final
@dataclass(frozen=True)
class Softmax(_Activation):
    """exp(x), divided by its sum over the channels."""

    name, layer = "softmax", "Softmax"

    def _arguments(self) -> dict[str, Any]:
        return {"dim": 1}


@final
@dataclass(frozen=True)
class ELU(_Activation):
    """x above 0, alpha * (exp(x) - 1) below."""

    name, layer = "elu", "ELU"
    alpha: float = arg(1.0, kind=Real(low=0), doc="what very negative numbers come to, negated")

    def _arguments(self) -> dict[str, Any]:
        return {"alpha": self.alpha}


@final
@dataclass(frozen=True)
class SELU(_Activation):
    """The self-normalising ELU (Klambauer et al., 2017)."""

    name, layer = "selu", "SELU"


@final
@dataclass(frozen=True)
class LeakyReLU(_Activation):
    """x above 0, slope * x below."""

    name, layer = "leaky_relu", "LeakyReLU"
    slope: float = arg(0.01, kind=Real(), doc="factor of negative numbers")

    def _arguments(self) -> dict[str, Any]:
        return {"negative_slope": self.slope}


@final
@dataclass(frozen=True)
class PReLU(_Activation):
    """A leaky ReLU whose slope is learned, one for all channels (He et al., 2015)."""

    name, layer = "prelu", "PReLU"
    has_weights = True

    def cost(self, inputs: Shapes) -> Cost:
        return Cost(params=1)


@final
@dataclass(frozen=True)
class Mish(_Activation):
    """x * tanh(softplus(x))."""

    name, layer = "mish", "Mish"


@final
@dataclass(frozen=True)
class Softplus(_Activation):
    """log(1 + exp(x))."""

    name, layer = "softplus", "Softplus"
