"""Values as they are written: what is wrong with them wherever they are used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from archdsl.analyses.words import holes_in
from archdsl.blocks import Builder
from archdsl.checking.reach import Reach
from archdsl.checking.signatures import of_builtin, of_definition
from archdsl.checking.slips import name_with_signs, run_together
from archdsl.elaboration.arguments import Arguments, own_words
from archdsl.elaboration.arithmetic import FUNCTIONS, MAX_NUMBER
from archdsl.elaboration.choices import Answer, Root
from archdsl.elaboration.choices import Choice as OpenChoice
from archdsl.elaboration.context import ENDING, Context, Frame, Run, Scope
from archdsl.elaboration.conversion import converted
from archdsl.elaboration.evaluate import NO_WORDS, stages_in
from archdsl.elaboration.program import Program
from archdsl.elaboration.values import UNKNOWN, Given, Muted
from archdsl.errors import ArchError, Diagnostic, Mistake, suggest
from archdsl.errors.arguments import Arithmetic, UnknownValue
from archdsl.errors.expansion import NumberTooLarge
from archdsl.errors.names import NothingFlows, UnknownFunction, UnknownHole, UnknownVariable
from archdsl.errors.spaces import NestedChoice
from archdsl.errors.syntax import CallSyntax, MissingComma, SignInName
from archdsl.op import Dims, Flag, Int, Real
from archdsl.source import Label, Span
from archdsl.stage import Map, Paths, PerLevel, StageName
from archdsl.syntax import (
    At,
    Binary,
    Choice,
    Dimensions,
    Each,
    Expression,
    Function,
    Keyword,
    Listing,
    Name,
    Nothing,
    Number,
    Paren,
    Pipeline,
    Quote,
    Range,
    Text,
    Truth,
    Unary,
    When,
    Word,
    as_pipeline,
)
from archdsl.vocabulary import JOINS, Binding, Definition, Meaning

LOGIC = ("and", "or")
EQUALITY = ("==", "!=")
NUMERIC = Int | Real | Flag | Dims


class Values:
    """Checks expressions; stages in them are left to `pipeline`.

    What depends on a call or a choice is only looked into; what is constant is evaluated, and
    converted to what its option takes, as elaboration does it.

    Args:
        lost: names that statements define which could not be read.
        blind: whether any word may be defined in a used file that could not be read.
    """

    def __init__(self, program: Program, lost: frozenset[str] = frozenset(), *, blind: bool = False) -> None:
        self.program = program
        self.file = program.file
        self.lost = lost
        self.found: list[Diagnostic] = []
        self.arguments = Arguments()
        self.cyclic: set[str] = set()  # definitions and lets that use themselves
        self.blind = blind
        self._run = Run(program.input, program.overrides, None)

    def pipeline(self, pipeline: Pipeline, reach: Reach, *, whole: bool = True) -> None:
        """Checks a pipeline; a stage that is not `whole` is a value and may get more arguments later."""
        raise NotImplementedError

    def tell(self, mistake: Mistake, span: Span, *others: Label) -> None:
        self.found.append(mistake.at(span, *others))

    @contextmanager
    def telling(self, span: Span) -> Iterator[None]:
        """Notes the mistakes of what is evaluated inside."""
        try:
            yield
        except Muted:
            pass
        except ArchError as error:
            told = {diagnostic.code for diagnostic in self.found} & ENDING
            self.found.extend(mistake for mistake in error.diagnostics if mistake.code not in told)
        except Mistake as mistake:
            self.tell(mistake, span)

    # ---- words ---------------------------------------------------------------------------------

    def meaning(self, word: str, span: Span) -> Meaning | None:
        """What a word means outside its definition; None too where that can't be told."""
        with self.telling(span):
            return self.file.vocabulary.meaning(word) if self.blind else self.file.meaning(word)
        return None

    def means_nothing(self, node: Name, reach: Reach) -> bool:
        """Whether a name is certainly no variable, `let` or definition."""
        name = node.name
        if self.blind or name in reach.variables or name in self.lost:
            return False
        before = len(self.found)
        return self.meaning(name, node.span) is None and len(self.found) == before

    def place_of(self, name: str | None, reach: Reach) -> tuple[Label, ...]:
        """Where a variable is defined, as a label."""
        if name is None:
            return ()
        if name in reach.variables:
            return (Label(reach.variables[name], "defined here"),)
        if name in self.file.lets:
            return (Label(self.file.lets[name].node.name_span, "defined here"),)
        return ()

    def known(self, node: Expression, reach: Reach, stage: str = "") -> bool:
        """Tells of a name that is no variable; whether it is one (or something else)."""
        if not isinstance(node, Name) or not self.means_nothing(node, reach):
            return True
        names = (*reach.variables, *self.file.lets)
        near = suggest(node.name, names)
        self.tell(UnknownVariable(node.name, stage, names), node.span, *self.place_of(near, reach))
        return False

    # ---- constants -----------------------------------------------------------------------------

    def is_constant(self, node: Expression, reach: Reach) -> bool:
        """Whether a value is the same whenever it is evaluated, and is no stage with arguments."""
        match node:
            case Number() | Dimensions() | Text() | Truth() | Nothing():
                return True
            case Name():
                return self._is_constant_name(node, reach)
            case Listing(items=parts):
                return all(self.is_constant(part, reach) for part in parts)
            case Function(name=name, arguments=parts) if name in FUNCTIONS:
                return all(
                    not isinstance(part, Keyword | Each) and self.is_constant(part, reach) for part in parts
                )
            case Paren(inner=part) | Unary(operand=part):
                return self.is_constant(part, reach)
            case Binary(left=left, right=right):
                return self.is_constant(left, reach) and self.is_constant(right, reach)
            case When(value=value, condition=condition, otherwise=otherwise):
                return all(self.is_constant(part, reach) for part in (value, condition, otherwise))
        return False

    def _is_constant_name(self, node: Name, reach: Reach) -> bool:
        if node.name in reach.variables or node.name in self.lost or node.name in self.cyclic or self.blind:
            return False
        meaning = self.meaning(node.name, node.span)
        if not isinstance(meaning, Binding):
            return True
        evaluator = self.arguments.evaluator
        return meaning.node.name not in self.program.overrides and not evaluator.depends_on_choice(meaning)

    def context(self, reach: Reach) -> Context:
        """A context in which constants can be evaluated."""
        builder = Builder((self.program.input,), (1,), flat=True)
        frame = Frame(self._run, self.file, builder, UNKNOWN, Map(0, self.program.input, 1))
        root = Root(_no_answer, lambda _: UNKNOWN)
        return Context(frame, root, dict.fromkeys(reach.variables, UNKNOWN), Scope(""), "", {})

    def _converted(self, node: Expression, kind: Any, option: str, stage: str, reach: Reach) -> None:
        """Evaluates a constant and converts it to what an option takes."""
        before = len(self.found)
        self.value(node, reach)
        if len(self.found) > before:
            return
        context = self.context(reach)
        with self.telling(node.span):
            value = self.arguments.evaluator.evaluate(node, context, "", own_words(kind))
            converted(kind, Given(value, node.span), option, stage, context)

    # ---- arguments -----------------------------------------------------------------------------

    def argument(self, node: Expression, kind: Any, option: str, stage: str, reach: Reach) -> None:
        """Checks an argument, of a kind where one is known."""
        if kind is None or isinstance(kind, Paths):
            self.value(node, reach)
            return
        if isinstance(kind, PerLevel) and isinstance(node, Listing) and node.items:
            for part in node.items:
                self.argument(part, kind.kind, option, _whose(kind.kind, option, stage), reach)
            return
        if isinstance(_one(kind), NUMERIC) and not self.known(node, reach, stage):
            return
        if self.is_constant(node, reach):
            self._converted(node, kind, option, stage, reach)
            return
        match node:
            case Choice(options=options):
                self._not_nested(node)
                for part in options:
                    if not self.lacks_comma(part, own_words(kind)):
                        self.argument(part, kind, option, _whose(_one(kind), option, stage), reach)
            case Range(low=low, high=high) if isinstance(_one(kind), Int | Real):
                self.argument(low, kind, option, stage, reach)
                self.argument(high, kind, option, stage, reach)
                self._ordered(node, reach)
            case When(value=value, condition=condition, otherwise=otherwise):
                self.argument(value, kind, option, stage, reach)
                self.condition(condition, reach)
                self.argument(otherwise, kind, option, stage, reach)
            case Paren(inner=inner):
                self.argument(inner, kind, option, stage, reach)
            case Quote(pipeline=Pipeline(elements=(Word() as word,))) if word.name in own_words(kind):
                for given in word.arguments:  # a recipe stage's own word with arguments of the stage
                    self.value(given.value if isinstance(given, Keyword) else given, reach)
            case _:
                self.value(node, reach)

    def value(self, node: Expression, reach: Reach) -> None:
        """Checks what an expression is made of, whatever it is used for."""
        match node:
            case Number() if node.value > MAX_NUMBER:
                self.tell(NumberTooLarge("10^18"), node.span)
            case At():
                self.at(node, reach)
            case Listing(items=parts):
                for part in parts:
                    self.value(part, reach)
            case Choice(options=parts):
                self._not_nested(node)
                for part in parts:
                    if not self.lacks_comma(part):
                        self.value(part, reach)
            case Range(low=Binary(left=left)) if _is_group(left):  # `(...) * 2..5`
                self._stages(node, reach)
            case Range(low=low, high=high):
                self.numeric(low, reach)
                self.numeric(high, reach)
                self._ordered(node, reach)
            case Function():
                self._function(node, reach)
            case Binary():
                self._binary(node, reach)
            case Unary(operator=operator, operand=operand):
                self.condition(operand, reach) if operator == "not" else self.numeric(operand, reach)
            case When(value=value, condition=condition, otherwise=otherwise):
                self.value(value, reach)
                self.condition(condition, reach)
                self.value(otherwise, reach)
            case Paren(inner=inner):
                self.value(inner, reach)
            case Quote(pipeline=pipeline):
                self.pipeline(pipeline, reach, whole=len(pipeline.elements) > 1)

    def numeric(self, node: Expression, reach: Reach) -> None:
        """Checks an expression whose value arithmetic needs."""
        if self.known(node, reach):
            self.value(node, reach)

    def condition(self, node: Expression, reach: Reach) -> None:
        """Checks what `if` asks."""
        match node:
            case Binary(operator=operator, left=left, right=right) if operator in LOGIC:
                self.condition(left, reach)
                self.condition(right, reach)
            case Unary(operator="not", operand=operand):
                self.condition(operand, reach)
            case Paren(inner=inner):
                self.condition(inner, reach)
            case _:
                self.numeric(node, reach)

    def constant(self, node: Expression, reach: Reach) -> None:
        """Checks an expression and, if it is constant, its arithmetic."""
        before = len(self.found)
        self.value(node, reach)
        if len(self.found) == before and self.is_constant(node, reach):
            with self.telling(node.span):
                self.arguments.evaluator.evaluate(node, self.context(reach))

    def at(self, node: At, reach: Reach) -> None:
        """Tells of a named value that nothing in the definition is called."""
        for hole in holes_in(node.name):
            self.hole(hole, node.span, reach)
        if holes_in(node.name) or node.name == "input" or node.name in reach.variables:
            return
        if reach.outside:
            self.tell(NothingFlows() if node.name == "in" else UnknownValue(node.name, ()), node.span)
        elif node.name != "in" and not reach.has_label(node.name):
            self.tell(UnknownValue(node.name, reach.labels), node.span)

    def hole(self, name: str, span: Span, reach: Reach) -> None:
        if name not in reach.variables and name not in self.file.lets and name not in self.lost:
            self.tell(UnknownHole(name), span)

    # ---- inside expressions --------------------------------------------------------------------

    def _binary(self, node: Binary, reach: Reach) -> None:
        signed = name_with_signs(node)
        if signed is not None and self.means_nothing(signed, reach):
            self.tell(SignInName(node.span.text), node.span)
        elif node.operator in LOGIC:
            self.condition(node, reach)
        elif node.operator in EQUALITY:  # words may be compared
            self.value(node.left, reach)
            self.value(node.right, reach)
        elif node.operator == "*" and _is_group(node.left):
            self._stages(node, reach)
        else:
            self.numeric(node.left, reach)
            self.numeric(node.right, reach)

    def _stages(self, node: Expression, reach: Reach) -> None:
        """Checks an expression that reads as stages."""
        pipeline = as_pipeline(node)
        if pipeline is not None:
            self.pipeline(pipeline, reach)

    def _function(self, node: Function, reach: Reach) -> None:
        if node.name in JOINS:
            with self.telling(node.span):
                self.pipeline(stages_in(node), reach)
            return
        if node.name not in FUNCTIONS:
            self._no_function(node)
        for argument in node.arguments:
            if not isinstance(argument, Keyword | Each):
                self.numeric(argument, reach)
            elif node.name in FUNCTIONS:
                self.tell(Arithmetic(f"`{node.name}` takes no keywords"), argument.span)

    def _no_function(self, node: Function) -> None:
        if node.name in self.lost or self.blind:
            return
        if self.meaning(node.name, node.name_span) is not None:
            self.tell(CallSyntax(node.name, node.span.text[len(node.name) + 1 : -1]), node.name_span)
        else:
            self.tell(UnknownFunction(node.name, tuple(FUNCTIONS)), node.name_span)

    def _not_nested(self, node: Choice) -> None:
        """Tells of a choice that is itself an option: both would have one name."""
        for option in node.options:
            inner = _bare(option)
            if isinstance(inner, Choice):
                texts = ", ".join(_texts(node.options))
                self.tell(NestedChoice(f"{{{texts}}}"), inner.span, Label(node.span, "inside this one"))
            elif isinstance(inner, Range):
                self.tell(NestedChoice(""), inner.span, Label(node.span, "inside this one"))

    def lacks_comma(self, option: Expression | Pipeline, own: frozenset[str] = NO_WORDS) -> bool:
        """Tells of options without a comma between them."""
        second = run_together(option, own, self._room)
        if second is not None and not self.file.is_structure(second.name):
            self.tell(MissingComma(second.name), second.span)
            return True
        return False

    def _room(self, word: Word) -> int | None:
        """How many arguments a stage takes by position, where that can be told."""
        meaning = None if self.file.is_structure(word.name) else self.meaning(word.name, word.name_span)
        if isinstance(meaning, Definition):
            return of_definition(meaning).room
        return of_builtin(meaning).room if isinstance(meaning, type) else None

    def _ordered(self, node: Range, reach: Reach) -> None:
        """Tells of a constant range that holds nothing."""
        bounds = [part for part in (node.low, node.high, node.step) if part is not None]
        if all(isinstance(part, Number) or part is node.step for part in bounds):
            with self.telling(node.span):
                self.arguments.evaluator.evaluate(node, self.context(reach))


def _no_answer(choice: OpenChoice) -> Answer:
    """Stands in for whoever decides where only the form of a choice is looked at."""
    return choice.options[0] if choice.options else choice.low or 0


def _one(kind: Any) -> Any:
    """What one value of a schedule is."""
    return kind.kind if isinstance(kind, PerLevel) else kind


def _whose(kind: Any, option: str, stage: str) -> str:
    """Whose words an argument may be: those of its option, the NAME of a recipe stage being the stage's."""
    is_name = isinstance(kind, StageName) and (kind.own or kind.rest)
    return stage if is_name or isinstance(kind, NUMERIC) else option


def _bare(node: Expression) -> Expression:
    while isinstance(node, Paren):
        node = node.inner
    return node


def _texts(options: Iterable[Expression]) -> Iterator[str]:
    for option in options:
        inner = _bare(option)
        if isinstance(inner, Choice):
            yield from _texts(inner.options)
        else:
            yield option.span.text


def _is_group(node: Expression) -> bool:
    """Whether brackets hold stages, as the left side of a repeat."""
    return isinstance(node, Paren) and isinstance(node.inner, Quote)
