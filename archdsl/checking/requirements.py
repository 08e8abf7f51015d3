"""Requirements against the figures of a network."""

from __future__ import annotations

from archdsl.analyses.requirements import Figures, conditions, holds, told
from archdsl.elaboration.program import Program
from archdsl.errors import Diagnostic
from archdsl.errors.spaces import Unmet
from archdsl.formatter import format_node
from archdsl.syntax import Expression, Require


def broken(program: Program, figures: Figures) -> list[Expression]:
    """The conditions of a spec that a network breaks."""
    found = []
    for requirement in program.requirements:
        if holds(requirement, figures):
            continue
        parts = conditions(requirement)
        found += [part for part in parts if len(parts) == 1 or not holds(Require(part.span, part), figures)]
    return found


def unmet(program: Program, figures: Figures) -> list[Diagnostic]:
    """A mistake for each condition that a network breaks."""
    return [Unmet(format_node(part), told(part, figures)).at(part.span) for part in broken(program, figures)]
