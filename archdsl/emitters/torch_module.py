"""Network → an ordinary torch module with readable paths and straight-line forwards.

A network becomes two programs over the same submodules: what its outputs need in inference, and all
of it. torch.fx turns each into the code of a forward; the programs are plain data, so that copies
and pickles of a model carry them and make their forwards again.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor, fx, nn
from torch._subclasses.fake_tensor import FakeTensor, unset_fake_temporarily

from archdsl.backbones.building import checked
from archdsl.emitters import layers, pooling
from archdsl.emitters.chains import chains
from archdsl.emitters.initialisers import INITIALISERS
from archdsl.emitters.ramps import with_rates
from archdsl.errors import ArchError, Mistake
from archdsl.errors.expansion import NetworkTooLarge
from archdsl.network import Network, Operation, Output
from archdsl.op import Call, Layer, Recipe, Weight

Returned: TypeAlias = Tensor | list[Tensor] | dict[str, Tensor]
Part: TypeAlias = nn.Module | nn.Parameter


def _table(prefix: str, module: object, names: Iterable[str]) -> dict[str, Callable[..., Any]]:
    return {f"{prefix}.{name}": getattr(module, name) for name in names}


# All that a recipe may name.
TARGETS: dict[str, Callable[..., Any]] = {
    **_table(
        "torch.nn",
        nn,
        [
            *(
                f"{word}{rank}d"
                for word in (
                    "Conv", "ConvTranspose", "BatchNorm", "MaxPool", "AvgPool", "AdaptiveMaxPool",
                    "AdaptiveAvgPool", "ZeroPad", "Dropout",
                )
                for rank in (2, 3)
            ),
            "BatchNorm1d", "GroupNorm", "LayerNorm", "LocalResponseNorm", "Linear", "Flatten", "Identity",
            "Dropout", "PixelShuffle", "Upsample",
            "ReLU", "ReLU6", "LeakyReLU", "PReLU", "ELU", "SELU", "SiLU", "Hardswish", "GELU", "Mish",
            "Softplus", "Sigmoid", "Hardsigmoid", "Tanh", "Softmax",
        ],
    ),
    **_table(
        "archdsl.emitters.layers",
        layers,
        [
            "SameConv2d", "SameConv3d", "deformable_conv", "MapLayerNorm", "MapLinear", "DropPath",
            "ChannelShuffle", "Chunk", "Crop", "EMAttention", "Zero", "SoftmaxOfAll", "largest_of_channels",
            "mean_of_channels", "swap", "affinity", "criss_cross", "local_filter", "matrix_product", "scaled",
            "resize_like", "align_like", "unpool", "crop_like", "reshape_like", "level", "total",
            "product",
        ],
    ),
    **_table(
        "archdsl.emitters.pooling",
        pooling,
        ["CeilMaxPool2d", "CeilMaxPool3d", "CeilAvgPool2d", "CeilAvgPool3d"],
    ),
    **_table("operator", operator, ["add", "mul"]),
    "torch.cat": torch.cat,
    "archdsl.backbones.building.checked": checked,
}  # fmt: skip


# ---- programs ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """One line of a program: a module (by its path) or a function gives `value` from `inputs`.

    `weight` is the path of a learned tensor that a function reads after them, if any.
    """

    value: int
    inputs: tuple[int, ...]
    run: str | Call
    weight: str = ""


@dataclass(frozen=True)
class Program:
    """A straight line of steps; value 0 is the image.

    `results` are the names and values of what it returns, `form` how it returns them.
    """

    steps: tuple[Step, ...]
    results: tuple[tuple[str, int], ...]
    form: Literal["tensor", "list", "dict"]

    def graph(self) -> fx.Graph:
        """The program as torch.fx writes it."""
        graph = fx.Graph()
        values: dict[int, Any] = {0: graph.placeholder("image", type_expr=Tensor)}
        for step in self.steps:
            inputs = tuple(values[value] for value in step.inputs)
            if step.weight:
                inputs += (graph.get_attr(step.weight),)
            if isinstance(step.run, str):
                values[step.value] = graph.create_node(
                    "call_module", step.run, inputs, name=step.run.replace(".", "_")
                )
            else:
                values[step.value] = graph.call_function(
                    TARGETS[step.run.target],
                    (list(inputs),) if step.run.as_list else inputs,
                    dict(step.run.arguments),
                )
        made = {name: values[value] for name, value in self.results}
        if self.form == "tensor":
            (result,) = made.values()
            graph.output(result)
        else:
            graph.output(made if self.form == "dict" else list(made.values()))
        return graph


def _programs(network: Network, steps: Sequence[Step], inference: bool) -> tuple[Program, Program]:
    """What runs outside training, and in training; one program where they are the same."""
    named = _named_outputs(network)
    flowing = tuple((name, o.value) for name, o in named.items() if not o.training_only)
    shorter = Program(
        tuple(step for step in steps if step.value - 1 in network.inference),
        flowing,
        "list" if network.returns_list else "tensor",
    )
    if inference or len(flowing) == len(named):
        return shorter, shorter
    return shorter, Program(tuple(steps), tuple((name, o.value) for name, o in named.items()), "dict")


def _named_outputs(network: Network) -> dict[str, Output]:
    """Outputs by the names that they have in training; the one that flows is `out`."""
    flowing, *others = network.outputs
    name = flowing.name if network.returns_list else "out"
    return {name: flowing, **{output.name: output for output in others}}


# ---- the module --------------------------------------------------------------------------------


class Model(nn.Module):
    """A compiled network.

    Reads B×C×H×W (B×C×D×H×W for volumes), any height and width that the network can take. Returns
    what flows: a tensor, or a list of maps, finest first. In training it returns, where the network
    has outputs that exist in training only, a dict of tensors, the main one first under `out`.

    Attributes:
        loss_weights: how much each output counts in the training loss, by its name.
        activations: `sigmoid` or `softmax` of outputs that are no logits any more, by their names.
        normalisation: mean and standard deviation of each channel of the images (white is 1) that the
            weights expect, where they were trained before; images are normalised before they come here.
    """

    def __init__(
        self,
        inference: Program,
        training: Program,
        loss_weights: Mapping[str, float],
        activations: Mapping[str, str],
    ):
        super().__init__()
        self.loss_weights = dict(loss_weights)
        self.activations = dict(activations)
        self.normalisation: tuple[tuple[float, ...], tuple[float, ...]] | None = None
        self._inference = inference
        self._training = training

    def forward(self, image: Tensor) -> Returned:
        run = self._run_training if self.training else self._run_inference
        return run(self, image)

    def _link(self) -> None:
        """Makes the two forwards, once all submodules are there."""
        self._run_inference = self._forward(self._inference)
        shared = self._training is self._inference
        self._run_training = self._run_inference if shared else self._forward(self._training)

    def _forward(self, program: Program) -> Callable[[nn.Module, Tensor], Returned]:
        made: Callable[[nn.Module, Tensor], Returned] = type(fx.GraphModule(self, program.graph())).forward
        return made

    def __getstate__(self) -> dict[str, Any]:
        """Without the forwards: generated code has no name under which it could be found again."""
        return {key: value for key, value in self.__dict__.items() if not key.startswith("_run_")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self._link()


def build(network: Network, *, inference: bool = False) -> Model:
    """The torch module of a network; with `inference`, without the parts that exist in training only.

    State-dict keys are the operations' paths. A top-level scope that is a plain chain (a head) is an
    nn.Sequential, called as one. Modules are made on torch's default device, so that
    `with torch.device("meta")` builds without memory and without initial weights.

    Raises:
        ArchError: an operation comes with a package that is not installed.
        NetworkTooLarge: memory does not hold its parameters.
    """
    network = with_rates(network)
    numbers = sorted(network.inference) if inference else range(len(network.operations))
    recipes = {
        number: operation.op.torch(network.shapes_into(operation))
        for number, operation in ((number, network.operations[number]) for number in numbers)
    }
    try:
        parts, steps = _assemble(network, recipes)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise NetworkTooLarge(_parameters(network, numbers)) from None
    programs = _programs(network, steps, inference)
    outputs = {
        name: output
        for name, output in _named_outputs(network).items()
        if not (inference and output.training_only)
    }
    weights = {name: output.weight for name, output in outputs.items()}
    activations = {name: _activation(network, output.value) for name, output in outputs.items()}
    model = Model(*programs, weights, {name: word for name, word in activations.items() if word})
    for path, part in parts.items():
        _place(model, path, part)
    model._link()
    return model


def is_out_of_memory(error: Exception) -> bool:
    """The CPU's allocator tells it by its words alone."""
    words = ("can't allocate memory", "not enough memory", "size calculation overflowed")
    told = isinstance(error, MemoryError | torch.OutOfMemoryError)
    return told or any(word in str(error) for word in words)


def _parameters(network: Network, numbers: Iterable[int]) -> int:
    operations = {network.operations[number].path: network.operations[number] for number in numbers}
    return sum(found.op.cost(network.shapes_into(found)).params for found in operations.values())


def _activation(network: Network, value: int) -> str:
    """The activation that an output has passed, if it gives probabilities; resizing is looked through."""
    while value:
        operation = network.operations[value - 1]
        if operation.op.name in ("sigmoid", "softmax"):
            return operation.op.name
        if operation.op.name not in ("interpolate", "align", "id"):
            break
        value = operation.inputs[0]
    return ""


def _assemble(network: Network, recipes: Mapping[int, Recipe]) -> tuple[dict[str, Part], list[Step]]:
    """Modules and learned tensors by path, and the steps that use them."""
    parts: dict[str, Part] = {}
    steps: list[Step] = []
    alone = chains(network, recipes)
    for number, recipe in recipes.items():
        operation = network.operations[number]
        scope = operation.path.partition(".")[0]
        chain = alone.get(scope, ())
        if number in chain:
            if number == chain[-1]:
                parts[scope] = _sequence(network, recipes, chain)
                steps.append(Step(number + 1, network.operations[chain[0]].inputs, scope))
        elif isinstance(recipe, Call):
            steps.append(Step(number + 1, operation.inputs, recipe))
        else:
            path = f"after_{operation.path}" if chain else operation.path
            if path not in parts:
                parts[path] = _made(operation, recipe) if isinstance(recipe, Layer) else tensor(recipe)
            steps.append(_step(number + 1, operation.inputs, recipe, path))
    return parts, steps


def _step(value: int, inputs: tuple[int, ...], recipe: Layer | Weight, path: str) -> Step:
    """The step of what stands at a path."""
    if isinstance(recipe, Layer):
        return Step(value, inputs, path)
    return Step(value, inputs, Call(recipe.target), weight=path)


def _sequence(
    network: Network, recipes: Mapping[int, Recipe], numbers: Iterable[int], depth: int = 1
) -> nn.Sequential:
    """Nested nn.Sequential with the names that the operations' paths have from `depth` on."""
    sequence = nn.Sequential()
    for name, group in groupby(numbers, lambda number: network.operations[number].path.split(".")[depth]):
        members = list(group)
        recipe = recipes[members[0]]
        if network.operations[members[0]].path.count(".") == depth and isinstance(recipe, Layer):
            sequence.add_module(name, _made(network.operations[members[0]], recipe))
        else:
            sequence.add_module(name, _sequence(network, recipes, members, depth + 1))
    return sequence


def _made(operation: Operation, layer: Layer) -> nn.Module:
    try:
        return make(layer)
    except Mistake as mistake:
        raise ArchError(mistake.at(operation.span)) from None


def make(layer: Layer) -> nn.Module:
    """The module of a recipe, with its initial weights, on torch's default device."""
    kind: Callable[..., nn.Module] = TARGETS[layer.target]
    fake = isinstance(torch.empty(0), FakeTensor)
    if not fake and (layer.init is None or torch.get_default_device().type == "meta"):
        return kind(**layer.arguments)
    module = _uninitialised(kind, layer.arguments)
    if layer.init is not None:
        INITIALISERS[layer.init](module)
    return module


def _uninitialised(kind: Callable[..., nn.Module], arguments: Mapping[str, Any]) -> nn.Module:
    """A module whose numbers are not set yet: torch's own would cost more than all the rest of building.

    As nn.utils.skip_init, which doesn't work under FakeTensorMode. That mode has to wait until the module is
    there: timm reads numbers out of tensors to know what it builds.
    """
    with unset_fake_temporarily(), torch.device("meta"):
        module = kind(**arguments)
    for part in module.modules():
        for name, parameter in list(part.named_parameters(recurse=False)):
            made = nn.Parameter(torch.empty(parameter.shape, dtype=parameter.dtype), parameter.requires_grad)
            setattr(part, name, made)
        for name, buffer in list(part.named_buffers(recurse=False)):
            setattr(part, name, torch.empty(buffer.shape, dtype=buffer.dtype))
    return module


def tensor(weight: Weight) -> nn.Parameter:
    """The learned tensor of a recipe, on torch's default device."""
    return nn.Parameter(torch.full(weight.shape, weight.initial))


def _place(model: nn.Module, path: str, part: Part) -> None:
    """Registers a part under a dotted path; what is missing on the way becomes plain containers."""
    *scopes, name = path.split(".")
    container = model
    for scope in scopes:
        if scope not in container._modules:
            container.add_module(scope, nn.Module())
        container = container.get_submodule(scope)
    if isinstance(part, nn.Parameter):
        container.register_parameter(name, part)
    else:
        container.add_module(name, part)
