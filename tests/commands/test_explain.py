"""`archdsl explain`."""

from __future__ import annotations

import pytest

from archdsl.errors.explanations import codes
from tests.commands.test_group import HEAVY, loaded_by


@pytest.mark.parametrize("code", ["E203", "e203"])
def test_a_code_is_explained_with_a_wrong_and_a_right_spec(archdsl, code):
    ended = archdsl("explain", code)
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert lines[0] == "E203: joined maps have different heights or widths"
    assert lines.index("wrong:") < lines.index("    conv 3x3 8 | relu | add(conv 3x3 8 stride=2, id)")
    assert lines.index("right:") < lines.index("    conv 3x3 8 | relu | residual(conv 3x3 8 stride=2)")
    assert max(map(len, lines)) <= 80


def test_advice_is_explained_with_its_paper(archdsl):
    assert "arXiv:1702.08502" in archdsl("explain", "W009").out


def test_a_call_is_shown_as_one(archdsl):
    assert "    $ archdsl summary a.arch --set up=bilinear\n" in archdsl("explain", "E301").out


def test_without_a_code_all_are_listed(archdsl):
    lines = archdsl("explain").out.splitlines()
    assert [line.split()[0] for line in lines] == codes()
    assert "W009  dilated kernels leave holes" in lines


@pytest.mark.parametrize(
    ("code", "meant"),
    [
        ("E2O3", "Did you mean 'E203'?"),
        ("w8", "lists"),
        ("203", "Did you mean 'E203'?"),
        ("poem", "lists all there are"),
    ],
)
def test_an_unknown_code_is_a_wrong_call(archdsl, code, meant):
    ended = archdsl("explain", code)
    assert (ended.code, ended.out) == (2, "")
    assert meant in ended.err


def test_explaining_loads_no_language():
    assert not loaded_by("explain", "E203") & {*HEAVY, "archdsl.api", "archdsl.elaboration"}
