"""What each construct of the language is as a tree."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from archdsl.parser import parse
from archdsl.parser.tree import number
from archdsl.source import Source
from archdsl.syntax import (
    At,
    Comment,
    Define,
    Function,
    Join,
    Keyword,
    Let,
    Name,
    Node,
    Number,
    Pipeline,
    Text,
    Word,
    children,
    walk,
)
from tests.parser.shapes import shape_of

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.arch"))

STATEMENTS = {
    'use "blocks.arch"': "Use(blocks.arch)",
    "arch 1": "Version(1)",
    "input 3x224x224": "Input(Dimensions:[3, 224, 224])",
    "let d = 2..4": "Let(d, Range(2, 4, -))",
    "default conv bias=false": "Default(conv, [Keyword(bias, Truth(False))])",
    'about paper="x" year=2018': "About([Keyword(paper, Text:x), Keyword(year, 2018)])",
    "require a < 2K and gridding_free": "Require(Binary(and, Binary(<, Name:a, 2000), Name:gridding_free))",
    "def f = relu": "Define(f, -, Pipeline([Word(relu, [])]))",
    "def f() = relu": "Define(f, [], Pipeline([Word(relu, [])]))",
    "def f(w, k=3,) = relu": "Define(f, [Parameter(w, -), Parameter(k, 3)], Pipeline([Word(relu, [])]))",
}


@pytest.mark.parametrize("text", STATEMENTS)
def test_a_statement_is_read(text: str) -> None:
    assert shape_of(text) == STATEMENTS[text]


ELEMENTS = {
    "conv 3x3 64 stride=2": "Word(conv, [Dimensions:[3, 3], 64, Keyword(stride, 2)])",
    "level 2..5": "Word(level, [Range(2, 5, -)])",
    "conv 1x1 (4*w)": "Word(conv, [Dimensions:[1, 1], Paren(Binary(*, 4, Name:w))])",
    "conv 1x1 max(w, 8)": "Word(conv, [Dimensions:[1, 1], Function(max, [Name:w, 8])])",
    "encoder timm:resnet50.a1_in1k": "Word(encoder, [Name:timm:resnet50.a1_in1k])",
    "f {timm:a x=8, b}": "Word(f, [Choice([Quote(Pipeline([Word(timm:a, [Keyword(x, 8)])])), Name:b])])",
    "share blocks.0.1": "Word(share, [Name:blocks.0.1])",
    "gate @up": "Word(gate, [At(up)])",
    "@x{i+1}_{j-1}.out": "At(x{i+1}_{j-1}.out)",
    "(a | b)": "Group(Pipeline([Word(a, []), Word(b, [])]), -)",
    "(a) * 3": "Group(Pipeline([Word(a, [])]), 3)",
    "(a) * 2..5": "Group(Pipeline([Word(a, [])]), Range(2, 5, -))",
    "(a) * (n-1)": "Group(Pipeline([Word(a, [])]), Paren(Binary(-, Name:n, 1)))",
    "(a) * {2, 4}": "Group(Pipeline([Word(a, [])]), Choice([2, 4]))",
    "concat(a | b, c, dim=1,)": "Join(concat, [Pipeline([Word(a, []), Word(b, [])]), Pipeline([Word(c, [])]),"
    " Keyword(dim, 1)], -)",
    "dense(a) * 6": "Join(dense, [Pipeline([Word(a, [])])], 6)",
    "{a | b, c}": "Alternatives([Pipeline([Word(a, []), Word(b, [])]), Pipeline([Word(c, [])])])",
    "for d in [1, 2] (a d)": "Loop([Binding([d], Listing([1, 2]))], Pipeline([Word(a, [Name:d])]))",
    "for i in 1..2, n in ns (a)": "Loop([Binding([i], Range(1, 2, -)), Binding([n], Name:ns)],"
    " Pipeline([Word(a, [])]))",
    "for (k, s) in t (a)": "Loop([Binding([k, s], Name:t)], Pipeline([Word(a, [])]))",
    "add(each j in js (a), id)": "Join(add, [Each([Binding([j], Name:js)], Pipeline([Word(a, [])])),"
    " Pipeline([Word(id, [])])], -)",
    "if c (a)": "Branch(Name:c, Pipeline([Word(a, [])]), -)",
    "if c (a) else (b)": "Branch(Name:c, Pipeline([Word(a, [])]), Pipeline([Word(b, [])]))",
    "if c (a) else if d (b)": "Branch(Name:c, Pipeline([Word(a, [])]),"
    " Branch(Name:d, Pipeline([Word(b, [])]), -))",
    "a as x{l}.0": "Marked(Word(a, []), False, x{l}.0)",
    "a as block1-{i}": "Marked(Word(a, []), False, block1-{i})",
    "a ?": "Marked(Word(a, []), True, -)",
    "se r=16 ? as gate": "Marked(Word(se, [Keyword(r, 16)]), True, gate)",
}


@pytest.mark.parametrize("text", ELEMENTS)
def test_an_element_of_a_pipeline_is_read(text: str) -> None:
    assert shape_of(text) == f"Pipeline([{ELEMENTS[text]}])"
    assert shape_of(f"| {text} | z") == f"Pipeline([{ELEMENTS[text]}, Word(z, [])])"


EXPRESSIONS = {
    "10M": "10000000",
    "0.25": "1/4",
    '"a # b"': "Text:a # b",
    "none": "Nothing()",
    "true": "Truth(True)",
    "16..64:16": "Range(16, 64, 16)",
    "1e-4..1e-2:log": "Range(1/10000, 1/100, Name:log)",
    "[]": "Listing([])",
    "[1, a,]": "Listing([1, Name:a])",
    "{1, 2}": "Choice([1, 2])",
    "a + b * c": "Binary(+, Name:a, Binary(*, Name:b, Name:c))",
    "a - b - c": "Binary(-, Binary(-, Name:a, Name:b), Name:c)",
    "a//b % c / d": "Binary(/, Binary(%, Binary(//, Name:a, Name:b), Name:c), Name:d)",
    "-a * b": "Binary(*, Unary(-, Name:a), Name:b)",
    "--a": "Unary(-, Unary(-, Name:a))",
    "0..n-1": "Range(0, Binary(-, Name:n, 1), -)",
    "not a == b": "Unary(not, Binary(==, Name:a, Name:b))",
    "a or b and not c": "Binary(or, Name:a, Binary(and, Name:b, Unary(not, Name:c)))",
    "1 if a > 0 else 2 if b else 3": "When(1, Binary(>, Name:a, 0), When(2, Name:b, 3))",
    "[s] + [1] * (n)": "Binary(+, Listing([Name:s]), Binary(*, Listing([1]), Paren(Name:n)))",
    "len(ws)": "Function(len, [Name:ws])",
    "f()": "Function(f, [])",
    "stride(@in)": "Function(stride, [At(in)])",
}


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_an_expression_is_read_wherever_one_may_stand(text: str) -> None:
    tree = EXPRESSIONS[text]
    assert shape_of(f"let x = {text}") == f"Let(x, {tree})"
    assert shape_of(f"f k={text} l=1") == f"Pipeline([Word(f, [Keyword(k, {tree}), Keyword(l, 1)])])"
    assert shape_of(f"f ({text})") == f"Pipeline([Word(f, [Paren({tree})])])"
    assert shape_of(f"f [{text}]") == f"Pipeline([Word(f, [Listing([{tree}])])])"


QUOTES = {
    "relu": "Name:relu",  # a name alone stays one, whoever reads it decides
    "conv 3x3": "Quote(Pipeline([Word(conv, [Dimensions:[3, 3]])]))",
    "conv k=3": "Quote(Pipeline([Word(conv, [Keyword(k, 3)])]))",
    "a | b": "Quote(Pipeline([Word(a, []), Word(b, [])]))",
    "a as x": "Quote(Pipeline([Marked(Word(a, []), False, x)]))",
    "f 3 as x": "Quote(Pipeline([Marked(Word(f, [3]), False, x)]))",
    "(a) * 2": "Binary(*, Paren(Name:a), 2)",
    "(a) * 2 | b": "Quote(Pipeline([Group(Pipeline([Word(a, [])]), 2), Word(b, [])]))",
    "(a) * 2..5 | b": "Quote(Pipeline([Group(Pipeline([Word(a, [])]), Range(2, 5, -)), Word(b, [])]))",
    "add(a, id) as s": "Quote(Pipeline([Marked(Join(add, [Pipeline([Word(a, [])]),"
    " Pipeline([Word(id, [])])], -), False, s)]))",
    "{a, f 3} | b": "Quote(Pipeline([Alternatives([Pipeline([Word(a, [])]), Pipeline([Word(f, [3])])]),"
    " Word(b, [])]))",
    "@x | a": "Quote(Pipeline([At(x), Word(a, [])]))",
    "if c (a)": "Quote(Pipeline([Branch(Name:c, Pipeline([Word(a, [])]), -)]))",
    "for i in is (a) as x": "Quote(Pipeline([Marked(Loop([Binding([i], Name:is)],"
    " Pipeline([Word(a, [])])), False, x)]))",
}


@pytest.mark.parametrize("text", QUOTES)
def test_inside_brackets_a_stage_is_a_value(text: str) -> None:
    tree = QUOTES[text]
    assert shape_of(f"f ({text})") == f"Pipeline([Word(f, [Paren({tree})])])"
    assert shape_of(f"f [{text}]") == f"Pipeline([Word(f, [Listing([{tree}])])])"
    assert shape_of(f"f k={{{text}}}") == f"Pipeline([Word(f, [Keyword(k, Choice([{tree}]))])])"
    assert shape_of(f"f g({text})") == f"Pipeline([Word(f, [Function(g, [{tree}])])])"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("007", 7),
        ("10K", 10_000),
        ("1.5G", 1_500_000_000),
        ("2T", 2_000_000_000_000),
        ("0.1", Fraction(1, 10)),
        ("2.0", 2),
        ("1e3", 1000),
        ("25e-1", Fraction(5, 2)),
        ("1E+2", 100),
        ("9" * 30, int("9" * 30)),
    ],
)
def test_numbers_are_exact(text: str, value: int | Fraction) -> None:
    assert number(text) == value
    assert type(number(text)) is type(value)


@pytest.mark.parametrize("text", ["9" * 31, "1e31", "1e-31", "1e" + "9" * 5000, "9" * 5000])
def test_numbers_have_bounds(text: str) -> None:
    assert number(text) is None


def nodes(path: Path) -> list[Node]:
    statements = parse(Source(path.name, path.read_text("utf-8"))).statements
    return [node for statement in statements for node in walk(statement)]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_node_covers_its_text_and_its_children_stand_in_it(path: Path) -> None:
    for node in nodes(path):
        text = node.span.text
        assert text
        assert text == text.strip()
        inner = [child.span for child in children(node)]
        assert all(node.span.start <= span.start and span.end <= node.span.end for span in inner)
        assert all(first.end <= second.start for first, second in pairwise(inner))
        match node:
            case Number(text=written):
                assert text == written
            case Name(name=name):
                assert text == name
            case At(name=name):
                assert text == f"@{name}"
            case Text(value=value):
                assert text == f'"{value}"'


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_name_has_a_place_of_its_own(path: Path) -> None:
    for node in nodes(path):
        if isinstance(node, Word | Function | Join | Keyword | Define | Let):
            assert node.name_span.text == node.name
            assert type(node.name) is str  # Lark's tokens compare by their kind too


def test_brackets_belong_to_the_place_of_what_they_hold() -> None:
    (pipeline,) = parse(Source("a.arch", "| (a | b) * 3 as x | f (w + 1)\n")).statements
    assert isinstance(pipeline, Pipeline)
    assert [element.span.text for element in pipeline.elements] == ["(a | b) * 3 as x", "f (w + 1)"]


def test_comments_are_kept_apart_with_their_places() -> None:
    text = '# one\nconv 3x3  # two\n  64 # three\n\n   # four\nuse "a#b"\n'
    found = parse(Source("a.arch", text)).comments
    assert all(isinstance(comment, Comment) and comment.span.text == comment.text for comment in found)
    assert [(comment.text, comment.own_line) for comment in found] == [
        ("# one", True),
        ("# two", False),
        ("# three", False),
        ("# four", True),
    ]
