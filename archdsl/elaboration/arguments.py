"""Arguments: collected as they are written, then bound to what a callee takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field
from typing import Any

from archdsl.elaboration.blame import at_word
from archdsl.elaboration.choices import join_words
from archdsl.elaboration.context import Context, Frame, Scope
from archdsl.elaboration.conversion import as_partial, converted, keyword_span
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
)
from archdsl.errors import ArchError
from archdsl.errors.arguments import GivenTwice, MissingArgument, TooManyArguments, UnknownOption
from archdsl.errors.names import NotAStage, UnknownStage
from archdsl.op import Op, Padding, arguments
from archdsl.op import Word as OneWord
from archdsl.ops.backbones import Timm
from archdsl.source import Label, Span
from archdsl.stage import (
    BareWord,
    Map,
    Paths,
    PerLevel,
    Stage,
    StageName,
)
from archdsl.syntax import Expression, Keyword, Listing, Name, Number, Word
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
            found = as_partial(value, word)
            if context.frame.run.tracing:
                context.frame.run.handed.setdefault(word, []).append(found)
            return found
        if value is UNKNOWN:
            raise Muted
        meaning = context.frame.file.meaning(word.name)
        if meaning is None and isinstance(value, BareWord):
            known = value.known() or self._stage_words(context)
            raise ArchError(at_word(UnknownStage(value, known), value, word.name_span))
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
                raise given_twice(word.name, name, given)
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
                    raise given_twice(found.word, name, given)
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
            first, field = next(iter(fields.items()))
            # A NAME that is none is told before what stands after it, which is told of no more.
            converted(field.metadata["kind"], named, first, found.word, context)
            return found
        for name, given in others.items():
            if name in named.value.keywords:
                raise given_twice(named.value.word, name, given)
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
                raise given_twice(found.word, name, value)
            given[name] = value
        values: Bound = {}
        for name, field in fields.items():
            if name in given:
                kind = field.metadata["kind"]
                values[name] = converted(kind, given[name], name, found.word, context)
            elif field.default is MISSING:
                raise ArchError(MissingArgument(found.word, name, field.metadata["doc"]).at(span))
        return values


def given_twice(stage: str, option: str, again: Given) -> ArchError:
    """That an option is given twice, marked at its name and value."""
    return ArchError(GivenTwice(stage, option).at(keyword_span(again).to(again.span)))


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
