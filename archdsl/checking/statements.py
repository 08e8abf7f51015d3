"""Statements as they are written: definitions that use themselves, defaults, facts, requirements."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from types import SimpleNamespace

from archdsl.analyses.requirements import FIGURES, holds
from archdsl.checking.reach import Reach
from archdsl.checking.signatures import ANYTHING, Signature, of_builtin, of_definition
from archdsl.checking.stages import Stages
from archdsl.checking.values import LOGIC
from archdsl.elaboration.program import FACTS
from archdsl.errors import ArchError, Diagnostic
from archdsl.errors.arguments import OutOfBounds, WrongValue
from archdsl.errors.names import DefinedTwice, UnknownStage, UsesItself
from archdsl.errors.specs import NoDefaults, StatedTwice, TwoPipelines, UnknownFact
from archdsl.source import Label, Span
from archdsl.syntax import (
    About,
    Binary,
    Binding,
    Default,
    Define,
    Expression,
    Input,
    Let,
    Name,
    Paren,
    Pipeline,
    Require,
    Unary,
    Use,
    Version,
    Word,
    walk,
)
from archdsl.vocabulary import JOINS, STRUCTURE, Definition, bare_call, room_for_calls
from archdsl.vocabulary import Binding as LetBinding

# Any figures will do to see whether a requirement is a condition at all.
SOME_FIGURES = SimpleNamespace(**dict.fromkeys(FIGURES, 1_000_003) | {"gridding_free": True})


class Statements(Stages):
    """Checks the statements of a file, each by itself."""

    def check(self) -> list[Diagnostic]:
        """All that is wrong with the statements, in no order."""
        self.found += [diagnostic for error in self.file.mistakes for diagnostic in error.diagnostics]
        self._uses()
        self._once()
        with room_for_calls():
            self._cycles()
            self._each()
        return self.found

    def _each(self) -> None:
        defaults: dict[str, dict[str, Span]] = {}
        facts: dict[str, Span] = {}
        for statement in self.file.spec.statements:
            match statement:
                case Define():
                    self._define(statement)
                case Let():
                    self.constant(statement.value, Reach({}, outside=True))
                case Default():
                    self._default(statement, defaults.setdefault(statement.word, {}))
                case About():
                    self._about(statement, facts)
                case Input():
                    self._input(statement)
                case Require():
                    self._require(statement.condition)
                case Pipeline():
                    self.pipeline(statement, Reach.of(statement))

    # ---- the file ------------------------------------------------------------------------------

    def _uses(self) -> None:
        """Reads the used files; where one can't be read, any unknown word may be of it."""
        for statement in self.file.spec.statements:
            if not isinstance(statement, Use):
                continue
            try:
                self.file.vocabulary.used(statement, self.file)
            except ArchError as error:
                self.blind = True
                place = Label(statement.span, "used here")
                self.found += [_also_at(diagnostic, place) for diagnostic in error.diagnostics]

    def _once(self) -> None:
        """Tells of statements that a file may have once."""
        words = {Version: "arch", Input: "input", Pipeline: "pipeline"}
        first: dict[str, Span] = {}
        for statement in self.file.spec.statements:
            word = words.get(type(statement))
            if word is None:
                continue
            if word in first:
                mistake = TwoPipelines() if word == "pipeline" else StatedTwice(word)
                self.tell(mistake, statement.span, Label(first[word], "the first one"))
            first.setdefault(word, statement.span)

    # ---- definitions ---------------------------------------------------------------------------

    @cached_property
    def _own(self) -> dict[str, Definition | LetBinding]:
        """What the file defines, by name."""
        return {**self.file.definitions, **self.file.lets}

    def _define(self, define: Define) -> None:
        places: dict[str, Span] = {}
        reach = Reach.of(define, define.parameters or ())
        outside = reach._replace(labels=(), outside=True)
        for parameter in define.parameters or ():
            if parameter.name in places:
                self.tell(
                    DefinedTwice(parameter.name), parameter.span, Label(places[parameter.name], "first here")
                )
            places[parameter.name] = parameter.span
            if parameter.default is not None:
                self.constant(parameter.default, outside)
        # One bare call without parameters of its own passes on what it is given by name.
        passes_on = define.parameters is None and bare_call(define.body) is not None
        self.pipeline(define.body, reach, whole=not passes_on)

    def _cycles(self) -> None:
        """Tells of definitions and lets that use themselves, each cycle once."""
        done: set[str] = set()
        for name in self._own:
            self._follow(name, (), done)

    def _follow(self, name: str, chain: tuple[str, ...], done: set[str]) -> None:
        if name in done:
            return
        for word in self._references(name):
            inside = (*chain, name)
            if word.name in inside:
                cycle = inside[inside.index(word.name) :]
                if not self.cyclic.issuperset(cycle):
                    self.cyclic.update(cycle)
                    span = word.name_span if isinstance(word, Word) else word.span
                    self.tell(UsesItself((*cycle, word.name)), span)
            else:
                self._follow(word.name, inside, done)
        done.add(name)

    def _references(self, name: str) -> Iterator[Word | Name]:
        """The words in a definition or let that name a definition or let of this file."""
        meaning = self._own[name]
        node = meaning.node
        bound = {n for found in walk(node) if isinstance(found, Binding) for n in found.names}
        if isinstance(meaning, Definition):
            bound.update(meaning.parameters)
        for found in walk(node):
            if isinstance(found, Word | Name) and found.name in self._own and found.name not in bound:
                yield found

    # ---- other statements ----------------------------------------------------------------------

    def _default(self, statement: Default, places: dict[str, Span]) -> None:
        """Checks defaults; `places` has those that the file stated for this word before."""
        signature = self._options_of(statement)
        for keyword in statement.keywords:
            self.option(statement.word, keyword, places, signature)
            kind = signature.kinds.get(keyword.name)
            self.argument(keyword.value, kind, keyword.name, statement.word, Reach({}))

    def _options_of(self, statement: Default) -> Signature:
        """What the word of a `default` takes; tells of one that takes no options."""
        word, span = statement.word, statement.word_span
        before = len(self.found)
        meaning = None if word in STRUCTURE else self.meaning(word, span)
        if isinstance(meaning, Definition):
            return of_definition(meaning)
        if isinstance(meaning, type) and word not in JOINS:
            return of_builtin(meaning)
        if meaning is not None or word in STRUCTURE or word in JOINS:
            self.tell(NoDefaults(word), span)
        elif len(self.found) == before and word not in self.lost and not self.blind:
            self.tell(UnknownStage(word, self.stage_words()), span)
        return ANYTHING

    def _about(self, about: About, places: dict[str, Span]) -> None:
        """Checks facts; `places` has those that the file stated before."""
        for keyword in about.keywords:
            self.option("about", keyword, places, ANYTHING)
            if keyword.name not in FACTS:
                self.tell(UnknownFact("fact", keyword.name, FACTS), keyword.name_span)

    def _input(self, statement: Input) -> None:
        sizes = statement.shape.value
        if len(sizes) not in (3, 4):
            wanted = "channels, height and width, such as 3x224x224"
            self.tell(WrongValue("input", wanted, statement.shape.span.text), statement.shape.span)
        elif not all(sizes):
            self.tell(OutOfBounds("input", "0", "1"), statement.shape.span)

    def _require(self, condition: Expression) -> None:
        match condition:
            case Binary(operator=operator, left=left, right=right) if operator in LOGIC:
                self._require(left)
                self._require(right)
            case Unary(operator="not", operand=inner) | Paren(inner=inner):
                self._require(inner)
            case _:
                if self._figures(condition):
                    with self.telling(condition.span):
                        holds(Require(condition.span, condition), SOME_FIGURES)

    def _figures(self, condition: Expression) -> bool:
        """Tells of figures that there are not; whether there are none such."""
        unknown = [n for n in walk(condition) if isinstance(n, Name) and n.name not in FIGURES]
        for name in unknown:
            self.tell(UnknownFact("figure to require", name.name, tuple(FIGURES)), name.span)
        return not unknown


def _also_at(diagnostic: Diagnostic, place: Label) -> Diagnostic:
    """A diagnostic of another file, with the place in this one that leads there."""
    here = any(label.span.source is place.span.source for label in diagnostic.labels)
    return (
        diagnostic
        if here
        else replace(diagnostic, labels=(*diagnostic.labels, place._replace(primary=False)))
    )
