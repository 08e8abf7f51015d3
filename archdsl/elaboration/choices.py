"""Choices: what `decide` is asked, how a choice gets its name, who remembers the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from archdsl.source import Span
from archdsl.syntax import (
    Alternatives,
    Branch,
    Each,
    Element,
    Group,
    Join,
    Keyword,
    Loop,
    Marked,
    Node,
    Pipeline,
    Word,
)
from archdsl.vocabulary import Binding, File

Answer: TypeAlias = str | int | float
Decide: TypeAlias = "Callable[[Choice], Answer]"


@dataclass(frozen=True, slots=True)
class Choice:
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
        return Choice(
            join_words(prefix, self.name),
            self.kind,
            self.options,
            self.span,
            self.low,
            self.high,
            self.step,
            self.log,
        )


def join_words(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix and name else prefix or name


class Asker:
    """Whoever is asked for a decision: the root remembers, a recorder also writes down."""

    def choose(self, choice: Choice) -> Answer:
        raise NotImplementedError

    def let(self, binding: Binding) -> Any:
        raise NotImplementedError


class Root(Asker):
    """Asks `decide` once for each name and remembers."""

    def __init__(self, decide: Decide, evaluate_let: Callable[[Binding], Any]) -> None:
        self.decide = decide
        self.decided: dict[str, Answer] = {}
        self.asked: dict[str, Choice] = {}
        self._evaluate_let = evaluate_let
        self._lets: dict[Binding, Any] = {}

    def choose(self, choice: Choice) -> Answer:
        name = choice.name
        if name not in self.decided:
            self.decided[name] = self.decide(choice)
            self.asked[name] = choice
        return self.decided[name]

    def let(self, binding: Binding) -> Any:
        if binding not in self._lets:
            self._lets[binding] = self._evaluate_let(binding)
        return self._lets[binding]


class Recorder(Asker):
    """Passes questions on below a prefix and writes down what was asked, relative to it."""

    def __init__(self, parent: Asker, prefix: str, key: Callable[[Any], Any]) -> None:
        self.parent = parent
        self.prefix = prefix
        self.log: list[tuple[Choice | Binding, Any]] = []
        self._key = key

    def choose(self, choice: Choice) -> Answer:
        answer = self.parent.choose(choice.named(self.prefix))
        self.log.append((choice, answer))
        return answer

    def let(self, binding: Binding) -> Any:
        value = self.parent.let(binding)
        self.log.append((binding, self._key(value)))
        return value


# ---- names -------------------------------------------------------------------------------------


def words_of(root: Pipeline, file: File) -> dict[Node, str]:
    """The word by which each stage below a pipeline goes in choices' names.

    Equal words are counted among the stages with open choices, in the order of the text; groups,
    loops, joins and branches without a name are looked through.
    """
    counts: dict[str, int] = {}
    found: dict[Node, str] = {}
    for element, word in _named(root):
        if not file.is_open(element):
            found[element] = word
            continue
        counts[word] = counts.get(word, 0) + 1
        found[element] = word if counts[word] == 1 else f"{word}#{counts[word]}"
    return found


def _named(pipeline: Pipeline) -> Iterator[tuple[Node, str]]:
    for element in pipeline.elements:
        yield from _named_element(element, None)


def _named_element(element: Element, label: str | None) -> Iterator[tuple[Node, str]]:
    match element:
        case Marked():
            yield from _named_element(element.element, element.label or label)
        case Word():
            yield element, label or element.name
        case Alternatives():
            yield element, label or "choice"
        case Group() | Join() | Loop() if label:
            yield element, label
        case Group():
            yield from _named(element.body)
        case Loop():
            yield from _named(element.body)
        case Join():
            for branch in element.branches:
                if isinstance(branch, Pipeline):
                    yield from _named(branch)
                elif isinstance(branch, Each):
                    yield from _named(branch.body)
                elif isinstance(branch, Keyword):
                    continue
        case Branch():
            yield from _named(element.then)
            if isinstance(element.otherwise, Pipeline):
                yield from _named(element.otherwise)
            elif element.otherwise is not None:
                yield from _named_element(element.otherwise, None)
        case _:
            return
