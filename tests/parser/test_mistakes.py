"""Every mistake in the text of a spec has a picture in `tests/golden/syntax`, and these are it.

`ARCHDSL_GOLDEN=write pytest tests/parser/test_mistakes.py` draws them anew; read them before you commit them.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from archdsl.errors import ArchError, Diagnostic, Mistake, Severity, lexical, limits, statements, syntax
from archdsl.parser import Limits, parse, parse_leniently
from archdsl.source import Source

FOLDER = Path(__file__).parents[1] / "golden" / "syntax"
CASES = sorted(FOLDER.glob("*.arch"))
SMALL = Limits(size=150, brackets=3, depth=12)  # for the cases whose names begin with `limit_`


def read(path: Path) -> Source:
    return Source(path.name, path.read_bytes().decode())


def mistakes_of(source: Source) -> tuple[Diagnostic, ...]:
    allowed = SMALL if source.name.startswith("limit_") else Limits()
    return parse_leniently(source, allowed)[1]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_mistake_is_shown_as_its_golden_file_has_it(path: Path) -> None:
    shown = "\n\n".join(map(str, mistakes_of(read(path)))) + "\n"
    golden = path.with_suffix(".txt")
    if os.environ.get("ARCHDSL_GOLDEN") == "write":
        golden.write_text(shown, "utf-8")
    assert shown == golden.read_text("utf-8")


def test_every_mistake_about_the_text_of_a_spec_has_a_golden_file() -> None:
    shown = {diagnostic.code for path in CASES for diagnostic in mistakes_of(read(path))}
    classes = [
        member
        for module in (lexical, limits, statements, syntax)
        for member in vars(module).values()
        if isinstance(member, type) and issubclass(member, Mistake) and member is not Mistake
    ]
    codes = [member.code for member in classes]
    assert len(codes) == len(set(codes))
    assert set(codes) == shown


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_mistake_points_into_its_text_and_is_told_in_order(path: Path) -> None:
    source = read(path)
    places = [diagnostic.span for diagnostic in mistakes_of(source)]
    assert all(place and place.source is source and place.start < len(source.text) for place in places)
    assert places == sorted(places, key=lambda place: place.start if place else 0)


@pytest.mark.parametrize(
    "path", [path for path in CASES if path.stem != "many_more"], ids=lambda path: path.stem
)
def test_fixes_mend_what_they_are_fixes_of(path: Path) -> None:
    source = read(path)
    before = mistakes_of(source)
    fixes = [diagnostic.fix for diagnostic in before if diagnostic.fix]
    text = source.text
    for fix in sorted(fixes, key=lambda fix: -fix.span.start):
        text = text[: fix.span.start] + fix.text + text[fix.span.end :]
    assert len(mistakes_of(Source(source.name, text))) <= len(before) - len(fixes)


def test_advice_alone_stops_no_one() -> None:
    source = Source("a.arch", "conv 3 x 3 64\n")
    found = parse_leniently(source)[1]
    assert [diagnostic.severity for diagnostic in found] == [Severity.ADVICE]
    assert len(parse(source).statements) == 1


def test_an_error_carries_all_mistakes_of_a_file() -> None:
    with pytest.raises(ArchError) as caught:
        parse(Source("a.arch", "conv 3x3 | | bn\nlet a = 10m\n(relu\n"))
    assert [diagnostic.code for diagnostic in caught.value.diagnostics] == ["E003", "E035", "E005"]


def test_what_can_be_read_is_read_beside_what_cannot() -> None:
    text = "let a = 1\nlet b = [1 2]\ndef f = relu\nlet c = 10m\nconv 3x3 64\n"
    spec, found = parse_leniently(Source("a.arch", text))
    assert [statement.span.text for statement in spec.statements] == [
        "let a = 1",
        "def f = relu",
        "conv 3x3 64",
    ]
    assert len(found) == 2


@pytest.mark.parametrize(
    "text",
    [
        "conv 3x3 64 | 10m | relu",  # one of the number, none of the stage that it is not
        "(conv 3x3 | bn | relu\nlet a = 3",  # one of the bracket, none of the statement's end
        "concat(\nconv 3x3,\nid)",
        "let a = 3; let b = 4",
        "encoder resnet34 -> skip plain depth=3",
        "def f(w) = conv 3x3 w - 1 bias=false | bn",
    ],
)
def test_no_consequence_of_a_mistake_is_told(text: str) -> None:
    assert len(parse_leniently(Source("a.arch", text))[1]) == 1


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("conv 3x3 | | bn | conv w -1 | relu", ["E003", "E011"]),
        ("concat(conv 3x3 |, conv w*2) | f [1 2]", ["E004", "E011", "E029"]),
        ("conv 3x3 stride=2 64 | up {a,, b} | c as d ?", ["E009", "E019", "E020"]),
        ("for i in 1..4 conv 3x3 | conv 1X1 | (a, b)", ["E021", "E036", "E019"]),
    ],
)
def test_mistakes_of_one_statement_are_told_together(text: str, codes: list[str]) -> None:
    assert [found.code for found in parse_leniently(Source("a.arch", text))[1]] == codes
