"""Joins: several branches of one value become one; the residual with its shortcut and its gates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple

from archdsl.elaboration.calls import Calls, relabelled
from archdsl.elaboration.context import Context, Scope
from archdsl.elaboration.conversion import as_partial
from archdsl.elaboration.values import UNKNOWN, Given, Muted, Partial, Quoted, Value, described
from archdsl.errors import ArchError, Diagnostic, Mistake
from archdsl.errors.arguments import MissingArgument, UnknownOption, WrongValue
from archdsl.errors.names import NotAStage, UnknownStage, UnknownWord
from archdsl.errors.recipes import PartMoves, ShortcutDiffers
from archdsl.errors.shapes import DifferentChannels, DifferentSizes
from archdsl.ops import OPERATIONS
from archdsl.ops.regularisers import DropPath
from archdsl.source import Label, Span
from archdsl.stage import BareWord, Map, Pyramid
from archdsl.syntax import Each, Group, Join, Keyword, Loop, Marked, Pipeline
from archdsl.vocabulary import JOINS, Definition

PLACES = ("none", "standard", "pre", "post", "identity")


class GateAt(NamedTuple):
    """An attention stage and where it sits (Hu et al. 2017, arXiv:1709.01507, figure 5)."""

    stage: Partial | None
    place: str


class Joins(Calls):
    """Runs joins."""

    def turns(self, loop: Loop | Each, context: Context) -> list[dict[str, Value]]:
        """The variables of each turn of a loop."""
        raise NotImplementedError

    def repeated(
        self,
        element: Group | Join,
        flow: Any,
        context: Context,
        label: str | None,
        body: Callable[[Any, Context], Any],
    ) -> Any:
        """Runs a body several times in series."""
        raise NotImplementedError

    def named(self, label: str, flow: Any, context: Context, run: Callable[[Context], Any]) -> Any:
        """Runs something in a named scope."""
        raise NotImplementedError

    def turned(self, context: Context, turn: int, variables: dict[str, Value] | None = None) -> Context:
        """The context of one turn."""
        raise NotImplementedError

    def join(self, join: Join, flow: Any, context: Context, label: str | None) -> Any:
        if join.name not in JOINS:
            raise ArchError(self._not_a_join(join, context))
        if join.times is not None:
            once = Join(join.span, join.name, join.branches, None, join.name_span)
            return self.repeated(
                join, flow, context, label, lambda value, inside: self.join(once, value, inside, None)
            )
        inside = context.but(trail=None)
        if label is not None:
            # A join is no stage of its scope: its name opens a scope but takes no number.
            beside = self.beside(context)
            return self.named(label, flow, beside, lambda below: self._joined(join, flow, below))
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
                for turn, variables in enumerate(self.turns(branch, context)):
                    inside = self.turned(context, turn, variables)
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
        """add(body, id), with a projection where channels or stride differ.

        He et al. 2015, arXiv:1512.03385.
        """
        x = self.one_map(flow, "the input of `residual`", join.span)
        bodies = [branch for branch in join.branches if isinstance(branch, Pipeline)]
        if len(bodies) != 1 or any(isinstance(branch, Each) for branch in join.branches):
            raise ArchError(WrongValue("residual", "one body", f"{len(bodies)}").at(join.name_span))
        options = self._residual_options(join, context)
        gate = self.gate(options, context)
        shortcut = options.get("shortcut", Given(BareWord("auto"), join.span))
        builder = context.frame.builder
        count, own = context.scope.count, dict(context.scope.own)
        mark = builder.mark() if shortcut.value is None else None
        y = self._body(bodies[0], x, gate, context.but(sumless=False))
        if mark is not None and y.shape != x.shape and builder.adds(DropPath, mark):
            # Without a sum nothing would be left of a dropped path: again, without dropping.
            builder.back_to(mark)
            context.scope.count, context.scope.own = count, own
            y = self._body(bodies[0], x, gate, context.but(sumless=True))
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
            words = context.word(branch, f"residual.{branch.name}")
            value = self.evaluator.evaluate(branch.value, context, words, own.get(branch.name, frozenset()))
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
        name = context.scope.name_of(gate.stage.word if gate.stage.word != "stage" else "attention")
        span = gate.stage.span
        made = self.one_map(self.call(gate.stage, x, self.beside(context), name, span), "a gate", span)
        if made.shape != x.shape:
            raise ArchError(PartMoves(str(x.shape), str(made.shape), "a gate", "attention").at(span))
        return made

    def _body(self, body: Pipeline, x: Map, gate: GateAt, context: Context) -> Map:
        """The body of a residual with the gates that sit in it."""
        y = self._gated(gate, "pre", x, context)
        y = self.one_map(self.pipeline(body, y, context), "the body of `residual`", body.span)
        return self._gated(gate, "standard", y, context)

    def _projected(self, shortcut: Given, x: Map, y: Map, context: Context, join: Join) -> Map:
        """The shortcut of a residual whose channels or stride differ."""
        stride = 1
        if x.stride is not None and y.stride is not None and y.stride != x.stride:
            ratio = Fraction(y.stride) / x.stride
            stride = ratio.numerator if ratio.denominator == 1 else 1
        own = names_itself(shortcut.value)
        name = None if own else context.scope.name_of("shortcut")
        context = self.beside(context)
        if isinstance(shortcut.value, Partial | Quoted):
            made = self.call(
                as_partial(shortcut.value, None),
                x,
                context,
                name,
                shortcut.span,
            )
            projected = self.one_map(made, "the shortcut", shortcut.span)
        elif shortcut.value == "auto":
            path = self.path(name, context)
            inside = context.but(scope=Scope(path, context.scope.shared), trail=None)
            conv = OPERATIONS["conv"](kernel=1, out=y.shape.channels, stride=stride, bias=False)
            projected = self.add(conv, (x,), inside, None, shortcut.span)
            projected = self.add(OPERATIONS["bn"](), (projected,), inside, None, shortcut.span)
        else:
            got = str(shortcut.value) if isinstance(shortcut.value, str) else described(shortcut.value)
            raise ArchError(UnknownWord("shortcut", got, ("auto", "none")).at(shortcut.span))
        if projected.shape != y.shape:
            raise ArchError(ShortcutDiffers(str(y.shape), str(projected.shape)).at(join.name_span))
        return projected


def names_itself(shortcut: Value) -> bool:
    """Whether a shortcut's stage has a name of its own."""
    if not isinstance(shortcut, Quoted):
        return False
    elements = shortcut.pipeline.elements
    return len(elements) == 1 and isinstance(elements[0], Marked) and elements[0].label is not None
