"""Syntax to network: names found, definitions and repeats expanded, each choice decided.

The one walk over a pipeline. Everything it adds goes into a `Builder`; a call of a definition
becomes a block that is remembered by what it depends on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from archdsl.blocks import TrainingOutput, join_path
from archdsl.elaboration.arithmetic import is_list
from archdsl.elaboration.choices import Choice, join_words, single, unwrapped
from archdsl.elaboration.context import Context, Scope
from archdsl.elaboration.flows import level_strides
from archdsl.elaboration.joins import Joins
from archdsl.elaboration.reserved import RESERVED
from archdsl.elaboration.values import UNKNOWN, Muted, Partial, Value, described
from archdsl.errors import ArchError, Mistake
from archdsl.errors.arguments import MissingArgument, TooManyArguments, UnknownOption, WrongValue
from archdsl.errors.encoders import NoSuchLevel
from archdsl.errors.names import NotAStage, NotShared, OtherWeights, ReservedPath, ReservedValue
from archdsl.errors.recipes import WrongFlow
from archdsl.network import Scope as NetworkScope
from archdsl.source import Span
from archdsl.stage import Flow, Map, Pyramid
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
    Pipeline,
    Range,
    Word,
    as_pipeline,
)


class Elaborator(Joins):
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

    def wire(self, found: Partial, flow: Any, context: Context, label: str | None, span: Span) -> Flow:
        return self.run_stage(self, found, flow, context, label, span)

    def structure(self, word: Word, flow: Any, context: Context, label: str | None) -> Any:
        return UNKNOWN if flow is UNKNOWN else self._words[word.name](word, flow, context, label)

    # ---- pipelines and elements ----------------------------------------------------------------

    def pipeline(self, pipeline: Pipeline, flow: Any, context: Context) -> Any:
        """Runs a pipeline's elements one after the other."""
        for element in pipeline.elements:
            flow = self.element(element, flow, context)
        return flow

    def element(self, element: Element, flow: Any, context: Context, label: str | None = None) -> Any:
        """Runs one element; in a collecting run a mistake is noted and what flows on is unknown."""
        run = context.frame.run
        run.step(element.span)
        if run.collected is None:
            return self._element(element, flow, context, label)
        try:
            return self._element(element, flow, context, label)
        except Muted:
            pass
        except ArchError as error:
            run.note(*error.diagnostics)
        except Mistake as mistake:
            run.note(mistake.at(element.span))
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
                made = self.join(element, flow, context, label)
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
        own = None
        if marked.label is not None:
            assert marked.label_span is not None
            own = self.evaluator.filled(marked.label, context, marked.label_span)
        name = label if own is None else own
        if marked.optional and not self._wanted(marked, name, context):
            made = flow
        else:
            if own is not None and marked.label_span is not None and makes_modules(marked.element):
                self._check_label(own, marked.label_span)
                context.frame.builder.hold(context.scope.prefix, own, marked.label_span)
            items = context.frame.builder.items
            first = len(items)
            made = self.element(marked.element, flow, context, name)
            if name is not None:
                prefix = context.scope.prefix
                context.frame.applied[name] = Applied(
                    marked.element, context, prefix, flow, first, len(items)
                )
        if own is not None:
            if own in ("in", "input"):
                assert marked.label_span is not None
                raise ArchError(ReservedValue(own).at(marked.label_span))
            context.frame.names[own] = made
        return made

    def _wanted(self, marked: Marked, label: str | None, context: Context) -> bool:
        """Decides a `?`: the stage with or without."""
        inner = marked.element
        fallback = label or (inner.name if isinstance(inner, Word | Join) else "choice")
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
            return self.become(group.body, flow, context, label)
        return self.repeated(
            group, flow, context, label, lambda value, inside: self.pipeline(group.body, value, inside)
        )

    def named(
        self,
        label: str,
        flow: Any,
        context: Context,
        run: Callable[[Context], Any],
        words: str | None = None,
    ) -> Any:
        """Runs something in a named scope; `words` are those of choices, where the name adds none."""
        path = self.path(label, context)
        builder = context.frame.builder
        first = len(builder.items)
        below = join_words(context.words, label) if words is None else words
        made = run(context.but(scope=Scope(path, context.scope.shared), words=below))
        builder.scopes.append(NetworkScope(path, "", first, len(builder.items)))
        if isinstance(made, Map):
            builder.leaves[path] = made.value
        return made

    def repeated(
        self,
        element: Group | Join,
        flow: Any,
        context: Context,
        label: str | None,
        body: Callable[[Any, Context], Any],
    ) -> Any:
        """Runs a body `times` times in series."""
        assert element.times is not None
        below = context.but(words=join_words(context.words, label or ""))
        count = self.evaluator.whole(element.times, context, below.word(element.times, "times"), sign="*")
        if count < 0 or count > 1_000:
            raise ArchError(WrongValue("*", "a count from 0 to 1000", str(count)).at(element.times.span))
        if context.frame.trace is not None:
            context.frame.trace.turns[element, context.turn] = list(range(count))

        def run(inside: Context) -> Any:
            value = flow
            for turn in range(count):
                value = body(value, self.turned(inside, turn))
            return value

        return run(context) if label is None else self.named(label, flow, context, run)

    def turned(self, context: Context, turn: int, variables: dict[str, Value] | None = None) -> Context:
        words = join_words(context.words, str(turn))
        merged = {**context.variables, **variables} if variables else context.variables
        return context.but(turn=(*context.turn, turn), words=words, variables=merged)

    def _loop(self, loop: Loop, flow: Any, context: Context, label: str | None) -> Any:
        turns = self.turns(loop, context.but(words=join_words(context.words, label or "")))

        def run(inside: Context) -> Any:
            value = flow
            for turn, variables in enumerate(turns):
                value = self.pipeline(loop.body, value, self.turned(inside, turn, variables))
            return value

        return run(context) if label is None else self.named(label, flow, context, run)

    def turns(self, loop: Loop | Each, context: Context) -> list[dict[str, Value]]:
        turns = self.evaluator.turns(loop.bindings, context)
        if context.frame.trace is not None:
            context.frame.trace.turns[loop, context.turn] = turns
        return turns

    def _branch(self, branch: Branch, flow: Any, context: Context, label: str | None) -> Any:
        if self.evaluator.truth(branch.condition, context, context.word(branch.condition, "if")):
            return self.become(branch.then, flow, context, label)
        if branch.otherwise is None:
            return flow
        if isinstance(branch.otherwise, Branch):
            return self.element(branch.otherwise, flow, context, label)
        return self.become(branch.otherwise, flow, context, label)

    def become(
        self, pipeline: Pipeline, flow: Any, context: Context, label: str | None, words: str | None = None
    ) -> Any:
        """A pipeline in brackets, or that a choice or an `if` becomes: with its name if it has one."""
        if label is None:
            return self.pipeline(pipeline, flow, context)
        pipeline = unwrapped(pipeline)
        if (stage := single(pipeline)) is not None:
            return self.element(stage, flow, context, label)
        return self.named(label, flow, context, lambda inside: self.pipeline(pipeline, flow, inside), words)

    def _alternatives(self, node: Alternatives, flow: Any, context: Context, label: str | None) -> Any:
        name = context.word(node, label or "choice")
        choice = context.frame.run.choice(node, name, node.options)
        answer = self.evaluator.decide(choice, node, context)
        option = node.options[choice.options.index(str(answer))]
        numbering = context.frame.run.words_in(option, context.frame.file)
        inside = context.but(words=name, numbering=numbering)
        return self.become(option, flow, inside, label, name)

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
        was: Applied = applied[name]
        again = was.context.but(scope=Scope(was.prefix, shared=True), asker=context.asker, trail=None)
        builder = context.frame.builder
        first = len(builder.items)
        made = self.element(was.element, flow, again, name)
        if builder.weights(first, len(builder.items)) != builder.weights(was.first, was.last):
            told = described(was.flow).removeprefix("a map of "), described(flow).removeprefix("a map of ")
            raise ArchError(OtherWeights(name, *told).at(word.span))
        return made

    def _level(self, word: Word, flow: Any, context: Context, label: str | None) -> Map:
        (index,) = self._whole_arguments(word, context, 1)
        levels = self._pyramid(flow, word)
        return self._pick(levels, index, word)

    def _levels(self, word: Word, flow: Any, context: Context, label: str | None) -> Pyramid:
        levels = self._pyramid(flow, word)
        if len(word.arguments) != 1 or isinstance(word.arguments[0], Keyword):
            raise ArchError(MissingArgument("levels", "a list").at(word.span))
        value = self.evaluator.evaluate(word.arguments[0], context, context.word(word, "levels"))
        if not is_list(value) or not all(isinstance(index, int) for index in value) or not value:
            got = "a choice of one" if isinstance(word.arguments[0], Range) else described(value)
            raise ArchError(WrongValue("levels", "a list of whole numbers", got).at(word.span))
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
        return [self.evaluator.whole(node, context, f"{words}.number", sign=word.name) for node in nodes]

    def _aux(self, word: Word, flow: Any, context: Context, label: str | None) -> Any:
        """A head that exists in training only; what flows passes on.

        Szegedy et al. 2014, arXiv:1409.4842.
        """
        stages = [argument for argument in word.arguments if not isinstance(argument, Keyword)]
        if len(stages) != 1:
            raise ArchError(MissingArgument("aux", "stage").at(word.span))
        words = context.word(word, label or "aux")
        weight = 1.0
        for argument in word.arguments:
            if isinstance(argument, Keyword):
                if argument.name != "weight":
                    raise ArchError(UnknownOption("aux", argument.name, ("weight",)).at(argument.name_span))
                weight = float(self.evaluator.number(argument.value, context, f"{words}.weight"))
        pipeline = as_pipeline(stages[0])
        if pipeline is None:
            raise ArchError(NotAStage(f"`{stages[0].span.text}`").at(stages[0].span))
        label = label if label is not None else str(context.scope.count)
        path = join_path(context.scope.prefix, label)
        numbering = context.frame.run.words_in(pipeline, context.frame.file)
        inside = context.but(trail=None, words=words, numbering=numbering)
        made = self.become(pipeline, flow, inside, label, words)
        if isinstance(made, Map):
            context.frame.builder.training.append(TrainingOutput(path, made.value, weight))
        return flow


class Applied(NamedTuple):
    """A named stage that ran, for `share`: with what flowed in, and which of the builder's items it made."""

    element: Element
    context: Context
    prefix: str
    flow: Any
    first: int
    last: int


def makes_modules(element: Element) -> bool:
    """Whether a name of this element is a module path too, not only that of a value."""
    if isinstance(element, Word):
        return element.name not in ("level", "levels", "tap", "share")
    return not isinstance(element, At)
