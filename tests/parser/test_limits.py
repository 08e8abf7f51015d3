"""A hostile text costs little and is told what is wrong with it."""

from __future__ import annotations

import pytest

from archdsl.errors import ArchError
from archdsl.parser import Limits, parse, parse_leniently
from archdsl.source import Source

SIZE = 64 * 1024
STANDARD = Limits()


def codes(text: str, limits: Limits = STANDARD) -> set[str]:
    return {found.code for found in parse_leniently(Source("a.arch", text), limits)[1]}


def test_a_text_may_have_64_kib_and_not_a_byte_more() -> None:
    text = "# " + "x" * (SIZE - 2)
    assert codes(text) == set()
    assert codes(text + "x") == {"E401"}


def test_the_size_is_counted_in_bytes() -> None:
    assert codes("# " + "é" * (SIZE // 2 - 1)) == set()
    assert codes("# " + "é" * (SIZE // 2)) == {"E401"}


@pytest.mark.parametrize(("opener", "closer"), ["()", "[]", "{}"])
def test_brackets_stand_32_deep_and_not_deeper(opener: str, closer: str) -> None:
    assert codes(f"f {opener * 32}1{closer * 32}") == set()
    assert codes(f"f {opener * 33}1{closer * 33}") == {"E402"}


def test_limits_are_those_of_the_caller() -> None:
    assert codes("f [[1]]", Limits(brackets=1)) == {"E402"}
    assert codes("f " + "[" * 40 + "1" + "]" * 40, Limits(brackets=40)) == set()
    assert codes("f 1", Limits(size=2)) == {"E401"}


@pytest.mark.parametrize(
    "chain",
    ["1+" * 300 + "1", "-" * 300 + "1", "not " * 300 + "a", "a or " * 300 + "a", "1 if a else " * 300 + "1"],
)
def test_a_chain_of_operators_may_not_be_endless(chain: str) -> None:
    assert codes(f"let x = {chain}") == {"E404"}


def test_a_wide_statement_is_not_a_deep_one() -> None:
    assert codes("let x = [" + ", ".join(["1+2*3"] * 1000) + "]") == set()
    assert codes(" | ".join(["conv 3x3 (a+1)"] * 1000)) == set()


HOSTILE = [
    *(
        "(",
        ")",
        "[",
        "{",
        "}",
        '"',
        "'",
        "|",
        ",",
        "\\",
        "\n(",
        "\n)",
        "a\n",
        "a)\n",
        "(\n",
        "f(",
        "1+",
        "-",
        "a |",
    ),
    *(
        "let ",
        "10m ",
        "a=",
        "conv 1x1 w*2 | ",
        "if a (",
        "@",
        "..",
        "1..",
        "x1..2",
        "\x00",
        "é",
        "#",
        "=\n",
        "[(",
    ),
    *(
        "def f(",
        "(]",
        "for i in ",
        "a as ",
        "?",
        "{a|,",
        "→",
        "“",
        "a b=1 c ",
        "concat(a, ",
        "* 3 ",
        "arch 2\n",
    ),
    *("\t", "\r", "9", "9x", "1e9", "a.", "{i}", "@{i}", "as {i}"),
]


@pytest.mark.parametrize("unit", HOSTILE)
def test_a_hostile_text_gives_diagnostics_and_nothing_else(unit: str) -> None:
    text = unit * (SIZE // 4 // len(unit.encode("utf-8", "replace")))
    found = parse_leniently(Source("a.arch", text))[1]
    assert len(found) <= 21
    assert all(str(diagnostic) for diagnostic in found)


def test_no_picture_shows_more_of_a_line_than_a_reader_takes_in() -> None:
    with pytest.raises(ArchError) as caught:
        parse(Source("a.arch", "conv 3x3 64 | " * 500 + "| relu"))
    assert max(map(len, str(caught.value).splitlines())) < 200
