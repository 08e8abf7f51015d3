"""From nodes to layouts: where brackets are needed, where blanks stand, where lines may break."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import takewhile
from typing import Any, ClassVar

from archdsl.formatter.layout import (
    Break,
    Fold,
    Layout,
    Line,
    Nest,
    Remark,
    breaks,
    has_tail,
    separated,
    sequence,
)
from archdsl.formatter.numbers import decimal, number_text
from archdsl.formatter.remarks import Remarks
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
    Node,
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
    unmarked,
    walk,
)

# How tightly an expression holds together: an operand looser than its operator allows needs brackets.
_QUOTE, _WHEN, _OR, _AND, _NOT, _COMPARE, _RANGE, _SUM, _TERM, _FACTOR, _ATOM = range(11)
_BINDING = {
    "or": (_OR, _OR, _AND),
    "and": (_AND, _AND, _NOT),
    **dict.fromkeys(("<=", ">=", "<", ">", "==", "!="), (_COMPARE, _RANGE, _RANGE)),
    **dict.fromkeys(("+", "-"), (_SUM, _SUM, _TERM)),
    **dict.fromkeys(("*", "/", "//", "%"), (_TERM, _TERM, _FACTOR)),
}
_STATEMENTS = frozenset(("use", "def", "let", "default", "arch", "about", "input", "require"))


def layout(node: Node, remarks: Remarks | None = None, authored: bool = False) -> Layout:
    """How a node is written; `authored` keeps stages on one line that its source has there."""
    printer = _Printer(remarks or Remarks(), authored)
    for part in reversed(list(walk(node))):  # children first
        printer.print(part)
    return printer.done[node]


class _Printer:
    """Makes the layout of a node from those of its children."""

    def __init__(self, remarks: Remarks, authored: bool):
        self.done: dict[Node, Layout] = {}
        self._scalars: set[Node] = set()  # what is a number, as far as its form tells
        self._remarks = remarks
        self._authored = authored

    def print(self, node: Node) -> None:
        if self._is_scalar(node):
            self._scalars.add(node)
        made = self._METHODS[type(node)](self, node)
        beside, below = self._remarks.beside.get(node), self._remarks.below.get(node, ())
        if beside:
            made = sequence(made, Remark(beside))
        for comment in below:
            made = sequence(made, Break(), comment, Remark(""))
        self.done[node] = made

    # ---- helpers

    def _above(self, node: Node) -> Layout:
        """The comments above a node, a line each."""
        return sequence(*(part for text in self._remarks.above.get(node, ()) for part in (text, Break())))

    def _item(self, node: Node) -> Layout:
        return sequence(self._above(node), self.done[node])

    def _within(self, node: Expression, tightness: int) -> Layout:
        """An expression, in brackets if it is looser than its place allows."""
        return self.done[node] if _tightness(node) >= tightness else _brackets("(", self.done[node], ")")

    def _argument(self, node: Expression) -> Layout:
        """A positional argument: an atom, or a range of atoms."""
        if isinstance(node, Range) and all(_tightness(end) == _ATOM for end in (node.low, node.high)):
            return self.done[node]
        return self._within(node, _ATOM)

    def _listed(self, nodes: Iterable[Node]) -> Layout:
        return separated((self._item(node) for node in nodes), ",", Line())

    def _times(self, node: Expression | None) -> Layout:
        return "" if node is None else sequence(" * ", self._argument(node))

    def _turns(self, word: str, node: Loop | Each) -> Layout:
        bindings = Fold(Nest(self._listed(node.bindings), 4))
        return sequence(f"{word} ", bindings, " ", _brackets("(", self.done[node.body], ")"))

    def _facts(self, head: Layout, keywords: Iterable[Keyword]) -> Layout:
        options = (sequence(Line(), self._item(keyword)) for keyword in keywords)
        return Fold(sequence(head, Nest(sequence(*options))))

    def _is_scalar(self, node: Node) -> bool:
        """Arithmetic of numbers stands without blanks, `4*w`; that of lists with them, `[1] * (n-1)`."""
        match node:
            case Binary(operator="*", left=Function()):  # it may be a join that is repeated
                return False
            case Binary(operator="+" | "-" | "*" | "/" | "//" | "%"):
                _, left, right = _BINDING[node.operator]
                sides = ((node.left, left), (node.right, right))
                return all(self._is_scalar_within(side, tightness) for side, tightness in sides)
            case Unary(operator="-"):
                return self._is_scalar_within(node.operand, _FACTOR)
            case Paren(inner=inner):
                return isinstance(inner, Binary | Unary | Number | When)
            case Function(arguments=arguments):
                return not any(isinstance(part, Quote | Keyword | Each) for part in arguments)
            case _:
                return isinstance(node, Number | Name | At)

    def _is_scalar_within(self, node: Expression, tightness: int) -> bool:
        in_brackets = _tightness(node) < tightness and isinstance(node, Binary | Unary | Number | When)
        return in_brackets or node in self._scalars

    # ---- expressions

    def _number(self, node: Number) -> Layout:
        return number_text(node)

    def _dimensions(self, node: Dimensions) -> Layout:
        return "x".join(map(str, node.value))

    def _text(self, node: Text) -> Layout:
        return f'"{node.value}"'

    def _name(self, node: Name) -> Layout:
        return node.name

    def _truth(self, node: Truth) -> Layout:
        return "true" if node.value else "false"

    def _nothing(self, node: Nothing) -> Layout:
        return "none"

    def _at(self, node: At) -> Layout:
        return f"@{node.name}"

    def _listing(self, node: Listing) -> Layout:
        if any(isinstance(item, Quote) or breaks(self._item(item)) for item in node.items):
            return _brackets("[", self._listed(node.items), "]")
        first, *others = [self.done[item] for item in node.items] or [""]
        filled = sequence(first, *(part for item in others for part in (",", Fold(sequence(Line(), item)))))
        return _brackets("[", filled, "]")

    def _choice(self, node: Choice) -> Layout:
        return _brackets("{", self._listed(node.options), "}")

    def _range(self, node: Range) -> Layout:
        step = "" if node.step is None else sequence(":", self.done[node.step])
        return sequence(self._within(node.low, _SUM), "..", self._within(node.high, _SUM), step)

    def _function(self, node: Function) -> Layout:
        return sequence(node.name, _brackets("(", self._listed(node.arguments), ")"))

    def _binary(self, node: Binary) -> Layout:
        _, left, right = _BINDING[node.operator]
        first, second = self._within(node.left, left), self._within(node.right, right)
        if node in self._scalars:
            return sequence(first, node.operator, second)
        in_brackets = isinstance(node.left, Paren | Function) or _tightness(node.left) < left
        if node.operator == "*" and in_brackets:  # as a repeat is written
            return sequence(first, " * ", second)
        return Fold(sequence(first, Nest(sequence(Line(), f"{node.operator} ", second))))

    def _unary(self, node: Unary) -> Layout:
        if node.operator == "not":
            return sequence("not ", self._within(node.operand, _NOT))
        return sequence(node.operator, self._within(node.operand, _FACTOR))

    def _when(self, node: When) -> Layout:
        value, condition = self._within(node.value, _OR), self._within(node.condition, _OR)
        otherwise = self._within(node.otherwise, _WHEN)
        choice = sequence(Line(), "if ", condition, Line(), "else ", otherwise)
        return Fold(sequence(value, Nest(choice)))

    def _paren(self, node: Paren) -> Layout:
        return _brackets("(", self.done[node.inner], ")")

    def _quote(self, node: Quote) -> Layout:
        return self.done[node.pipeline]

    # ---- elements

    def _keyword(self, node: Keyword) -> Layout:
        return sequence(f"{node.name}=", self._within(node.value, _WHEN))

    def _word(self, node: Word) -> Layout:
        keywords = [part for part in node.arguments if isinstance(part, Keyword)]
        values = (self._argument(part) for part in node.arguments if not isinstance(part, Keyword))
        return self._facts(separated((node.name, *values), " "), keywords)

    def _group(self, node: Group) -> Layout:
        return sequence(_brackets("(", self.done[node.body], ")"), self._times(node.times))

    def _join(self, node: Join) -> Layout:
        """A line a branch; the options after the last branch share one if they fit."""
        options = list(takewhile(lambda branch: isinstance(branch, Keyword), reversed(node.branches)))[::-1]
        parts = [self._item(branch) for branch in node.branches[: len(node.branches) - len(options)]]
        if options:
            parts.append(Fold(self._listed(options)))
        return sequence(
            node.name, _brackets("(", separated(parts, ",", Line()), ")"), self._times(node.times)
        )

    def _alternatives(self, node: Alternatives) -> Layout:
        return _brackets("{", self._listed(node.options), "}")

    def _binding(self, node: Binding) -> Layout:
        names = node.names[0] if len(node.names) == 1 else f"({', '.join(node.names)})"
        return sequence(f"{names} in ", self._within(node.values, _WHEN))

    def _loop(self, node: Loop) -> Layout:
        return self._turns("for", node)

    def _each(self, node: Each) -> Layout:
        return self._turns("each", node)

    def _branch(self, node: Branch) -> Layout:
        head = sequence("if ", self._within(node.condition, _WHEN), " ")
        then = sequence(head, _brackets("(", self.done[node.then], ")"))
        match node.otherwise:
            case None:
                return then
            case Branch() as other:
                return sequence(then, " else ", self.done[other])
            case other:
                return sequence(then, " else ", _brackets("(", self.done[other], ")"))

    def _marked(self, node: Marked) -> Layout:
        inner = self.done[node.element]
        if isinstance(node.element, Marked):
            inner = _brackets("(", inner, ")")
        return sequence(inner, " ?" if node.optional else "", f" as {node.label}" if node.label else "")

    def _pipeline(self, node: Pipeline) -> Layout:
        """On one line if it fits; else each run of stages that the author has on one line, if that fits."""
        first, *others = node.elements
        runs: list[list[Layout]] = [[self.done[first]]]
        for before, element in zip(node.elements, others, strict=False):
            stage = sequence(self._above(element), "| ", Nest(self.done[element]))
            if self._authored and _share_a_line(before, element):
                runs[-1] += [Line(), stage]
            else:
                runs.append([stage])
        stages = Fold(separated((Fold(sequence(*run)) for run in runs), Line()))
        return sequence(self._above(first), stages)

    # ---- statements

    def _use(self, node: Use) -> Layout:
        return f'use "{node.path}"'

    def _parameter(self, node: Parameter) -> Layout:
        if node.default is None:
            return node.name
        return sequence(f"{node.name}=", self._within(node.default, _WHEN))

    def _define(self, node: Define) -> Layout:
        parameters: Layout = ""
        if node.parameters is not None:
            inner = Nest(sequence(Line(""), self._listed(node.parameters)), 4)
            parameters = Fold(sequence("(", inner, _closer(inner, ")")))
        head = self._remarks.heads.get(node)
        body = sequence(Remark(head) if head else "", Nest(sequence(Line(), self.done[node.body])))
        return sequence(f"def {node.name}", parameters, " =", Fold(body))

    def _let(self, node: Let) -> Layout:
        return sequence(f"let {node.name} = ", self._within(node.value, _WHEN))

    def _default(self, node: Default) -> Layout:
        return self._facts(f"default {node.word}", node.keywords)

    def _version(self, node: Version) -> Layout:
        return sequence("arch ", self.done[node.number])

    def _about(self, node: About) -> Layout:
        return self._facts("about", node.keywords)

    def _input(self, node: Input) -> Layout:
        return sequence("input ", self.done[node.shape])

    def _require(self, node: Require) -> Layout:
        return sequence("require ", self._within(node.condition, _WHEN))

    _METHODS: ClassVar[dict[type[Node], Callable[[_Printer, Any], Layout]]] = {
        About: _about,
        Alternatives: _alternatives,
        At: _at,
        Binary: _binary,
        Binding: _binding,
        Branch: _branch,
        Choice: _choice,
        Default: _default,
        Define: _define,
        Dimensions: _dimensions,
        Each: _each,
        Function: _function,
        Group: _group,
        Input: _input,
        Join: _join,
        Keyword: _keyword,
        Let: _let,
        Listing: _listing,
        Loop: _loop,
        Marked: _marked,
        Name: _name,
        Nothing: _nothing,
        Number: _number,
        Parameter: _parameter,
        Paren: _paren,
        Pipeline: _pipeline,
        Quote: _quote,
        Range: _range,
        Require: _require,
        Text: _text,
        Truth: _truth,
        Unary: _unary,
        Use: _use,
        Version: _version,
        When: _when,
        Word: _word,
    }


def _brackets(opener: str, inner: Layout, closer: str) -> Layout:
    return Fold(sequence(opener, Nest(sequence(Line(""), inner)), _closer(inner, closer)))


def _closer(inner: Layout, closer: str) -> Layout:
    """The closing bracket stays with the last line, unless that ends in a comment."""
    return sequence(Break(), closer) if has_tail(inner) else closer


def _share_a_line(first: Element, second: Element) -> bool:
    source, end, start = first.span.source, first.span.end, second.span.start
    return source is second.span.source and "\n" not in source.text[end:start]


def begins_like_a_statement(pipeline: Pipeline) -> bool:
    """Whether only a leading pipe tells it from `input 3x32x32` and its like."""
    first = unmarked(pipeline.elements[0])
    return isinstance(first, Word | Join) and first.name in _STATEMENTS


def _tightness(node: Expression) -> int:
    match node:
        case Quote():
            return _QUOTE
        case When():
            return _WHEN
        case Binary(operator=operator):
            return _BINDING[operator][0]
        case Unary(operator="not"):
            return _NOT
        case Unary():
            return _FACTOR
        case Range():
            return _RANGE
        case Number(value=value) if value < 0 or decimal(value) is None:
            return _SUM if value < 0 else _TERM
        case _:
            return _ATOM
