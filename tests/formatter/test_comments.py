"""Comments survive formatting, each beside what it stood beside."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl.formatter import format_spec
from archdsl.parser.scan import scan
from archdsl.source import Source
from tests.formatter.meaning import said

EXAMPLES = [
    path.read_text("utf-8") for path in sorted((Path(__file__).parents[1] / "examples").glob("*.arch"))
]


def formatted(text: str) -> str:
    return format_spec(Source("a.arch", text))


KEPT = [
    "# alone\n",
    "# one\n# two\n\n# three\nlet x = 1  # four\n# five\n",
    "conv 3x3 64  # first\n# second, third:\n| bn\n| relu  # fourth\n",
    "concat(\n  # the identity\n  id,\n  conv 3x3 64,  # the work\n  relu\n  # nothing more\n)\n",
    "def f(w) =  # of the head\n  # of the body\n  conv 3x3 w | bn\n",
    "def f(\n    w,  # width\n    k=3  # kernel\n) = conv k w\n",
    "let x = [\n  1,  # one\n  2,\n  # three\n  3]\n",
    "up {\n  # the plain one\n  a,\n  b}\n",
    "up x\n  a=1  # why\n  # and\n  b=2\n",
    "(\n  a\n  | b  # in the group\n) * 3\n",
    "for i in [1, 2],  # twice\n    j in js (\n  a  # inside\n)\n",
]


@pytest.mark.parametrize("text", KEPT)
def test_a_comment_in_its_place_stays_there(text: str) -> None:
    assert formatted(text) == text


@pytest.mark.parametrize(
    ("rough", "smooth"),
    [
        ("let x = 1     # far\n", "let x = 1  # far\n"),
        ("let x = 1 # near\n", "let x = 1  # near\n"),
        ("a | # behind the pipe\n  b", "a  # behind the pipe\n| b\n"),
        ("add( # opened\n  a, b)", "add(\n  # opened\n  a,\n  b)\n"),
        ("add(a # one\n  , # two\n  b)", "add(\n  a,  # one\n  # two\n  b)\n"),
        ("require a # c\n  and b", "# c\nrequire a and b\n"),
        ("conv 3x3 # size\n  64 | bn", "# size\nconv 3x3 64 | bn\n"),
        ("add(conv 3x3 # size\n  64, bn)", "add(\n  # size\n  conv 3x3 64,\n  bn)\n"),
        ("up a=1 # c\n  as x | b", "# c\nup a=1 as x | b\n"),
        ("   # indented\nlet x = 1\n   # too\n", "# indented\nlet x = 1\n# too\n"),
    ],
)
def test_a_comment_elsewhere_goes_to_the_nearest_place(rough: str, smooth: str) -> None:
    assert formatted(rough) == smooth


@st.composite
def commented(draw: st.DrawFn) -> str:
    """An example with comments strewn behind its words: each ends a line."""
    text = draw(st.sampled_from(EXAMPLES))
    source = Source("a.arch", text)
    stretches, comments = scan(source, text)
    taken = {comment.span.start for comment in comments}
    chance = random.Random(draw(st.integers(0, 10**6)))
    ends = [
        piece.end for stretch in stretches for piece in stretch.pieces[:-1] if not piece.text.endswith("{")
    ]
    for number, end in enumerate(
        sorted(chance.sample(ends, k=min(len(ends), draw(st.integers(1, 5)))), reverse=True)
    ):
        if text[end : end + 1] != "(" and end not in taken:
            blank = chance.choice(
                [f" # c{number}\n   ", f"\n# c{number}\n  ", f"  # c{number}\n  # d{number}\n\n  "]
            )
            text = text[:end] + blank + text[end:]
    return text


@settings(max_examples=150, deadline=None)
@given(commented())
def test_no_comment_is_lost_wherever_it_stands(text: str) -> None:
    once = formatted(text)
    assert said(once) == said(text)
    assert formatted(once) == once
