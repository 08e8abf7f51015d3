"""Diagnostics as text: for people, for `grep`, for programs, for a review on GitHub."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from archdsl.errors.base import Diagnostic, Severity
from archdsl.source import Label, Span

# What one reading of the terminal takes in.
MOST_PICTURES = 20


def human(diagnostics: Sequence[Diagnostic]) -> str:
    """Each with its picture; where there are several, how many."""
    parts = [str(diagnostic) for diagnostic in diagnostics[:MOST_PICTURES]]
    errors = sum(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)
    counts = [_counted(errors, "error"), _counted(len(diagnostics) - errors, "piece", " of advice")]
    left_out = len(diagnostics) - len(parts)
    shown = f", the first {MOST_PICTURES} shown" if left_out else ""
    if len(diagnostics) > 1:
        parts.append(", ".join(filter(None, counts)) + shown)
    return "\n\n".join(parts)


def concise(diagnostics: Sequence[Diagnostic]) -> str:
    """One line each: `file:line:column: error[E203]: message`."""
    return "\n".join(_line(diagnostic) for diagnostic in diagnostics)


def as_json(diagnostics: Sequence[Diagnostic]) -> str:
    """A list of objects; lines and columns count from 1, `start` and `end` are offsets from 0."""
    return json.dumps([_fields(diagnostic) for diagnostic in diagnostics], indent=2, ensure_ascii=False)


def github(diagnostics: Sequence[Diagnostic]) -> str:
    """Workflow commands, which a run on GitHub shows beside the lines that they speak of."""
    return "\n".join(_annotation(diagnostic) for diagnostic in diagnostics)


FORMATS: dict[str, Callable[[Sequence[Diagnostic]], str]] = {
    "human": human,
    "concise": concise,
    "json": as_json,
    "github": github,
}


def _counted(number: int, word: str, rest: str = "") -> str:
    return f"{number} {word}{'' if number == 1 else 's'}{rest}" if number else ""


def _line(diagnostic: Diagnostic) -> str:
    place = f"{diagnostic.span}: " if diagnostic.span else ""
    return f"{place}{diagnostic.severity.value}[{diagnostic.code}]: {diagnostic.message}"


def _fields(diagnostic: Diagnostic) -> dict[str, Any]:
    fix = diagnostic.fix
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        "help": diagnostic.help,
        "labels": [_label_fields(label) for label in diagnostic.labels],
        "fix": None if fix is None else _place(fix.span) | {"text": fix.text, "safe": fix.safe},
    }


def _label_fields(label: Label) -> dict[str, Any]:
    return _place(label.span) | {"text": label.text, "primary": label.primary}


def _place(span: Span) -> dict[str, Any]:
    end_line, end_column = span.source.position(span.end)
    return {
        "file": span.source.name,
        "line": span.line,
        "column": span.column,
        "end_line": end_line,
        "end_column": end_column,
        "start": span.start,
        "end": span.end,
    }


_GITHUB_NAMES = {
    "file": "file",
    "line": "line",
    "col": "column",
    "endLine": "end_line",
    "endColumn": "end_column",
}


def _annotation(diagnostic: Diagnostic) -> str:
    level = "error" if diagnostic.severity is Severity.ERROR else "notice"
    properties = {"title": diagnostic.code}
    if diagnostic.span:
        place = _place(diagnostic.span)
        names = {
            "file": "file",
            "line": "line",
            "col": "column",
            "endLine": "end_line",
            "endColumn": "end_column",
        }
        properties |= {name: str(place[key]) for name, key in names.items()}
    listed = ",".join(f"{name}={_escaped(value, property=True)}" for name, value in properties.items())
    text = diagnostic.message + (f". {diagnostic.help}" if diagnostic.help else "")
    return f"::{level} {listed}::{_escaped(text)}"


def _escaped(text: str, *, property: bool = False) -> str:
    """Percent codes for what would end a workflow command, or one of its properties, early."""
    special = "%\r\n:," if property else "%\r\n"
    return "".join(f"%{ord(char):02X}" if char in special else char for char in text)
