"""Whatever a spec says, `archdsl.check` answers with diagnostics."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

import archdsl
from archdsl.errors import ArchError, Diagnostic
from archdsl.ops import OPERATIONS
from archdsl.source import Source
from archdsl.stages import STAGES
from archdsl.vocabulary import STRUCTURE

ROOT = Path(__file__).parents[2]
FOLDERS = ("specs/spaces", "specs/blocks", "tests/examples", "tests/golden/checking", "tests/golden/syntax")
TOKEN = re.compile(r'"[^"\n]*"|#[^\n]*|@?[A-Za-z_][\w.]*|\d+(?:\.\d+)?(?:x\d+)*|\.\.|//|[<>=!]=|\s+|.')


def texts() -> list[str]:
    paths = sorted(path for folder in FOLDERS for path in (ROOT / folder).glob("*.arch"))
    found = [path.read_bytes().decode("utf-8", "replace") for path in paths]
    return [text for text in found if len(text) < 4_000]


TEXTS = [TOKEN.findall(text) for text in texts()]
TOKENS = sorted({token for tokens in TEXTS for token in tokens if token.strip() and token[0] != "#"})

# Values of every kind, many of them wrong wherever they stand.
WORDS = ["none", "true", "relu", "resnet18", "standard", "same", "nothing_like_it", "@in", "@input", "@x"]
PLAIN = ["0.5", "1e-30", "3x3", "0x3", "1x2x3x4", '"text"', "(1 / 0)", "(2 if 1 else 3)", "4..2", "2..4"]
LISTS = ["[]", "[1, 2]", "[none]", "[[1, 2], 3]", "{1, 2}", "{relu, (conv 3x3 8)}", "{{1, 2}, 3}"]
STAGES_AS_VALUES = ["(conv 3x3 8)", "(relu | bn)", "(conv)", "concat(id, relu)"]
CALLS = ["f(3)", "max()", "at([1], 5)", "stride(3)", "len(2)", "pow(2, 999)"]
VALUES = st.integers(-3, 10**20).map(str) | st.sampled_from(
    [*WORDS, *PLAIN, *LISTS, *STAGES_AS_VALUES, *CALLS]
)
OPTIONS = ["out", "stride", "depth", "channels", "block", "se", "like", "of"]
STAGE = st.builds(
    lambda word, places, names: " ".join([word, *places, *(f"{name}={value}" for name, value in names)]),
    st.sampled_from([*OPERATIONS, *STAGES, *STRUCTURE, "resnet18", "plain", "mbconv", "double_conv", "se"]),
    st.lists(VALUES, max_size=3),
    st.lists(
        st.tuples(
            st.sampled_from(["out", "stride", "depth", "channels", "block", "se", "like", "of"]), VALUES
        ),
        max_size=2,
    ),
)
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["drop", "double", "swap", "replace", "insert"]),
        st.integers(0, 10**6),
        st.integers(0, 10**6),
        st.sampled_from(TOKENS),
    ),
    min_size=1,
    max_size=4,
)


def changed(tokens: Sequence[str], changes: Sequence[tuple[str, int, int, str]]) -> str:
    """A text with some of its tokens dropped, doubled, exchanged or replaced."""
    made = list(tokens)
    for change, where, other, token in changes:
        here, there = where % len(made), other % len(made)
        match change:
            case "drop" if len(made) > 1:
                del made[here]
            case "double":
                made.insert(here, made[here])
            case "swap":
                made[here], made[there] = made[there], made[here]
            case "insert":
                made.insert(here, f" {token} ")
            case _:
                made[here] = token
    return "".join(made)


def told(text: str) -> tuple[Diagnostic, ...]:
    found = archdsl.check(Source("a.arch", text))
    for diagnostic in found:
        assert diagnostic.message in str(diagnostic)
        for label in diagnostic.labels:
            assert 0 <= label.span.start <= label.span.end <= len(label.span.source.text)
    return found


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(TEXTS), CHANGES)
def test_a_changed_spec_is_told_of(tokens: list[str], changes: list[tuple[str, int, int, str]]) -> None:
    told(changed(tokens, changes))


@settings(max_examples=150, deadline=None)
@given(st.lists(STAGE, min_size=1, max_size=4))
def test_stages_with_any_arguments_are_told_of(stages: list[str]) -> None:
    told(" | ".join(stages))


@settings(max_examples=50, deadline=None)
@given(st.lists(STAGE, min_size=1, max_size=3))
def test_what_is_told_of_as_a_mistake_is_not_loaded_and_the_rest_is(stages: list[str]) -> None:
    text = " | ".join(stages)
    errors = [diagnostic for diagnostic in told(text) if diagnostic.severity == "error"]
    try:
        archdsl.load(Source("a.arch", text))
    except ArchError:
        assert errors
    else:
        assert all(", with `" in error.message for error in errors)  # of several options together
