"""Advice."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.elaboration.program import Elaborated, Program
from archdsl.errors import Diagnostic


def advice(program: Program, made: Sequence[Elaborated]) -> list[Diagnostic]:
    return []
