"""A whole spec checked: every statement, every option once, the figures, the size of the input.

What is wrong is told once, at its place, and nothing that only follows from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from archdsl.analyses.advice import advice
from archdsl.analyses.advice.text import channels_last
from archdsl.analyses.figures import NetworkFigures
from archdsl.analyses.requirements import unknown, unmet
from archdsl.checking.agreement import disagreements
from archdsl.checking.sizes import minimum_input, told_as_too_small
from archdsl.checking.statements import Statements
from archdsl.checking.trials import (
    Found,
    Trial,
    explored,
    option_mistakes,
    sample_mistakes,
    sampled,
    tried,
    under,
)
from archdsl.elaboration.context import ENDING
from archdsl.elaboration.program import Program
from archdsl.errors import Diagnostic, Severity
from archdsl.errors.spaces import NestedChoice
from archdsl.errors.statements import ManyMore
from archdsl.source import Source, Span
from archdsl.syntax import Use

MOST = 20


def check_text(
    program: Program, of_text: Sequence[Diagnostic], object_size: int | None = None
) -> tuple[Diagnostic, ...]:
    """Everything that is wrong with a spec, and advice.

    Args:
        program: of the statements that could be read.
        of_text: what the parser told. Where that is more than advice, the network is not looked at:
            what is wrong with it may follow from what could not be read.
        object_size: pixels that the input's objects are wide, where the caller knows.
    """
    of_text = [*of_text, *channels_last(program)]
    if not any(diagnostic.severity is Severity.ERROR for diagnostic in of_text):
        return tidy(program, [*of_text, *check_program(program, object_size)])
    return tidy(program, [*of_text, *_readable(program).check()])


def check_program(program: Program, object_size: int | None = None) -> tuple[Diagnostic, ...]:
    """Everything that is wrong with a spec whose text is sound; if nothing is, advice."""
    found, trials = _checked(program)
    if trials and not found:
        samples = sampled(trials[0]) if len(trials) > 1 else []
        found = [*map(_told, sample_mistakes(samples))]
        trials = [trials[0], *samples]
    made = [trial.made for trial in trials if trial.made]
    return tidy(program, found or advice(program, made, object_size))


def mistakes(program: Program) -> tuple[Diagnostic, ...]:
    """What keeps a spec from being used.

    Of a space the options are tried one by one: members that only several of them together spoil are
    for whoever draws them to reject.
    """
    return tidy(program, _checked(program)[0])


def _checked(program: Program) -> tuple[list[Diagnostic], list[Trial]]:
    """Mistakes, and the elaborations that found them or none."""
    checker = Statements(program)
    written = checker.check()
    if program.pipeline is None or checker.blind or any(d.code == NestedChoice.code for d in written):
        return written, []
    trials = [tried(program, {})] if written else explored(program)
    made = map(_told, option_mistakes(trials))
    found = [*written, *(mistake for mistake in made if not _follows(mistake, written))]
    if not found:
        figures = [NetworkFigures(trial.made.assembly) for trial in trials if trial.made]
        opaque = next((one for one in figures if one.assembly.opaque), None)
        if opaque is not None:
            found += unknown(program.requirements, opaque)
        if not found and len(trials) == 1 and figures:
            found += unmet(program.requirements, figures[0])
    return found, trials


def _told(found: Found) -> Diagnostic:
    """A mistake of the elaboration as what it is to a user."""
    mistake = told_as_too_small(found.trial.program, found.mistake, found.trial.decide)
    return under(mistake, found.trial, found.decisions)


def _follows(mistake: Diagnostic, written: Iterable[Diagnostic]) -> bool:
    """Whether a mistake of the elaboration is one that is told already, or stands where one is."""
    return any(
        _overlap(mistake.span, other.span) or (mistake.code == other.code and mistake.code in ENDING)
        for other in written
    )


def _overlap(one: Span | None, other: Span | None) -> bool:
    if one is None or other is None or one.source is not other.source:
        return False
    return one.start < other.end and other.start < one.end


# ---- a text with mistakes --------------------------------------------------------------------

# A name that was to be defined: after its word, or, where that was forgotten, before its `=`.
_NAMED = re.compile(r"^(?:[ \t]*(?:def|let)[ \t]+|(?=\w+[ \t]*=(?!=)))([A-Za-z_]\w*)", re.MULTILINE)
_USES = re.compile(r"^[ \t]*use\b", re.MULTILINE)


def _readable(program: Program) -> Statements:
    """The checker of a spec of which some statements could not be read: what they define is known by name."""
    text = program.file.spec.source.text
    named = frozenset(_NAMED.findall(text)) - program.file.definitions.keys() - program.file.lets.keys()
    uses = sum(isinstance(statement, Use) for statement in program.file.spec.statements)
    return Statements(program, named, blind=len(_USES.findall(text)) > uses)


# ---- the list ----------------------------------------------------------------------------------


def tidy(program: Program, found: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """In the order of their places, one mistake a place, else advice; at most twenty and how many more."""
    main = program.file.spec.source

    def order(diagnostic: Diagnostic) -> tuple[int, int, int]:
        span = diagnostic.span or next((label.span for label in diagnostic.labels), None)
        return (-1, 0, 0) if span is None else (span.source is not main, span.start, span.end)

    kept: dict[object, Diagnostic] = {}
    told = (_from_here(diagnostic, main) for diagnostic in found)
    for diagnostic in sorted(told, key=lambda diagnostic: diagnostic.severity is Severity.ADVICE):
        span = diagnostic.span
        if span is None:
            kept.setdefault(diagnostic, diagnostic)
            continue
        place = (id(span.source), span.start, span.end)
        advice = diagnostic.severity is Severity.ADVICE and (place, "") not in kept
        kept.setdefault((place, diagnostic.code if advice else ""), diagnostic)
    most_urgent = list(kept.values())
    shown = sorted(most_urgent[:MOST], key=order)
    rest = most_urgent[MOST:]
    behind = next((diagnostic.span for diagnostic in rest if diagnostic.span), None)
    return tuple(shown) if behind is None else (*shown, ManyMore(len(rest)).at(behind))


def _from_here(diagnostic: Diagnostic, main: Source) -> Diagnostic:
    """A diagnostic of another file, told at the place of this one that leads there."""
    leads = next((label for label in diagnostic.labels if label.span.source is main), None)
    if leads is None or diagnostic.span is None or diagnostic.span.source is main:
        return diagnostic
    others = [label._replace(primary=False) for label in diagnostic.labels if label is not leads]
    return replace(diagnostic, labels=(leads._replace(primary=True), *others), fix=None)


__all__ = ["check_program", "check_text", "disagreements", "minimum_input", "mistakes", "tidy"]
