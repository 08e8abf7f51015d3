"""Values as an argument wants them: each kind of argument has its rule."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

from archdsl.backbones.lookup import backbone
from archdsl.backbones.table import Backbone, lines
from archdsl.elaboration.arithmetic import is_list
from archdsl.elaboration.blame import at_word
from archdsl.elaboration.context import Context
from archdsl.elaboration.published import DEFAULT_TAG
from archdsl.elaboration.values import Given, Partial, Quoted, Value, described, shown
from archdsl.errors import ArchError, Diagnostic, Mistake
from archdsl.errors.arguments import OutOfBounds, WrongValue
from archdsl.errors.lexical import NotARange
from archdsl.errors.names import UnknownVariable, UnknownWord
from archdsl.op import Dims, Flag, Int, MapRef, Model, Padding, Real
from archdsl.op import Word as OneWord
from archdsl.ops.backbones import Timm
from archdsl.source import Span
from archdsl.stage import BareWord, Gate, Map, Paths, PerLevel, PerLevelValue, Pyramid, Size, StageName, Tag
from archdsl.syntax import Node
from archdsl.vocabulary import OF_TIMM


class Place(NamedTuple):
    """Where a value is given: to which option of which stage."""

    option: str
    stage: str
    span: Span
    context: Context


def converted(kind: Any, given: Given, option: str, stage: str, context: Context) -> Value:
    """A value as its kind wants it; raises WrongValue, OutOfBounds, UnknownWord, UnknownVariable."""
    return _converted(kind, given.value, Place(option, stage, given.span, context))


def _converted(kind: Any, value: Value, place: Place) -> Value:
    if value is None and (getattr(kind, "optional", False) or isinstance(kind, Gate | PerLevel)):
        return PerLevelValue((None,), False) if isinstance(kind, PerLevel) else None
    if isinstance(value, BareWord) and not isinstance(
        kind, OneWord | Padding | StageName | Gate | PerLevel | Paths | Tag
    ):
        raise ArchError(_not_a_variable(kind, value, place))
    return RULES[type(kind)](kind, value, place)


def _not_a_variable(kind: Any, value: BareWord, place: Place) -> Diagnostic:
    if isinstance(kind, MapRef):
        wrong = WrongValue(place.option, "a named map", described(value), f"@{value}")
        return at_word(wrong, value, place.span)
    known = (*place.context.variables, *place.context.frame.file.lets)
    return at_word(UnknownVariable(value, place.stage, known), value, place.span)


def _int(kind: Int, value: Value, place: Place) -> int:
    if isinstance(value, Map | Pyramid):
        value = value.shape.channels if isinstance(value, Map) else value.maps[-1].shape.channels
    if not isinstance(value, int) or isinstance(value, bool):
        mend = value if isinstance(value, str) and value.isdecimal() else ""
        got = shown(value) if isinstance(value, Fraction) else described(value)
        raise ArchError(WrongValue(place.option, "a whole number", got, mend).at(place.span))
    check_bounds(kind, value, place.option, place.span)
    return value


def _real(kind: Real, value: Value, place: Place) -> float:
    if isinstance(value, Map):
        value = value.shape.channels
    if not isinstance(value, int | Fraction) or isinstance(value, bool):
        raise ArchError(WrongValue(place.option, "a number", described(value)).at(place.span))
    check_bounds(kind, value, place.option, place.span)
    return float(value)


def _flag(kind: Flag, value: Value, place: Place) -> bool:
    if not isinstance(value, bool):
        raise ArchError(WrongValue(place.option, "`true` or `false`", described(value)).at(place.span))
    return value


def _dims(kind: Dims, value: Value, place: Place) -> Value:
    if isinstance(value, Size):
        sizes: tuple[int, ...] = tuple(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        sizes = (value,)
    else:
        got = shown(value) if isinstance(value, Fraction) else described(value)
        raise ArchError(WrongValue(place.option, "a size such as 3x3", got).at(place.span))
    for size in sizes:
        check_bounds(kind, size, place.option, place.span)
    return value if isinstance(value, int) else sizes


def _word(kind: OneWord, value: Value, place: Place) -> str:
    if isinstance(value, Partial) and not value.positional and not value.keywords:
        value = BareWord(value.written)
    if not isinstance(value, BareWord):
        # `supervise=true`: where there is but one way to have it, that is meant.
        ways = [word for word in kind.options if word != "none"] if value is True else []
        mend = ways[0] if len(ways) == 1 else ""
        raise ArchError(
            WrongValue(place.option, f"one of {', '.join(kind.options)}", described(value), mend).at(
                place.span
            )
        )
    if value not in kind.options:
        raise ArchError(at_word(UnknownWord(_who(place), value, kind.options), value, place.span))
    return str(value)


def _padding(kind: Padding, value: Value, place: Place) -> Value:
    if isinstance(value, str | Partial):
        return _word(OneWord(("symmetric", "same")), value, place)
    return _dims(Dims(low=0), value, place)


def _map(kind: MapRef, value: Value, place: Place) -> Map:
    if isinstance(value, Pyramid):
        value = value.maps[-1]
    if not isinstance(value, Map):
        raise ArchError(WrongValue(place.option, "a named map such as `@x`", described(value)).at(place.span))
    return value


def _stage_name(kind: StageName, value: Value, place: Place) -> Value:
    if kind.closed and isinstance(value, Partial | Quoted):
        raise ArchError(UnknownWord(place.stage, place.span.text, kind.own).at(place.span))
    if isinstance(value, Quoted):
        return as_partial(value, None)
    if isinstance(value, Partial):
        if value.callee is Timm and not kind.timm:
            whose = _who(place)
            raise ArchError(WrongValue(whose, "a stage", f"the encoder `{value.word}`").at(place.span))
        return value
    if kind.sizes and isinstance(value, Size | int):
        return _dims(Dims(), value, place)
    if isinstance(value, BareWord):
        if value in kind.own:
            return str(value)
        file = place.context.frame.file
        names = tuple(dict.fromkeys((*file.definitions, *file.vocabulary.library)))
        public = tuple(name for name in names if not name.startswith("_"))
        models = (f"{OF_TIMM}{model}" for model in lines() if kind.timm and model.startswith(value))
        known = () if kind.closed else (*public, *models)
        raise ArchError(at_word(UnknownWord(place.stage, value, kind.own, known), value, place.span))
    quoted = value if isinstance(value, str) and value.isidentifier() else ""
    raise ArchError(WrongValue(_who(place), "a stage", described(value), quoted).at(place.span))


def _model(kind: Model, value: Value, place: Place) -> Backbone:
    try:
        return backbone(str(value))
    except Mistake as mistake:
        raise ArchError(mistake.at(place.span)) from None


def _gate(kind: Gate, value: Value, place: Place) -> Value:
    return _stage_name(StageName(()), value, place)


def _per_level(kind: PerLevel, value: Value, place: Place) -> PerLevelValue:
    if is_list(value):
        return PerLevelValue(tuple(_converted(kind.kind, each, place) for each in value), True)
    return PerLevelValue((_converted(kind.kind, value, place),), False)


def _path_list(kind: Paths, value: Value, place: Place) -> tuple[str, ...]:
    if not is_list(value) or not all(isinstance(path, str) for path in value):
        raise ArchError(WrongValue(place.option, "a list of module paths", described(value)).at(place.span))
    return tuple(str(path) for path in value)


def _tag(kind: Tag, value: Value, place: Place) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise ArchError(
            WrongValue(
                place.option,
                "the name of published weights",
                described(value),
                DEFAULT_TAG if value is True else "",  # as `pretrained=True` elsewhere
            ).at(place.span)
        )
    return str(value)


RULES: dict[type, Callable[..., Value]] = {
    Int: _int,
    Real: _real,
    Flag: _flag,
    Dims: _dims,
    OneWord: _word,
    Padding: _padding,
    MapRef: _map,
    Model: _model,
    StageName: _stage_name,
    Gate: _gate,
    PerLevel: _per_level,
    Paths: _path_list,
    Tag: _tag,
}


_DIFFERENCE = re.compile(r"\(?([0-9.]+)[ ]*-[ ]*([0-9.]+)\)?")


def check_bounds(kind: Int | Real | Dims, value: int | Fraction, option: str, span: Span) -> None:
    highest = None if isinstance(kind, Dims) else kind.high
    below = kind.low is not None and value < kind.low
    above = highest is not None and value > highest
    if below and (ends := _DIFFERENCE.fullmatch(span.text)):  # `depth=2-4`
        raise ArchError(NotARange(span.text, "..".join(ends.groups()), dots=False).at(span))
    if below or above:
        low = "" if kind.low is None else f"{kind.low:g}"
        high = "" if highest is None else f"{highest:g}"
        raise ArchError(OutOfBounds(option, shown(value), low, high).at(span))


def keyword_span(given: Given) -> Span:
    """The name of a keyword whose value was given: the text before its `=`."""
    source, start = given.span.source, given.span.start
    text = source.text[:start].rstrip()
    if not text.endswith("="):
        return given.span
    end = len(text[:-1].rstrip())
    begin = end
    while begin and (text[begin - 1].isalnum() or text[begin - 1] == "_"):
        begin -= 1
    return source.span(begin, end)


def _who(place: Place) -> str:
    """Whose word a value is: the option's that it is given to by name, else the stage's."""
    by_name = keyword_span(Given(None, place.span)) != place.span
    return place.option if by_name else place.stage


def as_partial(value: Partial | Quoted, word: Node | None) -> Partial:
    if isinstance(value, Partial):
        return value
    span = value.pipeline.span if word is None else word.span
    return Partial(value, value.word, span, words=value.words)
