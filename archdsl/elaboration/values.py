"""Values of a spec at elaboration: stages as values, what they are called with, their keys.

Numbers are int or Fraction, sizes `Size`, words `BareWord`, text str, lists tuples; maps are what
flows. A value's key makes equal calls the same block.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple, TypeAlias, cast

from archdsl.op import Op, arguments
from archdsl.source import Span
from archdsl.stage import BareWord, Lattice, Map, Pyramid, Size, Stage
from archdsl.syntax import Pipeline, Word
from archdsl.vocabulary import Definition

Value: TypeAlias = Any


class Given(NamedTuple):
    """An argument that was given, and where."""

    value: Value
    span: Span


class EndOfRun(Exception):
    """A collecting run has found enough, or would take too long to go on."""


class Muted(Exception):
    """What follows from a mistake that is already told."""


class _Unknown:
    """What flows after a mistake: everything fits it."""

    def __repr__(self) -> str:
        return "unknown"


UNKNOWN = _Unknown()


class Uncacheable(Exception):
    """A value that depends on more than its text: a call with it is elaborated afresh."""


@dataclass(frozen=True, eq=False)
class Quoted:
    """A pipeline as a value, with the place where it was written."""

    pipeline: Pipeline
    context: Any  # the elaborator's Context: variables, file, names in reach
    words: str
    open: bool
    reads_maps: bool
    free: tuple[tuple[str, Hashable], ...] = ()

    @property
    def word(self) -> str:
        return "stage"

    def takes(self, parameter: str) -> bool:
        return False


class OwnWord(NamedTuple):
    """A recipe stage's own word with arguments of the stage, as an option: `skip {plain, nested depth=2}`."""

    word: Word
    context: Any
    words: str


Callee: TypeAlias = "Definition | type[Op] | type[Stage] | Quoted"


@dataclass(eq=False, slots=True)
class Partial:
    """A stage as a value: a callee and the arguments given so far."""

    callee: Callee
    written: str
    span: Span
    positional: tuple[Given, ...] = ()
    keywords: dict[str, Given] = field(default_factory=dict)
    defaults: dict[str, Given] = field(default_factory=dict)
    words: str = ""

    def but(
        self,
        positional: tuple[Given, ...] | None = None,
        keywords: dict[str, Given] | None = None,
        defaults: dict[str, Given] | None = None,
        words: str | None = None,
    ) -> Partial:
        """This stage with some parts replaced."""
        return Partial(
            self.callee,
            self.written,
            self.span,
            self.positional if positional is None else positional,
            self.keywords if keywords is None else keywords,
            self.defaults if defaults is None else defaults,
            self.words if words is None else words,
        )

    @property
    def word(self) -> str:
        return self.written

    def takes(self, parameter: str) -> bool:
        return parameter in parameter_names(self.callee) and not self.gives(parameter)

    def gives(self, parameter: str) -> bool:
        by_place = parameter_names(self.callee)[: len(self.positional)]
        return parameter in self.keywords or parameter in by_place

    @property
    def takes_more(self) -> bool:
        # What an alias without parameters passes on goes by name only.
        callee = self.callee
        names = callee.parameters if isinstance(callee, Definition) else parameter_names(callee)
        return len(self.positional) < len(names)


def parameter_names(callee: Callee) -> tuple[str, ...]:
    """The arguments of a callee by name, in positional order."""
    seen: list[Definition] = []
    while isinstance(callee, Definition) and callee not in seen:
        seen.append(callee)
        meaning = None if callee.alias is None else callee.file.meaning(callee.alias.name)
        if callee.node.parameters is not None or not isinstance(meaning, Definition | type):
            return callee.parameters
        callee = meaning
    return tuple(arguments(callee)) if isinstance(callee, type) else ()


def key_of(value: Value) -> Hashable:
    """A hashable that is equal for equal values; raises Uncacheable where there is none."""
    rule = _KEYS.get(type(value))
    if rule is not None:
        return rule(value)
    if isinstance(value, tuple):  # records of stages
        return ("list", *map(key_of, value))
    raise Uncacheable


def _key_of_partial(value: Partial) -> Hashable:
    if isinstance(value.callee, Definition) and value.callee.is_open:
        raise Uncacheable  # its choices are called by where it was written
    callee = key_of(value.callee) if isinstance(value.callee, Quoted) else value.callee
    if not (value.positional or value.keywords or value.defaults):
        return ("stage", callee)
    return (
        "stage",
        callee,
        tuple(key_of(given.value) for given in value.positional),
        tuple((name, key_of(given.value)) for name, given in value.keywords.items()),
        tuple((name, key_of(given.value)) for name, given in value.defaults.items()),
    )


def _key_of_quoted(value: Quoted) -> Hashable:
    if value.open or value.reads_maps:
        raise Uncacheable
    return ("pipeline", value.pipeline, value.free)


def _itself(value: Value) -> Hashable:
    return cast(Hashable, value)


_KEYS: dict[type, Callable[[Any], Hashable]] = {
    int: _itself,
    Fraction: _itself,
    type(None): _itself,
    bool: lambda value: ("flag", value),
    str: lambda value: ("text", value),
    BareWord: lambda value: ("word", str(value)),
    Size: lambda value: ("size", tuple(value)),
    Map: lambda value: (value.shape, value.stride),
    Pyramid: lambda value: ("pyramid", *map(key_of, value.maps)),
    Partial: _key_of_partial,
    Quoted: _key_of_quoted,
    tuple: lambda value: ("list", *map(key_of, value)),
}


def described(value: Value) -> str:
    """A value in words, for messages."""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if value is None:
        return "`none`"
    if isinstance(value, BareWord):
        return f"the word `{value}`"
    if isinstance(value, str):
        return "text"
    if isinstance(value, int | Fraction):
        return f"the number {shown(value)}"
    if isinstance(value, Size):
        return f"the size {value}"
    if isinstance(value, Map):
        return f"a map of {value.shape}" if value.shape.rank else f"a vector of {value.shape}"
    if isinstance(value, Pyramid):
        return f"a pyramid of {len(value.maps)} levels"
    if isinstance(value, Lattice):
        return "a decoder that is not upsampled yet"
    if isinstance(value, Partial):
        return f"the stage `{value.word}`"
    if isinstance(value, Quoted):
        return "a pipeline"
    if isinstance(value, OwnWord):
        return f"`{value.word.span.text}`"
    if isinstance(value, tuple):
        return "a list"
    return "this"


def shown(value: Value) -> str:
    """A number as a reader writes it; other values as their text."""
    if isinstance(value, Fraction):
        number = float(value)
        texts = (f"{number:g}", repr(number))
        return next((text for text in texts if Fraction(text) == value), str(value))
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "none"
    if isinstance(value, tuple) and not isinstance(value, Size):
        return f"[{', '.join(map(shown, value))}]"
    return str(value)
