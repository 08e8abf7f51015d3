"""Architecture and Space: what people hold. Thin faces over the rooms below."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archdsl.analyses.advice.reach import small_field
from archdsl.analyses.costs import activations, depth, inference_params
from archdsl.analyses.gridding import gridding
from archdsl.analyses.receptive_field import receptive_field
from archdsl.analyses.requirements import broken, holds
from archdsl.analyses.summary import Summary, summarise
from archdsl.checking import check_program
from archdsl.elaboration.choices import Answer, Choice, Decide
from archdsl.elaboration.closing import closed_statements
from archdsl.elaboration.program import Elaborated, Program, first_option
from archdsl.errors import ArchError, Diagnostic, Mistake
from archdsl.errors.commands import without_place
from archdsl.errors.spaces import NoText, UnknownChoice
from archdsl.formatter import format_node, format_tree
from archdsl.identity import network_identity
from archdsl.network import Network
from archdsl.parser import parse
from archdsl.source import Source
from archdsl.space import (
    Fork,
    answer_of,
    choices_of,
    count,
    fixed_decision,
    forks,
    least,
    options_of,
    random_decision,
)
from archdsl.syntax import Require
from archdsl.tensors import Cost, Shape

if TYPE_CHECKING:
    from networkx import MultiDiGraph
    from torch.nn import Module


class Architecture:
    """A closed spec: one network, checked, without torch.

    Attributes:
        name: the spec's name.
        choices: what each choice of its space became, by name; empty for a spec without choices.
        latency: milliseconds at batch 1, set by whoever measures it; requirements that speak of it are
            open before.
    """

    latency: float | None = None

    def __init__(
        self,
        name: str,
        program: Program | None,
        elaborated: Elaborated | None,
        network: Network | None = None,
    ) -> None:
        self.name = name
        self._program = program
        self._elaborated = elaborated
        self._network = network

    @classmethod
    def from_graph(cls, graph: MultiDiGraph[Any], name: str = "graph") -> Architecture:
        """An architecture of a graph that was changed; raises ArchError where shapes don't fit any more."""
        from archdsl.graph import from_graph

        try:
            return cls(name, None, None, from_graph(graph))
        except Mistake as mistake:
            raise ArchError(without_place(mistake)) from None

    # ---- figures -------------------------------------------------------------------------------

    @property
    def input(self) -> Shape:
        """The image's shape, C×H×W."""
        return self.network.input if self._elaborated is None else self._elaborated.assembly.builder.shapes[0]

    @property
    def choices(self) -> dict[str, str]:
        made = self._elaborated
        return {} if made is None else {name: str(answer) for name, answer in made.decided.items()}

    @cached_property
    def _costs(self) -> Cost:
        if self._elaborated is not None:
            return self._elaborated.assembly.costs()
        totals = summarise(self.network)
        return Cost(totals.params, totals.macs or 0)

    @property
    def params(self) -> int:
        """Trainable parameters, those of training-only parts included."""
        return self._costs.params

    @cached_property
    def inference_params(self) -> int:
        """Trainable parameters without those of training-only parts."""
        made = self._elaborated
        if made is not None and not made.assembly.builder.training:
            return self.params
        return inference_params(self.network)

    @cached_property
    def opaque(self) -> bool:
        """Whether timm builds a part of it: then its parameters and shapes are known, other figures None."""
        if self._elaborated is not None:
            return self._elaborated.assembly.opaque
        return self.network.opaque

    @property
    def macs(self) -> int | None:
        """Multiply-adds of one image in inference: convolutions, linear layers, matrix products."""
        return None if self.opaque else self._costs.macs

    @cached_property
    def activations(self) -> int | None:
        """Elements of all maps that convolutions and linear layers write."""
        return None if self.opaque else activations(self.network)

    @cached_property
    def depth(self) -> int | None:
        """The longest chain of convolutions and linear layers."""
        return None if self.opaque else depth(self.network)

    @cached_property
    def receptive_field(self) -> int | None:
        """Pixels of the image that one pixel of the output reads."""
        return None if self.opaque else receptive_field(self.network)

    @cached_property
    def gridding_free(self) -> bool | None:
        """Whether no serial stack of dilated kernels leaves holes in what it reads."""
        return None if self.opaque else not gridding(self.network)

    @cached_property
    def identity(self) -> str:
        """A hash that equal networks share: operations, ordered inputs, input shape, training-only parts."""
        if self._elaborated is not None:
            return self._elaborated.assembly.identity()
        return network_identity(self.network)

    @property
    def weights(self) -> dict[str, str]:
        """The published weights that it starts from, by module path; no part of the identity."""
        made = self._elaborated
        return {} if made is None else {wanted.path: str(wanted.published) for wanted in made.weights}

    # ---- faces ---------------------------------------------------------------------------------

    @property
    def network(self) -> Network:
        """All operations, laid out flat."""
        if self._network is None:
            assert self._elaborated is not None
            self._network = self._elaborated.assembly.network()
        return self._network

    @cached_property
    def graph(self) -> MultiDiGraph[Any]:
        """The network as a networkx MultiDiGraph: a DAG of operations; edges carry the input's port."""
        from archdsl.graph import to_graph

        return to_graph(self.network)

    @property
    def about(self) -> dict[str, Any]:
        """What the spec says of itself: paper, year, task, weights."""
        return {} if self._program is None else self._program.about

    @cached_property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Advice on this spec; its mistakes were raised when it was loaded."""
        return () if self._program is None else check_program(self._program)

    @property
    def requirements(self) -> tuple[Require, ...]:
        """What its spec requires of it."""
        return () if self._program is None else self._program.requirements

    def too_small_for(self, object_size: int) -> Diagnostic | None:
        """Advice for objects that are wider than the receptive field; None where it takes them in."""
        if self._program is None or self._program.pipeline is None:
            return None
        return small_field(self._program.pipeline.span, self.network, object_size)

    def summary(self, levels: int | None = None) -> Summary:
        """A table of stages with shapes, parameters and multiply-adds."""
        return summarise(self.network, levels)

    def draw(self, path: str | Path | None = None, *, level: str = "recipe") -> str:
        """The drawing as DOT text; written to a file too, where one is named.

        The file's ending chooses SVG, PNG, PDF or DOT. Warns where nothing on this machine can draw:
        the DOT text is what is written then.
        """
        from archdsl.emitters.drawing import draw, write

        if path is not None:
            written = write(self.network, Path(path), title=self.name, level=level)
            if written.advice is not None:
                warnings.warn(str(written.advice), stacklevel=2)
        return draw(self.network, title=self.name, level=level)

    def to_torch(self, *, inference: bool = False) -> Module:
        """The network as a torch module; `inference` builds no training-only part."""
        from archdsl.emitters.torch_module import build

        return build(self.network, inference=inference)

    def to_text(self, comments: tuple[str, ...] = ()) -> str:
        """The closed spec as formatted text, comments above it.

        Raises ArchError where text can't say it: after surgery on the graph, or for choices inside
        a definition that a recipe stage calls.
        """
        if self._program is None:
            raise ArchError(without_place(NoText()))
        return format_tree(closed_statements(self._program, self.traced()), comments)

    @property
    def program(self) -> Program | None:
        """The spec that it was made of; None after surgery on the graph."""
        return self._program

    def traced(self) -> Elaborated:
        """What it was elaborated to, once more, with what was decided and called where."""
        assert self._program is not None
        made = self._program.elaborate(self._again(), tracing=True)
        assert made is not None
        return made

    def with_text(self, text: str) -> Architecture:
        """What another text says, with its input, choices and folder; raises ArchError if that is wrong."""
        program = self._program
        assert program is not None
        tree = parse(Source(program.file.spec.source.name, text))
        file = program.file.vocabulary.file(tree, program.file.folder)
        made = closed(self.name, Program(file, program.input, program.overrides), self._decided)
        assert isinstance(made, Architecture)
        return made

    @property
    def _decided(self) -> dict[str, Answer]:
        return {} if self._elaborated is None else self._elaborated.decided

    def _again(self) -> Decide:
        """The decisions that made this architecture."""
        return fixed_decision(self._decided, first_option)

    def _repr_svg_(self) -> str | None:
        from archdsl.emitters.drawing import svg

        return svg(self.network, title=self.name)

    def __repr__(self) -> str:
        told = "unknown" if self.macs is None else f"{self.macs:,}"
        return f"Architecture({self.name!r}, params={self.params:,}, macs={told})"


class Space:
    """A spec with open choices: every member is an Architecture."""

    def __init__(self, name: str, program: Program, given: Mapping[str, Answer]) -> None:
        self.name = name
        self._program = program
        self._given = dict(given)

    @cached_property
    def _tree(self) -> tuple[Fork, ...]:
        def explore(decide: Decide) -> dict[str, Choice]:
            made = self._elaborate(decide)
            return {name: choice for name, choice in made.asked.items() if name not in self._given}

        return forks(explore)

    @property
    def choices(self) -> tuple[Choice, ...]:
        """Every open choice, outer ones first; one inside an option exists only where that is taken."""
        return choices_of(self._tree)

    def count(self) -> int:
        """How many ways there are to close all choices; a range of real numbers counts its two ends."""
        return count(self._tree)

    @cached_property
    def extremes(self) -> tuple[Architecture, Architecture]:
        """The members with fewest and with most parameters; whether they meet requirements isn't looked at.

        They are found by changing one choice after the other, until no change helps.
        """

        def member(answers: Mapping[str, Answer]) -> Architecture:
            return self.decide(fixed_decision(answers, first_option))

        def end(sign: int) -> Architecture:
            return member(least(self._tree, lambda answers: sign * member(answers).params))

        return end(1), end(-1)

    def __iter__(self) -> Iterator[Architecture]:
        """Every member, in the order of the choices."""
        decided: list[tuple[Choice, Answer]] = []
        while True:
            prefix = {choice.name: answer for choice, answer in decided}
            member = self.decide(fixed_decision(prefix, first_option))
            yield member
            assert member._elaborated is not None
            asked = [(c, a) for c, a in self._open(member._elaborated)]
            while asked and asked[-1][1] == options_of(asked[-1][0])[-1]:
                asked.pop()
            if not asked:
                return
            choice, answer = asked.pop()
            options = options_of(choice)
            decided = [*asked, (choice, options[options.index(answer) + 1])]

    def _open(self, made: Elaborated) -> list[tuple[Choice, Answer]]:
        return [(c, made.decided[name]) for name, c in made.asked.items() if name not in self._given]

    def _elaborate(self, decide: Decide) -> Elaborated:
        made = self._program.elaborate(fixed_decision(self._given, decide))
        assert made is not None
        return made

    def decide(self, decide: Decide) -> Architecture:
        """The member that a decision function leads to; raises ArchError where it makes no network."""
        return Architecture(self.name, self._program, self._elaborate(decide))

    def sample(self, seed: int) -> Architecture:
        """A member drawn decision by decision; requirements are not looked at (`feasible` tells)."""
        return self.decide(random_decision(seed))

    def violations(self, architecture: Architecture) -> tuple[str, ...]:
        """The requirements that a member breaks, as they are written."""
        return tuple(map(format_node, broken(self._program.requirements, architecture)))

    def feasible(self, architecture: Architecture) -> bool:
        """Whether a member meets every requirement."""
        return all(holds(requirement, architecture) for requirement in self._program.requirements)

    def close(self, options: Mapping[str, str | int | float] | None = None) -> Architecture | Space:
        """The spec with choices closed by name; a Space if some are still open.

        Raises ArchError for a name or an option that does not exist.
        """
        return closed(self.name, self._program, {**self._given, **self._answers(options or {})})

    def _answers(self, options: Mapping[str, Any]) -> dict[str, Answer]:
        known = {choice.name: choice for choice in self.choices}
        answers: dict[str, Answer] = {}
        for name, option in options.items():
            if name not in known:
                raise ArchError(without_place(UnknownChoice(name, tuple(known))))
            answers[name] = answer_of(known[name], option)
        return answers

    @property
    def about(self) -> dict[str, Any]:
        return self._program.about

    @property
    def input(self) -> Shape:
        return self._program.input

    @cached_property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        return check_program(self._program)

    def __repr__(self) -> str:
        return f"Space({self.name!r}, {len(self.choices)} choices, {self.count():,} members)"


def closed(name: str, program: Program, given: Mapping[str, Answer]) -> Architecture | Space:
    """An architecture if no choice is left open, else a space."""
    if not program.is_open:
        made = program.elaborate(first_option)
        assert made is not None
        return Architecture(name, program, made)
    made = program.elaborate(fixed_decision(given, first_option))
    assert made is not None
    if all(choice in given for choice in made.asked):
        return Architecture(name, program, made)
    return Space(name, program, given)
