"""A spec against the data that it is to be trained on."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.elaboration.program import Elaborated, Program, first_option
from archdsl.errors import Diagnostic
from archdsl.errors.recipes import ChannelsDiffer, ClassesDiffer
from archdsl.source import Span
from archdsl.syntax import Input, Number, walk


def disagreements(program: Program, classes: int) -> tuple[Diagnostic, ...]:
    """Where a spec states another number of channels or classes than the data have.

    Args:
        program: elaborates without a mistake; its input is that of the data.
        classes: of the data. One channel for two classes is fine: it tells the second from the first.
    """
    made = program.elaborate(first_option)
    assert made is not None
    return (*_input(program), *_answer(program, made, classes))


def _input(program: Program) -> Iterator[Diagnostic]:
    for statement in program.file.spec.statements:
        if isinstance(statement, Input) and statement.shape.value[0] != program.input.channels:
            stated = statement.shape.value[0]
            yield ChannelsDiffer(stated, program.input.channels).at(statement.shape.span)


def _answer(program: Program, made: Elaborated, classes: int) -> Iterator[Diagnostic]:
    value, *others = made.assembly.outputs
    channels = made.assembly.builder.shapes[value].channels
    if others or (channels != classes and (channels, classes) != (1, 2)):
        yield ClassesDiffer(channels, classes, len(others) + 1).at(_literal(program, channels))


def _literal(program: Program, channels: int) -> Span:
    """The last number of the pipeline's last stage that says how many channels leave, else the stage."""
    assert program.pipeline is not None
    last = program.pipeline.elements[-1]
    numbers = [node for node in walk(last) if isinstance(node, Number) and node.value == channels]
    return numbers[-1].span if numbers else last.span
