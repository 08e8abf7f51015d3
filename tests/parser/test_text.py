"""Lines, blanks and marks of a text, apart from what it says."""

from __future__ import annotations

import pytest

from archdsl.errors import ArchError
from archdsl.parser import parse
from archdsl.source import Source
from tests.parser.shapes import shape, shape_of


def shapes(text: str) -> list[str]:
    return [shape(statement) for statement in parse(Source("a.arch", text)).statements]


PLAIN = (
    "let a = [1,\n  2]\nconv 3x3 64  # why\n| bn\n\n# more\n| concat(\n    id,\n    relu\n)\nrequire a < 2\n"
)


def test_lines_may_end_as_on_windows() -> None:
    assert shapes(PLAIN.replace("\n", "\r\n")) == shapes(PLAIN)


def test_a_byte_order_mark_is_passed_over() -> None:
    assert shapes("\ufeff" + PLAIN) == shapes(PLAIN)
    assert shapes("\ufeff# comment\n" + PLAIN) == shapes(PLAIN)


def test_tabs_are_blanks() -> None:
    assert shapes(PLAIN.replace("  ", "\t")) == shapes(PLAIN)


def test_the_last_line_needs_no_end() -> None:
    assert shapes(PLAIN.rstrip()) == shapes(PLAIN)


def test_comments_and_blank_lines_stand_between_any_two_lines() -> None:
    assert shapes(PLAIN.replace("\n", "\n# c, | (\n\n   # d\n")) == shapes(PLAIN)


def test_offsets_are_those_of_the_text_as_it_came() -> None:
    source = Source("a.arch", "\ufeffconv\t3x3\r\n| relu # é\r\n| bn\r\n")
    (pipeline,) = parse(source).statements
    assert pipeline.span.text == "conv\t3x3\r\n| relu # é\r\n| bn"


@pytest.mark.parametrize("continued", ["  | b", "| b", "\n\n| b", " # c\n| b", "    | b # c"])
def test_a_pipe_at_the_start_of_a_line_continues_a_statement(continued: str) -> None:
    assert shape_of(f"a\n{continued}\n") == shape_of("a | b")


@pytest.mark.parametrize("text", ["f(a\n, b\n)", "f(\n  a,\n  b\n)", "f(a,\n b)", "f(a , b)"])
def test_closing_brackets_and_commas_at_the_margin_continue_a_statement(text: str) -> None:
    assert shape_of(text) == shape_of("f(a, b)")


def test_an_indented_line_continues_a_statement() -> None:
    assert shape_of("up x\n    a=1\n    b=2\n| c") == shape_of("up x a=1 b=2 | c")


def test_a_line_at_the_margin_starts_a_statement() -> None:
    assert len(shapes("let a = 1\nlet b = 2\nconv a\n")) == 3


def test_an_indented_first_line_starts_a_statement() -> None:
    assert shapes("\n   encoder a\n   | up b\n") == shapes("encoder a | up b")


def test_a_hash_inside_a_string_is_no_comment() -> None:
    assert shape_of('use "a#b"') == "Use(a#b)"


def test_brackets_and_pipes_inside_strings_and_comments_count_for_nothing() -> None:
    assert len(shapes('about a="((|[" # )}\nconv 3x3 # (\n| bn\n')) == 2


@pytest.mark.parametrize("text", ["", "\n", "   \n\t\n", "# only a comment", "\ufeff", "\r\n\r\n"])
def test_a_text_may_say_nothing(text: str) -> None:
    assert shapes(text) == []


UNSEEN = ["\x00", "\x1b", "\x7f", "\x85", "\r", "\u200b", "\u202e", "\ufffd", chr(0xD800)]


@pytest.mark.parametrize("character", UNSEEN, ids=lambda character: f"U+{ord(character):04X}")
@pytest.mark.parametrize("place", ["conv 3x3 {} 64", "conv 3x3 # a {} b", 'use "a{}b"'])
def test_no_unseen_character_passes_anywhere(character: str, place: str) -> None:
    with pytest.raises(ArchError) as caught:
        parse(Source("a.arch", place.format(character)))
    assert [found.code for found in caught.value.diagnostics] == ["E031"]
    assert character not in str(caught.value) or character == "\ufffd"
