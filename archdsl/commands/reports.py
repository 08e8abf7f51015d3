"""How a call ends: what it prints of what went wrong, and its exit code."""

from __future__ import annotations

from collections.abc import Sequence

import click

from archdsl.errors import Diagnostic, Severity
from archdsl.errors.rendering import human
from archdsl.errors.spaces import NoSuchOption, UnknownChoice

FINE, WRONG_SPEC, WRONG_CALL, INTERRUPTED, CLOSED_PIPE = 0, 1, 2, 130, 141


def report(diagnostics: Sequence[Diagnostic]) -> None:
    """Diagnostics on the standard error, for people."""
    click.echo(human(diagnostics), err=True)


# What `--set` says of a choice, shown at the choice.
_OF_THE_CALL = (NoSuchOption.code, UnknownChoice.code)


def exit_code(diagnostics: Sequence[Diagnostic]) -> int:
    """A mistake with a place is in the spec; one without is in the call, and that says more."""
    errors = [diagnostic for diagnostic in diagnostics if diagnostic.severity is Severity.ERROR]
    if any(diagnostic.span is None or diagnostic.code in _OF_THE_CALL for diagnostic in errors):
        return WRONG_CALL
    return WRONG_SPEC if errors else FINE
