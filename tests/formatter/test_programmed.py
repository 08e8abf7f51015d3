"""Trees that a program made are written with the brackets that they need."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl.formatter import format_node, format_tree
from archdsl.parser import parse
from archdsl.source import Source
from archdsl.syntax import (
    Alternatives,
    At,
    Binary,
    Binding,
    Branch,
    Choice,
    Define,
    Dimensions,
    Each,
    Function,
    Group,
    Join,
    Keyword,
    Let,
    Listing,
    Loop,
    Marked,
    Name,
    Nothing,
    Number,
    Parameter,
    Paren,
    Pipeline,
    Quote,
    Range,
    Require,
    Text,
    Truth,
    Unary,
    When,
    Word,
)

HERE = Source("program", "").span(0, 0)
NAMES = st.sampled_from(["a", "w", "x1", "blocks.0.1", "relu"])
PLAIN = st.sampled_from(["a", "w", "x1", "relu"])
LABELS = st.sampled_from(["x", "x{i}", "0.1", "a-{i}"])


def numbers() -> st.SearchStrategy[Number]:
    values = st.one_of(st.integers(0, 1000), st.decimals(0, 9, places=3).map(Fraction))
    return values.map(lambda value: Number(HERE, value, ""))


def leaves() -> st.SearchStrategy[Any]:
    return st.one_of(
        numbers(),
        NAMES.map(lambda name: Name(HERE, name)),
        st.just(Dimensions(HERE, (3, 3))),
        st.just(Text(HERE, "a | b")),
        st.booleans().map(lambda value: Truth(HERE, value)),
        st.just(Nothing(HERE)),
        st.just(At(HERE, "x{i}")),
    )


def tuples(inner: st.SearchStrategy[Any], low: int = 1) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(inner, min_size=low, max_size=3).map(tuple)


def expressions(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    operators = st.sampled_from(["or", "and", "<", "==", "+", "-", "*", "/", "//", "%"])
    return st.one_of(
        st.builds(lambda *parts: Binary(HERE, *parts), operators, inner, inner),
        st.builds(lambda *parts: Unary(HERE, *parts), st.sampled_from(["-", "not"]), inner),
        st.builds(lambda *parts: When(HERE, *parts), inner, inner, inner),
        st.builds(lambda *parts: Range(HERE, *parts), inner, inner, st.none() | numbers()),
        st.builds(lambda inner: Paren(HERE, inner), inner),
        st.builds(lambda items: Listing(HERE, items), tuples(inner, 0)),
        st.builds(lambda items: Choice(HERE, items), tuples(inner)),
        st.builds(lambda name, items: Function(HERE, name, items, HERE), PLAIN, tuples(inner, 0)),
    )


VALUES: st.SearchStrategy[Any] = st.deferred(lambda: st.recursive(leaves(), expressions, max_leaves=12))


def keywords(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Keyword]:
    return st.builds(lambda name, value: Keyword(HERE, name, value, HERE), PLAIN, values)


def words(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Word]:
    arguments = st.tuples(tuples(values, 0), tuples(keywords(values), 0)).map(lambda both: both[0] + both[1])
    return st.builds(lambda name, given: Word(HERE, name, given, HERE), NAMES, arguments)


def pipelines(elements: st.SearchStrategy[Any]) -> st.SearchStrategy[Pipeline]:
    return tuples(elements).map(lambda inner: Pipeline(HERE, inner))


def elements(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    body = pipelines(inner)
    bindings = tuples(st.builds(lambda names, values: Binding(HERE, names, values), tuples(PLAIN), VALUES))
    times = st.none() | VALUES.filter(lambda value: not isinstance(value, Range))
    each = st.builds(lambda *parts: Each(HERE, *parts), bindings, body)
    branches = tuples(st.one_of(body, each))
    quoting = words(st.one_of(VALUES, body.map(lambda inner: Quote(HERE, inner))))
    return st.one_of(
        quoting,
        st.builds(lambda *parts: Group(HERE, *parts), body, times),
        st.builds(lambda name, inner, times: Join(HERE, name, inner, times, HERE), PLAIN, branches, times),
        st.builds(lambda options: Alternatives(HERE, options), tuples(body)),
        st.builds(lambda *parts: Loop(HERE, *parts), bindings, body),
        st.builds(lambda *parts: Branch(HERE, *parts), VALUES, body, st.none() | body),
        st.builds(lambda inner, label: Marked(HERE, inner, True, label, HERE), inner, LABELS),
    )


SIMPLE = st.one_of(words(VALUES), st.just(At(HERE, "x")))
ELEMENTS: st.SearchStrategy[Any] = st.deferred(lambda: st.recursive(SIMPLE, elements, max_leaves=8))
STATEMENTS = st.one_of(
    pipelines(ELEMENTS),
    st.builds(lambda value: Let(HERE, "a", value, HERE), VALUES),
    st.builds(lambda value: Require(HERE, value), VALUES),
    st.builds(
        lambda value, body: Define(HERE, "f", (Parameter(HERE, "w", value),), body, HERE),
        st.none() | VALUES,
        pipelines(words(VALUES)),
    ),
)


def meaning(value: Any) -> Any:
    """What a tree says: brackets around one thing say nothing, a name and a stage alone are one."""
    match value:
        case Number(value=number):
            return Fraction(number)
        case Paren(inner=inner):
            return meaning(inner)
        case Quote(pipeline=inner) | Pipeline(elements=(inner,)) | Group(body=inner, times=None):
            return meaning(inner)
        case Word(name=name, arguments=()):
            return ("Name", name)
        case Group(body=body, times=times):
            return ("Binary", "*", meaning(body), meaning(times))
        case Function(name=name, arguments=inner) | Join(name=name, branches=inner, times=None):
            return ("Function", name, meaning(inner))
        case Join(times=times):
            return ("Binary", "*", meaning(replace(value, times=None)), meaning(times))
        case Choice(options=options) | Alternatives(options=options):
            return ("Choice", meaning(options))
        case tuple():
            return tuple(meaning(item) for item in value)
    if not hasattr(value, "span"):
        return value
    held = {name: part for name, part in vars(value).items() if not name.endswith("span")}
    return (type(value).__name__, *(meaning(part) for part in held.values()))


@settings(max_examples=300, deadline=None)
@given(STATEMENTS)
def test_a_tree_is_read_back_with_its_meaning(statement: Any) -> None:
    text = format_tree([statement])
    (again,) = parse(Source("a.arch", text)).statements
    assert meaning(again) == meaning(statement)
    assert format_tree([again]) == text


def name(word: str) -> Name:
    return Name(HERE, word)


def whole(value: int | Fraction) -> Number:
    return Number(HERE, value, "")


A, B, ONE = name("a"), name("b"), whole(1)


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (Binary(HERE, "*", Binary(HERE, "+", A, B), ONE), "(a+b)*1"),
        (Binary(HERE, "-", A, Binary(HERE, "-", B, ONE)), "a-(b-1)"),
        (Binary(HERE, "and", Binary(HERE, "or", A, B), A), "(a or b) and a"),
        (Unary(HERE, "not", Binary(HERE, "and", A, B)), "not (a and b)"),
        (Unary(HERE, "-", Binary(HERE, "+", A, B)), "-(a+b)"),
        (Binary(HERE, "<", Binary(HERE, "<", A, B), A), "(a < b) < a"),
        (When(HERE, When(HERE, A, B, A), B, A), "(a if b else a) if b else a"),
        (Word(HERE, "f", (Binary(HERE, "-", A, ONE),), HERE), "f (a-1)"),
        (Word(HERE, "f", (whole(-1), whole(Fraction(1, 4))), HERE), "f (-1) 0.25"),
        (Word(HERE, "f", (Range(HERE, A, Binary(HERE, "+", A, ONE), None),), HERE), "f (a..a+1)"),
        (Binary(HERE, "*", whole(-1), A), "(-1)*a"),
        (whole(Fraction(1, 3)), "1/3"),
        (Keyword(HERE, "k", Quote(HERE, Pipeline(HERE, (Word(HERE, "f", (ONE,), HERE),))), HERE), "k=(f 1)"),
        (Listing(HERE, (Quote(HERE, Pipeline(HERE, (Word(HERE, "f", (ONE,), HERE),))),)), "[f 1]"),
        (Group(HERE, Pipeline(HERE, (At(HERE, "x"),)), Binary(HERE, "+", A, ONE)), "(@x) * (a+1)"),
    ],
)
def test_brackets_stand_where_they_are_needed(node: Any, text: str) -> None:
    assert format_node(node) == text


def test_the_text_of_a_node_is_one_line_however_long() -> None:
    (pipeline,) = parse(Source("a.arch", "aspp rates=[6,12,  18] | " * 10 + "relu")).statements
    assert format_node(pipeline) == "aspp rates=[6, 12, 18] | " * 10 + "relu"


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("aspp rates=[6,12,18]", "aspp rates=[6, 12, 18]"),
        ("0.50", "0.5"),
        ("( se  r = 8 )", "(se r=8)"),
        ("none", "none"),
        ("conv 3x3 64|bn", "conv 3x3 64 | bn"),
        ("[1 ,2]", "[1, 2]"),
    ],
)
def test_an_option_is_called_by_its_canonical_text(option: str, text: str) -> None:
    (let,) = parse(Source("a.arch", f"let x = {{{option}, other}}")).statements
    assert isinstance(let, Let)
    assert isinstance(let.value, Choice)
    assert format_node(let.value.options[0]) == text


def test_comments_stand_above_a_programmed_tree() -> None:
    let = Let(HERE, "a", ONE, HERE)
    assert format_tree([let], comments=["found by a study", "", "score 0.5"]) == (
        "# found by a study\n#\n# score 0.5\n\nlet a = 1\n"
    )
    assert format_tree([], comments=["alone"]) == "# alone\n"
    assert format_tree([]) == ""


def test_statements_of_one_kind_stand_together() -> None:
    lets = [Let(HERE, "a", ONE, HERE), Let(HERE, "b", ONE, HERE)]
    pipeline = Pipeline(HERE, (Word(HERE, "relu", (), HERE),))
    assert format_tree([*lets, pipeline]) == "let a = 1\nlet b = 1\n\nrelu\n"
