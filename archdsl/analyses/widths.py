"""Which numbers of a spec are widths: those that say how many channels a map has.

A width is what an `out` of a convolution, a `channels=` of a recipe stage or the parameter of a definition
that becomes one of these is given. Factors (`4*w`), divisors (`w//16`), repeats and groups are none, nor is
1, which is a mask, nor what the last layer of the pipeline gives: that counts classes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import lcm
from typing import NamedTuple, TypeAlias

from archdsl.elaboration.program import Program
from archdsl.errors import ArchError, Mistake
from archdsl.network import Network
from archdsl.op import Op
from archdsl.op import arguments as arguments_of
from archdsl.stage import Stage
from archdsl.stages.up import default_width
from archdsl.syntax import (
    About,
    At,
    Binary,
    Binding,
    Choice,
    Each,
    Element,
    Expression,
    Function,
    Keyword,
    Listing,
    Loop,
    Marked,
    Name,
    Node,
    Number,
    Paren,
    Pipeline,
    Quote,
    Unary,
    When,
    Word,
    children,
)
from archdsl.vocabulary import Definition, File, Meaning

# Arguments of recipe stages that are widths; `out` of a head counts classes.
OF_STAGES = ("channels", "width", "widths")

# What names the number of classes is none, whatever layer reads it.
CLASSES = "classes"

_Scope: TypeAlias = Mapping[str, Expression | None]


class Widths:
    """The widths that one file writes itself."""

    def __init__(self, program: Program) -> None:
        self.file = program.file
        self.found: dict[int, Number] = {}
        self._parameters: dict[Definition, frozenset[str]] = {}
        pipeline = program.pipeline
        assert pipeline is not None
        last = _answer(pipeline, self.file)
        for definition in self.file.definitions.values():
            self._collect(definition.body, self.file, dict.fromkeys(definition.parameters), None)
            given = {p.name: p.default for p in definition.node.parameters or () if p.default is not None}
            for name, default in given.items():
                if name in self.parameters(definition):
                    self._keep(default, self.file, {})
                else:
                    self._collect(default, self.file, dict.fromkeys(definition.parameters), None)
        self._collect(pipeline, self.file, {}, last)
        self.numbers = tuple(self.found[start] for start in sorted(self.found))

    def parameters(self, definition: Definition) -> frozenset[str]:
        """The parameters of a definition that are widths."""
        known = self._parameters.get(definition)
        if known is None:
            self._parameters[definition] = frozenset()  # a definition may not use itself
            scope: _Scope = dict.fromkeys(definition.parameters)
            names = {
                leaf.name
                for value, inner in self._given(definition.body, definition.file, scope, None)
                for leaf in _resolved(value, inner)
                if isinstance(leaf, Name)
            }
            known = self._parameters[definition] = frozenset(names & {*definition.parameters} - {CLASSES})
        return known

    def _collect(self, node: Node, file: File, scope: _Scope, last: Word | None) -> None:
        for value, inner in self._given(node, file, scope, last):
            self._keep(value, file, inner)

    def _keep(self, value: Expression, file: File, scope: _Scope) -> None:
        for leaf in _resolved(value, scope):
            if isinstance(leaf, Number):
                if isinstance(leaf.value, int) and leaf.value > 1:
                    self.found[leaf.span.start] = leaf
            elif leaf.name != CLASSES and leaf.name not in scope and leaf.name in file.lets:
                self._keep(file.lets[leaf.name].node.value, file, {})

    # ---- what is given as a width ------------------------------------------------------------------

    def _given(
        self, node: Node, file: File, scope: _Scope, last: Word | None
    ) -> Iterator[tuple[Expression, _Scope]]:
        """Every value at the place of a width below a node, with the loops around it."""
        if isinstance(node, Loop | Each):
            yield from self._below(node.bindings, file, scope, last)
            yield from self._given(node.body, file, {**scope, **_bound(node.bindings)}, last)
            return
        if isinstance(node, Word) and node is not last:
            for value in self._of_call(node, file, scope):
                yield value, scope
        yield from self._below(tuple(children(node)), file, scope, last)

    def _below(
        self, nodes: tuple[Node, ...], file: File, scope: _Scope, last: Word | None
    ) -> Iterator[tuple[Expression, _Scope]]:
        for node in nodes:
            yield from self._given(node, file, scope, last)

    def _of_call(self, word: Word, file: File, scope: _Scope) -> Iterator[Expression]:
        by_place = [argument for argument in word.arguments if not isinstance(argument, Keyword)]
        by_name = {a.name: a.value for a in word.arguments if isinstance(a, Keyword)}
        if word.name in scope:
            yield from by_place[:1]  # a block that was handed in is called with its width
            return
        meaning = _meaning(word.name, file)
        if isinstance(meaning, Definition):
            yield from self._of_definition(meaning, by_place, by_name)
        elif isinstance(meaning, type) and issubclass(meaning, Stage):
            yield from (by_name.pop(name) for name in OF_STAGES if name in by_name)
            called = _meaning(by_place[0].name, file) if by_place and isinstance(by_place[0], Name) else None
            if isinstance(called, Definition) and (called.file is self.file or meaning.name != "encoder"):
                yield from self._of_definition(called, by_place[1:], by_name)
        elif isinstance(meaning, type) and issubclass(meaning, Op):
            places = dict(zip(arguments_of(meaning), by_place, strict=False))
            yield from (given["out"] for given in (places, by_name) if "out" in given)

    def _of_definition(
        self, definition: Definition, by_place: list[Expression], by_name: dict[str, Expression]
    ) -> Iterator[Expression]:
        given = {**dict(zip(definition.parameters, by_place, strict=False)), **by_name}
        yield from (
            given[name]
            for name in definition.parameters
            if name in self.parameters(definition) & given.keys()
        )


def _meaning(word: str, file: File) -> Meaning | None:
    try:
        return file.meaning(word)
    except (ArchError, Mistake):
        return None


def _answer(pipeline: Pipeline, file: File) -> Word | None:
    """The layer whose channels are what the network answers, where the pipeline ends in one."""
    for element in reversed(pipeline.elements):
        word = _unmarked(element)
        meaning = _meaning(word.name, file) if isinstance(word, Word) else None
        if not (isinstance(word, Word) and isinstance(meaning, type) and issubclass(meaning, Op)):
            return None
        if "out" in arguments_of(meaning):
            return word
    return None


def _unmarked(element: Element) -> Element:
    return element.element if isinstance(element, Marked) else element


# ---- values --------------------------------------------------------------------------------------------


def _resolved(value: Expression, scope: _Scope) -> Iterator[Number | Name]:
    """The numbers and names that carry the channels of a value, loops' variables as what they run through."""
    for leaf in _carriers(value):
        inner = scope.get(leaf.name) if isinstance(leaf, Name) else None
        if inner is None:
            yield leaf
        else:
            assert isinstance(leaf, Name)
            yield from _resolved(inner, {name: v for name, v in scope.items() if name != leaf.name})


def _bound(bindings: tuple[Binding, ...]) -> dict[str, Expression | None]:
    """What each variable of a loop runs through; of rows of a table, its column."""
    found: dict[str, Expression | None] = {}
    for binding in bindings:
        for place, name in enumerate(binding.names):
            column = binding.values if len(binding.names) == 1 else _column(binding.values, place)
            found[name] = column
    return found


def _column(table: Expression, place: int) -> Expression | None:
    if not isinstance(table, Listing) or not all(isinstance(row, Listing) for row in table.items):
        return None
    rows = [row.items for row in table.items if isinstance(row, Listing)]
    return Listing(table.span, tuple(row[place] for row in rows if place < len(row)))


def _carriers(value: Expression) -> Iterator[Number | Name]:
    """The leaves of a value that are channels, and no factor, divisor or count."""
    match value:
        case Number() | Name():
            yield value
        case Paren(inner=inner) | Unary(operand=inner):
            yield from _carriers(inner)
        case Quote(pipeline=Pipeline(elements=(Word(arguments=()) as word,))):
            yield Name(word.span, word.name)
        case Listing(items=items) | Choice(options=items):
            for item in items:
                yield from _carriers(item)
        case When(value=one, otherwise=other) | Binary(operator="+" | "-", left=one, right=other):
            yield from (*_carriers(one), *_carriers(other))
        case Binary(operator="/" | "//", left=left):
            yield from _carriers(left)
        case Binary(operator="*", left=left, right=right):
            yield from _carriers(_channels_of(left, right))
        case Function(name=name, arguments=arguments):
            values = [item for item in arguments if not isinstance(item, Keyword | Each)]
            if name in ("max", "min"):
                values = [item for item in values if not isinstance(item, Number)] or values
            else:
                values = values[:1]  # what is rounded or reversed, or a list of which an item is taken
            for item in values:
                yield from _carriers(item)


def _channels_of(left: Expression, right: Expression) -> Expression:
    """The side of a product that is channels; the other is how often."""
    sides = [side for side in (left, right) if isinstance(_bare(side), Listing)]
    if sides:
        return sides[0]
    named = [side for side in (left, right) if not isinstance(_bare(side), Number)]
    if len(named) == 2:
        maps = [side for side in named if isinstance(_bare(side), At)]
        return maps[0] if maps else At(left.span, "")  # which of two names is a factor can't be told
    return named[0] if named else max((left, right), key=_number)


def _bare(value: Expression) -> Expression:
    return _bare(value.inner) if isinstance(value, Paren) else value


def _number(value: Expression) -> float:
    bare = _bare(value)
    return float(bare.value) if isinstance(bare, Number) else 0.0


# ---- the text with other widths --------------------------------------------------------------------


class Edit(NamedTuple):
    """A piece of a text, the widths that are to stand there, and what is written before and behind them."""

    start: int
    end: int
    widths: tuple[int, ...]
    before: str = ""
    after: str = ""

    def written(self, widths: Mapping[int, int]) -> str:
        return self.before + ", ".join(str(widths[width]) for width in self.widths) + self.after


def edits(program: Program, network: Network) -> tuple[Edit, ...]:
    """Where a spec's widths stand, and where those that `up` takes by default are to be written."""
    written = [Edit(n.span.start, n.span.end, (int(n.value),)) for n in Widths(program).numbers]
    return (*written, *_of_defaults(program, network))


def rewritten(text: str, places: Iterable[Edit], widths: Mapping[int, int]) -> str:
    """A text with other widths."""
    for edit in sorted(places, key=lambda edit: edit.start, reverse=True):
        text = text[: edit.start] + edit.written(widths) + text[edit.end :]
    return text


def without_weights(program: Program) -> Iterator[Edit]:
    """What takes the published weights out of `about`: they fit the widths that they were trained with."""
    for statement in program.file.spec.statements:
        if isinstance(statement, About) and len(statement.keywords) > 1:
            spans = [keyword.span for keyword in statement.keywords if keyword.name == "weights"]
            yield from (Edit(span.start, span.end, ()) for span in spans)


def published_encoder(program: Program, places: Iterable[Edit]) -> str:
    """What the pipeline's `encoder` calls, where it is the library's and no width stands in the call."""
    words = [_unmarked(element) for element in program.pipeline.elements] if program.pipeline else []
    for word in words:
        if isinstance(word, Word) and word.name == "encoder" and word.arguments:
            written = any(word.span.start <= edit.start < word.span.end for edit in places)
            named = word.arguments[0]
            own = isinstance(named, Name) and named.name in program.file.definitions
            return "" if written or own else named.span.text
    return ""


def _of_defaults(program: Program, network: Network) -> Iterator[Edit]:
    """The `up` of the file's pipeline that states no `channels=`."""
    assert program.pipeline is not None
    for element in program.pipeline.elements:
        word = _unmarked(element)
        if isinstance(word, Word) and word.name == "up" and not _sums(program.pipeline):
            stated = any(isinstance(a, Keyword) and a.name == "channels" for a in word.arguments)
            channels = tuple(map(default_width, _climbed(network)))
            if not stated and channels:
                yield Edit(word.span.end, word.span.end, channels, " channels=[", "]")


def _sums(pipeline: Pipeline) -> bool:
    """Whether the decoder adds its skips: a level then has its skip's channels."""
    words = [_unmarked(element) for element in pipeline.elements]
    skips = [word for word in words if isinstance(word, Word) and word.name == "skip"]
    return any(isinstance(a, Name) and a.name == "add" for word in skips for a in word.arguments[:1])


def _climbed(network: Network) -> list[int]:
    """Strides of the levels that the decoder climbs to, the coarsest first."""
    strides = {
        int(network.operations[cell.value - 1].stride or 1)
        for cell in network.cells
        if cell.role in ("nested", "decoder", "top")
    }
    return sorted(strides, reverse=True)


# ---- groups ------------------------------------------------------------------------------------------


def groups_in(program: Program) -> int:
    """What all groups of channels that a file writes divide: widths of its multiples stay divisible."""
    found = 1
    for statement in program.file.spec.statements:
        stack: list[Node] = [statement]
        while stack:
            node = stack.pop()
            stack += children(node)
            if isinstance(node, Keyword) and node.name in ("groups", "of") and isinstance(node.value, Number):
                found = lcm(found, int(node.value.value))
    return found
