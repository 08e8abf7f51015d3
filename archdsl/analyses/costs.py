"""What a network costs beside all of its parameters and MACs: activations, depth, parameters of inference."""

from __future__ import annotations

from archdsl.network import Network, Operation


def activations(network: Network) -> int:
    """Elements of all maps that convolutions and linear layers write in inference.

    Radosavovic et al. 2020, arXiv:2003.13678.
    """
    return sum(
        operation.shape.elements
        for number, operation in enumerate(network.operations)
        if number in network.inference and _is_layer(network, operation)
    )


def inference_params(network: Network) -> int:
    """Trainable parameters without those of training-only parts, each module once."""
    modules = {
        operation.path: operation.op.cost(network.shapes_into(operation)).params
        for number, operation in enumerate(network.operations)
        if number in network.inference
    }
    return sum(modules.values())


def depth(network: Network) -> int:
    """The longest chain of convolutions and linear layers from the image to what flows."""
    longest = [0]
    for operation in network.operations:
        before = max((longest[value] for value in operation.inputs), default=0)
        longest.append(before + _is_layer(network, operation))
    return max(longest[output.value] for output in network.outputs if not output.training_only)


def _is_layer(network: Network, operation: Operation) -> bool:
    """Whether an operation has weights that it multiplies with: no norm, and no product of two maps."""
    op = operation.op
    return op.has_weights and op.cost(network.shapes_into(operation)).macs > 0
