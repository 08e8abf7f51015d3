"""How much of the image one pixel of the output can see."""

from __future__ import annotations

import math
from fractions import Fraction

from archdsl.network import Network


def receptive_field(network: Network) -> int:
    """Pixels of the image, along its longer reach, that one pixel of the output reads.

    Global pooling is left out.

    The recurrence of Araujo et al. 2019 (doi:10.23915/distill.00021): a kernel adds (k-1) steps of
    the map that it reads. A join sees as far as its farthest branch.
    """
    rank = network.input.rank
    fields: list[tuple[tuple[Fraction, ...], tuple[Fraction, ...]]] = [
        ((Fraction(1),) * rank, (Fraction(1),) * rank)
    ]
    for operation in network.operations:
        seen = [fields[value] for value in operation.inputs]
        size = tuple(max(column) for column in zip(*(s for s, _ in seen), strict=True))
        step = seen[0][1]
        window = operation.op.window(network.shapes_into(operation))
        if window is not None and len(window.kernel) == rank:
            size = tuple(
                reach + (k - 1) * d * jump
                for reach, k, d, jump in zip(seen[0][0], window.kernel, window.dilation, step, strict=True)
            )
            step = tuple(jump * s for jump, s in zip(step, window.stride, strict=True))
        fields.append((size, step))
    reach = [fields[output.value][0] for output in network.outputs if not output.training_only]
    return math.ceil(max(max(size) for size in reach))
