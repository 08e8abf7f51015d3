"""The grammar file alone, as any other tool would use it."""

from __future__ import annotations

from pathlib import Path

import lark
import pytest

from archdsl.parser import parse
from archdsl.parser.scan import RESERVED, STATEMENTS
from archdsl.resources import grammars
from archdsl.source import Source

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.arch"))
GRAMMAR = (grammars() / "arch.lark").read_text("utf-8")


@pytest.fixture(scope="module")
def strict() -> lark.Lark:
    """Strict: a conflict between rules, or between terminals of one priority, is an error."""
    return lark.Lark(GRAMMAR, parser="lalr", lexer="contextual", strict=True, start=["file", "statement"])


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_grammar_alone_reads_every_example(strict: lark.Lark, path: Path) -> None:
    text = path.read_text("utf-8")
    statements = strict.parse(text, start="file").children
    assert len(statements) == len(parse(Source(path.name, text)).statements)


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n", "\n# a\n\nconv 3x3 64\n# b\n", "conv 3x3 64"])
def test_blank_lines_and_comments_stand_anywhere_in_a_file(strict: lark.Lark, text: str) -> None:
    assert len(strict.parse(text, start="file").children) == text.count("conv")


def test_the_words_of_the_language_are_those_of_the_grammar(strict: lark.Lark) -> None:
    words = {
        terminal.pattern.value.removesuffix(r"\b")
        for terminal in strict.terminals
        if terminal.pattern.value.endswith(r"\b")
    }
    assert words == RESERVED | STATEMENTS


@pytest.mark.parametrize("word", sorted(STATEMENTS))
def test_words_of_statements_are_names_elsewhere(word: str) -> None:
    assert len(parse(Source("a.arch", f"conv {word} {word}=3 | {word} 3\n")).statements) == 1


@pytest.mark.parametrize("word", sorted(RESERVED | STATEMENTS))
def test_names_may_begin_with_words_of_the_language(word: str) -> None:
    source = Source("a.arch", f"{word}_x {word}s {word}2={word}d | {word}x(id)\nlet {word}_ = 3\n")
    assert len(parse(source).statements) == 2
