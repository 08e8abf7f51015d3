"""Where the elaborator stands: the run, the definition being expanded, the names in reach."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from archdsl.blocks import Builder
from archdsl.elaboration.choices import Asker, Choice, words_of
from archdsl.elaboration.values import EndOfRun, Partial, Value
from archdsl.errors import ArchError, Diagnostic
from archdsl.errors.expansion import CallsTooDeep, TooManyOperations, TooManySteps
from archdsl.errors.names import UsesItself
from archdsl.formatter import format_node
from archdsl.source import Span
from archdsl.stage import Flow, Map
from archdsl.syntax import Node, Pipeline, Word
from archdsl.tensors import Shape
from archdsl.vocabulary import File

MAX_CALLS = 64  # definitions, or lets, inside one another
MAX_STEPS = 200_000
MOST_COLLECTED = 100
# Mistakes after which a collecting run would meet itself again and again.
ENDING = frozenset(mistake.code for mistake in (UsesItself, TooManyOperations, TooManySteps, CallsTooDeep))


@dataclass(eq=False)
class Trace:
    """What was decided while one definition (or file) was expanded once: enough to write it closed.

    Keys are a node and the turns of the loops around it; of calls of a definition that was given as a
    value (`given`, perhaps several) the place where it was written.
    """

    name: str
    decisions: dict[tuple[Node, tuple[int, ...]], Any] = field(default_factory=dict)
    calls: dict[tuple[Node, tuple[int, ...]], Trace] = field(default_factory=dict)
    given: dict[tuple[Span, tuple[int, ...]], list[Trace]] = field(default_factory=dict)
    turns: dict[tuple[Node, tuple[int, ...]], list[Any]] = field(default_factory=dict)

    def called(self, name: str, site: Node | Span, turn: tuple[int, ...]) -> Trace:
        """The trace of one more call; `site` is the stage, or where a value was written."""
        made = Trace(name)
        if isinstance(site, Node):
            self.calls[site, turn] = made
        else:
            self.given.setdefault((site, turn), []).append(made)
        return made


@dataclass(eq=False)
class Run:
    """One elaboration of one spec.

    Attributes:
        image: the input's shape.
        overrides: values of lets that the caller gives (`classes` of the data).
        memo: blocks that were built, by key; None elaborates everything afresh.
        collected: where mistakes go instead of ending the run; None raises the first.
        steps: how many stages it went through.
        calls: those that are being expanded, outermost first.
        tracing: whether what is decided and called is written down.
        handed: what words that call a variable called.
    """

    image: Shape
    overrides: Mapping[str, Value]
    memo: dict[Any, Any] | None
    collected: list[Diagnostic] | None = None
    lets: dict[Any, Value] = field(default_factory=dict)
    words: dict[Pipeline, dict[Node, str]] = field(default_factory=dict)
    choices: dict[tuple[Node, str], Choice] = field(default_factory=dict)
    evaluating: list[Any] = field(default_factory=list)
    let_traces: dict[Any, Trace] = field(default_factory=dict)
    handed: dict[Word, list[Partial]] = field(default_factory=dict)
    tracing: bool = False
    steps: int = 0
    calls: list[Span] = field(default_factory=list)

    def step(self, span: Span) -> None:
        """Counts a stage; raises where there are too many, also of those that come to nothing."""
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise ArchError(TooManySteps(MAX_STEPS).at(span))

    def note(self, *mistakes: Diagnostic) -> None:
        """Notes mistakes of a collecting run; raises EndOfRun where that is enough."""
        assert self.collected is not None
        self.collected.extend(mistakes)
        if len(self.collected) > MOST_COLLECTED or any(mistake.code in ENDING for mistake in mistakes):
            raise EndOfRun

    def choice(self, node: Node, name: str, options: Iterable[Node]) -> Choice:
        """The choice of one of some options, called by their texts; made once for a name."""
        found = self.choices.get((node, name))
        if found is None:
            texts = tuple(map(format_node, options))
            found = self.choices[node, name] = Choice(name, "categorical", texts, node.span)
        return found

    def words_in(self, pipeline: Pipeline, file: File) -> dict[Node, str]:
        found = self.words.get(pipeline)
        if found is None:
            found = self.words[pipeline] = words_of(pipeline, file)
        return found


class Scope:
    """A scope of module paths: its prefix, how many stages it holds so far, names that came by themselves."""

    __slots__ = ("count", "own", "prefix", "shared")

    def __init__(self, prefix: str, shared: bool = False) -> None:
        self.prefix = prefix
        self.count = 0
        self.own: dict[str, int] = {}
        self.shared = shared

    def name_of(self, word: str) -> str:
        """The name of a gate or a shortcut: its word, numbered from the second of its scope on."""
        self.own[word] = self.own.get(word, 0) + 1
        return word if self.own[word] == 1 else f"{word}{self.own[word]}"


class Trail:
    """Values between the stages of a definition's outermost pipeline, until the pooling."""

    __slots__ = ("closed", "values")

    def __init__(self) -> None:
        self.values: list[Map] = []
        self.closed = False

    def follow(self, value: Map) -> None:
        """Notes a value; one without a place (after global pooling) ends the trail."""
        self.closed = self.closed or value.stride is None
        if not self.closed:
            self.values.append(value)


@dataclass(eq=False)
class Frame:
    """One expansion of a definition, or of a file's pipeline.

    Attributes:
        flow: what flowed in (`@in`).
        names: values that have a name.
        applied: stages by name, for `share`.
        chain: names of the definitions being expanded, outermost first.
    """

    run: Run
    file: File
    builder: Builder
    flow: Any
    image: Map
    names: dict[str, Flow] = field(default_factory=dict)
    applied: dict[str, Any] = field(default_factory=dict)
    chain: tuple[Any, ...] = ()
    trace: Trace | None = None


class Context:
    """A frame with what changes inside it: loop variables, scope, words so far, turns.

    `sumless` holds inside a residual that drops its sum: dropping a path there would drop the map.
    """

    __slots__ = ("asker", "frame", "numbering", "scope", "sumless", "trail", "turn", "variables", "words")

    def __init__(
        self,
        frame: Frame,
        asker: Asker,
        variables: Mapping[str, Value],
        scope: Scope,
        words: str,
        numbering: Mapping[Node, str],
        turn: tuple[int, ...] = (),
        trail: Trail | None = None,
        sumless: bool = False,
    ) -> None:
        self.frame = frame
        self.asker = asker
        self.variables = variables
        self.scope = scope
        self.words = words
        self.numbering = numbering
        self.turn = turn
        self.trail = trail
        self.sumless = sumless

    def but(self, **changes: Any) -> Context:
        """This context with some parts replaced."""
        fresh = self._again()
        for name, value in changes.items():
            setattr(fresh, name, value)
        return fresh

    def _again(self) -> Context:
        return Context(
            self.frame,
            self.asker,
            self.variables,
            self.scope,
            self.words,
            self.numbering,
            self.turn,
            self.trail,
            self.sumless,
        )

    def word(self, node: Node, fallback: str) -> str:
        """The name so far of choices at a stage or below; `fallback` is its own name, holes filled."""
        own = self.numbering.get(node, fallback)
        if "{" in own:
            own = fallback + "".join(own.partition("#")[1:])
        return f"{self.words}.{own}" if self.words else own
