"""From source to spec, with all that is wrong with its text."""

from __future__ import annotations

from dataclasses import dataclass

from lark import TextSlice, UnexpectedInput

from archdsl.errors.base import ArchError, Diagnostic
from archdsl.errors.syntax import NotExpected
from archdsl.parser import scan
from archdsl.parser.tables import tables
from archdsl.parser.tree import TreeBuilder
from archdsl.source import Source
from archdsl.syntax import Spec, Statement


@dataclass(frozen=True)
class Limits:
    """What a text may ask for at most; an option of the caller, never of the spec."""

    size: int = 64 * 1024
    brackets: int = 32


def parse(source: Source, limits: Limits = Limits()) -> Spec:
    """The tree of a spec.

    Raises:
        ArchError: the text is wrong; it carries every diagnostic, in the order of the text.
    """
    spec, diagnostics = parse_leniently(source, limits)
    if diagnostics:
        raise ArchError(*diagnostics)
    return spec


def parse_leniently(source: Source, limits: Limits = Limits()) -> tuple[Spec, tuple[Diagnostic, ...]]:
    """The statements that could be read, and what is wrong with the others."""
    statements: list[Statement] = []
    diagnostics: list[Diagnostic] = []
    text = source.text.replace("\ufeff", " ", 1) if source.text.startswith("\ufeff") else source.text
    for span in scan.statements(source):
        try:
            tree = tables().parse(TextSlice(text, span.start, span.end), start="statement")
        except UnexpectedInput as error:
            at = error.pos_in_stream or 0
            diagnostics.append(NotExpected(text[at : at + 10], ()).at(source.span(at, at + 1)))
            continue
        builder = TreeBuilder(source)
        statements.append(builder.transform(tree))
        diagnostics += builder.diagnostics
    return Spec(source, tuple(statements), scan.comments(source)), tuple(diagnostics)
