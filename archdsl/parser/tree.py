"""From Lark's tree to ours: one method a rule of the grammar."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, TypeAlias

from lark import Token
from lark.tree import Meta
from lark.visitors import Transformer_NonRecursive, v_args

from archdsl.errors.base import Diagnostic
from archdsl.errors.limits import HugeNumber
from archdsl.errors.syntax import NotAStage
from archdsl.source import Source, Span
from archdsl.syntax import (
    About,
    Alternatives,
    At,
    Binary,
    Binding,
    Branch,
    Choice,
    Default,
    Define,
    Dimensions,
    Each,
    Element,
    Expression,
    Function,
    Group,
    Input,
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
    Use,
    Version,
    When,
    Word,
    as_element,
)

Children: TypeAlias = list[Any]  # tokens, nodes, and None for what was left out


@v_args(meta=True)
class TreeBuilder(Transformer_NonRecursive[Token, Any]):
    """Makes the nodes of one statement; what only the whole of it shows to be wrong is in `diagnostics`."""

    def __init__(self, source: Source):
        super().__init__(visit_tokens=False)
        self.diagnostics: list[Diagnostic] = []
        self._source = source

    # ---- statements

    def use(self, meta: Meta, children: Children) -> Use:
        (path,) = children
        return Use(self._span(meta), _unquoted(path))

    def define(self, meta: Meta, children: Children) -> Define:
        name, *parameters, body = children
        return Define(
            self._span(meta),
            str(name),
            (parameters[0] or ()) if parameters else None,
            body,
            self._span(name),
        )

    def let(self, meta: Meta, children: Children) -> Let:
        name, value = children
        return Let(self._span(meta), str(name), self._expression(value), self._span(name))

    def default(self, meta: Meta, children: Children) -> Default:
        word, *keywords = children
        return Default(self._span(meta), str(word), tuple(keywords), self._span(word))

    def version(self, meta: Meta, children: Children) -> Version:
        return Version(self._span(meta), self._number(children[0]))

    def about(self, meta: Meta, children: Children) -> About:
        return About(self._span(meta), tuple(children))

    def input(self, meta: Meta, children: Children) -> Input:
        return Input(self._span(meta), self._dimensions(children[0]))

    def require(self, meta: Meta, children: Children) -> Require:
        return Require(self._span(meta), self._expression(children[0]))

    def parameters(self, meta: Meta, children: Children) -> tuple[Parameter, ...]:
        return tuple(children)

    def parameter(self, meta: Meta, children: Children) -> Parameter:
        name, default = children
        return Parameter(self._span(meta), str(name), None if default is None else self._expression(default))

    # ---- pipelines

    def pipeline(self, meta: Meta, children: Children) -> Pipeline:
        return Pipeline(self._span(meta), tuple(children))

    def word(self, meta: Meta, children: Children) -> Word:
        name, *arguments = children
        return Word(self._span(meta), str(name), self._arguments(arguments), self._span(name))

    def at(self, meta: Meta, children: Children) -> At:
        return At(self._span(meta), children[0][1:])

    def group(self, meta: Meta, children: Children) -> Group:
        body, times = children
        return Group(self._span(meta), body, None if times is None else self._expression(times))

    def join(self, meta: Meta, children: Children) -> Join:
        name, *branches, times = children
        return Join(
            self._span(meta),
            str(name),
            tuple(branches),
            None if times is None else self._expression(times),
            self._span(name),
        )

    def alternatives(self, meta: Meta, children: Children) -> Alternatives:
        return Alternatives(self._span(meta), tuple(children))

    def loop(self, meta: Meta, children: Children) -> Loop:
        *bindings, body = children
        return Loop(self._span(meta), tuple(bindings), body)

    def each(self, meta: Meta, children: Children) -> Each:
        *bindings, body = children
        return Each(self._span(meta), tuple(bindings), body)

    def binding(self, meta: Meta, children: Children) -> Binding:
        *names, values = children
        return Binding(self._span(meta), tuple(str(name) for name in names), self._expression(values))

    def branch(self, meta: Meta, children: Children) -> Branch:
        condition, then, otherwise = children
        return Branch(self._span(meta), self._expression(condition), then, otherwise)

    def mark(self, meta: Meta, children: Children) -> tuple[bool, Token | None]:
        label = children[-1]
        return len(children) == 2, label

    def marked(self, meta: Meta, children: Children) -> Marked:
        element, (optional, label) = children
        return Marked(
            self._span(meta),
            self._element(element),
            optional,
            None if label is None else str(label),
            None if label is None else self._span(label),
        )

    # ---- arguments and values

    def keyword(self, meta: Meta, children: Children) -> Keyword:
        name, value = children
        return Keyword(self._span(meta), str(name), self._expression(value), self._span(name))

    def range(self, meta: Meta, children: Children) -> Range:
        low, high, step = children
        return Range(
            self._span(meta),
            self._expression(low),
            self._expression(high),
            None if step is None else self._step(step),
        )

    def paren(self, meta: Meta, children: Children) -> Paren:
        return Paren(self._span(meta), self._expression(children[0]))

    def listing(self, meta: Meta, children: Children) -> Listing:
        return Listing(self._span(meta), self._expressions(children))

    def choice(self, meta: Meta, children: Children) -> Choice:
        return Choice(self._span(meta), self._expressions(children))

    def function(self, meta: Meta, children: Children) -> Function:
        name, *arguments = children
        return Function(self._span(meta), str(name), self._arguments(arguments), self._span(name))

    def quote(self, meta: Meta, children: Children) -> Quote:
        span = self._span(meta)
        return Quote(span, Pipeline(span, tuple(self._element(child) for child in children)))

    def binary(self, meta: Meta, children: Children) -> Binary:
        left, operator, right = children
        return Binary(self._span(meta), str(operator), self._expression(left), self._expression(right))

    def unary(self, meta: Meta, children: Children) -> Unary:
        operator, operand = children
        return Unary(self._span(meta), str(operator), self._expression(operand))

    def when(self, meta: Meta, children: Children) -> When:
        value, condition, otherwise = (self._expression(child) for child in children)
        return When(self._span(meta), value, condition, otherwise)

    # ---- leaves

    def _span(self, place: Meta | Token) -> Span:
        assert place.start_pos is not None
        assert place.end_pos is not None
        return self._source.span(place.start_pos, place.end_pos)

    def _arguments(self, children: Children) -> tuple[Any, ...]:
        return tuple(
            child if isinstance(child, Keyword | Each) else self._expression(child)
            for child in children
            if child is not None
        )

    def _expressions(self, children: Children) -> tuple[Expression, ...]:
        return tuple(self._expression(child) for child in children if child is not None)

    def _expression(self, child: Token | Expression) -> Expression:
        if not isinstance(child, Token):
            return child
        span = self._span(child)
        match child.type:
            case "NUMBER":
                return self._number(child)
            case "DIMENSIONS":
                return self._dimensions(child)
            case "STRING":
                return Text(span, _unquoted(child))
            case "TRUE" | "FALSE":
                return Truth(span, child.type == "TRUE")
            case "NONE":
                return Nothing(span)
            case _:
                return Name(span, str(child))

    def _element(self, child: Any) -> Element:
        """A stage as it is, a value as the stage that it reads as."""
        if isinstance(child, _STAGES):
            return child
        value = self._expression(child)
        element = as_element(value)
        if element is not None:
            return element
        self.diagnostics.append(NotAStage(value.span.text).at(value.span))
        return Word(value.span, value.span.text, (), value.span)

    def _step(self, token: Token | Unary) -> Number | Name | Unary:
        if isinstance(token, Unary):
            return token
        return self._number(token) if token.type == "NUMBER" else Name(self._span(token), str(token))

    def _number(self, token: Token) -> Number:
        span = self._span(token)
        value = number(token)
        if value is None:
            self.diagnostics.append(HugeNumber(DIGITS).at(span))
        return Number(span, 0 if value is None else value, str(token))

    def _dimensions(self, token: Token) -> Dimensions:
        span = self._span(token)
        sides = token.split("x")
        if max(map(len, sides)) > DIGITS:
            self.diagnostics.append(HugeNumber(DIGITS).at(span))
            return Dimensions(span, (0,))
        return Dimensions(span, tuple(int(side) for side in sides))


_STAGES = Word | Group | Join | Alternatives | Loop | Branch | Marked
_UNITS = {"K": 3, "M": 6, "G": 9, "T": 12}

DIGITS = 30
"""A number has no more digits, and no larger exponent: more than any count of parameters needs."""


def number(text: str) -> int | Fraction | None:
    """The exact value of `64`, `0.25`, `1e-3` or `1.5G`; None if it is too long to be meant.

    >>> number("1.5G"), number("1e-3")
    (1500000000, Fraction(1, 1000))
    """
    if text.isdecimal() and len(text) <= DIGITS:
        return int(text)
    digits, unit = (text[:-1], _UNITS[text[-1]]) if text[-1] in _UNITS else (text, 0)
    mantissa, _, written = digits.lower().partition("e")
    if len(mantissa) > DIGITS or len(written) > 3 or abs(int(written or 0)) > DIGITS:
        return None
    value = Fraction(mantissa) * Fraction(10) ** (int(written or 0) + unit)
    return int(value) if value.denominator == 1 else value


def _unquoted(token: Token) -> str:
    return token[1:-1]
