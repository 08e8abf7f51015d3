"""Advice on backbones of timm."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archdsl.backbones.lookup import in_table
from archdsl.elaboration.program import Elaborated
from archdsl.errors import Diagnostic
from archdsl.errors.advice import AskedTimm
from archdsl.ops.backbones import Timm
from archdsl.source import Span


def asked_of_timm(made: Sequence[Elaborated]) -> Iterator[Diagnostic]:
    """Backbones that are not in the table, each once."""
    asked: dict[Span, str] = {}
    for member in made:
        if member.assembly.opaque:
            for operation in member.assembly.network().operations:
                if isinstance(operation.op, Timm) and not in_table(operation.op.model.name):
                    asked[operation.span] = operation.op.word
    for span, word in asked.items():
        yield AskedTimm(word).at(span)
