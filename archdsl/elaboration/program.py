"""A spec, ready to be elaborated as often as wanted: its file, its input, its facts, its memo."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from archdsl.assembly import Assembly
from archdsl.blocks import Builder
from archdsl.elaboration.choices import Answer, Choice, Decide, Root
from archdsl.elaboration.context import Context, Frame, Run, Scope, Trace
from archdsl.elaboration.elaborator import Elaborator
from archdsl.elaboration.flows import flow_maps
from archdsl.elaboration.values import UNKNOWN, EndOfRun, Partial, Value, described
from archdsl.elaboration.wiring import Recipe, WeightsWanted, stage_runner
from archdsl.errors import ArchError, Diagnostic
from archdsl.errors.recipes import NothingToReturn
from archdsl.errors.specs import NoPipeline
from archdsl.stage import Lattice, Map, Pyramid
from archdsl.syntax import (
    About,
    Expression,
    Input,
    Let,
    Name,
    Number,
    Pipeline,
    Require,
    Text,
    Word,
    walk,
)
from archdsl.tensors import Shape
from archdsl.vocabulary import Binding, Definition, File, bare_call, room_for_calls

DEFAULT_INPUT = Shape(3, 224, 224)
FACTS = ("paper", "year", "task", "weights", "family", "title", "source", "licence")


class Elaborated(NamedTuple):
    """What one elaboration made.

    Attributes:
        assembly: the network as blocks.
        decided: the answers, by the choices' names, in the order in which they were asked.
        asked: the choices themselves.
        recipe: the drawing's grid, and the published weights that were asked for.
        trace, let_traces: what was decided where, if the run was traced.
        handed: what words that call a variable called, if the run was traced.
    """

    assembly: Assembly
    decided: dict[str, Answer]
    asked: dict[str, Choice]
    weights: tuple[WeightsWanted, ...]
    trace: Trace | None
    let_traces: dict[Let, Trace]
    handed: dict[Word, list[Partial]]


class Program:
    """One spec with its input and the values that the caller gives for its lets."""

    def __init__(
        self, file: File, image: Shape | None = None, overrides: Mapping[str, Value] | None = None
    ) -> None:
        self.file = file
        self.overrides = dict(overrides or {})
        self.memo: dict[Any, Any] = {}
        self._lets: dict[Any, Value] = {}
        self._words: dict[Any, Any] = {}
        self._choices: dict[Any, Any] = {}
        stated = [s for s in file.spec.statements if isinstance(s, Input)]
        self.stated_input = Shape(*stated[0].shape.value) if stated else None
        self.input = image or self.stated_input or DEFAULT_INPUT

    @property
    def pipeline(self) -> Pipeline | None:
        """The file's pipeline, if it has one."""
        return next((s for s in self.file.spec.statements if isinstance(s, Pipeline)), None)

    @property
    def requirements(self) -> tuple[Require, ...]:
        return tuple(s for s in self.file.spec.statements if isinstance(s, Require))

    @property
    def about(self) -> dict[str, Any]:
        """Facts of the file's pipeline: paper, year, task, weights."""
        facts: dict[str, Any] = {}
        for statement in self.file.spec.statements:
            if isinstance(statement, About):
                for keyword in statement.keywords:
                    facts[keyword.name] = _fact(keyword.value)
        return facts

    @property
    def is_open(self) -> bool:
        """Whether the pipeline depends on any choice."""
        pipeline = self.pipeline
        return pipeline is not None and self.depends_on_choice(pipeline)

    def depends_on_choice(self, pipeline: Pipeline) -> bool:
        """Whether a choice may be asked while the pipeline is elaborated."""
        depends_on_choice = Elaborator(stage_runner(Recipe())).evaluator.depends_on_choice
        seen: set[Any] = set()
        stack: list[tuple[Any, File]] = [(pipeline, self.file)]
        while stack:
            node, file = stack.pop()
            if file.is_open(node):
                return True
            for inner in walk(node):
                if not isinstance(inner, Name | Word):
                    continue
                meaning = file.find(inner.name)
                given = isinstance(meaning, Binding) and meaning.node.name in self.overrides
                if isinstance(meaning, Binding) and not given and depends_on_choice(meaning):
                    return True
                if isinstance(meaning, Definition) and meaning not in seen:
                    seen.add(meaning)
                    stack.append((meaning.body, meaning.file))
        return False

    # ---- elaboration ---------------------------------------------------------------------------

    def elaborate(
        self,
        decide: Decide,
        *,
        image: Shape | None = None,
        remember: bool = True,
        collected: list[Diagnostic] | None = None,
        tracing: bool = False,
    ) -> Elaborated | None:
        """Elaborates the pipeline; None only where mistakes are collected and nothing came out."""
        pipeline = self.pipeline
        if pipeline is None:
            end = len(self.file.spec.source.text)
            last = next(reversed(self.file.definitions), "")
            raise ArchError(NoPipeline(last).at(self.file.spec.source.span(end, end)))
        shape = image or self.input
        run = Run(
            shape,
            self.overrides,
            self.memo if remember and collected is None and not tracing else None,
            collected,
            self._lets,
            self._words,
            self._choices,
            tracing=tracing,
        )
        recipe = Recipe()
        elaborator = Elaborator(stage_runner(recipe))
        builder = Builder((shape,), (1,), flat=False)
        here = Map(0, shape, 1)
        trace = Trace("") if tracing else None
        frame = Frame(run, self.file, builder, here, here, trace=trace)
        root: Root

        def evaluate_let(binding: Binding) -> Value:
            return elaborator.evaluator.let_value(binding, context)

        root = Root(decide, evaluate_let)
        numbering = run.words_in(pipeline, self.file)
        context = Context(frame, root, {}, Scope(""), "", numbering)
        bare = bare_call(pipeline)
        made: Any = UNKNOWN
        with room_for_calls(), suppress(EndOfRun):
            if bare is not None:
                # A file's pipeline that is one bare call is that call: no level of its own.
                made = elaborator.element(bare, here, context, "")
            else:
                made = elaborator.pipeline(pipeline, here, context)
        if made is UNKNOWN:
            return None
        assembly = self._assembly(builder, made, pipeline, recipe)
        return Elaborated(
            assembly, root.decided, root.asked, tuple(recipe.weights), trace, dict(run.let_traces), run.handed
        )

    def _assembly(self, builder: Builder, made: Any, pipeline: Pipeline, recipe: Recipe) -> Assembly:
        """The network; raises ArchError where nothing can be returned, or weights would learn nothing."""
        outputs = self._outputs(made, pipeline)
        assembly = Assembly(
            builder, outputs, isinstance(made, Pyramid), tuple(recipe.cells.values()), tuple(recipe.edges)
        )
        if assembly.strays:
            assembly.network()  # finds a map that stands in, or raises
        return assembly

    @staticmethod
    def _outputs(made: Any, pipeline: Pipeline) -> tuple[int, ...]:
        if isinstance(made, Lattice) or not isinstance(made, Map | Pyramid):
            raise ArchError(NothingToReturn(described(made)).at(pipeline.elements[-1].span))
        return tuple(level.value for level in flow_maps(made))


def _fact(value: Expression) -> Any:
    match value:
        case Text() | Number():
            return value.value
        case Name():
            return value.name
        case _:
            return value.span.text


def first_option(choice: Choice) -> Answer:
    """The first option of a choice: what a space is checked with."""
    if choice.kind == "categorical":
        return choice.options[0]
    assert choice.low is not None
    return int(choice.low) if choice.kind == "int" else choice.low
