"""The smallest input that a network can take."""

from __future__ import annotations

from archdsl.elaboration.choices import Decide
from archdsl.elaboration.program import DEFAULT_INPUT, Program, first_option
from archdsl.errors import ArchError, Diagnostic
from archdsl.errors.recipes import TooSmall
from archdsl.errors.shapes import BY_SIZE
from archdsl.source import Label, Span
from archdsl.syntax import Input
from archdsl.tensors import Shape

LARGEST = 4096
# Joins written by hand may fail at a size that is large enough: how far to look for one that they take.
NEIGHBOURS = 64


def minimum_input(program: Program, decide: Decide = first_option) -> tuple[int, int] | None:
    """The smallest square height and width that a network can take; None if it can't take any up to 4096.

    Channels (and the depth of a volume) are those of the spec's input; a spec with open choices is
    closed by `decide`. What the shapes allow, torch can run: from batch 1 in evaluation, from batch 2
    in training, where a batch norm needs two values.
    """

    def mistakes(side: int) -> frozenset[str]:
        shape = Shape(*program.input[:-2], side, side)
        try:
            program.elaborate(decide, image=shape)
        except ArchError as error:
            return frozenset(diagnostic.code for diagnostic in error.diagnostics)
        return frozenset()

    low, high = 0, max(1, min(program.input[-2:]))  # `low` is too small
    while mistakes(high) & BY_SIZE:
        low, high = high, 2 * high
        if high > LARGEST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        if mistakes(middle) & BY_SIZE:
            low = middle
        else:
            high = middle
    found = next((side for side in range(high, high + NEIGHBOURS) if not mistakes(side)), None)
    return None if found is None else (found, found)


def told_as_too_small(program: Program, mistake: Diagnostic, decide: Decide) -> Diagnostic:
    """A mistake as what it is to a user where a larger input would mend it: the input is too small."""
    if mistake.code not in BY_SIZE:
        return mistake
    minimum = minimum_input(program, decide)
    height, width = program.input[-2:]
    if minimum is None or (height >= minimum[0] and width >= minimum[1]):
        return mistake
    told = TooSmall(height, width, f"{minimum[0]}x{minimum[1]}")
    stated = _stated(program)
    causes = tuple(_cause(label, mistake) for label in mistake.labels)
    if stated is not None:
        return told.at(stated, *causes)
    is_given = program.input != (program.stated_input or DEFAULT_INPUT)  # the call is wrong, not the spec
    places = tuple(label._replace(primary=label.primary and not is_given) for label in causes)
    return Diagnostic(told.code, told.severity, told.message(), places, told.help())


def _cause(label: Label, mistake: Diagnostic) -> Label:
    if not label.primary:
        return label
    return label._replace(text=f"{mistake.message}: {label.text}" if label.text else mistake.message)


def _stated(program: Program) -> Span | None:
    """Where the spec states the input that is too small."""
    if program.stated_input != program.input:
        return None
    return next((s.shape.span for s in program.file.spec.statements if isinstance(s, Input)), None)
