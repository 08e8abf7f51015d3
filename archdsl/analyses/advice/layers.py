"""Advice on the order of layers: only of those that the spec writes itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archdsl.analyses.advice.written import Written
from archdsl.errors import Diagnostic
from archdsl.errors.advice import (
    BiasBeforeNorm,
    DropoutBeforeNorm,
    MissingActivation,
    NormAfterActivation,
    OrderOfTorch,
)
from archdsl.network import Operation
from archdsl.ops.activations import ACTIVATIONS
from archdsl.source import Label, Span

NORM = "bn"
NORMS = ("bn", "gn", "ln")
LINEAR = ("conv", "dwconv", "deform_conv", "transpose_conv", "linear")
# What scales, drops or lays numbers out anew: two linear maps with nothing else between them are one.
TRANSPARENT = ("bn", "dropout", "drop_path", "id", "flatten")
# Linear, too, but a narrow map is often made before one of them because it is cheaper there.
RESAMPLING = ("pool", "upsample", "interpolate")
MOST_LABELS = 4
LARGE_KERNEL = 11
_THREE_NUMBERS = re.compile(r"(conv|deform_conv)\s+([0-9]+)\s+([0-9]+)\s+([0-9]+)(?![\w.])")


def biases_before_norms(written: Written) -> Iterator[Diagnostic]:
    """Convolutions whose bias only a batch norm reads, which subtracts it again.

    One that is asked for, as `bias=true`, is meant: many published networks have it.
    """
    asked = {
        word
        for word, defaults in written.program.file.defaults.items()
        if any(keyword.name == "bias" for default in defaults for keyword in default.keywords)
    }
    places: dict[Span, str] = {}
    for number, operation in enumerate(written.network.operations):
        reader = written.only_reader(number)
        idle = getattr(operation.op, "bias", False) and reader is not None and reader.op.name == NORM
        meant = operation.op.name in asked or "bias=" in operation.span.text
        if idle and written.is_own(number) and not meant:
            places.setdefault(operation.span, operation.op.name)
    if places:
        first, *others = places
        yield BiasBeforeNorm(places[first], len(places)).at(first, *_labels(others, "so does this one"))


def torchs_order(written: Written) -> Iterator[Diagnostic]:
    """`conv 3 64 7`, which in torch is from 3 to 64 channels by a kernel of 7.

    Told where the third number steps over pixels, or the first is the number of channels that enter and
    a strange kernel.
    """
    places: dict[Span, OrderOfTorch] = {}
    for operation in written.network.operations:
        numbers = _THREE_NUMBERS.match(operation.span.text)
        if operation.span.source is not written.source or numbers is None:
            continue
        kernel, out, stride = map(int, numbers.groups()[1:])
        entering = written.network.shape_of(operation.inputs[0]).channels
        strange = kernel == entering and (stride >= kernel or kernel > LARGE_KERNEL)
        if strange or stride > kernel > 1:
            places.setdefault(operation.span, OrderOfTorch(numbers[1], kernel, out, stride))
    if places:
        first, *others = places
        yield places[first].at(first, *_labels(others))


def dropouts_before_norms(written: Written) -> Iterator[Diagnostic]:
    """Dropouts whose output reaches a batch norm: its variance is another in training than afterwards."""
    operations = written.network.operations
    norms: dict[int, int] = {}  # value -> the first batch norm that it reaches
    for number in range(len(operations) - 1, -1, -1):
        reached = number if operations[number].op.name == NORM else norms.get(number + 1)
        if reached is not None:
            norms.update(dict.fromkeys(operations[number].inputs, reached))
    places: dict[Span, Span] = {}
    for number, operation in enumerate(operations):
        drops = operation.op.name == "dropout" and getattr(operation.op, "rate", 0) > 0
        if drops and written.is_own(number) and number + 1 in norms:
            places.setdefault(operation.span, written.place(norms[number + 1]))
    if places:
        first, *others = places
        norm = [Label(places[first], "this one learns the variance of training")]
        yield DropoutBeforeNorm(len(places)).at(first, *norm, *_labels(others))


def norms_after_activations(written: Written) -> Iterator[Diagnostic]:
    """Norms of what an activation just made of a convolution."""
    operations = written.network.operations
    places: dict[Span, str] = {}
    for number, operation in enumerate(operations):
        if operation.op.name not in NORMS or not written.is_own(number):
            continue
        before = _made_by(written, operation, ("dropout", "id"))
        if before is None or before.op.name not in ACTIVATIONS:
            continue
        source = _made_by(written, before, ("id",))
        if source is not None and source.op.name in LINEAR and source.span.source is written.source:
            places.setdefault(operation.span, before.op.name)
    if places:
        first, *others = places
        yield NormAfterActivation(first.text.split()[0], places[first], len(places)).at(
            first, *_labels(others)
        )


def maps_without_activation(written: Written) -> Iterator[Diagnostic]:
    """Convolutions that read another one with nothing between that is not linear.

    What is meant so is left out: depthwise and grouped, 1xn then nx1, a map with fewer channels than on
    both of its sides, and the linear bottleneck of inverted residuals, which a wider 1x1 reads.
    """
    places: dict[Span, Span] = {}
    for number, operation in enumerate(written.network.operations):
        if not written.is_own(number) or not (_is_full(written, operation) or _is_transposed(operation)):
            continue
        before = _linear_sources(written, operation)
        if before and all(_is_one_map(written, each, operation) for each in before):
            places.setdefault(operation.span, before[0].span)
    if places:
        first, *others = places
        labels = [Label(places[first], "what this one makes")] if places[first] != first else []
        yield MissingActivation(len(places)).at(first, *labels, *_labels(others))


def _is_one_map(written: Written, before: Operation, operation: Operation) -> bool:
    """Whether two linear maps in series make one that can do as much."""
    if before.span.source is not written.source:
        return False
    if not (_is_full(written, before) or (_is_transposed(before) and _is_transposed(operation))):
        return False
    if _is_transposed(operation) and not _is_transposed(before):
        return False
    entering, between = written.network.shape_of(before.inputs[0]).channels, before.shape.channels
    widened = _is_pointwise(before) and _is_pointwise(operation) and operation.shape.channels > between
    return between >= min(entering, operation.shape.channels) and not widened


def _linear_sources(written: Written, operation: Operation) -> list[Operation]:
    """The layers whose results another one reads, with nothing between that isn't linear.

    None where a pointwise one fuses branches, or stands before a resampling since it is cheaper there.
    """
    values, found, resampled = [operation.inputs[0]], list[Operation](), False
    while values:
        value = values.pop()
        if not value or len(written.readers[value]) > 1:
            return []
        made = written.network.operations[value - 1]
        if made.op.name == "concat" and not _is_pointwise(operation):
            values += reversed(made.inputs)
        elif made.op.name in TRANSPARENT or _resamples(made):
            resampled |= _resamples(made)
            values.append(made.inputs[0])
        else:
            found.append(made)
    return [] if resampled and any(map(_is_pointwise, found)) else found


def _resamples(operation: Operation) -> bool:
    """Whether it makes pixels of weighted sums of pixels, at another resolution."""
    mean = operation.op.name != "pool" or (
        getattr(operation.op, "kind", "") == "avg" and getattr(operation.op, "size", None) is not None
    )
    return operation.op.name in RESAMPLING and mean


def _is_transposed(operation: Operation) -> bool:
    """Whether it is a transposed convolution that learns how to climb."""
    op = operation.op
    return (
        op.name == "transpose_conv"
        and getattr(op, "groups", 1) == 1
        and getattr(op, "init", "") != "bilinear"
    )


def _is_full(written: Written, operation: Operation) -> bool:
    """Whether it is a linear map of all channels to all channels, with the same reach on each axis."""
    if operation.op.name == "linear":
        return True
    window = operation.op.window(written.network.shapes_into(operation))
    if operation.op.name != "conv" or getattr(operation.op, "groups", 1) > 1 or window is None:
        return False
    return len(set(window.kernel)) == 1


def _is_pointwise(operation: Operation) -> bool:
    return getattr(operation.op, "kernel", None) in (1, (1, 1))


def _made_by(written: Written, operation: Operation, through: tuple[str, ...]) -> Operation | None:
    """The operation whose result another reads, seen `through` some words."""
    value = operation.inputs[0]
    while value:
        made = written.network.operations[value - 1]
        if made.op.name not in through:
            return made
        value = made.inputs[0]
    return None


def _labels(others: list[Span], text: str = "here too") -> list[Label]:
    return [Label(span, text) for span in others[:MOST_LABELS]]
