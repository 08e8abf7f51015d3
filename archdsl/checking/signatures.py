"""What a stage takes, as far as its words tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field
from typing import Any, TypeAlias

from archdsl.elaboration.arguments import kinds_of, own_words
from archdsl.elaboration.values import parameter_names
from archdsl.op import Int, Op, Real, arguments
from archdsl.ops.backbones import Timm
from archdsl.source import Label
from archdsl.stage import Stage, StageName
from archdsl.syntax import Choice, Dimensions, Expression, Name, Nothing, Number, Paren, Word
from archdsl.vocabulary import Definition

Needed: TypeAlias = tuple[str, tuple[Label, ...]]


@dataclass(frozen=True)
class Signature:
    """The arguments of a stage.

    Attributes:
        places: names of those given by position.
        room: how many may be given by position; None for any number.
        options: those that may be given by name; None if any may.
        kinds: what each takes, where that is known.
        needed: those without a default, with what they are for and where that is said.
        word: what a reader calls the stage, where that is more than its word.
    """

    places: tuple[str, ...] = ()
    room: int | None = None
    options: tuple[str, ...] | None = None
    kinds: Mapping[str, Any] = field(default_factory=dict)
    needed: Mapping[str, Needed] = field(default_factory=dict)
    word: str = ""

    @property
    def told(self) -> tuple[str, ...]:
        """The options that a reader is told of: not the NAME of a recipe stage, which has none."""
        first = self.places[0] if self.places else ""
        unnamed = isinstance(self.kinds.get(first), StageName)
        return tuple(name for name in self.options or () if name != first or not unnamed)


# What is not known takes anything.
ANYTHING = Signature()


def _structural(*places: str, **options: Any) -> Signature:
    needed: dict[str, Needed] = dict.fromkeys(places, ("", ()))
    kinds = {"number": Int(), **options}
    return Signature(places, len(places), tuple(options), kinds, needed)


# The words that are neither operations nor recipe stages.
STRUCTURAL = {
    "tap": _structural(),
    "share": _structural("name"),
    "level": _structural("number"),
    "levels": _structural("list"),
    "aux": _structural("stage", weight=Real(low=0)),
}


def of_definition(definition: Definition) -> Signature:
    """A definition's own parameters, and those of the call that it is."""
    places = definition.parameters
    needed = {
        parameter.name: ("", (Label(parameter.span, "defined here"),))
        for parameter in definition.node.parameters or ()
        if parameter.default is None
    }
    return Signature(places, len(places), parameter_names(definition), {}, needed)


def of_builtin(callee: type[Op] | type[Stage]) -> Signature:
    """The fields of an operation or a recipe stage."""
    fields = arguments(callee)
    if callee is Timm:  # its name says the model
        kinds = {name: kind for name, kind in kinds_of(callee).items() if name != "model"}
        return Signature((), 0, tuple(kinds), kinds)
    needed = {name: (one.metadata["doc"], ()) for name, one in fields.items() if one.default is MISSING}
    return Signature(tuple(fields), len(fields), tuple(fields), kinds_of(callee), needed)


def of_stage(word: Word, callee: type[Stage], named: Callable[[Name], object]) -> Signature:
    """A recipe stage, which may pass arguments on to the definition that it names.

    Args:
        named: what a name means; None where that can't be told.
    """
    own = of_builtin(callee)
    first = own.places[0]
    if not getattr(own.kinds[first], "rest", False):
        return own
    room, options = 1, own.options or ()
    given = next((argument for argument in word.arguments if not hasattr(argument, "name_span")), None)
    for node in _options(given):
        inner = _inner(node, own_words(own.kinds[first]), named)
        if inner.options is None or inner.room is None:
            return Signature((first,), None, None, own.kinds, own.needed)
        room = max(room, 1 + inner.room)
        options = (*options, *(name for name in inner.options if name not in options))
    told = "" if given is None else f"{word.name} {given.span.text}"
    return Signature((first,), room, options, own.kinds, own.needed, told)


def _options(node: Expression | None) -> Iterator[Expression]:
    """What a value may become by choice."""
    match node:
        case None:
            return
        case Choice(options=options):
            for option in options:
                yield from _options(option)
        case Paren(inner=Choice() as inner):
            yield from _options(inner)
        case _:
            yield node


def _inner(node: Expression, own: frozenset[str], named: Callable[[Name], object]) -> Signature:
    """What the NAME of a recipe stage takes."""
    nothing = Signature((), 0, ())
    match node:
        case Nothing() | Dimensions() | Number():
            return nothing
        case Name(name=name):
            meaning = nothing if name in own else named(node)
            if isinstance(meaning, Signature):
                return meaning
            if isinstance(meaning, Definition):
                return of_definition(meaning)
            if isinstance(meaning, type) and issubclass(meaning, Op):
                return of_builtin(meaning)
    return ANYTHING
