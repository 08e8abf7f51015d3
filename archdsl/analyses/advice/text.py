"""Advice on the text alone: what it names and never uses."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.analyses.words import words_in
from archdsl.elaboration.program import Program
from archdsl.errors import Diagnostic
from archdsl.errors.advice import UnusedLet, UnusedParameter
from archdsl.syntax import Define, Let


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
