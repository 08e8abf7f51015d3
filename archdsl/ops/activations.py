"""Activations: functions of single numbers (softmax: of a pixel's channels) that keep the shape."""

from __future__ import annotations

from typing import Any, ClassVar, final

from archdsl.op import Layer, Op, Real, Word, arg
from archdsl.tensors import Cost, Shape, Shapes


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
class ReLU(_Activation):
    """max(x, 0)."""

    name, layer = "relu", "ReLU"


@final
class ReLU6(_Activation):
    """min(max(x, 0), 6)."""

    name, layer = "relu6", "ReLU6"


@final
class SiLU(_Activation):
    """x * sigmoid(x), also known as swish."""

    name, layer = "silu", "SiLU"


@final
class HardSwish(_Activation):
    """x * hsigmoid(x) (Howard et al., 2019)."""

    name, layer = "hswish", "Hardswish"


@final
class HardSigmoid(_Activation):
    """relu6(x + 3) / 6."""

    name, layer = "hsigmoid", "Hardsigmoid"


@final
class GELU(_Activation):
    """x times the normal distribution's share below x, exactly."""

    name, layer = "gelu", "GELU"


@final
class Sigmoid(_Activation):
    """1 / (1 + exp(-x))."""

    name, layer = "sigmoid", "Sigmoid"


@final
class Tanh(_Activation):
    """The hyperbolic tangent."""

    name, layer = "tanh", "Tanh"


@final
class Softmax(_Activation):
    """exp(x), divided by its sum over a pixel's channels, or over all numbers of the map."""

    name, layer = "softmax", "Softmax"
    over: str = arg("channels", kind=Word(("channels", "all")), doc="what sums up to 1")

    def torch(self, inputs: Shapes) -> Layer:
        if self.over == "all":
            return Layer("archdsl.emitters.layers.SoftmaxOfAll", {})
        return Layer(f"torch.nn.{self.layer}", {"dim": 1})


@final
class ELU(_Activation):
    """x above 0, alpha * (exp(x) - 1) below."""

    name, layer = "elu", "ELU"
    alpha: float = arg(1.0, kind=Real(low=0), doc="what very negative numbers come to, negated")

    def _arguments(self) -> dict[str, Any]:
        return {"alpha": self.alpha}


@final
class SELU(_Activation):
    """The self-normalising ELU (Klambauer et al., 2017)."""

    name, layer = "selu", "SELU"


@final
class LeakyReLU(_Activation):
    """x above 0, slope * x below."""

    name, layer = "leaky_relu", "LeakyReLU"
    slope: float = arg(0.01, kind=Real(), doc="factor of negative numbers")

    def _arguments(self) -> dict[str, Any]:
        return {"negative_slope": self.slope}


@final
class PReLU(_Activation):
    """A leaky ReLU whose slope is learned, one for all channels (He et al., 2015)."""

    name, layer = "prelu", "PReLU"
    has_weights = True

    def cost(self, inputs: Shapes) -> Cost:
        return Cost(params=1)


@final
class Mish(_Activation):
    """x * tanh(softplus(x))."""

    name, layer = "mish", "Mish"


@final
class Softplus(_Activation):
    """log(1 + exp(x))."""

    name, layer = "softplus", "Softplus"


# The words of all of them.
ACTIVATIONS = frozenset(member.name for member in _Activation.__subclasses__())
