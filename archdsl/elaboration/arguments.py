"""Arguments: collected as they are written, then bound to what a callee takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field
from fractions import Fraction
from typing import Any

from archdsl.backbones.lookup import backbone
from archdsl.backbones.table import Backbone
from archdsl.elaboration.arithmetic import is_list
from archdsl.elaboration.blame import at_word
from archdsl.elaboration.choices import join_words
from archdsl.elaboration.context import Context, Frame, Scope
from archdsl.elaboration.evaluate import NO_WORDS, Evaluator
from archdsl.elaboration.values import (
    UNKNOWN,
    Callee,
    Given,
    Muted,
    OwnWord,
    Partial,
    Quoted,
    Value,
    described,
    parameter_names,
    shown,
)
from archdsl.errors import ArchError, Diagnostic, Mistake
from archdsl.errors.names import (
    GivenTwice,
    MissingArgument,
    NotAStage,
    OutOfBounds,
    TooManyArguments,
    UnknownOption,
    UnknownStage,
    UnknownVariable,
    UnknownWord,
    WrongValue,
)
from archdsl.op import Dims, Flag, Int, MapRef, Model, Op, Padding, Real, arguments
from archdsl.op import Word as OneWord
from archdsl.ops.backbones import Timm
from archdsl.source import Label, Span
from archdsl.stage import (
    BareWord,
    Gate,
    Map,
    Paths,
    PerLevel,
    PerLevelValue,
    Pyramid,
    Size,
    Stage,
    StageName,
    Tag,
)
from archdsl.syntax import Expression, Keyword, Listing, Name, Node, Number, Word
from archdsl.vocabulary import OF_TIMM, Binding, Definition

Bound = dict[str, Value]


class Arguments:
    """Collects and binds arguments; holds the evaluator that it shares with the elaborator."""

    def __init__(self) -> None:
        self.evaluator = Evaluator(self.partial)

    # ---- what a word calls ---------------------------------------------------------------------

    def callee(self, word: Word, context: Context) -> Partial | None:
        """What a word at a stage's place calls, with no arguments yet; None if it is unknown."""
        value = context.variables.get(word.name)
        if isinstance(value, Partial | Quoted):
            return as_partial(value, word)
        if value is UNKNOWN:
            raise Muted
        meaning = context.frame.file.meaning(word.name)
        if meaning is None and isinstance(value, BareWord):
            raise ArchError(at_word(UnknownStage(value, self._stage_words(context)), value, word.name_span))
        if meaning is None:
            return None
        if isinstance(meaning, Binding):
            value = self.evaluator.let(meaning, context)
            if isinstance(value, Partial | Quoted):
                return as_partial(value, word)
            raise ArchError(NotAStage(f"`{word.name}` ({described(value)})").at(word.name_span))
        model = Given(word.name.removeprefix(OF_TIMM), word.name_span)
        given = (model,) if meaning is Timm else ()
        return Partial(meaning, word.name, word.name_span, given, defaults=self.defaults(word.name, context))

    @staticmethod
    def _stage_words(context: Context) -> tuple[str, ...]:
        file = context.frame.file
        return file.vocabulary.stage_words(file)

    def defaults(self, word: str, context: Context) -> dict[str, Given]:
        """Defaults that the file states for a word."""
        stated = context.frame.file.defaults.get(word)
        if not stated:
            return {}
        return {
            keyword.name: Given(self.evaluator.evaluate(keyword.value, context), keyword.span)
            for statement in stated
            for keyword in statement.keywords
        }

    def partial(self, word: Word, context: Context, words: str) -> Value:
        """The value of a call as a value; a word that means nothing stays a word."""
        found = self.callee(word, context)
        if found is None:
            if not word.arguments:
                return BareWord(word.name, word.span)
            raise ArchError(UnknownStage(word.name, self._stage_words(context)).at(word.name_span))
        below = f"{words}.{word.name}" if words else word.name
        return self.extended(found, word, context, below)

    def extended(self, found: Partial, word: Word, context: Context, words: str) -> Partial:
        """A stage value with the arguments that a call gives after its own."""
        if not word.arguments:
            return found if found.words else found.but(words=words)
        positional, keywords = self.collected(found, word.arguments, context, words)
        for name, given in keywords.items():
            if name in found.keywords:
                raise ArchError(GivenTwice(word.name, name).at(given.span))
        return found.but(
            positional=(*found.positional, *positional),
            keywords={**found.keywords, **keywords},
            words=words,
        )

    def collected(
        self, found: Partial, given: tuple[Expression | Keyword, ...], context: Context, words: str
    ) -> tuple[list[Given], dict[str, Given]]:
        """The values of a call's arguments."""
        options = kinds_of(found.callee)
        places, kinds = taken(found, found.positional)
        positional: list[Given] = []
        keywords: dict[str, Given] = {}
        spans: dict[str, Span] = {}
        for argument in given:
            if isinstance(argument, Keyword):
                name = argument.name
                if name in spans:
                    first = Label(spans[name], "first here")
                    raise ArchError(GivenTwice(found.word, name).at(argument.span, first))
                spans[name] = argument.span
                value = self._value(argument.value, options.get(name), context, f"{words}.{name}")
                keywords[name] = Given(value, argument.value.span)
                continue
            place = len(found.positional) + len(positional)
            name = places[place] if place < len(places) else str(place)
            kind = kinds.get(name)
            below = words if is_stage_name(kind) else f"{words}.{name}"
            value = self._value(argument, kind, context, below)
            if isinstance(value, OwnWord):
                word = BareWord(value.word.name, value.word.name_span)
                stage = found.but(positional=(*found.positional, *positional, Given(word, argument.span)))
                below = join_words(value.words, word)
                more, keywords = self.collected(stage, value.word.arguments, value.context, below)
                positional += [stage.positional[-1], *more]
                spans.update((name, given.span) for name, given in keywords.items())
                continue
            positional.append(Given(value, argument.span))
            if place == 0 and takes_more(found.callee):
                places, kinds = taken(found, tuple(positional))
        return positional, keywords

    def _value(self, node: Expression, kind: Any, context: Context, words: str) -> Value:
        if isinstance(kind, Paths):
            return self._paths(node, context, words)
        return self.evaluator.evaluate(node, context, words, own_words(kind))

    def _paths(self, node: Expression, context: Context, words: str) -> Value:
        """A list of module paths: names stand for themselves."""
        if isinstance(node, Listing) and all(isinstance(item, Name | Number) for item in node.items):
            return tuple(
                BareWord(item.name if isinstance(item, Name) else item.text, item.span)
                for item in node.items
                if isinstance(item, Name | Number)
            )
        return self.evaluator.evaluate(node, context, words)

    # ---- binding -------------------------------------------------------------------------------

    def bound_definition(
        self, found: Partial, span: Span, context: Context
    ) -> tuple[dict[str, Value], dict[str, Given]]:
        """The variables of a definition's call, and keywords that a bare call passes on."""
        definition = found.callee
        assert isinstance(definition, Definition)
        names = definition.parameters
        passes_on = definition.node.parameters is None and definition.alias is not None
        self._check_places(found, names, span)
        variables: dict[str, Value] = {
            name: given.value for name, given in zip(names, found.positional, strict=False)
        }
        passed: dict[str, Given] = {}
        for name, given in (*found.defaults.items(), *found.keywords.items()):
            if name in names:
                if name in variables and name in found.keywords and name in names[: len(found.positional)]:
                    raise ArchError(GivenTwice(found.word, name).at(given.span))
                variables[name] = given.value
            elif passes_on:
                passed[name] = given
            else:
                raise ArchError(UnknownOption(found.word, name, names).at(keyword_span(given)))
        self._fill_defaults(definition, variables, found, span, context)
        return variables, passed

    def _check_places(self, found: Partial, names: tuple[str, ...], span: Span) -> None:
        if len(found.positional) > len(names):
            extra = found.positional[len(names)]
            raise ArchError(TooManyArguments(found.word, names).at(extra.span))

    def _fill_defaults(
        self,
        definition: Definition,
        variables: dict[str, Value],
        found: Partial,
        span: Span,
        context: Context,
    ) -> None:
        frame: Frame | None = None
        for parameter in definition.node.parameters or ():
            if parameter.name in variables:
                continue
            if parameter.default is None:
                place = Label(parameter.span, "defined here")
                raise ArchError(MissingArgument(found.word, parameter.name).at(span, place))
            if frame is None:
                outer = context.frame
                frame = Frame(
                    outer.run, definition.file, outer.builder, UNKNOWN, outer.image, trace=outer.trace
                )
            turn = (*context.turn, span.start)  # a call of its own, for who closes the choice
            inside = Context(frame, context.asker, dict(variables), Scope(""), found.words, {}, turn)
            name = f"{found.words}.{parameter.name}" if found.words else parameter.name
            variables[parameter.name] = self.evaluator.evaluate(parameter.default, inside, name)

    def bound_op(self, found: Partial, span: Span, context: Context) -> tuple[Op, tuple[Map, ...]]:
        """An operation, and the maps that its arguments name."""
        op = found.callee
        assert isinstance(op, type) and issubclass(op, Op)
        values = self._bound(found, arguments(op), span, context)
        maps = {name: values.pop(name, None) for name in op.maps}
        given = tuple(map_ for map_ in maps.values() if map_ is not None)
        if len(given) + 1 < op.inputs[0]:
            missing = next(name for name, map_ in maps.items() if map_ is None)
            doc = arguments(op)[missing].metadata["doc"]
            raise ArchError(MissingArgument(found.word, missing, doc).at(span))
        return op(**values), given

    def bound_stage(self, found: Partial, span: Span, context: Context) -> Stage:
        """A recipe stage; arguments that it does not know go to the definition that it names."""
        stage = found.callee
        assert isinstance(stage, type) and issubclass(stage, Stage)
        fields: Mapping[str, Field[Any]] = arguments(stage)
        if takes_more(stage):
            found = self._passed_on(found, fields, context)
        return stage(**self._bound(found, fields, span, context))

    def _passed_on(self, found: Partial, fields: Mapping[str, Field[Any]], context: Context) -> Partial:
        """Moves the arguments that a stage does not have to the definition that it names."""
        if not found.positional:
            return found
        named, *more = found.positional
        others = {name: given for name, given in found.keywords.items() if name not in fields}
        if not more and not others:
            return found
        if not isinstance(named.value, Partial):
            return found
        named_partial = named.value.but(
            positional=(*named.value.positional, *more),
            keywords={**named.value.keywords, **others},
        )
        own = {name: given for name, given in found.keywords.items() if name in fields}
        return found.but(positional=(Given(named_partial, named.span),), keywords=own)

    def _bound(self, found: Partial, fields: Mapping[str, Field[Any]], span: Span, context: Context) -> Bound:
        names = tuple(fields)
        self._check_places(found, names, span)
        given: dict[str, Given] = dict(found.defaults)
        for name in given:
            if name not in fields:
                raise ArchError(UnknownOption(found.word, name, names).at(keyword_span(given[name])))
        given.update(zip(names, found.positional, strict=False))
        for name, value in found.keywords.items():
            if name not in fields:
                raise ArchError(UnknownOption(found.word, name, names).at(keyword_span(value)))
            if name in names[: len(found.positional)]:
                raise ArchError(GivenTwice(found.word, name).at(value.span))
            given[name] = value
        values: Bound = {}
        for name, field in fields.items():
            if name in given:
                kind = field.metadata["kind"]
                values[name] = self.converted(kind, given[name], name, found.word, context)
            elif field.default is MISSING:
                raise ArchError(MissingArgument(found.word, name, field.metadata["doc"]).at(span))
        return values

    # ---- kinds ---------------------------------------------------------------------------------

    def converted(self, kind: Any, given: Given, option: str, stage: str, context: Context) -> Value:
        """A value as its kind wants it; raises WrongValue, OutOfBounds, UnknownWord, UnknownVariable."""
        value, span = given
        if value is None and (getattr(kind, "optional", False) or isinstance(kind, Gate | PerLevel)):
            return PerLevelValue((None,), False) if isinstance(kind, PerLevel) else None
        if isinstance(value, BareWord) and not isinstance(
            kind, OneWord | Padding | StageName | Gate | PerLevel | Paths | Tag
        ):
            raise ArchError(self._not_a_variable(kind, value, option, stage, span, context))
        return CONVERTERS[type(kind)](self, kind, value, option, stage, span, context)

    @staticmethod
    def _not_a_variable(
        kind: Any, value: BareWord, option: str, stage: str, span: Span, context: Context
    ) -> Diagnostic:
        if isinstance(kind, MapRef):
            return at_word(WrongValue(option, "a named map", described(value), f"@{value}"), value, span)
        known = (*context.variables, *context.frame.file.lets)
        return at_word(UnknownVariable(value, stage, known), value, span)

    def _int(self, kind: Int, value: Value, option: str, stage: str, span: Span, context: Context) -> int:
        if isinstance(value, Map | Pyramid):
            value = value.shape.channels if isinstance(value, Map) else value.maps[-1].shape.channels
        if not isinstance(value, int) or isinstance(value, bool):
            mend = value if isinstance(value, str) and value.isdecimal() else ""
            got = shown(value) if isinstance(value, Fraction) else described(value)
            raise ArchError(WrongValue(option, "a whole number", got, mend).at(span))
        check_bounds(kind, value, option, span)
        return value

    def _real(self, kind: Real, value: Value, option: str, stage: str, span: Span, context: Context) -> float:
        if isinstance(value, Map):
            value = value.shape.channels
        if not isinstance(value, int | Fraction) or isinstance(value, bool):
            raise ArchError(WrongValue(option, "a number", described(value)).at(span))
        check_bounds(kind, value, option, span)
        return float(value)

    def _flag(self, kind: Flag, value: Value, option: str, stage: str, span: Span, context: Context) -> bool:
        if not isinstance(value, bool):
            raise ArchError(WrongValue(option, "`true` or `false`", described(value)).at(span))
        return value

    def _dims(self, kind: Dims, value: Value, option: str, stage: str, span: Span, context: Context) -> Value:
        if isinstance(value, Size):
            sizes: tuple[int, ...] = tuple(value)
        elif isinstance(value, int) and not isinstance(value, bool):
            sizes = (value,)
        else:
            got = shown(value) if isinstance(value, Fraction) else described(value)
            raise ArchError(WrongValue(option, "a size such as 3x3", got).at(span))
        for size in sizes:
            check_bounds(Int(low=kind.low), size, option, span)
        return value if isinstance(value, int) else sizes

    def _word(
        self, kind: OneWord, value: Value, option: str, stage: str, span: Span, context: Context
    ) -> str:
        if isinstance(value, Partial) and not value.positional and not value.keywords:
            value = BareWord(value.written)
        if not isinstance(value, BareWord):
            raise ArchError(
                WrongValue(option, f"one of {', '.join(kind.options)}", described(value)).at(span)
            )
        if value not in kind.options:
            raise ArchError(at_word(UnknownWord(_who(option, stage, span), value, kind.options), value, span))
        return str(value)

    def _padding(
        self, kind: Padding, value: Value, option: str, stage: str, span: Span, context: Context
    ) -> Value:
        if isinstance(value, str | Partial):
            return self._word(OneWord(("symmetric", "same")), value, option, stage, span, context)
        return self._dims(Dims(low=0), value, option, stage, span, context)

    def _map(self, kind: MapRef, value: Value, option: str, stage: str, span: Span, context: Context) -> Map:
        if isinstance(value, Pyramid):
            value = value.maps[-1]
        if not isinstance(value, Map):
            raise ArchError(WrongValue(option, "a named map such as `@x`", described(value)).at(span))
        return value

    def _stage_name(
        self, kind: StageName, value: Value, option: str, stage: str, span: Span, context: Context
    ) -> Value:
        if kind.closed and isinstance(value, Partial | Quoted):
            raise ArchError(UnknownWord(stage, span.text, kind.own).at(span))
        if isinstance(value, Quoted):
            return as_partial(value, None)
        if isinstance(value, Partial):
            if value.callee is Timm and not kind.timm:
                whose = _who(option, stage, span)
                raise ArchError(WrongValue(whose, "a stage", f"the encoder `{value.word}`").at(span))
            return value
        if kind.sizes and isinstance(value, Size | int):
            return self._dims(Dims(), value, option, stage, span, context)
        if isinstance(value, BareWord):
            if value in kind.own:
                return str(value)
            file = context.frame.file
            names = tuple(dict.fromkeys((*file.definitions, *file.vocabulary.library)))
            public = tuple(name for name in names if not name.startswith("_"))
            known = () if kind.closed else public
            raise ArchError(at_word(UnknownWord(stage, value, kind.own, known), value, span))
        raise ArchError(WrongValue(option, "a stage", described(value)).at(span))

    def _model(
        self, kind: Model, value: Value, option: str, stage: str, span: Span, context: Context
    ) -> Backbone:
        try:
            return backbone(str(value))
        except Mistake as mistake:
            raise ArchError(mistake.at(span)) from None

    def _gate(self, kind: Gate, value: Value, option: str, stage: str, span: Span, context: Context) -> Value:
        return self._stage_name(StageName(()), value, option, stage, span, context)

    def _per_level(
        self, kind: PerLevel, value: Value, option: str, stage: str, span: Span, context: Context
    ) -> PerLevelValue:
        if is_list(value):
            made = tuple(self.converted(kind.kind, Given(v, span), option, stage, context) for v in value)
            return PerLevelValue(made, True)
        return PerLevelValue((self.converted(kind.kind, Given(value, span), option, stage, context),), False)

    def _path_list(
        self, kind: Paths, value: Value, option: str, stage: str, span: Span, context: Context
    ) -> tuple[str, ...]:
        if not is_list(value) or not all(isinstance(path, str) for path in value):
            raise ArchError(WrongValue(option, "a list of module paths", described(value)).at(span))
        return tuple(str(path) for path in value)

    def _tag(
        self, kind: Tag, value: Value, option: str, stage: str, span: Span, context: Context
    ) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str):
            raise ArchError(WrongValue(option, "the name of published weights", described(value)).at(span))
        return str(value)


CONVERTERS: dict[type, Callable[..., Value]] = {
    Int: Arguments._int,
    Real: Arguments._real,
    Flag: Arguments._flag,
    Dims: Arguments._dims,
    OneWord: Arguments._word,
    Padding: Arguments._padding,
    MapRef: Arguments._map,
    Model: Arguments._model,
    StageName: Arguments._stage_name,
    Gate: Arguments._gate,
    PerLevel: Arguments._per_level,
    Paths: Arguments._path_list,
    Tag: Arguments._tag,
}


def check_bounds(kind: Int | Real, value: int | Fraction, option: str, span: Span) -> None:
    below = kind.low is not None and value < kind.low
    above = kind.high is not None and value > kind.high
    if below or above:
        low = "" if kind.low is None else f"{kind.low:g}"
        high = "" if kind.high is None else f"{kind.high:g}"
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


def _who(option: str, stage: str, span: Span) -> str:
    """Whose word a value is: the option's that it is given to by name, else the stage's."""
    return option if keyword_span(Given(None, span)) != span else stage


def kinds_of(callee: Callee) -> dict[str, Any]:
    """The kinds of a callee's arguments by name; definitions have none."""
    if not isinstance(callee, type):
        return {}
    if callee not in _KINDS:
        _KINDS[callee] = {name: field.metadata["kind"] for name, field in arguments(callee).items()}
    return _KINDS[callee]


_KINDS: dict[type, dict[str, Any]] = {}


def taken(found: Partial, positional: tuple[Given, ...]) -> tuple[tuple[str, ...], dict[str, Any]]:
    """What a call takes by position, and of which kinds: after a recipe stage's NAME what that one takes."""
    places = parameter_names(found.callee)
    named = positional[0].value if positional else None
    if isinstance(named, Partial) and takes_more(found.callee):
        more = parameter_names(named.callee)[len(named.positional) :]
        return (places[0], *more), kinds_of(named.callee)
    return places, kinds_of(found.callee)


def takes_more(callee: Callee) -> bool:
    """Whether a recipe stage passes arguments on to the definition that it names."""
    first = first_kind(callee)
    return isinstance(first, StageName) and first.rest


def first_kind(callee: Callee) -> Any:
    """The kind of a callee's first argument, None of a definition's."""
    return next(iter(kinds_of(callee).values()), None)


def is_stage_name(kind: Any) -> bool:
    return isinstance(kind, StageName)


def own_words(kind: Any) -> frozenset[str]:
    """Words that mean themselves where a kind is wanted."""
    if isinstance(kind, PerLevel):
        return own_words(kind.kind)
    if isinstance(kind, OneWord):
        return frozenset(kind.options)
    if isinstance(kind, StageName):
        return frozenset(kind.own)
    if isinstance(kind, Padding):
        return frozenset(("symmetric", "same"))
    return NO_WORDS


def as_partial(value: Partial | Quoted, word: Node | None) -> Partial:
    if isinstance(value, Partial):
        return value
    span = value.pipeline.span if word is None else word.span
    return Partial(value, value.word, span, words=value.words)
