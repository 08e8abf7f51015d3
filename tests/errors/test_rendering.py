"""Diagnostics as text, in every format."""

from __future__ import annotations

import json

from archdsl.errors import Diagnostic, Fix, Severity
from archdsl.errors.rendering import MOST_PICTURES, as_json, concise, github, human
from archdsl.source import Label, Source

SOURCE = Source("nets/a,b.arch", "encoder x\n| skp nested\n")
WORD = SOURCE.span(12, 15)
UNKNOWN = Diagnostic(
    "E101",
    Severity.ERROR,
    "there is no stage called `skp`",
    (Label(WORD, "here"), Label(SOURCE.span(0, 7), "after this", primary=False)),
    "did you mean `skip`?\nor 100% not",
    Fix(WORD, "skip", safe=True),
)
ADVICE = Diagnostic("W001", Severity.ADVICE, "this network has no head", (Label(SOURCE.span(12, 22)),))
PLACELESS = Diagnostic("E420", Severity.ERROR, "there is no file `b.arch`")


def test_people_get_pictures_and_a_count():
    text = human([UNKNOWN, ADVICE, PLACELESS])
    assert str(UNKNOWN) in text
    assert text.splitlines()[-1] == "2 errors, 1 piece of advice"


def test_one_of_a_kind_is_counted_as_one():
    assert human([PLACELESS, ADVICE]).splitlines()[-1] == "1 error, 1 piece of advice"


def test_what_is_alone_is_not_counted():
    assert human([PLACELESS]) == str(PLACELESS)


def test_people_get_no_more_pictures_than_they_can_read():
    text = human([PLACELESS] * (MOST_PICTURES + 3))
    assert text.count(PLACELESS.message) == MOST_PICTURES
    assert text.splitlines()[-1] == f"{MOST_PICTURES + 3} errors, the first {MOST_PICTURES} shown"


def test_concise_is_a_line_each_that_starts_with_the_place():
    assert concise([UNKNOWN, PLACELESS]).splitlines() == [
        "nets/a,b.arch:2:3: error[E101]: there is no stage called `skp`",
        "error[E420]: there is no file `b.arch`",
    ]


def test_json_carries_places_labels_and_the_fix():
    unknown, placeless = json.loads(as_json([UNKNOWN, PLACELESS]))
    assert (unknown["code"], unknown["severity"]) == ("E101", "error")
    first, second = unknown["labels"]
    assert (first["line"], first["column"], first["end_line"], first["end_column"]) == (2, 3, 2, 6)
    assert (first["primary"], second["primary"]) == (True, False)
    fix = unknown["fix"]
    assert SOURCE.text[fix["start"] : fix["end"]] == "skp"
    assert (fix["text"], fix["safe"]) == ("skip", True)
    assert (placeless["labels"], placeless["fix"]) == ([], None)


def test_json_of_nothing_is_an_empty_list():
    assert json.loads(as_json([])) == []


def test_github_shows_errors_as_errors_and_advice_as_notices():
    error, notice = github([UNKNOWN, ADVICE]).splitlines()
    assert error.startswith("::error title=E101,file=nets/a%2Cb.arch,line=2,col=3,endLine=2,endColumn=6::")
    assert notice.startswith("::notice title=W001,")


def test_github_annotations_stay_one_line():
    text = github([UNKNOWN])
    assert len(text.splitlines()) == 1
    assert text.endswith("did you mean `skip`?%0Aor 100%25 not")
