"""Advice on spaces and what they require."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from archdsl.analyses.figures import NetworkFigures
from archdsl.analyses.requirements import broken, measured
from archdsl.analyses.words import words_in
from archdsl.elaboration.program import Elaborated, Program
from archdsl.errors import Diagnostic
from archdsl.errors.advice import NeverFeasible, NotMeasured
from archdsl.source import Label, Span

SIZED = {"macs", "activations"}  # figures that depend on the size of the input


def not_measured(program: Program) -> Iterator[Diagnostic]:
    """Requirements that speak of what only a device can tell."""
    for name in measured(program.requirements)[:1]:
        yield NotMeasured(name.name).at(name.span)


def never_feasible(program: Program, made: Sequence[Elaborated]) -> Iterator[Diagnostic]:
    """Requirements that none of several members of a space meets.

    What depends on the input's size is left out where the spec leaves that to the data.
    """
    if len(made) < 2 or not program.requirements:
        return
    counts: Counter[Span] = Counter()
    for member in made:
        failing = broken(program.requirements, NetworkFigures(member.assembly))
        if program.stated_input is None:
            failing = [condition for condition in failing if not SIZED & set(words_in(condition))]
        if not failing:
            return
        counts.update(condition.span for condition in failing)
    (worst, most), *others = counts.most_common()
    labels = [Label(span, f"{count} break this one") for span, count in others]
    yield NeverFeasible(len(made), most).at(worst, *labels)
