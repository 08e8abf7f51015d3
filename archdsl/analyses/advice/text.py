"""Advice on the text alone: what it names and never uses, an image that is written as others write it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archdsl.analyses.words import words_in
from archdsl.elaboration.program import Program
from archdsl.errors import Diagnostic
from archdsl.errors.advice import ChannelsLast, UnusedLet, UnusedParameter
from archdsl.syntax import Define, Input, Let

FEW = (1, 3, 4)  # channels that images have
FACTOR = 4  # by which a side is at least larger


def channels_last(program: Program) -> Iterator[Diagnostic]:
    """`input 224x224x3`: legal, as 224 channels, and hardly meant."""
    for statement in program.file.spec.statements:
        if isinstance(statement, Input) and (advice := shape_in_other_order(statement.shape.value)):
            yield advice.at(statement.shape.span)


def shape_in_other_order(sizes: Sequence[int]) -> ChannelsLast | None:
    """Advice on the shape of an image, if its channels seem to come last."""
    *sides, channels = sizes
    if len(sides) < 2 or channels not in FEW or min(sides[:2]) < FACTOR * max(FEW):
        return None
    return ChannelsLast("x".join(map(str, sizes)), "x".join(map(str, (channels, *sides))))


def unused_parameters(program: Program) -> Iterator[Diagnostic]:
    """Parameters that their definition doesn't read; a name that starts with `_` only keeps a place."""
    for statement in program.file.spec.statements:
        if isinstance(statement, Define):
            read = set(words_in(statement))
            for parameter in statement.parameters or ():
                if parameter.name not in read and not parameter.name.startswith("_"):
                    yield UnusedParameter(statement.name, parameter.name).at(parameter.span)


def unused_lets(program: Program) -> Iterator[Diagnostic]:
    """Lets that nothing in their file reads."""
    statements = program.file.spec.statements
    read = {word for statement in statements for word in words_in(statement)}
    for statement in statements:
        if isinstance(statement, Let) and statement.name not in read:
            yield UnusedLet(statement.name).at(statement.name_span)
