"""Stages as they are written: the words of pipelines and what they are given."""

from __future__ import annotations

from typing import Any

from archdsl.analyses.words import HOLE, holes_in
from archdsl.checking.reach import Reach
from archdsl.checking.signatures import ANYTHING, STRUCTURAL, Signature, of_builtin, of_definition, of_stage
from archdsl.checking.values import NUMERIC, Values
from archdsl.elaboration.arguments import first_kind, own_words
from archdsl.elaboration.elaborator import makes_modules
from archdsl.elaboration.joins import PLACES
from archdsl.elaboration.reserved import RESERVED
from archdsl.errors.arguments import GivenTwice, MissingArgument, TooManyArguments, UnknownOption, WrongValue
from archdsl.errors.names import (
    MissingPipe,
    NotAStage,
    NotShared,
    ReservedPath,
    UnknownStage,
    UnknownVariable,
)
from archdsl.errors.syntax import CallSyntax, SpacedBracket
from archdsl.op import Int
from archdsl.op import Word as OneOf
from archdsl.source import Label, Span
from archdsl.stage import Gate, Stage, StageName
from archdsl.syntax import (
    Alternatives,
    At,
    Branch,
    Dimensions,
    Each,
    Element,
    Expression,
    Group,
    Join,
    Keyword,
    Listing,
    Loop,
    Marked,
    Name,
    Number,
    Paren,
    Pipeline,
    Range,
    Text,
    Truth,
    Word,
)
from archdsl.vocabulary import JOINS, STRUCTURE, Binding, Definition, Meaning

RESIDUAL = {
    "shortcut": StageName(own=("auto",), optional=True),
    "se": OneOf(PLACES, optional=True),
    "attention": Gate(),
    "at": OneOf(PLACES, optional=True),
}
# What a word needs that goes by position alone, with an example.
EXAMPLES = {
    "encoder": ("a name", "encoder resnet34"),
    "context": ("a name", "context none"),
    "skip": ("a name", "skip plain"),
    "up": ("a name", "up transpose"),
    "head": ("a name or a size", "head 1x1 out=2"),
    "share": ("a name", "share stem"),
    "level": ("a number", "level 0"),
    "levels": ("a list", "levels [0, 1]"),
    "aux": ("a stage", "aux (head linear out=10) weight=0.3"),
}
NO_STAGES = Number | Dimensions | Text | Truth | Listing


class Stages(Values):
    """Checks pipelines."""

    def pipeline(self, pipeline: Pipeline, reach: Reach, *, whole: bool = True) -> None:
        for element in pipeline.elements:
            self.element(element, reach, whole)

    def element(self, element: Element, reach: Reach, whole: bool = True) -> None:
        match element:
            case Word():
                self.word(element, reach, whole)
            case Marked():
                self._label(element, reach)
                self.element(element.element, reach, whole)
            case Group():
                self.pipeline(element.body, reach)
                self._times(element.times, reach)
            case Join():
                self.join(element, reach)
                self._times(element.times, reach)
            case Loop():
                self.loop(element, reach)
            case Branch():
                self._branch(element, reach)
            case At():
                self.at(element, reach)
            case Alternatives():
                for option in element.options:
                    if not self.lacks_comma(option):
                        self.pipeline(option, reach)

    def _branch(self, branch: Branch, reach: Reach) -> None:
        self.condition(branch.condition, reach)
        self.pipeline(branch.then, reach)
        if isinstance(branch.otherwise, Branch):
            self._branch(branch.otherwise, reach)
        elif branch.otherwise is not None:
            self.pipeline(branch.otherwise, reach)

    def loop(self, loop: Loop | Each, reach: Reach) -> None:
        """Checks the lists of a loop, and its body with the loop's variables."""
        before = len(self.found)
        parts = [part for binding in loop.bindings for part in _bounds(binding.values)]
        for part in parts:
            self.numeric(part, reach)
        if len(self.found) == before and all(self.is_constant(part, reach) for part in parts):
            with self.telling(loop.span):
                self.arguments.evaluator.turns(loop.bindings, self.context(reach))
        for binding in loop.bindings:
            reach = reach.within(binding.names, binding.span)
        self.pipeline(loop.body, reach)

    def _times(self, times: Expression | None, reach: Reach) -> None:
        if times is not None:
            self.numeric(times, reach)

    def _label(self, marked: Marked, reach: Reach) -> None:
        if marked.label is None or marked.label_span is None:
            return
        for hole in holes_in(marked.label):
            self.hole(hole, marked.label_span, reach)
        for part in HOLE.sub("{}", marked.label).split("."):
            if part in RESERVED and makes_modules(marked.element):
                self.tell(ReservedPath(part), marked.label_span)

    # ---- joins ---------------------------------------------------------------------------------

    def join(self, join: Join, reach: Reach) -> None:
        if join.name not in JOINS:
            self._no_join(join, reach)
        kinds = RESIDUAL if join.name == "residual" else {}
        signature = Signature((), None, tuple(kinds), kinds) if join.name in JOINS else ANYTHING
        places: dict[str, Span] = {}
        for branch in join.branches:
            if isinstance(branch, Pipeline):
                self.pipeline(branch, reach)
            elif isinstance(branch, Each):
                self.loop(branch, reach)
            else:
                self.option(join.name, branch, places, signature)
                self.argument(branch.value, kinds.get(branch.name), branch.name, branch.name, reach)

    def _no_join(self, join: Join, reach: Reach) -> None:
        """A word with round brackets that is no join."""
        words = (*JOINS, *self.stage_words(), *reach.variables)
        if join.name in words:
            self.tell(CallSyntax(join.name, join.span.text[len(join.name) + 1 : -1]), join.name_span)
        elif not self.blind and join.name not in self.lost:
            self.tell(UnknownStage(join.name, words), join.name_span)

    # ---- words ---------------------------------------------------------------------------------

    def word(self, word: Word, reach: Reach, whole: bool = True) -> None:
        """Checks a stage: what its word means, and its arguments."""
        signature = ANYTHING
        if self.file.is_structure(word.name):
            signature = STRUCTURAL[word.name]
        elif word.name in JOINS:
            self._unglued(word)
        elif word.name not in reach.variables and word.name not in self.lost:
            signature = self._signature(word, reach)
        places = self._arguments(word, signature, reach)
        if whole and places is not None:
            self._complete(word, signature, places, reach)
        if word.name == "share" and word.arguments and isinstance(word.arguments[0], Name):
            self._shared(word.arguments[0], reach)

    def _signature(self, word: Word, reach: Reach) -> Signature:
        """What a word's stage takes; tells of a word that is none."""
        before = len(self.found)
        meaning = self.meaning(word.name, word.name_span)
        if isinstance(meaning, Definition):
            return of_definition(meaning)
        if isinstance(meaning, type) and issubclass(meaning, Stage):
            return of_stage(word, meaning, lambda name: self._named(name, reach))
        if isinstance(meaning, type):
            return of_builtin(meaning)
        if isinstance(meaning, Binding):
            if isinstance(meaning.node.value, NO_STAGES):
                place = Label(meaning.node.name_span, "defined here")
                self.tell(NotAStage(f"`{word.name}`"), word.name_span, place)
        elif len(self.found) == before and not self.blind:
            known = (*self.stage_words(), *reach.variables)
            self.tell(UnknownStage(word.name, known, self._owner(word.name)), word.name_span)
        return ANYTHING

    def _owner(self, word: str) -> str:
        """The recipe stage of which a word is one."""
        for name, stage in self.file.vocabulary.stages.items():
            if word in own_words(first_kind(stage)):
                return name
        return ""

    def _named(self, name: Name, reach: Reach) -> Meaning | Signature | None:
        """What the NAME of a recipe stage means; of a wrong one nothing more is told."""
        if name.name in reach.variables or name.name in self.lost:
            return None
        return self.meaning(name.name, name.span)

    def stage_words(self) -> tuple[str, ...]:
        return () if self.blind else self.file.vocabulary.stage_words(self.file)

    def _unglued(self, word: Word) -> None:
        """`concat (a, b)`, or a join without any brackets."""
        first = word.arguments[0] if word.arguments else None
        if isinstance(first, Paren):
            glue = word.name_span.to(first.span._replace(end=first.span.start + 1))
            self.tell(SpacedBracket(word.name), glue)
        else:
            self.tell(NotAStage(f"`{word.name}` without brackets"), word.name_span)

    def _shared(self, name: Name, reach: Reach) -> None:
        if not holes_in(name.name) and not reach.has_label(name.name):
            self.tell(NotShared(name.name, reach.labels), name.span)

    # ---- arguments -----------------------------------------------------------------------------

    def _arguments(self, word: Word, signature: Signature, reach: Reach) -> dict[str, Span] | None:
        """Checks a stage's arguments; gives where each was given, None where that can't be told."""
        places: dict[str, Span] = {}
        count = 0
        for index, argument in enumerate(word.arguments):
            if isinstance(argument, Keyword):
                self.option(word.name, argument, places, signature)
                kind = signature.kinds.get(argument.name)
                self.argument(argument.value, kind, argument.name, word.name, reach)
                continue
            name = signature.places[count] if count < len(signature.places) else ""
            kind = signature.kinds.get(name)
            beyond = signature.room is not None and count >= signature.room
            no_stage = beyond or isinstance(kind, NUMERIC)
            if isinstance(argument, Name) and self._is_stray(argument, own_words(kind), no_stage, reach):
                self.tell(MissingPipe(argument.name, word.name), argument.span)
                rest = Word(
                    argument.span.to(word.span), argument.name, word.arguments[index + 1 :], argument.span
                )
                self.word(rest, reach)
                return None
            if beyond:
                places_told = () if signature.word else signature.places
                options = signature.told if signature.word else ()
                self.tell(TooManyArguments(signature.word or word.name, places_told, options), argument.span)
                return None
            if name:
                places[name] = argument.span
            if self._swapped(word, index, kind, name) or self._lacks_sign(word, index, signature, reach):
                return None
            self.argument(argument, kind, name, word.name, reach)
            count += 1
        return places

    def _lacks_sign(self, word: Word, index: int, signature: Signature, reach: Reach) -> bool:
        """Tells of `conv 3x3 8 stride 2`."""
        name, *after = word.arguments[index:]
        if not isinstance(name, Name) or name.name not in (signature.options or ()) or not after:
            return False
        if isinstance(after[0], Keyword) or not self.means_nothing(name, reach):
            return False
        option = f"{name.name}={after[0].span.text}"
        self.tell(UnknownVariable(name.name, word.name, (), option), name.span.to(after[0].span))
        return True

    def _swapped(self, word: Word, index: int, kind: Any, option: str) -> bool:
        """Tells of `conv 64 3x3` and `pool 3x3 max`: two arguments that change places."""
        got = word.arguments[index]
        before = word.arguments[index - 1] if index else None
        after = word.arguments[index + 1] if index + 1 < len(word.arguments) else None
        if isinstance(kind, Int) and isinstance(got, Dimensions) and isinstance(before, Number):
            wanted, first, second = "a whole number", before.span, got.span
        elif isinstance(kind, OneOf) and isinstance(after, Name) and after.name in kind.options:
            wanted, first, second = f"one of {', '.join(kind.options)}", got.span, after.span
        else:
            return False
        mend = f"{second.text} {first.text}"
        self.tell(WrongValue(option, wanted, f"`{got.span.text}`", mend), first.to(second))
        return True

    def option(self, stage: str, keyword: Keyword, places: dict[str, Span], signature: Signature) -> None:
        """Tells of an option that there is not, or that was given before; `places` remembers where."""
        first = places.setdefault(keyword.name, keyword.span)
        if first is not keyword.span:
            self.tell(GivenTwice(stage, keyword.name), keyword.span, Label(first, "first here"))
        elif signature.options is not None and keyword.name not in signature.options:
            self.tell(UnknownOption(stage, keyword.name, signature.told), keyword.name_span)

    def _is_stray(self, name: Name, own: frozenset[str], no_stage: bool, reach: Reach) -> bool:
        """Whether a word was meant as the next stage: a recipe stage, or one where none can be."""
        if name.name in own or name.name in reach.variables or name.name in self.lost:
            return False
        if name.name in STRUCTURE:
            return True
        meaning = self.meaning(name.name, name.span)
        if isinstance(meaning, type) and issubclass(meaning, Stage):
            return True
        return (
            no_stage
            and isinstance(meaning, Definition | type)
            and not name.span.source.line(name.span.line)[: name.span.column - 1].strip()
        )

    def _complete(self, word: Word, signature: Signature, places: dict[str, Span], reach: Reach) -> None:
        """Tells of the first argument that is missing, unless an option that there is not was to give it."""
        if signature.options is not None and not places.keys() <= {*signature.options, *signature.places}:
            return
        stated = self.file.defaults.get(word.name, ())
        given = {*places, *(keyword.name for statement in stated for keyword in statement.keywords)}
        for name, (doc, labels) in signature.needed.items():
            if name not in given:
                told = EXAMPLES.get(word.name) if name == signature.places[0] else None
                wanted, example = told or (name, "")
                if not word.arguments and reach.has_label(word.name):
                    doc = f"the value of that name is `@{word.name}`"
                self.tell(MissingArgument(word.name, wanted, doc, example), word.name_span, *labels)
                return


def _bounds(values: Expression) -> tuple[Expression, ...]:
    """What a loop runs over, a range taken apart: `a..b` is a sequence there, no choice."""
    if not isinstance(values, Range):
        return (values,)
    return tuple(part for part in (values.low, values.high, values.step) if part is not None)
