"""What a recipe stage may do, carried out on a context; and how a stage is run."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, NamedTuple

from archdsl.blocks import Block, Builder, TrainingOutput, join_path
from archdsl.elaboration.blame import blamed, called_from, given_to
from archdsl.elaboration.choices import Recorder, join_words
from archdsl.elaboration.context import Context, Frame, Scope, Trail
from archdsl.elaboration.elaborator import Elaborator
from archdsl.elaboration.flows import Localiser, finished, maps_in, rebuilt
from archdsl.elaboration.levels import SIDES, Chosen, down_to, fitted, is_by_size, larger, levels_of
from archdsl.elaboration.published import Published, check, find
from archdsl.elaboration.values import UNKNOWN, Given, Muted, Partial, Uncacheable, key_of
from archdsl.errors import ArchError, Diagnostic, Mistake
from archdsl.network import Cell, Edge
from archdsl.network import Scope as NetworkScope
from archdsl.op import Op
from archdsl.ops.backbones import Timm
from archdsl.source import Label, Span
from archdsl.stage import Flow, Map, Pyramid, StageValue, Wiring
from archdsl.vocabulary import OF_TIMM, Definition


class WeightsWanted(NamedTuple):
    """Published weights that a spec asks for.

    Attributes:
        path: the encoder's module path.
        published: where they are.
        parts: module paths, below `path`, of all that has weights in the whole encoder, built or not.
        span: where the spec says so.
        calls: of the definitions around that place, outermost first.
    """

    path: str
    published: Published
    parts: frozenset[str]
    span: Span
    calls: tuple[Span, ...]

    def told(self, mistake: Mistake) -> Diagnostic:
        """A mistake of the weights as a diagnostic, with the calls that lead to it."""
        diagnostic = mistake.at(self.span)
        for call in reversed(self.calls):
            diagnostic = called_from(diagnostic, call)
        return diagnostic


@dataclass(eq=False)
class Recipe:
    """What the recipe stages of one spec leave beside the network."""

    cells: dict[str, Cell] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    weights: list[WeightsWanted] = field(default_factory=list)
    supervision: Callable[[], list[tuple[int, Map]]] | None = None
    encoder: Label | None = None  # its name, for mistakes about its levels
    blocks: tuple[str, tuple[str, ...]] = ("", ())  # of a transformer of timm, for the same: name, paths


class Wires:
    """The wiring of one stage: everything it adds goes below the context's scope.

    `renamed` says what the spec calls a part: `encoder resnet50 as body`.
    """

    def __init__(
        self,
        elaborator: Elaborator,
        context: Context,
        span: Span,
        words: str,
        recipe: Recipe,
        renamed: Mapping[str, str] = MappingProxyType({}),
        given: Mapping[str, Given] = MappingProxyType({}),
    ) -> None:
        self.renamed = renamed
        self.given = given
        self.elaborator = elaborator
        self.context = context
        self.span = span
        self.words = words
        self.recipe = recipe
        self._keys: dict[tuple[Any, ...], Hashable] = {}

    @property
    def image(self) -> Map:
        return self.context.frame.image

    def _below(self, name: str) -> Context:
        scope = Scope(join_path(self.context.scope.prefix, name), self.context.scope.shared)
        return self.context.but(scope=scope, trail=None)

    def part(self, name: str) -> Wiring:
        inside = self._below(self.renamed.get(name, name))
        return Wires(self.elaborator, inside, self.span, self.words, self.recipe)

    def add(self, op: Op, *maps: Map, name: str | None = None) -> Map:
        return self.elaborator.add(op, maps, self.context, name, self.span, path="" if name is None else None)

    def call(self, stage: StageValue, flow: Map, *arguments: Any, name: str, **keywords: Any) -> Map:
        made = self._made(stage, flow, arguments, name, keywords)
        return self.elaborator.one_map(made, f"what `{stage.word}` gives", self.span)

    def run(self, stage: StageValue, flow: Map | Pyramid, *, name: str, **keywords: Any) -> Map | Pyramid:
        made = self._made(stage, flow, (), name, keywords)
        return made if isinstance(made, Pyramid) else self.elaborator.one_map(made, stage.word, self.span)

    def _made(
        self,
        stage: StageValue,
        flow: Map | Pyramid,
        arguments: tuple[Any, ...],
        name: str,
        keywords: dict[str, Any],
    ) -> Any:
        assert isinstance(stage, Partial)
        below = self.words if name in self.renamed else join_words(self.words, name)
        given = Partial(
            stage.callee,
            stage.written,
            stage.span,
            (*stage.positional, *(Given(value, stage.span) for value in arguments)),
            {**stage.keywords, **{key: Given(value, stage.span) for key, value in keywords.items()}},
            stage.defaults,
            join_words(below, stage.written) if isinstance(stage.callee, Definition) else stage.words,
        )
        context = self.elaborator.beside(self.context)
        return self.elaborator.call(given, flow, context, self.renamed.get(name, name), stage.span)

    def library(self, word: str) -> StageValue:
        meaning = self.context.frame.file.meaning(word)
        assert isinstance(meaning, Definition)
        return Partial(meaning, word, self.span)

    # ---- remembered parts ----------------------------------------------------------------------

    def cell(self, name: str, key: tuple[Any, ...], maps: tuple[Map, ...], build: Any) -> Map:
        """Builds a part once for equal settings and shapes; afresh where nothing is remembered."""
        inside = self._below(name)
        words = join_words(self.words, name)
        if self.context.frame.run.memo is not None:
            try:
                whole = ("cell", self._key(key), tuple(map(key_of, maps)), key_of(self.image))
                return self._remembered(whole, name, maps, build, inside, words)
            except Uncacheable:
                pass
        builder = self.context.frame.builder
        builder.claim(inside.scope.prefix, self.span)
        first = len(builder.items)
        made: Map = build(Wires(self.elaborator, inside, self.span, words, self.recipe), maps)
        builder.scopes.append(NetworkScope(inside.scope.prefix, "", first, len(builder.items)))
        builder.leaves[inside.scope.prefix] = made.value
        return made

    def _key(self, settings: tuple[Any, ...]) -> Hashable:
        """The key of a part's settings, which the nodes of a level share."""
        found = self._keys.get(settings)
        if found is None:
            found = self._keys[settings] = key_of(settings)
        return found

    def _remembered(
        self, key: Any, name: str, maps: tuple[Map, ...], build: Any, inside: Context, words: str
    ) -> Map:
        def built(asker: Recorder) -> Block:
            local = Localiser()
            here = tuple(local.moved(value) for value in maps)
            image = local.moved(self.image)
            outer = self.context.frame
            builder = Builder(tuple(local.shapes), tuple(local.strides), flat=True)
            frame = Frame(outer.run, outer.file, builder, UNKNOWN, image, chain=outer.chain)
            context = Context(frame, asker, {}, Scope(""), "", {})
            made = build(Wires(self.elaborator, context, self.span, "", self.recipe), here)
            return finished(builder, made, None)

        block = self.elaborator.recall(key, self.context, words, built)
        builder = self.context.frame.builder
        path = inside.scope.prefix
        builder.claim(path, self.span)
        inputs = (*(value.value for value in maps), self.image.value)
        moved = builder.place(block, inputs, path, "", self.span)
        made: Map = rebuilt(block.flow, moved)
        builder.leaves[path] = made.value
        return made

    # ---- encoders ------------------------------------------------------------------------------

    def backbone(
        self,
        stage: StageValue,
        flow: Map,
        taps: tuple[str, ...] | None,
        depth: int | None,
        keywords: dict[str, Any],
        weights: str | None,
    ) -> Pyramid:
        assert isinstance(stage, Partial)
        self.recipe.encoder = Label(stage.span)
        given = {name: Given(value, self._place_of(name)) for name, value in keywords.items()}
        found = stage.but(keywords={**stage.keywords, **given})
        context = self.elaborator.beside(self.context)
        block, inputs, levels, cut = self._fitting(found, flow, context, taps, depth)
        paths = tuple(filter(None, block.leaves)) if found.callee is Timm else ()
        self.recipe.blocks = (found.written, paths)
        builder = context.frame.builder
        path = join_path(context.scope.prefix, self.renamed.get("encoder", "encoder"))
        if not context.scope.shared:
            builder.claim(path, self.span)
        if weights is not None:
            parts = frozenset(operation.path for operation in block.operations if operation.op.has_weights)
            place, calls = self._place_of("weights"), tuple(context.frame.run.calls)
            self.recipe.weights.append(WeightsWanted(path, published(stage, weights), parts, place, calls))
        moved = builder.place(cut, inputs, path, stage.word, self.span, context.scope.shared)
        return Pyramid(
            tuple(
                Map(moved[value], level.shape, level.stride)
                for value, level in zip(cut.outputs, levels, strict=True)
            )
        )

    def _place_of(self, argument: str) -> Span:
        """Where the stage was given an argument."""
        return self.given[argument].span if argument in self.given else self.span

    def _fitting(
        self, found: Partial, flow: Map, context: Context, taps: tuple[str, ...] | None, depth: int | None
    ) -> Chosen:
        """The levels of a backbone; what they don't need may be too large for the image."""
        run = context.frame.run
        collected, run.collected = run.collected, None  # the first mistake ends this try
        try:
            return self._chosen(found, flow, context, taps, depth)
        except ArchError as error:
            made = self._of_larger(found, flow, context, taps, depth) if is_by_size(error) else None
            if made is not None:
                return made
            if collected is None:
                raise
        finally:
            run.collected = collected
        return self._chosen(found, flow, context, taps, depth)

    def _of_larger(
        self, found: Partial, flow: Map, context: Context, taps: tuple[str, ...] | None, depth: int | None
    ) -> Chosen | None:
        """The same by way of larger images; None where they don't help."""
        if larger(flow, SIDES[0]) == flow:
            return None
        image = context.frame.image
        frames = [replace(context.frame, image=larger(image, side)) for side in SIDES]
        try:
            one, other = (
                self._chosen(found, larger(flow, side), context.but(frame=frame), taps, depth)
                for side, frame in zip(SIDES, frames, strict=True)
            )
        except ArchError:
            return None
        return fitted(one, other, flow, image)

    def _chosen(
        self, found: Partial, flow: Map, context: Context, taps: tuple[str, ...] | None, depth: int | None
    ) -> Chosen:
        block, inputs = self._whole(found, flow, context)
        picked = block.picked.get((taps, depth))
        if picked is None:
            levels = levels_of(block, found, taps)
            if depth is not None and taps is None:
                levels = down_to(levels, depth, found, flow)
            cut = block.restricted(tuple(level.value for level in levels), False)
            picked = block.picked[taps, depth] = (levels, cut)
        return Chosen(block, inputs, *picked)

    def _whole(self, found: Partial, flow: Map, context: Context) -> tuple[Block, tuple[int, ...]]:
        """The block of a whole definition, and the values here that it reads.

        Remembered by what the stage says, so that a candidate doesn't walk from name to name again.
        """
        if context.frame.run.memo is None:
            return self._expanded(found, flow, context)

        def build(asker: Recorder) -> Block:
            return self._expanded(found, flow, context.but(asker=asker))[0]

        image = context.frame.image
        try:
            key = ("encoder", key_of(found), key_of(flow), key_of(image))
            block = self.elaborator.recall(key, context, found.words, build)
        except Uncacheable:
            return self._expanded(found, flow, context)
        if block.inputs > 2:  # it reads maps that its arguments name
            return self._expanded(found, flow, context)
        return block, (flow.value, image.value)

    def _expanded(self, found: Partial, flow: Map, context: Context) -> tuple[Block, tuple[int, ...]]:
        """The same, by way of the definitions that a name stands for."""
        elaborator = self.elaborator
        while isinstance(found.callee, Definition) and found.callee.alias is not None:
            definition, alias = found.callee, found.callee.alias
            elaborator.check_depth(definition, context, found.span)
            variables, passed = elaborator.bound_definition(found, found.span, context)
            context = elaborator.inside(
                definition, variables, flow, context, found.words, context.scope, found.span
            )
            found = elaborator.alias_partial(alias, passed, context)
        image = context.frame.image
        if not isinstance(found.callee, Definition):
            return self._other(found, flow, context), (flow.value, image.value)
        definition = found.callee
        elaborator.check_depth(definition, context, found.span)
        variables, _ = elaborator.bound_definition(found, found.span, context)

        def build(asker: Recorder) -> Block:
            return elaborator.built(definition, variables, flow, context, asker, found.span)

        def run() -> Block:
            _, key = elaborator.signature(definition, variables, flow, context)
            if context.frame.run.memo is None:
                return build(Recorder(context.asker, found.words, key_of))
            return elaborator.recall((key, False), context, found.words, build)

        inputs = (flow.value, *(m.value for v in variables.values() for m in maps_in(v)), image.value)
        try:
            return elaborator.told(run, definition, context, self.span), inputs
        except Uncacheable:
            return build(Recorder(context.asker, found.words, key_of)), inputs

    def _other(self, found: Partial, flow: Map, context: Context) -> Block:
        """A pipeline or a single operation as a backbone."""
        outer = context.frame
        image = outer.image
        builder = Builder((flow.shape, image.shape), (flow.stride, image.stride), flat=True)
        here = Map(0, flow.shape, flow.stride)
        frame = Frame(
            outer.run,
            outer.file,
            builder,
            here,
            Map(1, image.shape, image.stride),
            chain=outer.chain,
            trace=outer.trace,
        )
        trail = Trail()
        inside = Context(
            frame, context.asker, context.variables, Scope(""), found.words, {}, context.turn, trail
        )
        # A model of timm is the encoder itself; any other operation is number 0 of it.
        made = self.elaborator.call(found, here, inside, "" if found.callee is Timm else None, found.span)
        if isinstance(made, Map) and not trail.values:
            trail.follow(made)  # a single operation
        return finished(builder, made, trail)

    # ---- outputs -------------------------------------------------------------------------------

    def output(self, name: str, value: Map, weight: float = 1.0) -> None:
        path = join_path(self.context.scope.prefix, name)
        self.context.frame.builder.training.append(TrainingOutput(path, value.value, weight))

    def blocks(self) -> tuple[str, tuple[str, ...]]:
        return self.recipe.blocks

    def plan(self, supervision: Callable[[], list[tuple[int, Map]]]) -> None:
        self.recipe.supervision = supervision

    def planned(self) -> list[tuple[int, Map]] | None:
        return None if self.recipe.supervision is None else self.recipe.supervision()

    # ---- drawing -------------------------------------------------------------------------------

    def drawn(self, name: str, role: str, row: int, column: int, value: Map) -> None:
        if self.context.frame.builder.flat:
            return  # inside a block: its values are not those of the drawing
        part = PATHS.get(role, name)
        path = join_path(self.context.scope.prefix, name) if role in DECODED else self.renamed.get(part, part)
        if role == "context":
            name = path  # there may be several
        self.recipe.cells[name] = Cell(name, role, row, column, value.value, path)

    def drawn_after(self, before: Map, name: str, role: str, value: Map) -> None:
        source = self.drawing_of(before)
        if not source:
            return
        cell = self.recipe.cells[source]
        row, column = (cell.row - 1, cell.column) if role == "aux" else (cell.row, cell.column + 1)
        self.drawn(name, role, row, column, value)
        self.edge(source, name, "flow")

    def drawing_of(self, value: Map) -> str:
        names = [name for name, cell in self.recipe.cells.items() if cell.value == value.value]
        return names[-1] if names else ""

    def spot_of(self, name: str) -> tuple[int, int] | None:
        cell = self.recipe.cells.get(name)
        return None if cell is None else (cell.row, cell.column)

    def edge(self, source: str, target: str, kind: str, label: str = "") -> None:
        self.recipe.edges.append(Edge(source, target, kind, label))


DECODED = ("nested", "decoder", "top")
PATHS = {"encoder": "encoder", "neck": "neck"}  # of cells that are called by their level


def published(stage: Partial, tag: str) -> Published:
    """Where an encoder's published weights are; raises a mistake where it has none of this tag."""
    if stage.callee is Timm:
        found = Published("timm", stage.word.removeprefix(OF_TIMM), tag)
    else:
        found = find(names_of(stage), tag)
    check(found)
    return found


def names_of(stage: Partial) -> tuple[str, ...]:
    """A definition's name, and the names of those that it is another name for."""
    names = [stage.word]
    meaning: Any = stage.callee
    while isinstance(meaning, Definition):
        names.append(meaning.name)
        meaning = None if meaning.alias is None else meaning.file.meaning(meaning.alias.name)
    return tuple(dict.fromkeys(names))


def stage_runner(recipe: Recipe) -> Callable[..., Flow]:
    """How the elaborator runs a recipe stage."""

    def run_stage(
        elaborator: Elaborator, found: Partial, flow: Any, context: Context, label: str | None, span: Span
    ) -> Flow:
        if flow is UNKNOWN:
            raise Muted
        stage = elaborator.bound_stage(found, span, context)
        beside = elaborator.beside(context)
        part = label or stage.part
        wires = Wires(elaborator, beside, span, found.words, recipe, {stage.part: part}, given_to(found))
        try:
            made = stage.wire(wires, flow)
        except Mistake as mistake:
            raise ArchError(blamed(mistake, span, found, recipe.encoder)) from None
        if isinstance(made, Map):
            context.frame.builder.leaves[join_path(beside.scope.prefix, part)] = made.value
        return made

    return run_stage
