"""Whatever stands in a file, reading it ends in a tree or in diagnostics."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl.errors import ArchError, Severity
from archdsl.parser import parse, parse_leniently
from archdsl.parser.scan import RESERVED, STATEMENTS
from archdsl.source import Source

EXAMPLES = [
    path.read_text("utf-8") for path in sorted((Path(__file__).parents[1] / "examples").glob("*.arch"))
]
_WORDS = "conv bn f( concat( x y.0.1 timm:a @x @m{i} as as-x{i} 3 0.5 10M 10m 3x3 1X1 1e-3 .5 5."
_SIGNS = "( ) [ ] { } | , = + - * / // % < <= == != ? : .. ... ; -> |> # \\ $ && || ! ** :="
WORDS = [
    *sorted(RESERVED | STATEMENTS),
    *_WORDS.split(),
    *_SIGNS.split(),
    *('"a"', '"', "'", "é", "“", "×", "\u00a0", "\n", "\n  ", "\n| ", " ", "\t", "\r\n", "\x00", "\ufeff"),
]
SOUP = st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join)


@st.composite
def mutants(draw: st.DrawFn) -> str:
    """An example with a few places cut, doubled or overwritten."""
    text = draw(st.sampled_from(EXAMPLES))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 6)))
        text = text[:start] + draw(st.sampled_from(["", text[start:end] * 2, *WORDS])) + text[end:]
    return text


def check(text: str) -> None:
    source = Source("a.arch", text)
    spec, found = parse_leniently(source)
    for diagnostic in found:
        assert str(diagnostic)
        assert diagnostic.span is not None
        assert 0 <= diagnostic.span.start <= diagnostic.span.end <= len(text)
    if any(diagnostic.severity is Severity.ERROR for diagnostic in found):
        with pytest.raises(ArchError) as caught:
            parse(source)
        assert len(caught.value.diagnostics) == len(found)
    else:
        assert len(parse(source).statements) == len(spec.statements)


@settings(max_examples=200, deadline=None)
@given(SOUP)
def test_a_soup_of_words_gives_a_tree_or_diagnostics(text: str) -> None:
    check(text)


@settings(max_examples=100, deadline=None)
@given(mutants())
def test_a_damaged_example_gives_a_tree_or_diagnostics(text: str) -> None:
    check(text)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80))
def test_any_text_gives_a_tree_or_diagnostics(text: str) -> None:
    check(text)
