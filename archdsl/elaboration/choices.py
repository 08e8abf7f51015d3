"""Choices: what `decide` is asked, how a choice gets its name, who remembers the answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from archdsl.source import Span
from archdsl.syntax import (
    Alternatives,
    Branch,
    Each,
    Element,
    Expression,
    Group,
    Join,
    Keyword,
    Loop,
    Marked,
    Node,
    Pipeline,
    Range,
    Word,
    children,
)
from archdsl.vocabulary import Binding, File

Answer: TypeAlias = str | int | float
Decide: TypeAlias = "Callable[[Choice], Answer]"


class Choice(NamedTuple):
    """One open choice, as `decide` is asked it.

    Attributes:
        name: the way to it in words and the argument: `up.block.mbconv.expand`.
        kind: `categorical`, `int` or `float`.
        options: the options' canonical texts; of an int range its numbers as text.
        low, high, step, log: of a range; None and false for a categorical choice.
        span: where it is written.
    """

    name: str
    kind: str
    options: tuple[str, ...]
    span: Span
    low: float | None = None
    high: float | None = None
    step: float | None = None
    log: bool = False

    def named(self, prefix: str) -> Choice:
        return self.called(join_words(prefix, self.name))

    def called(self, name: str) -> Choice:
        return Choice(name, *self[1:])


def join_words(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix and name else prefix or name


class Asker:
    """Whoever is asked for a decision: the root remembers, a recorder also writes down."""

    def choose(self, choice: Choice) -> Answer:
        raise NotImplementedError

    def let(self, binding: Binding) -> Any:
        raise NotImplementedError


class Root(Asker):
    """Asks `decide` once for each name and remembers.

    Two places of one name are told apart by number: lets of two files, choices in one expression.
    """

    def __init__(self, decide: Decide, evaluate_let: Callable[[Binding], Any]) -> None:
        self.decide = decide
        self.decided: dict[str, Answer] = {}
        self.asked: dict[str, Choice] = {}
        self._evaluate_let = evaluate_let
        self._lets: dict[Binding, Any] = {}

    def choose(self, choice: Choice) -> Answer:
        name, number = choice.name, 1
        while (known := self.asked.get(choice.name)) is not None:
            if known.span == choice.span:
                return self.decided[choice.name]
            number += 1
            choice = choice.called(f"{name}#{number}")
        self.decided[choice.name] = self.decide(choice)
        self.asked[choice.name] = choice
        return self.decided[choice.name]

    def let(self, binding: Binding) -> Any:
        if binding not in self._lets:
            self._lets[binding] = self._evaluate_let(binding)
        return self._lets[binding]


class Recorder(Asker):
    """Passes questions on below a prefix and writes down what was asked, relative to it, each once.

    A block that is half known is asked about again while it is built: a second entry would be another
    question to those who look for it.
    """

    def __init__(self, parent: Asker, prefix: str, key: Callable[[Any], Any]) -> None:
        self.parent = parent
        self.prefix = prefix
        self.log: list[tuple[Choice | Binding, Any]] = []
        self._key = key
        self._logged: set[Any] = set()

    def choose(self, choice: Choice) -> Answer:
        answer = self.parent.choose(choice.named(self.prefix))
        self._note((choice.name, choice.span), choice, answer)
        return answer

    def let(self, binding: Binding) -> Any:
        value = self.parent.let(binding)
        self._note(binding, binding, self._key(value))
        return value

    def _note(self, key: Any, what: Choice | Binding, answer: Any) -> None:
        if key not in self._logged:
            self._logged.add(key)
            self.log.append((what, answer))


# ---- names -------------------------------------------------------------------------------------


def words_of(root: Pipeline, file: File) -> dict[Node, str]:
    """The words by which choices below a pipeline are called.

    Keys are stages, and of what is no stage the place where a choice may stand: how often a group is
    repeated, what a loop runs over, what an `if` asks, a residual's option. Equal words are counted
    among those with open choices, in the order of the text. Groups, loops, joins and branches are
    looked through; a named one counts for itself, below its name.
    """
    numbering = _Numbering(file, {})
    numbering.pipeline(root)
    return numbering.found


def single(pipeline: Pipeline) -> Element | None:
    """The stage that brackets are transparent for: a single one without a name of its own."""
    first = pipeline.elements[0]
    return first if len(pipeline.elements) == 1 and not isinstance(first, Marked) else None


def unwrapped(pipeline: Pipeline) -> Pipeline:
    """A pipeline without the brackets around all of it."""
    while isinstance(stage := single(pipeline), Group) and stage.times is None:
        pipeline = stage.body
    return pipeline


class _Numbering:
    """Counts the words of one scope of names."""

    def __init__(self, file: File, found: dict[Node, str]) -> None:
        self.file = file
        self.found = found
        self.counts: dict[str, int] = {}

    def pipeline(self, pipeline: Pipeline) -> None:
        for element in pipeline.elements:
            self.element(element)

    def element(self, element: Element, label: str | None = None, optional: bool = False) -> None:
        match element:
            case Marked():
                self.element(element.element, element.label or label, element.optional)
            case Word():
                self._count(element, label or element.name, optional or self.file.is_open(element))
            case Alternatives():
                self._count(element, label or "choice", True)
            case Group(times=times, body=body):
                if label and times is None and (stage := single(body)):
                    self.element(stage, label, optional)
                    return
                inner = self._inside(element, label, optional, "choice")
                inner.place(times, "times")
                inner.pipeline(body)
            case Loop():
                self._inside(element, label, optional, "choice").loop(element)
            case Join():
                self._inside(element, label, optional, element.name).join(element, bool(label))
            case Branch():
                self._branch(element, label, optional)
            case _:
                return

    def loop(self, loop: Loop | Each) -> None:
        for binding in loop.bindings:
            values = binding.values
            parts = children(values) if isinstance(values, Range) else (values,)  # `a..b` is a sequence here
            self._count(values, binding.names[0], any(map(self.file.is_open, parts)))
        self.pipeline(loop.body)

    def join(self, join: Join, named: bool) -> None:
        options = [branch for branch in join.branches if isinstance(branch, Keyword)]
        for option in options:
            self.found[option] = option.name
        if not named and any(self.file.is_open(option) for option in options):
            word = self._counted(join.name, True)
            self.found.update((option, f"{word}.{option.name}") for option in options)
        self.place(join.times, "times")
        for branch in join.branches:
            if isinstance(branch, Pipeline):
                self.pipeline(branch)
            elif isinstance(branch, Each):
                self.loop(branch)

    def _branch(self, branch: Branch, label: str | None, optional: bool) -> None:
        inner = self._inside(branch, label, optional, "choice")
        self.place(branch.condition, "if")
        for part in (branch.then, branch.otherwise):
            if isinstance(part, Branch):
                self._branch(part, label, False)
            elif part is not None and label and (stage := single(part)):
                self.element(stage, label)
            elif part is not None:
                inner.pipeline(part)

    def _inside(self, element: Element, label: str | None, optional: bool, word: str) -> _Numbering:
        """The scope inside a group, loop, join or branch: one of its own where it has a name."""
        if label is not None:
            return _Numbering(self.file, self.found)
        if optional:
            self._count(element, word, True)
        return self

    def place(self, node: Expression | None, word: str) -> None:
        if node is not None:
            self._count(node, word, self.file.is_open(node))

    def _count(self, node: Node, word: str, is_open: bool) -> None:
        self.found[node] = self._counted(word, is_open)

    def _counted(self, word: str, is_open: bool) -> str:
        if not is_open:
            return word
        self.counts[word] = self.counts.get(word, 0) + 1
        return word if self.counts[word] == 1 else f"{word}#{self.counts[word]}"
