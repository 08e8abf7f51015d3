"""The tree of a spec, frozen, every node with its span.

Two families: elements stand in pipelines (stages), expressions stand in arguments (values). Inside
brackets a stage is a value (`Quote`), and a value used as a stage is read as one (`as_element`).
Nodes compare by identity, so that a node can be a key.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from fractions import Fraction
from typing import Any, TypeAlias

from archdsl.records import Record
from archdsl.source import Source, Span


class Node(Record):
    span: Span


# ---- expressions -------------------------------------------------------------------------------


class Number(Node):
    """`64`, `0.25`, `10M`: exact; `text` is what was written."""

    value: int | Fraction
    text: str


class Dimensions(Node):
    """`3x3`."""

    value: tuple[int, ...]


class Text(Node):
    """`"strings"`."""

    value: str


class Name(Node):
    """A word, dots allowed (`blocks.1.0`, `timm:resnet50`)."""

    name: str


class Truth(Node):
    """`true` or `false`."""

    value: bool


class Nothing(Node):
    """`none`."""


class At(Node):
    """`@x`, a named value: an expression, and an element that goes on from it. `name` may have holes."""

    name: str


class Listing(Node):
    """`[1, 2, 5]`."""

    items: tuple[Expression, ...]


class Choice(Node):
    """`{a, b}` as a value."""

    options: tuple[Expression, ...]


class Range(Node):
    """`2..5`, `16..64:16`, `3..0:-1`, `1e-4..1e-2:log` (step is then the word `log`)."""

    low: Expression
    high: Expression
    step: Number | Name | Unary | None


class Function(Node):
    """`max(w, 8)` as a value; used as a stage it is a join (arguments may then be keywords and each)."""

    name: str
    arguments: tuple[Expression | Keyword | Each, ...]
    name_span: Span


class Binary(Node):
    """`+ - * / // %`, `and or`, and the comparisons; `operator` is the text."""

    operator: str
    left: Expression
    right: Expression


class Unary(Node):
    """`-x` and `not x`."""

    operator: str
    operand: Expression


class When(Node):
    """`a if C else b`."""

    value: Expression
    condition: Expression
    otherwise: Expression


class Paren(Node):
    """`(x)` around an expression; around a stage or pipeline it is `Paren(Quote)`."""

    inner: Expression


class Quote(Node):
    """A stage with arguments, or a pipeline, as a value: what stands inside any bracket."""

    pipeline: Pipeline


Expression: TypeAlias = (
    Number | Dimensions | Text | Name | Truth | Nothing | At | Listing | Choice | Range | Function
    | Binary | Unary | When | Paren | Quote
)  # fmt: skip


# ---- elements ----------------------------------------------------------------------------------


class Keyword(Node):
    """`stride=2`."""

    name: str
    value: Expression
    name_span: Span


class Word(Node):
    """A stage: a word, then its arguments."""

    name: str
    arguments: tuple[Expression | Keyword, ...]
    name_span: Span


class Group(Node):
    """`(a | b)`, repeated where `times` is given."""

    body: Pipeline
    times: Expression | None


class Join(Node):
    """`concat(a, b)`, `residual(body, shortcut=auto) * 3`."""

    name: str
    branches: tuple[Pipeline | Keyword | Each, ...]
    times: Expression | None
    name_span: Span


class Alternatives(Node):
    """`{a | b, c}` at a stage's place: a choice of pipelines."""

    options: tuple[Pipeline, ...]


class Binding(Node):
    """`d in [1, 2, 5]`, `(k, s) in [[3, 1], [5, 2]]`."""

    names: tuple[str, ...]
    values: Expression


class Loop(Node):
    """`for i in 1..4 (...)`: the body in series, once a turn."""

    bindings: tuple[Binding, ...]
    body: Pipeline


class Each(Node):
    """`each r in rates (...)` inside a join: the body side by side."""

    bindings: tuple[Binding, ...]
    body: Pipeline


class Branch(Node):
    """`if C (...) else (...)`; without else the value passes."""

    condition: Expression
    then: Pipeline
    otherwise: Pipeline | Branch | None


class Marked(Node):
    """An element with `?` (with or without it) or a name (`as stem`), or both."""

    element: Element
    optional: bool
    label: str | None
    label_span: Span | None


Element: TypeAlias = Word | Group | Join | Alternatives | Loop | Branch | At | Marked


class Pipeline(Node):
    """Elements one after the other."""

    elements: tuple[Element, ...]


# ---- statements --------------------------------------------------------------------------------


class Use(Node):
    path: str


class Parameter(Node):
    name: str
    default: Expression | None


class Define(Node):
    """`def f(width, stride=1) = ...`; without brackets `parameters` is None."""

    name: str
    parameters: tuple[Parameter, ...] | None
    body: Pipeline
    name_span: Span


class Let(Node):
    name: str
    value: Expression
    name_span: Span


class Default(Node):
    """`default conv bias=false`."""

    word: str
    keywords: tuple[Keyword, ...]
    word_span: Span


class Version(Node):
    number: Number


class About(Node):
    keywords: tuple[Keyword, ...]


class Input(Node):
    shape: Dimensions


class Require(Node):
    condition: Expression


Statement: TypeAlias = Use | Define | Let | Default | Version | About | Input | Require | Pipeline


class Comment(Node):
    """`# ...`; `own_line` if nothing but blanks stands before it."""

    text: str
    own_line: bool


class Spec(Record):
    """A whole file."""

    source: Source
    statements: tuple[Statement, ...]
    comments: tuple[Comment, ...] = ()


# ---- reading a value as a stage ----------------------------------------------------------------


def as_element(value: Expression) -> Element | None:
    """The stage that a value reads as where a stage is wanted, or None if it can't be one.

    A name is a call without arguments, a function a join, brackets a group, `(...) * n` a repeat.
    """
    match value:
        case Name():
            return Word(value.span, value.name, (), value.span)
        case At():
            return value
        case Quote(pipeline=Pipeline(elements=(element,))):
            return element
        case Quote():
            return Group(value.span, value.pipeline, None)
        case Paren(inner=inner):
            body = as_pipeline(inner)
            return None if body is None else Group(value.span, body, None)
        case Binary(operator="*", left=Paren(inner=inner), right=times):
            body = as_pipeline(inner)
            return None if body is None else Group(value.span, body, times)
        case Binary(operator="*", left=Function() as function, right=times):
            join = as_element(function)
            assert join is None or isinstance(join, Join)
            return join and Join(value.span, join.name, join.branches, times, join.name_span)
        case Range(low=Binary(operator="*", left=Paren() | Function() as body, right=low)):
            turns = Range(low.span.to(value.span), low, value.high, value.step)
            return as_element(Binary(value.span, "*", body, turns))  # `(...) * 2..5`
        case Function():
            branches: list[Pipeline | Keyword | Each] = []
            for argument in value.arguments:
                if isinstance(argument, Keyword | Each):
                    branches.append(argument)
                elif (branch := as_pipeline(argument)) is not None:
                    branches.append(branch)
                else:
                    return None
            return Join(value.span, value.name, tuple(branches), None, value.name_span)
        case Choice():
            options = tuple(as_pipeline(option) for option in value.options)
            if any(option is None for option in options):
                return None
            return Alternatives(value.span, tuple(option for option in options if option))
        case _:
            return None


def unmarked(element: Element) -> Element:
    """An element without its `?` and its name."""
    while isinstance(element, Marked):
        element = element.element
    return element


def as_pipeline(value: Expression) -> Pipeline | None:
    """The pipeline that a value reads as where a pipeline is wanted, or None."""
    if isinstance(value, Quote):
        return value.pipeline
    element = as_element(value)
    return None if element is None else Pipeline(value.span, (element,))


def children(node: Node) -> Iterator[Node]:
    """The nodes directly below a node, in the order of the text."""
    for field in fields(node):
        value: Any = getattr(node, field.name)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple) and not isinstance(value, Span):
            yield from (item for item in value if isinstance(item, Node))


def walk(node: Node) -> Iterator[Node]:
    """A node and all below it, in the order of the text."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(list(children(current))))
