"""Which numbers of a spec are widths: those that say how many channels a map has.

A width is what an `out` of a convolution, a `channels=` of a recipe stage or the parameter of a definition
that becomes one of these is given. Factors (`4*w`), divisors (`w//16`), repeats and groups are none, nor is
1, which is a mask, nor what the last layer of the pipeline gives: that counts classes. A factor of what is
rounded (`round8(32*width)`) stands for all widths that it multiplies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from archdsl.elaboration.program import Program
from archdsl.elaboration.values import Partial, parameter_names
from archdsl.op import Op
from archdsl.op import arguments as arguments_of
from archdsl.scaling.carriers import OF_STAGES, Reach, bound, carriers
from archdsl.stage import Stage
from archdsl.syntax import (
    Each,
    Expression,
    Keyword,
    Loop,
    Name,
    Node,
    Number,
    Pipeline,
    Word,
    children,
    unmarked,
)
from archdsl.vocabulary import Definition, File

# What names the number of classes is none, whatever layer reads it.
CLASSES = "classes"

# Whether what a parameter becomes is rounded, by the column of the table that it is (None: no table).
Uses: TypeAlias = Mapping[int | None, bool]
AS_IT_IS: Uses = {None: False}

# What was called by the name of a variable, in the words that call it.
Handed: TypeAlias = Mapping[Word, Sequence[Partial]]


class Place(NamedTuple):
    """A value at the place of a width, with the loops and parameters around it."""

    value: Expression
    reach: Reach
    column: int | None = None
    rounded: bool = False


class Widths:
    """The widths that files write themselves, as far as a program reaches them.

    With `factors`, a factor of what is rounded stands for all widths that it multiplies; without, these do.
    """

    def __init__(self, program: Program, handed: Handed, *, factors: bool) -> None:
        self.program = program
        self.handed = handed
        self.factors = factors
        self._parameters: dict[Definition, dict[str, dict[int | None, bool]]] = {}

    def of_file(self) -> dict[Number, bool]:
        """The widths of the program's own file, and whether each is a factor of what is rounded."""
        file, pipeline = self.program.file, self.program.pipeline
        assert pipeline is not None
        found: dict[Number, bool] = {}
        for definition in file.definitions.values():
            _merge(found, self.of_definition(definition))
        _merge(found, self._collected(pipeline, file, {}, answer(pipeline, file)))
        return found

    def of_definition(self, definition: Definition) -> dict[Number, bool]:
        """The widths that a definition writes: in its body, and as defaults of its parameters."""
        file, reach = definition.file, dict.fromkeys(definition.parameters)
        found = self._collected(definition.body, file, reach, None)
        uses = self.parameters(definition)
        for parameter in definition.node.parameters or ():
            if parameter.default is None:
                continue
            for column, rounded in uses.get(parameter.name, {}).items():
                _merge(found, self._kept(Place(parameter.default, {}, column, rounded), file))
            if parameter.name not in uses:
                _merge(found, self._collected(parameter.default, file, reach, None))
        return found

    def parameters(self, definition: Definition) -> Mapping[str, Uses]:
        """The parameters of a definition that are widths, or tables with columns of them."""
        known = self._parameters.get(definition)
        if known is None:
            known = self._parameters[definition] = {}  # a definition may not use itself
            reach: Reach = dict.fromkeys(definition.parameters)
            for place in self._places(definition.body, definition.file, reach, None):
                for node, column, rounded in carriers(*place, factors=self.factors):
                    if isinstance(node, Name) and node.name in reach and node.name != CLASSES:
                        uses = known.setdefault(node.name, {})
                        uses[column] = rounded and uses.get(column, True)
        return known

    def _collected(self, node: Node, file: File, reach: Reach, last: Word | None) -> dict[Number, bool]:
        found: dict[Number, bool] = {}
        for place in self._places(node, file, reach, last):
            _merge(found, self._kept(place, file))
        return found

    def _kept(self, place: Place, file: File) -> dict[Number, bool]:
        found: dict[Number, bool] = {}
        for node, column, inside in carriers(*place, factors=self.factors):
            rounded = inside and self.factors
            if isinstance(node, Number):
                if node.value > 0 if rounded else isinstance(node.value, int) and node.value > 1:
                    _merge(found, {node: rounded})
            elif node.name != CLASSES and node.name not in place.reach and node.name in file.lets:
                value = file.lets[node.name].node.value
                _merge(found, self._kept(Place(value, {}, column, rounded), file))
        return found

    # ---- what is given as a width ------------------------------------------------------------------

    def _places(self, node: Node, file: File, reach: Reach, last: Word | None) -> Iterator[Place]:
        """Every value at the place of a width below a node."""
        if isinstance(node, Loop | Each):
            for binding in node.bindings:
                yield from self._places(binding, file, reach, last)
            yield from self._places(node.body, file, {**reach, **bound(node.bindings)}, last)
            return
        if isinstance(node, Word) and node is not last:
            for value, uses in self.given(node, file, reach):
                for column, rounded in uses.items():
                    yield Place(value, reach, column, rounded)
        for child in children(node):
            yield from self._places(child, file, reach, last)

    def given(self, word: Word, file: File, reach: Reach) -> Iterator[tuple[Expression, Uses]]:
        """What a call is given at places of widths."""
        by_place = [argument for argument in word.arguments if not isinstance(argument, Keyword)]
        by_name = {a.name: a.value for a in word.arguments if isinstance(a, Keyword)}
        if word.name in reach:
            for found in self.handed.get(word, ()):
                before = len(found.positional)
                yield from self._of_meaning(found.callee, by_place, by_name, before)
            return
        meaning = file.find(word.name)
        if isinstance(meaning, type) and issubclass(meaning, Stage):
            yield from ((by_name.pop(name), AS_IT_IS) for name in OF_STAGES if name in by_name)
            called = file.find(by_place[0].name) if by_place and isinstance(by_place[0], Name) else None
            own = isinstance(called, Definition) and called.file is self.program.file
            if isinstance(called, Definition) and (own or meaning.name != "encoder"):
                yield from self._of_meaning(called, by_place[1:], by_name)
        else:
            yield from self._of_meaning(meaning, by_place, by_name)

    def _of_meaning(
        self, meaning: object, by_place: list[Expression], by_name: dict[str, Expression], before: int = 0
    ) -> Iterator[tuple[Expression, Uses]]:
        """The widths among the arguments of a definition or an operation, `before` of which it has."""
        if isinstance(meaning, Definition):
            uses = self.parameters(meaning)
        elif isinstance(meaning, type) and issubclass(meaning, Op):
            uses = {"out": AS_IT_IS}
        else:
            return
        given = {**dict(zip(parameter_names(meaning)[before:], by_place, strict=False)), **by_name}
        yield from ((given[name], uses[name]) for name in uses if name in given)


def _merge(found: dict[Number, bool], more: Mapping[Number, bool]) -> None:
    """Adds numbers; one that is a width as it stands is no factor elsewhere."""
    for number, rounded in more.items():
        found[number] = rounded and found.get(number, True)


def answer(pipeline: Pipeline, file: File) -> Word | None:
    """The layer whose channels are what the network answers, where the pipeline ends in one."""
    for element in reversed(pipeline.elements):
        word = unmarked(element)
        meaning = file.find(word.name) if isinstance(word, Word) else None
        if not (isinstance(word, Word) and isinstance(meaning, type) and issubclass(meaning, Op)):
            return None
        if "out" in arguments_of(meaning):
            return word
    return None
