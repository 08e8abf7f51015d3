"""Syntax to network: names found, definitions and repeats expanded, each choice decided.

The one walk over a pipeline. Everything it adds goes into a `Builder`; a call of a definition
becomes a block that is remembered by what it depends on.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from archdsl.blocks import Block, Builder, TrainingOutput, join_path
from archdsl.elaboration.arguments import Arguments, as_partial
from archdsl.elaboration.choices import Choice, Recorder
from archdsl.elaboration.context import Context, Frame, Scope, Trace, Trail
from archdsl.elaboration.evaluate import is_list
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
from archdsl.errors.expansion import CallsTooDeep, TooManyOperations
from archdsl.errors.names import (
    MissingArgument,
    NotAStage,
    NotShared,
    ReservedPath,
    TooManyArguments,
    UnknownOption,
    UnknownStage,
    UnknownWord,
    UsesItself,
    WrongValue,
)
from archdsl.errors.recipes import NoSuchLevel, NotOneMap, ShortcutDiffers, WrongFlow
from archdsl.errors.shapes import DifferentChannels, DifferentSizes
from archdsl.formatter import format_node
from archdsl.network import Scope as NetworkScope
from archdsl.op import Op
from archdsl.ops import OPERATIONS
from archdsl.ops.regularisers import DropPath
from archdsl.source import Label, Span
from archdsl.stage import BareWord, Flow, Lattice, Map, Pyramid, Stage
from archdsl.syntax import (
    Alternatives,
    At,
    Branch,
    Each,
    Element,
    Expression,
    Group,
    Join,
    Keyword,
    Loop,
    Marked,
    Name,
    Node,
    Number,
    Pipeline,
    Word,
    as_pipeline,
)
from archdsl.vocabulary import JOINS, Definition

MAX_CALLS = 64
MEMO_LIMIT = 20_000

PLACES = ("none", "standard", "pre", "post", "identity")

# Names that every torch module has; `forward` and the like can't name a part.
RESERVED = frozenset(
    ["add_module", "apply", "bfloat16", "buffers", "call_super_init", "children", "compile", "cpu", "cuda", "double", "dump_patches", "eval", "extra_repr", "float", "forward", "get_buffer", "get_extra_state", "get_parameter", "get_submodule", "half", "ipu", "load_state_dict", "modules", "mtia", "named_buffers", "named_children", "named_modules", "named_parameters", "parameters", "register_backward_hook", "register_buffer", "register_forward_hook", "register_forward_pre_hook", "register_full_backward_hook", "register_full_backward_pre_hook", "register_load_state_dict_post_hook", "register_load_state_dict_pre_hook", "register_module", "register_parameter", "register_state_dict_post_hook", "register_state_dict_pre_hook", "requires_grad_", "set_extra_state", "set_submodule", "share_memory", "state_dict", "to", "to_empty", "train", "training", "type", "xpu", "zero_grad", "loss_weights", "normalisation"]
)


@dataclass(eq=False)
class Question:
    """A decision that a remembered block depends on, and what each answer led to."""

    what: Any
    branches: dict[Any, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class GateAt:
    """An attention stage and where it sits (Hu et al. 2017, arXiv:1709.01507, figure 5)."""

    stage: Partial | None
    place: str


class Elaborator(Arguments):
    """Walks pipelines; `run_stage` is how a recipe stage is wired (given by the wiring module)."""

    def __init__(self, run_stage: Callable[..., Flow]) -> None:
        super().__init__()
        self.run_stage = run_stage
        self._words: dict[str, Callable[[Word, Any, Context, str | None], Flow]] = {
            "tap": self._tap,
            "share": self._share,
            "level": self._level,
            "levels": self._levels,
            "aux": self._aux,
        }

    # ---- pipelines and elements ----------------------------------------------------------------

    def pipeline(self, pipeline: Pipeline, flow: Any, context: Context) -> Any:
        """Runs a pipeline's elements one after the other."""
        for element in pipeline.elements:
            flow = self.element(element, flow, context)
        return flow

    def element(self, element: Element, flow: Any, context: Context, label: str | None = None) -> Any:
        """Runs one element; in a collecting run a mistake is noted and what flows on is unknown."""
        collected = context.frame.run.collected
        if collected is None:
            return self._element(element, flow, context, label)
        try:
            return self._element(element, flow, context, label)
        except Muted:
            return UNKNOWN
        except ArchError as error:
            collected.extend(error.diagnostics)
            return UNKNOWN
        except Mistake as mistake:
            collected.append(mistake.at(element.span))
            return UNKNOWN

    def _element(self, element: Element, flow: Any, context: Context, label: str | None) -> Any:
        match element:
            case Word():
                made = self.word(element, flow, context, label)
            case Marked():
                return self._marked(element, flow, context, label)
            case Group():
                return self._group(element, flow, context, label)
            case Join():
                made = self._join(element, flow, context, label)
            case Loop():
                return self._loop(element, flow, context, label)
            case Branch():
                return self._branch(element, flow, context, label)
            case At():
                made = self.evaluator.named(element, context)
            case Alternatives():
                return self._alternatives(element, flow, context, label)
        if context.trail is not None and isinstance(made, Map):
            context.trail.follow(made)
        return made

    def _marked(self, marked: Marked, flow: Any, context: Context, label: str | None) -> Any:
        if marked.optional and not self._wanted(marked, context):
            made = flow
        else:
            name = label
            if marked.label is not None:
                assert marked.label_span is not None
                name = self.evaluator.filled(marked.label, context, marked.label_span)
                self._check_label(name, marked.label_span)
            made = self.element(marked.element, flow, context, name)
            if name is not None:
                context.frame.applied[name] = (marked.element, context, context.scope.prefix)
        if marked.label is not None:
            assert marked.label_span is not None
            context.frame.names[self.evaluator.filled(marked.label, context, marked.label_span)] = made
        return made

    def _wanted(self, marked: Marked, context: Context) -> bool:
        """Decides a `?`: the stage with or without."""
        inner = marked.element
        fallback = marked.label or (inner.name if isinstance(inner, Word | Join) else "choice")
        name = f"{context.word(inner, fallback)}.on"
        choice = Choice(name, "categorical", ("true", "false"), marked.span)
        return self.evaluator.decide(choice, marked, context) == "true"

    @staticmethod
    def _check_label(name: str, span: Span) -> None:
        for part in name.split("."):
            if part in RESERVED:
                raise ArchError(ReservedPath(part).at(span))

    def _group(self, group: Group, flow: Any, context: Context, label: str | None) -> Any:
        if group.times is None:
            if label is None:
                return self.pipeline(group.body, flow, context)
            inner = group.body.elements
            if len(inner) == 1 and not isinstance(inner[0], Marked):
                return self.element(inner[0], flow, context, label)
            return self._named(label, flow, context, lambda inside: self.pipeline(group.body, flow, inside))
        return self._repeat(
            group, flow, context, label, lambda value, inside: self.pipeline(group.body, value, inside)
        )

    def _named(
        self, label: str, flow: Any, context: Context, run: Callable[[Context], Any], word: str = ""
    ) -> Any:
        """Runs something in a named scope."""
        path = self.path(label, context)
        builder = context.frame.builder
        first = len(builder.items)
        words = f"{context.words}.{label}" if context.words else label
        made = run(
            context.but(scope=Scope(path, context.scope.shared), words=words if not word else context.words)
        )
        builder.scopes.append(NetworkScope(path, word, first, len(builder.items)))
        if isinstance(made, Map):
            builder.leaves[path] = made.value
        return made

    def _repeat(
        self,
        element: Group | Join,
        flow: Any,
        context: Context,
        label: str | None,
        body: Callable[[Any, Context], Any],
    ) -> Any:
        """Runs a body `times` times in series."""
        assert element.times is not None
        prefix = context.word(element, label or "")
        count = self.evaluator.whole(element.times, context, f"{prefix}.times" if prefix else "times")
        if count < 0 or count > 1_000:
            raise ArchError(WrongValue("*", "a count from 0 to 1000", str(count)).at(element.times.span))
        if context.frame.trace is not None:
            context.frame.trace.turns[element, context.turn] = list(range(count))

        def run(inside: Context) -> Any:
            value = flow
            for turn in range(count):
                value = body(value, self._turned(inside, turn))
            return value

        return run(context) if label is None else self._named(label, flow, context, run)

    @staticmethod
    def _turned(context: Context, turn: int, variables: dict[str, Value] | None = None) -> Context:
        words = f"{context.words}.{turn}" if context.words else str(turn)
        merged = {**context.variables, **variables} if variables else context.variables
        return context.but(turn=(*context.turn, turn), words=words, variables=merged)

    def _loop(self, loop: Loop, flow: Any, context: Context, label: str | None) -> Any:
        turns = self._turns(loop, context)

        def run(inside: Context) -> Any:
            value = flow
            for turn, variables in enumerate(turns):
                value = self.pipeline(loop.body, value, self._turned(inside, turn, variables))
            return value

        return run(context) if label is None else self._named(label, flow, context, run)

    def _turns(self, loop: Loop | Each, context: Context) -> list[dict[str, Value]]:
        turns = self.evaluator.turns(loop.bindings, context, context.words)
        if context.frame.trace is not None:
            context.frame.trace.turns[loop, context.turn] = turns
        return turns

    def _branch(self, branch: Branch, flow: Any, context: Context, label: str | None) -> Any:
        if self.evaluator.truth(branch.condition, context):
            return self._become(branch.then, flow, context, label)
        if branch.otherwise is None:
            return flow
        if isinstance(branch.otherwise, Branch):
            return self.element(branch.otherwise, flow, context, label)
        return self._become(branch.otherwise, flow, context, label)

    def _become(self, pipeline: Pipeline, flow: Any, context: Context, label: str | None) -> Any:
        """A named choice or `if` is what it becomes, with that name."""
        if label is None:
            return self.pipeline(pipeline, flow, context)
        if len(pipeline.elements) == 1 and not isinstance(pipeline.elements[0], Marked):
            return self.element(pipeline.elements[0], flow, context, label)
        return self._named(label, flow, context, lambda inside: self.pipeline(pipeline, flow, inside))

    def _alternatives(self, node: Alternatives, flow: Any, context: Context, label: str | None) -> Any:
        labels = context.frame.run.labels.get(node)
        if labels is None:
            labels = tuple(format_node(option) for option in node.options)
            context.frame.run.labels[node] = labels
        name = context.word(node, label or "choice")
        answer = self.evaluator.decide(Choice(name, "categorical", labels, node.span), node, context)
        option = node.options[labels.index(str(answer))]
        numbering = context.frame.run.words_in(option, context.frame.file)
        inside = context.but(words=name, numbering=numbering)
        made = self._become(option, flow, inside, label)
        return made

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
        if word.name in self._words and not isinstance(context.variables.get(word.name), Partial | Quoted):
            return UNKNOWN if flow is UNKNOWN else self._words[word.name](word, flow, context, label)
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
            return self.run_stage(self, found, flow, context, label, span)
        return self.operation(found, flow, context, label, span)

    def operation(self, found: Partial, flow: Any, context: Context, label: str | None, span: Span) -> Map:
        """Adds one operation."""
        name = found.word
        if isinstance(found.callee, type) and found.callee.name in JOINS:
            raise ArchError(NotAStage(f"`{name}` without brackets").at(span))
        op, maps = self.bound_op(found, span, context)
        x = self.one_map(flow, f"the input of `{name}`", span)
        if isinstance(op, DropPath) and context.sumless:
            op = replace(op, rate=0.0) if op.ramp else OPERATIONS["id"]()  # a ramp counts it
        return self.add(op, (x, *maps), context, label, span)

    def add(
        self,
        op: Op,
        maps: tuple[Map, ...],
        context: Context,
        label: str | None,
        span: Span,
        path: str | None = None,
    ) -> Map:
        """Adds an operation at the next path of the scope (or at a given one)."""
        builder = context.frame.builder
        made_path = self.path(label, context) if path is None else path
        try:
            if path is None and not context.scope.shared:
                builder.claim(made_path, span)
            value = builder.add(op, tuple(m.value for m in maps), made_path, span)
        except Mistake as mistake:
            raise ArchError(mistake.at(span)) from None
        builder.leaves[made_path] = value
        return Map(value, builder.shapes[value], builder.strides[value])

    def one_map(self, flow: Any, where: str, span: Span) -> Map:
        """What flows as one map: a pyramid where a map is wanted is its deepest map."""
        if isinstance(flow, Map):
            return flow
        if isinstance(flow, Pyramid):
            return flow.maps[-1]
        if flow is UNKNOWN:
            raise Muted
        if isinstance(flow, Lattice):
            raise ArchError(
                WrongFlow(where.rsplit("`", 2)[-2] if "`" in where else where, "a map", described(flow),
                          "`up` climbs a decoder: write `| up transpose` before it").at(span)
            )  # fmt: skip
        raise ArchError(NotOneMap(where, described(flow)).at(span))

    # ---- definitions ---------------------------------------------------------------------------

    def definition(
        self, found: Partial, flow: Any, context: Context, label: str | None, span: Span, site: Node | None
    ) -> Any:
        """Runs a call of a definition, in a scope of its own."""
        definition = found.callee
        assert isinstance(definition, Definition)
        self._check_depth(definition, context, span)
        variables, passed = self.bound_definition(found, span, context)
        if definition.alias is not None:
            inside = self._inside(definition, variables, flow, context, found.words, context.scope, site)
            return self._alias(definition.alias, passed, flow, inside, context, label, span)
        path = self.path(label, context)
        words = found.words
        if context.frame.run.memo is not None:
            placed = self._remembered(definition, variables, flow, context, path, words, span)
            if placed is not None:
                return placed
        scope = Scope(path, context.scope.shared)
        inside = self._inside(definition, variables, flow, context, words, scope, site)
        builder = context.frame.builder
        if not context.scope.shared:
            builder.claim(path, span)
        first = len(builder.items)
        made = self._told(lambda: self.pipeline(definition.body, flow, inside), definition, context, span)
        builder.scopes.append(NetworkScope(path, definition.name, first, len(builder.items)))
        if isinstance(made, Map):
            builder.leaves[path] = made.value
        return made

    def _check_depth(self, definition: Definition, context: Context, span: Span) -> None:
        chain = context.frame.chain
        if definition in chain:
            names = tuple(d.name for d in chain[chain.index(definition) :])
            raise ArchError(UsesItself((*names, definition.name)).at(span))
        if len(chain) >= MAX_CALLS:
            raise ArchError(CallsTooDeep(MAX_CALLS).at(span))

    def _inside(
        self,
        definition: Definition,
        variables: dict[str, Value],
        flow: Any,
        context: Context,
        words: str,
        scope: Scope,
        site: Node | None,
    ) -> Context:
        """The context of a definition's body."""
        outer = context.frame
        run = outer.run
        trace = None
        if outer.trace is not None:
            trace = Trace(definition.name)
            outer.trace.calls[site or definition.node, context.turn] = trace
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
            if alias.name in self._words:
                return self._words[alias.name](alias, flow, inside, label)
            found = self.alias_partial(alias, passed, inside)
            return self.call(found, flow, inside, label, alias.span, alias)

        return self._told(run, None, outside, span)

    def alias_partial(self, alias: Word, passed: dict[str, Given], inside: Context) -> Partial:
        """The stage value of a bare call, with the keywords passed on to it."""
        found = self.callee(alias, inside)
        if found is None:
            vocabulary = inside.frame.file.vocabulary
            known = vocabulary.stage_words(inside.frame.file)
            raise ArchError(UnknownStage(alias.name, known).at(alias.name_span))
        found = self.extended(found, alias, inside, inside.words)
        return found.but(keywords={**found.keywords, **passed})

    def _told(
        self, run: Callable[[], Any], definition: Definition | None, context: Context, span: Span
    ) -> Any:
        """Runs a body; a mistake in another file also points at the call in this one."""
        try:
            return run()
        except ArchError as error:
            raise ArchError(*(called_from(d, span) for d in error.diagnostics)) from None

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
            sumless=context.sumless,
        )  # fmt: skip
        return self._become(quoted.pipeline, flow, inside, label)

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
        """Places the block that a call makes, built once for equal arguments; None if it can't be."""
        if not isinstance(flow, Map | Pyramid):
            return None
        try:
            inputs, key = self._signature(definition, variables, flow, context)
        except Uncacheable:
            return None

        def build(asker: Recorder) -> Block:
            return self.built(definition, variables, flow, context, asker, None)

        block = self._told(
            lambda: self.recall((key, context.sumless), context, words, build), definition, context, span
        )
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

    def _signature(
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
        site: Node | None,
    ) -> Block:
        """Elaborates a definition's body into a block of its own."""
        local = Localiser()
        inner_flow = local.moved(flow)
        inner_variables = {name: local.moved(value) for name, value in variables.items()}
        image = local.moved(context.frame.image)
        builder = Builder(tuple(local.shapes), tuple(local.strides), flat=True)
        outer = context.frame
        trace = None
        if outer.trace is not None:
            trace = outer.trace.calls[site or definition.node, context.turn] = Trace(definition.name)
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

    # ---- joins ---------------------------------------------------------------------------------

    def _join(self, join: Join, flow: Any, context: Context, label: str | None) -> Any:
        if join.name not in JOINS:
            raise ArchError(self._not_a_join(join, context))
        if join.times is not None:
            once = Join(join.span, join.name, join.branches, None, join.name_span)
            return self._repeat(
                join, flow, context, label, lambda value, inside: self._join(once, value, inside, None)
            )
        inside = context.but(trail=None)
        if label is not None:
            # A join is no stage of its scope: its name opens a scope but takes no number.
            beside = self.beside(context)
            return self._named(label, flow, beside, lambda below: self._joined(join, flow, below))
        return self._joined(join, flow, inside)

    def _not_a_join(self, join: Join, context: Context) -> Diagnostic:
        words = (*JOINS, *context.frame.file.vocabulary.stage_words(context.frame.file))
        if join.name in words:
            text = join.span.text[len(join.name) + 1 : -1]
            mistake = NotAStage(f"`{join.name}(...)`")
            diagnostic = mistake.at(join.name_span)
            return replace(
                diagnostic,
                help=f"arguments of a stage stand without brackets: write `{join.name} {text}`",
            )
        return UnknownStage(join.name, words).at(join.name_span)

    def _joined(self, join: Join, flow: Any, context: Context) -> Any:
        match join.name:
            case "residual":
                return self._residual(join, flow, context)
            case "dense":
                return self._dense(join, flow, context)
            case "pyramid":
                self._no_keywords(join)
                branches = self._branches(join, flow, context)
                return Pyramid(
                    tuple(self.one_map(value, "a level of `pyramid`", span) for value, span in branches)
                )
        self._no_keywords(join)
        branches = self._branches(join, flow, context)
        return self.combined(join.name, branches, context, join.span)

    def combined(self, word: str, branches: list[tuple[Any, Span]], context: Context, span: Span) -> Map:
        """Joins maps by concat, add or mul; a single one passes."""
        maps = [self.one_map(value, f"a branch of `{word}`", place) for value, place in branches]
        if len(maps) == 1:
            return maps[0]
        builder = context.frame.builder
        try:
            value = builder.add(OPERATIONS[word](), tuple(m.value for m in maps), "", span)
        except (DifferentSizes, DifferentChannels) as mistake:
            labels = [Label(place, f"gives {m.shape}") for m, (_, place) in zip(maps, branches, strict=True)]
            diagnostic = mistake.at(labels[0].span)
            raise ArchError(relabelled(diagnostic, tuple(labels))) from None
        except Mistake as mistake:
            raise ArchError(mistake.at(span)) from None
        return Map(value, builder.shapes[value], builder.strides[value])

    def _branches(self, join: Join, flow: Any, context: Context) -> list[tuple[Any, Span]]:
        """The values of a join's branches, each with its place."""
        found: list[tuple[Any, Span]] = []
        for branch in join.branches:
            if isinstance(branch, Pipeline):
                found.append((self.pipeline(branch, flow, context), branch.span))
            elif isinstance(branch, Each):
                for turn, variables in enumerate(self._turns(branch, context)):
                    inside = self._turned(context, turn, variables)
                    found.append((self.pipeline(branch.body, flow, inside), branch.span))
        if any(value is UNKNOWN for value, _ in found):
            raise Muted
        if not found:
            raise ArchError(MissingArgument(join.name, "a branch").at(join.name_span))
        return found

    @staticmethod
    def _no_keywords(join: Join) -> None:
        for branch in join.branches:
            if isinstance(branch, Keyword):
                raise ArchError(UnknownOption(join.name, branch.name, ()).at(branch.name_span))

    def _dense(self, join: Join, flow: Any, context: Context) -> Map:
        """concat(id, body) (Huang et al. 2016, arXiv:1608.06993)."""
        self._no_keywords(join)
        x = self.one_map(flow, "the input of `dense`", join.span)
        return self.combined(
            "concat", [(x, join.name_span), *self._branches(join, flow, context)], context, join.span
        )

    # ---- residual ------------------------------------------------------------------------------

    def _residual(self, join: Join, flow: Any, context: Context) -> Map:
        """add(body, id), with a projection where channels or stride differ (He et al. 2015, arXiv:1512.03385)."""
        x = self.one_map(flow, "the input of `residual`", join.span)
        bodies = [branch for branch in join.branches if isinstance(branch, Pipeline)]
        if len(bodies) != 1 or any(isinstance(branch, Each) for branch in join.branches):
            raise ArchError(WrongValue("residual", "one body", f"{len(bodies)}").at(join.name_span))
        options = self._residual_options(join, context)
        gate = self.gate(options, context)
        shortcut = options.get("shortcut", Given(BareWord("auto"), join.span))
        inside = context.but(sumless=False)
        if shortcut.value is None and self._differs(bodies[0], x, context):
            inside = context.but(sumless=True)
        y = self.one_map(self._gated(gate, "pre", x, inside), "", join.span)
        y = self.one_map(self.pipeline(bodies[0], y, inside), "the body of `residual`", bodies[0].span)
        y = self._gated(gate, "standard", y, inside)
        if x.shape != y.shape:
            if shortcut.value is None:
                return self._gated(gate, "post", y, context)
            x = self._projected(shortcut, x, y, context, join)
        x = self._gated(gate, "identity", x, context)
        total = self.combined("add", [(y, bodies[0].span), (x, join.name_span)], context, join.span)
        return self._gated(gate, "post", total, context)

    def _residual_options(self, join: Join, context: Context) -> dict[str, Given]:
        known = ("shortcut", "se", "attention", "at")
        own = {"shortcut": frozenset(("auto",)), "se": frozenset(PLACES), "at": frozenset(PLACES)}
        options: dict[str, Given] = {}
        for branch in join.branches:
            if not isinstance(branch, Keyword):
                continue
            if branch.name not in known:
                raise ArchError(UnknownOption("residual", branch.name, known).at(branch.name_span))
            words = context.word(join, "residual")
            value = self.evaluator.evaluate(
                branch.value, context, f"{words}.{branch.name}", own.get(branch.name, frozenset())
            )
            options[branch.name] = Given(value, branch.value.span)
        return options

    def gate(self, options: dict[str, Given], context: Context) -> GateAt:
        """Which attention stands where: `se=PLACE` is short for `attention=se at=PLACE`."""
        se, attention, at = options.get("se"), options.get("attention"), options.get("at")
        if se is not None and se.value is not None:
            place = self._place(se)
            return GateAt(None if place == "none" else self._se(context, se.span), place)
        if attention is None or attention.value is None:
            return GateAt(None, "none")
        if not isinstance(attention.value, Partial | Quoted):
            known = tuple(context.frame.file.vocabulary.library)
            raise ArchError(UnknownWord("attention", str(attention.value), (), known).at(attention.span))
        return GateAt(as_partial(attention.value, None), "standard" if at is None else self._place(at))

    @staticmethod
    def _place(given: Given) -> str:
        value = "none" if given.value is None else given.value
        if not isinstance(value, str) or value not in PLACES:
            got = value if isinstance(value, str) else described(value)
            raise ArchError(UnknownWord("se", got, PLACES).at(given.span))
        return str(value)

    def _se(self, context: Context, span: Span) -> Partial:
        """The squeeze-and-excitation that `se=` means: the word `se` of the file, or the library's."""
        meaning = context.frame.file.meaning("se")
        assert isinstance(meaning, Definition | type)
        return Partial(meaning, "se", span)

    def _gated(self, gate: GateAt, place: str, x: Map, context: Context) -> Map:
        if gate.stage is None or gate.place != place:
            return x
        name = gate.stage.word if gate.stage.word != "stage" else "attention"
        made = self.call(gate.stage, x, self.beside(context), name, gate.stage.span)
        return self.one_map(made, "a gate", gate.stage.span)

    def _differs(self, body: Pipeline, x: Map, context: Context) -> bool:
        """Whether a body changes channels or stride, tried on a builder of its own."""
        outer = context.frame
        builder = Builder((x.shape, outer.image.shape), (x.stride, outer.image.stride), flat=True)
        frame = Frame(
            outer.run,
            outer.file,
            builder,
            Map(0, x.shape, x.stride),
            Map(1, outer.image.shape, outer.image.stride),
            chain=outer.chain,
        )
        frame.flow = outer.flow._replace(value=0) if isinstance(outer.flow, Map) else outer.flow
        trial = context.but(frame=frame, scope=Scope(""), trail=None)
        made = self.pipeline(body, Map(0, x.shape, x.stride), trial)
        return isinstance(made, Map) and made.shape != x.shape

    def _projected(self, shortcut: Given, x: Map, y: Map, context: Context, join: Join) -> Map:
        """The shortcut of a residual whose channels or stride differ."""
        stride = 1
        if x.stride is not None and y.stride is not None and y.stride != x.stride:
            ratio = Fraction(y.stride) / x.stride
            stride = ratio.numerator if ratio.denominator == 1 else 1
        context = self.beside(context)
        if isinstance(shortcut.value, Partial | Quoted):
            made = self.call(
                as_partial(shortcut.value, None),
                x,
                context,
                self._shortcut_label(shortcut.value),
                shortcut.span,
            )
            projected = self.one_map(made, "the shortcut", shortcut.span)
        elif shortcut.value == "auto":
            path = self.path("shortcut", context)
            inside = context.but(scope=Scope(path, context.scope.shared), trail=None)
            conv = OPERATIONS["conv"](kernel=1, out=y.shape.channels, stride=stride, bias=False)  # type: ignore[call-arg]
            projected = self.add(conv, (x,), inside, None, shortcut.span)
            projected = self.add(OPERATIONS["bn"](), (projected,), inside, None, shortcut.span)
        else:
            got = str(shortcut.value) if isinstance(shortcut.value, str) else described(shortcut.value)
            raise ArchError(UnknownWord("shortcut", got, ("auto", "none")).at(shortcut.span))
        if projected.shape != y.shape:
            raise ArchError(ShortcutDiffers(str(y.shape), str(projected.shape)).at(join.name_span))
        return projected

    @staticmethod
    def _shortcut_label(value: Partial | Quoted) -> str | None:
        """`shortcut` unless the stage names itself."""
        if isinstance(value, Quoted):
            elements = value.pipeline.elements
            if len(elements) == 1 and isinstance(elements[0], Marked) and elements[0].label:
                return None
        return "shortcut"

    # ---- words of structure --------------------------------------------------------------------

    def _tap(self, word: Word, flow: Any, context: Context, label: str | None) -> Any:
        if word.arguments:
            raise ArchError(TooManyArguments("tap", ()).at(word.arguments[0].span))
        x = self.one_map(flow, "the input of `tap`", word.span)
        context.frame.builder.taps.append(x.value)
        return flow

    def _share(self, word: Word, flow: Any, context: Context, label: str | None) -> Any:
        applied = context.frame.applied
        names = [argument for argument in word.arguments if isinstance(argument, Name)]
        if len(word.arguments) != 1 or not names:
            raise ArchError(MissingArgument("share", "name").at(word.span))
        name = self.evaluator.filled(names[0].name, context, names[0].span)
        if name not in applied:
            raise ArchError(NotShared(name, tuple(applied)).at(names[0].span))
        element, where, prefix = applied[name]
        again = where.but(scope=Scope(prefix, shared=True), asker=context.asker, trail=None)
        return self.element(element, flow, again, name)

    def _level(self, word: Word, flow: Any, context: Context, label: str | None) -> Map:
        (index,) = self._whole_arguments(word, context, 1)
        levels = self._pyramid(flow, word)
        return self._pick(levels, index, word)

    def _levels(self, word: Word, flow: Any, context: Context, label: str | None) -> Pyramid:
        levels = self._pyramid(flow, word)
        if len(word.arguments) != 1 or isinstance(word.arguments[0], Keyword):
            raise ArchError(MissingArgument("levels", "a list").at(word.span))
        value = self.evaluator.evaluate(word.arguments[0], context)
        if not is_list(value) or not all(isinstance(index, int) for index in value) or not value:
            raise ArchError(WrongValue("levels", "a list of whole numbers", described(value)).at(word.span))
        return Pyramid(tuple(self._pick(levels, index, word) for index in value))

    def _pyramid(self, flow: Any, word: Word) -> Pyramid:
        if not isinstance(flow, Pyramid):
            raise ArchError(WrongFlow(word.name, "a pyramid", described(flow)).at(word.name_span))
        return flow

    @staticmethod
    def _pick(levels: Pyramid, index: int, word: Word) -> Map:
        if not 0 <= index < len(levels.maps):
            raise ArchError(NoSuchLevel(index, level_strides(levels)).at(word.span))
        return levels.maps[index]

    def _whole_arguments(self, word: Word, context: Context, count: int) -> list[int]:
        nodes: list[Expression] = [a for a in word.arguments if not isinstance(a, Keyword)]
        if len(nodes) != count or len(nodes) != len(word.arguments):
            raise ArchError(MissingArgument(word.name, "number").at(word.span))
        words = context.word(word, word.name)
        return [self.evaluator.whole(node, context, f"{words}.number") for node in nodes]

    def _aux(self, word: Word, flow: Any, context: Context, label: str | None) -> Any:
        """A head that exists in training only; what flows passes on (Szegedy et al. 2014, arXiv:1409.4842)."""
        stages = [argument for argument in word.arguments if not isinstance(argument, Keyword)]
        if len(stages) != 1:
            raise ArchError(MissingArgument("aux", "stage").at(word.span))
        weight = 1.0
        for argument in word.arguments:
            if isinstance(argument, Keyword):
                if argument.name != "weight":
                    raise ArchError(UnknownOption("aux", argument.name, ("weight",)).at(argument.name_span))
                weight = float(self.evaluator.number(argument.value, context))
        pipeline = as_pipeline(stages[0])
        if pipeline is None:
            raise ArchError(NotAStage(f"`{stages[0].span.text}`").at(stages[0].span))
        path = join_path(context.scope.prefix, label if label is not None else str(context.scope.count))
        inside = context.but(trail=None)
        label = label if label is not None else str(context.scope.count)
        made = self.element(Group(stages[0].span, pipeline, None), flow, inside, label)
        if isinstance(made, Map):
            context.frame.builder.training.append(TrainingOutput(path, made.value, weight))
        return flow


# ---- helpers -----------------------------------------------------------------------------------


def level_strides(pyramid: Pyramid) -> tuple[str, ...]:
    return tuple(f"/{level.stride}" for level in pyramid.maps)


def flow_maps(flow: Any) -> tuple[Map, ...]:
    return (flow,) if isinstance(flow, Map) else tuple(flow.maps)


def maps_in(value: Value) -> list[Map]:
    """Maps inside a value, in order."""
    if isinstance(value, Map):
        return [value]
    if isinstance(value, Pyramid):
        return list(value.maps)
    if isinstance(value, Partial):
        found = []
        for given in (*value.positional, *value.keywords.values(), *value.defaults.values()):
            found += maps_in(given.value)
        return found
    if is_list(value):
        return [found for item in value for found in maps_in(item)]
    return []


class Localiser:
    """Renumbers the values that a call reads, in the order in which `_signature` lists them."""

    def __init__(self) -> None:
        self.shapes: list[Any] = []
        self.strides: list[Any] = []

    def moved(self, value: Value) -> Any:
        if isinstance(value, Map):
            self.shapes.append(value.shape)
            self.strides.append(value.stride)
            return Map(len(self.shapes) - 1, value.shape, value.stride)
        if isinstance(value, Pyramid):
            return Pyramid(tuple(self.moved(level) for level in value.maps))
        if isinstance(value, Partial):
            if not maps_in(value):
                return value
            return value.but(
                positional=tuple(Given(self.moved(g.value), g.span) for g in value.positional),
                keywords={n: Given(self.moved(g.value), g.span) for n, g in value.keywords.items()},
                defaults={n: Given(self.moved(g.value), g.span) for n, g in value.defaults.items()},
            )
        if is_list(value):
            return tuple(self.moved(item) for item in value)
        return value


def finished(builder: Builder, flow: Any, trail: Trail | None) -> Block:
    """A builder's block, with what flows out of it."""
    if not isinstance(flow, Map | Pyramid):
        raise Uncacheable
    outputs = tuple(dict.fromkeys(level.value for level in flow_maps(flow)))
    levels = tuple(level.value for level in trail.values) if trail is not None else ()
    return builder.block(outputs, levels, flow)


def rebuilt(flow: Any, moved: dict[int, int]) -> Any:
    """What flows out of a block, in the numbers of where it was placed."""
    if isinstance(flow, Map):
        return Map(moved[flow.value], flow.shape, flow.stride)
    return Pyramid(tuple(rebuilt(level, moved) for level in flow.maps))


def remember(memo: dict[Any, Any], key: Any, log: list[tuple[Any, Any]], block: Block) -> None:
    """Puts a block into the tree of the questions that led to it."""
    table, at = memo, key
    for what, answer in log:
        question = table.get(at)
        if not isinstance(question, Question):
            question = table[at] = Question(what)
        table, at = question.branches, answer
    table[at] = block


def called_from(diagnostic: Diagnostic, span: Span) -> Diagnostic:
    """A diagnostic of another file with the call in this one as its first other party."""
    place = diagnostic.span
    if place is None or place.source is span.source:
        return diagnostic
    if any(label.span.source is span.source for label in diagnostic.labels):
        return diagnostic
    return relabelled(diagnostic, (*diagnostic.labels, Label(span, "called from here", primary=False)))


def relabelled(diagnostic: Diagnostic, labels: tuple[Label, ...]) -> Diagnostic:
    return replace(diagnostic, labels=labels)


__all__ = ["BareWord", "Elaborator", "Number", "TooManyOperations"]
