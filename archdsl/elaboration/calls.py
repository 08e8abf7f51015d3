"""Calls: operations, definitions, stages given as values; blocks that are remembered."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import Any

from archdsl.blocks import Block, Builder, join_path
from archdsl.elaboration.arguments import Arguments
from archdsl.elaboration.blame import blamed, called_from, of_definition
from archdsl.elaboration.choices import Choice, Recorder
from archdsl.elaboration.context import MAX_CALLS, Context, Frame, Scope, Trace, Trail
from archdsl.elaboration.flows import Localiser, finished, flow_maps, maps_in, rebuilt
from archdsl.elaboration.values import (
    UNKNOWN,
    Given,
    Muted,
    Partial,
    Quoted,
    Uncacheable,
    Value,
    described,
    key_of,
)
from archdsl.errors import ArchError, Diagnostic, Mistake
from archdsl.errors.arguments import TooManyArguments
from archdsl.errors.expansion import CallsTooDeep
from archdsl.errors.names import NotAStage, UnknownStage, UsesItself
from archdsl.errors.recipes import WrongFlow
from archdsl.network import Scope as NetworkScope
from archdsl.op import Op
from archdsl.ops import OPERATIONS
from archdsl.ops.backbones import Level, Timm
from archdsl.ops.regularisers import DropPath
from archdsl.ops.trivial import Identity
from archdsl.source import Label, Span
from archdsl.stage import Flow, Lattice, Map, Pyramid, Stage
from archdsl.syntax import Node, Pipeline, Word
from archdsl.vocabulary import JOINS, Definition

MEMO_LIMIT = 20_000


@dataclass(eq=False)
class Question:
    """A decision that a remembered block depends on, and what each answer led to."""

    what: Any
    branches: dict[Any, Any] = field(default_factory=dict)


class Calls(Arguments):
    """Runs calls; walking a pipeline and wiring a recipe stage is left to the elaborator."""

    def pipeline(self, pipeline: Pipeline, flow: Any, context: Context) -> Any:
        """Runs a pipeline's elements one after the other."""
        raise NotImplementedError

    def become(
        self, pipeline: Pipeline, flow: Any, context: Context, label: str | None, words: str | None = None
    ) -> Any:
        """Runs a pipeline under a name, or where it stands."""
        raise NotImplementedError

    def structure(self, word: Word, flow: Any, context: Context, label: str | None) -> Any:
        """Runs a word of structure (`tap`, `share`, ...); UNKNOWN flows pass."""
        raise NotImplementedError

    def wire(self, found: Partial, flow: Any, context: Context, label: str | None, span: Span) -> Flow:
        """Runs a recipe stage."""
        raise NotImplementedError

    # ---- module paths --------------------------------------------------------------------------

    def path(self, label: str | None, context: Context) -> str:
        """The module path of the next stage of a scope, by its name or its number."""
        scope = context.scope
        name = str(scope.count) if label is None else label
        scope.count += 1
        return join_path(scope.prefix, name)

    @staticmethod
    def beside(context: Context) -> Context:
        """A context of the same scope whose stages take no number of it: they are all named."""
        return context.but(scope=Scope(context.scope.prefix, context.scope.shared), trail=None)

    # ---- stages --------------------------------------------------------------------------------

    def word(self, word: Word, flow: Any, context: Context, label: str | None) -> Any:
        """Runs a stage: a word and its arguments."""
        if self.is_structure(word, context):
            return self.structure(word, flow, context, label)
        try:
            found = self.callee(word, context)
        except Mistake as mistake:
            raise ArchError(mistake.at(word.name_span)) from None
        if found is None:
            vocabulary = context.frame.file.vocabulary
            raise ArchError(
                UnknownStage(word.name, vocabulary.stage_words(context.frame.file)).at(word.name_span)
            )
        below = context.word(word, label or word.name)
        whole = self.extended(found, word, context, below)
        if flow is UNKNOWN:
            return UNKNOWN
        return self.call(whole, flow, context, label, word.span, word)

    @staticmethod
    def is_structure(word: Word, context: Context) -> bool:
        stage = isinstance(context.variables.get(word.name), Partial | Quoted)
        return not stage and context.frame.file.is_structure(word.name)

    def call(
        self,
        found: Partial,
        flow: Any,
        context: Context,
        label: str | None,
        span: Span,
        site: Node | None = None,
    ) -> Any:
        """Runs a stage value on what flows."""
        callee = found.callee
        if isinstance(callee, Definition):
            return self.definition(found, flow, context, label, span, site)
        if isinstance(callee, Quoted):
            if found.positional or found.keywords:
                first = (*found.positional, *found.keywords.values())[0]
                raise ArchError(TooManyArguments(found.word, ()).at(first.span))
            return self.quoted(callee, flow, context, label)
        if issubclass(callee, Stage):
            return self.wire(found, flow, context, label, span)
        return self.operation(found, flow, context, label, span)

    def operation(
        self, found: Partial, flow: Any, context: Context, label: str | None, span: Span
    ) -> Map | Pyramid:
        """Adds one operation; `id` passes a whole pyramid."""
        name = found.word
        if isinstance(found.callee, type) and found.callee.name in JOINS:
            raise ArchError(NotAStage(f"`{name}` without brackets").at(span))
        op, maps = self.bound_op(found, span, context)
        if isinstance(op, Identity) and isinstance(flow, Pyramid):
            self.path(label, context)
            return flow
        x = self.one_map(flow, f"the input of `{name}`", span)
        if isinstance(op, Timm):
            return self.levels(op, x, context, label, span, found)
        if isinstance(op, DropPath) and context.sumless:
            op = replace(op, rate=0.0) if op.ramp else OPERATIONS["id"]()  # a ramp counts it
        return self.add(op, (x, *maps), context, label, span, given=found)

    def add(
        self,
        op: Op,
        maps: tuple[Map, ...],
        context: Context,
        label: str | None,
        span: Span,
        path: str | None = None,
        given: Partial | None = None,
    ) -> Map:
        """Adds an operation at the next path of the scope (or at a given one)."""
        builder = context.frame.builder
        # A file's pipeline that is one bare operation still is a module of its own: number 0.
        made_path = self.path(label or None, context) if path is None else path
        try:
            if path is None and not context.scope.shared:
                builder.claim(made_path, span)
            value = builder.add(op, tuple(m.value for m in maps), made_path, span)
        except Mistake as mistake:
            if context.frame.file.library:
                mistake = of_definition(mistake, context.frame.chain, given)
            told = mistake.at(span) if given is None else blamed(mistake, span, given)
            raise ArchError(told) from None
        builder.leaves[made_path] = value
        return Map(value, builder.shapes[value], builder.strides[value])

    def levels(
        self, op: Timm, x: Map, context: Context, label: str | None, span: Span, given: Partial
    ) -> Pyramid:
        """Adds an operation that gives several maps, and those; with an empty label as the scope itself."""
        path = context.scope.prefix if label == "" else None
        whole = self.add(op, (x,), context, label, span, path, given)
        last = op.model.layout == "last"
        picks = (Level(index, last) for index in range(len(op.model.levels)))
        maps = tuple(self.add(pick, (whole,), context, None, span, path="") for pick in picks)
        for level, made in zip(op.model.levels, maps, strict=True):
            if level.path:
                context.frame.builder.leaves[join_path(context.scope.prefix, level.path)] = made.value
        return Pyramid(maps)

    def one_map(self, flow: Any, where: str, span: Span) -> Map:
        """What flows as one map: a pyramid where a map is wanted is its deepest map."""
        if isinstance(flow, Map):
            return flow
        if isinstance(flow, Pyramid):
            return flow.maps[-1]
        if flow is UNKNOWN:
            raise Muted
        assert isinstance(flow, Lattice), "nothing else flows"
        stage = where.rsplit("`", 2)[-2] if "`" in where else where
        mend = "`up` climbs a decoder: write `| up transpose` before it"
        raise ArchError(WrongFlow(stage, "a map", described(flow), mend).at(span))

    # ---- definitions ---------------------------------------------------------------------------

    def definition(
        self, found: Partial, flow: Any, context: Context, label: str | None, span: Span, site: Node | None
    ) -> Any:
        """Runs a call of a definition, in a scope of its own."""
        definition = found.callee
        assert isinstance(definition, Definition)
        where = site or found.span
        self.check_depth(definition, context, span)
        variables, passed = self.bound_definition(found, span, context)
        if definition.alias is not None:
            inside = self.inside(definition, variables, flow, context, found.words, context.scope, where)
            return self._alias(definition.alias, passed, flow, inside, context, label, span)
        path = self.path(label, context)
        words = found.words
        if context.frame.run.memo is not None:
            placed = self._remembered(definition, variables, flow, context, path, words, span)
            if placed is not None:
                return placed
        scope = Scope(path, context.scope.shared)
        inside = self.inside(definition, variables, flow, context, words, scope, where)
        builder = context.frame.builder
        if not context.scope.shared:
            builder.claim(path, span)
        first = len(builder.items)
        made = self.told(lambda: self.pipeline(definition.body, flow, inside), definition, context, span)
        builder.scopes.append(NetworkScope(path, definition.name, first, len(builder.items)))
        if isinstance(made, Map):
            builder.leaves[path] = made.value
        return made

    def check_depth(self, definition: Definition, context: Context, span: Span) -> None:
        chain = context.frame.chain
        if definition in chain:
            names = tuple(d.name for d in chain[chain.index(definition) :])
            raise ArchError(UsesItself((*names, definition.name)).at(span))
        if len(chain) >= MAX_CALLS:
            raise ArchError(CallsTooDeep(MAX_CALLS).at(span))

    def inside(
        self,
        definition: Definition,
        variables: dict[str, Value],
        flow: Any,
        context: Context,
        words: str,
        scope: Scope,
        site: Node | Span,
    ) -> Context:
        """The context of a definition's body."""
        outer = context.frame
        run = outer.run
        trace = traced(definition, site, context)
        frame = Frame(
            run,
            definition.file,
            outer.builder,
            flow,
            outer.image,
            chain=(*outer.chain, definition),
            trace=trace,
        )
        numbering = run.words_in(definition.body, definition.file)
        return Context(frame, context.asker, variables, scope, words, numbering, sumless=context.sumless)

    def _alias(
        self,
        alias: Word,
        passed: dict[str, Given],
        flow: Any,
        inside: Context,
        outside: Context,
        label: str | None,
        span: Span,
    ) -> Any:
        """A definition that is one bare call is that call."""

        def run() -> Any:
            if self.is_structure(alias, inside):
                return self.structure(alias, flow, inside, label)
            found = self.alias_partial(alias, passed, inside)
            return self.call(found, flow, inside, label, alias.span, alias)

        return self.told(run, None, outside, span)

    def alias_partial(self, alias: Word, passed: dict[str, Given], inside: Context) -> Partial:
        """The stage value of a bare call, with the keywords passed on to it."""
        found = self.callee(alias, inside)
        if found is None:
            vocabulary = inside.frame.file.vocabulary
            known = vocabulary.stage_words(inside.frame.file)
            raise ArchError(UnknownStage(alias.name, known).at(alias.name_span))
        found = self.extended(found, alias, inside, inside.words)
        return found.but(keywords={**found.keywords, **passed})

    def told(
        self, run: Callable[[], Any], definition: Definition | None, context: Context, span: Span
    ) -> Any:
        """Runs a body; a mistake in it also points at the call."""
        collected, calls = context.frame.run.collected, context.frame.run.calls
        before = len(collected or ())
        calls.append(span)
        try:
            return run()
        except ArchError as error:
            raise ArchError(*(called_from(d, span) for d in error.diagnostics)) from None
        finally:
            calls.pop()
            if collected is not None:
                collected[before:] = [called_from(d, span) for d in collected[before:]]

    def quoted(self, quoted: Quoted, flow: Any, context: Context, label: str | None) -> Any:
        """Runs a pipeline that was given as a value, in the scope where it is used."""
        where: Context = quoted.context
        outer = context.frame
        same = where.frame.builder is outer.builder
        frame = Frame(
            outer.run,
            where.frame.file,
            outer.builder,
            where.frame.flow if same else flow,
            outer.image,
            names=where.frame.names if same else {},
            chain=outer.chain,
            trace=where.frame.trace,
        )
        numbering = outer.run.words_in(quoted.pipeline, where.frame.file)
        inside = Context(
            frame, context.asker, where.variables, context.scope, quoted.words, numbering, where.turn,
            context.trail, context.sumless,
        )  # fmt: skip
        return self.become(quoted.pipeline, flow, inside, label, quoted.words)

    # ---- remembered blocks ---------------------------------------------------------------------

    def _remembered(
        self,
        definition: Definition,
        variables: dict[str, Value],
        flow: Any,
        context: Context,
        path: str,
        words: str,
        span: Span,
    ) -> Any:
        """Places the block that a call makes, built once for equal arguments; None if it can't be.

        Recipe stages leave a drawing and wishes for weights beside the network: a definition with
        them is elaborated where it stands.
        """
        if not isinstance(flow, Map | Pyramid) or definition.file.has_recipe(definition):
            return None

        def build(asker: Recorder) -> Block:
            return self.built(definition, variables, flow, context, asker, span)

        try:
            inputs, key = self.signature(definition, variables, flow, context)
            block = self.told(
                lambda: self.recall((key, context.sumless), context, words, build), definition, context, span
            )
        except Uncacheable:
            return None
        builder = context.frame.builder
        if not context.scope.shared:
            builder.claim(path, span)
        moved = builder.place(block, inputs, path, definition.name, span, context.scope.shared)
        made = rebuilt(block.flow, moved)
        if isinstance(made, Map):
            builder.leaves[path] = made.value
        return made

    def recall(
        self, key: Hashable, context: Context, words: str, build: Callable[[Recorder], Block]
    ) -> Block:
        """The block of a key, by way of the decisions that it depends on; built if it is new."""
        memo = context.frame.run.memo
        assert memo is not None
        known = memo.get(key)
        asker = context.asker
        while isinstance(known, Question):
            known = known.branches.get(self._answer(known.what, asker, words))
        if isinstance(known, Block):
            return known
        recorder = Recorder(asker, words, key_of)
        block = build(recorder)
        if len(memo) >= MEMO_LIMIT:
            for old in list(memo)[: MEMO_LIMIT // 4]:
                del memo[old]
        remember(memo, key, recorder.log, block)
        return block

    @staticmethod
    def _answer(what: Any, asker: Any, words: str) -> Any:
        if isinstance(what, Choice):
            return asker.choose(what.named(words))
        return key_of(asker.let(what))

    def signature(
        self, definition: Definition, variables: dict[str, Value], flow: Any, context: Context
    ) -> tuple[tuple[int, ...], Hashable]:
        """The values that a call reads, and the key of the block that it makes."""
        image = context.frame.image
        values = [level.value for level in flow_maps(flow)]
        for value in variables.values():
            values.extend(m.value for m in maps_in(value))
        values.append(image.value)
        arguments = tuple((name, key_of(value)) for name, value in variables.items())
        key = (definition, arguments, key_of(flow), key_of(image))
        return tuple(values), key

    def built(
        self,
        definition: Definition,
        variables: dict[str, Value],
        flow: Any,
        context: Context,
        asker: Recorder,
        site: Node | Span,
    ) -> Block:
        """Elaborates a definition's body into a block of its own."""
        local = Localiser()
        inner_flow = local.moved(flow)
        inner_variables = {name: local.moved(value) for name, value in variables.items()}
        image = local.moved(context.frame.image)
        builder = Builder(tuple(local.shapes), tuple(local.strides), flat=True)
        outer = context.frame
        trace = traced(definition, site, context)
        frame = Frame(
            outer.run,
            definition.file,
            builder,
            inner_flow,
            image,
            chain=(*outer.chain, definition),
            trace=trace,
        )
        numbering = outer.run.words_in(definition.body, definition.file)
        trail = Trail()
        inside = Context(
            frame, asker, inner_variables, Scope(""), "", numbering, trail=trail, sumless=context.sumless
        )
        made = self.pipeline(definition.body, inner_flow, inside)
        return finished(builder, made, trail)


def traced(definition: Definition, site: Node | Span, context: Context) -> Trace | None:
    """The trace of a call, where the run is traced."""
    outer = context.frame.trace
    return outer and outer.called(definition.name, site, context.turn)


def remember(memo: dict[Any, Any], key: Any, log: list[tuple[Any, Any]], block: Block) -> None:
    """Puts a block into the tree of the questions that led to it."""
    table, at = memo, key
    for what, answer in log:
        question = table.get(at)
        if not isinstance(question, Question):
            question = table[at] = Question(what)
        table, at = question.branches, answer
    table[at] = block


def relabelled(diagnostic: Diagnostic, labels: tuple[Label, ...]) -> Diagnostic:
    return replace(diagnostic, labels=labels)
