"""Expressions to values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from archdsl.elaboration.arithmetic import (
    FUNCTIONS,
    MAX_LIST,
    as_number,
    comparable,
    is_list,
    limited,
    list_arithmetic,
    normal,
    number_arithmetic,
)
from archdsl.elaboration.choices import Answer, Choice
from archdsl.elaboration.context import MAX_CALLS, Context, Frame, Scope, Trace
from archdsl.elaboration.values import (
    UNKNOWN,
    Muted,
    OwnWord,
    Partial,
    Quoted,
    Uncacheable,
    Value,
    described,
    key_of,
    shown,
)
from archdsl.errors import ArchError, Mistake
from archdsl.errors.arguments import Arithmetic, StepsDiffer, UnknownValue, WrongValue
from archdsl.errors.expansion import CallsTooDeep, ListTooLong
from archdsl.errors.names import NothingFlows, UnknownFunction, UnknownHole
from archdsl.errors.spaces import BadRange, EmptyRange
from archdsl.errors.syntax import NotAStage
from archdsl.source import Label, Span
from archdsl.stage import BareWord, Lattice, Map, Pyramid, Size
from archdsl.syntax import (
    At,
    Binary,
    Dimensions,
    Each,
    Expression,
    Function,
    Keyword,
    Listing,
    Marked,
    Name,
    Node,
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
    as_element,
    as_pipeline,
    walk,
)
from archdsl.syntax import (
    Binding as LoopBinding,
)
from archdsl.syntax import (
    Choice as ChoiceNode,
)
from archdsl.vocabulary import JOINS, Binding

NO_WORDS: frozenset[str] = frozenset()

# The elaborator's way to make a stage value of a call; set by `arguments`, which builds on this module.
MakePartial = Callable[[Word, Context, str], Value]


class Evaluator:
    """Evaluates expressions; `partial` makes the value of a stage with arguments."""

    def __init__(self, partial: MakePartial) -> None:
        self.partial = partial
        self._rules: dict[type[Node], Callable[[Any, Context, str, frozenset[str]], Value]] = {
            Number: lambda node, *_: node.value,
            Dimensions: lambda node, *_: Size(node.value),
            Text: lambda node, *_: node.value,
            Truth: lambda node, *_: node.value,
            Nothing: lambda node, *_: None,
            Name: self._name,
            At: lambda node, context, *_: self.named(node, context),
            Listing: self._listing,
            ChoiceNode: self._choice,
            Range: self._range,
            Function: self._function,
            Binary: self._binary,
            Unary: self._unary,
            When: self._when,
            Paren: lambda node, context, words, own: self.evaluate(node.inner, context, words, NO_WORDS),
            Quote: self._quote,
        }

    def evaluate(
        self, node: Expression, context: Context, words: str = "", own: frozenset[str] = NO_WORDS
    ) -> Value:
        """The value of an expression.

        `words` is the name of a choice that stands there; `own` are words that mean themselves.
        """
        return self._rules[type(node)](node, context, words, own)

    # ---- names ---------------------------------------------------------------------------------

    def _name(self, node: Name, context: Context, words: str, own: frozenset[str]) -> Value:
        name = node.name
        if name in own:
            return BareWord(name, node.span)
        if name in context.variables:
            value = context.variables[name]
            if value is UNKNOWN:
                raise Muted
            return _handed_on(value, own, context)
        try:
            meaning = context.frame.file.meaning(name)
        except Mistake as mistake:
            raise ArchError(mistake.at(node.span)) from None
        if meaning is None:
            file = context.frame.file
            return BareWord(name, node.span, lambda: file.vocabulary.stage_words(file))
        if isinstance(meaning, Binding):
            return _handed_on(self.let(meaning, context), own, context)
        return self.partial(Word(node.span, name, (), node.span), context, words)

    def let(self, binding: Binding, context: Context) -> Value:
        """The value of a let: constant, or decided at its first use."""
        run = context.frame.run
        if binding.node.name in run.overrides:
            return run.overrides[binding.node.name]
        if self.depends_on_choice(binding):
            return context.asker.let(binding)
        if binding not in run.lets:
            run.lets[binding] = self.let_value(binding, context)
        return run.lets[binding]

    def let_value(self, binding: Binding, context: Context) -> Value:
        """Evaluates a let in its own file, outside every definition."""
        run = context.frame.run
        if binding in run.evaluating:
            chain = [b.node.name for b in run.evaluating[run.evaluating.index(binding) :]]
            from archdsl.errors.names import UsesItself

            raise ArchError(UsesItself((*chain, binding.node.name)).at(binding.node.name_span))
        if len(run.evaluating) >= MAX_CALLS:
            raise ArchError(CallsTooDeep(MAX_CALLS).at(binding.node.name_span))
        trace = Trace(binding.node.name) if run.tracing else None
        if trace is not None:
            run.let_traces[binding.node] = trace
        outer = context.frame
        frame = Frame(run, binding.file, outer.builder, UNKNOWN, outer.image, trace=trace)
        fresh = Context(frame, context.asker, {}, Scope(""), "", {})
        run.evaluating.append(binding)
        try:
            return self.evaluate(binding.node.value, fresh, binding.node.name)
        finally:
            run.evaluating.pop()

    @staticmethod
    def depends_on_choice(binding: Binding) -> bool:
        """Whether a let holds a choice, or reads one that does."""
        return binding.node.name in binding.file.open_lets

    def named(self, node: At, context: Context) -> Value:
        """The value called `@name`."""
        name = self.filled(node.name, context, node.span)
        frame = context.frame
        if name in context.variables and isinstance(context.variables[name], Map | Pyramid | Lattice):
            return context.variables[name]
        value: Value
        if name == "in":
            value = frame.flow
            if value is UNKNOWN:  # nothing is called with what is unknown
                raise ArchError(NothingFlows().at(node.span))
        elif name == "input":
            value = frame.image
        elif name in frame.names:
            value = frame.names[name]
        elif name in context.variables:
            value = context.variables[name]
            if value is not UNKNOWN:
                raise ArchError(WrongValue(name, "a map", described(value)).at(node.span))
        else:
            raise ArchError(UnknownValue(name, tuple(frame.names)).at(node.span))
        if value is UNKNOWN:
            raise Muted
        return value

    def filled(self, text: str, context: Context, span: Span) -> str:
        """A name with its holes filled: `layer{i}`, `m{i+1}`."""
        if "{" not in text:
            return text
        parts = []
        for piece in text.replace("}", "{").split("{"):
            parts.append(piece)
        for index in range(1, len(parts), 2):
            parts[index] = self._hole(parts[index], context, span)
        return "".join(parts)

    def _hole(self, hole: str, context: Context, span: Span) -> str:
        name, sign, offset = hole, "", ""
        for mark in "+-":
            if mark in hole:
                name, _, offset = hole.partition(mark)
                sign = mark
        if name not in context.variables:
            meaning = context.frame.file.lets.get(name)
            if meaning is None:
                raise ArchError(UnknownHole(name).at(span))
            value = self.let(meaning, context)
        else:
            value = context.variables[name]
        if value is UNKNOWN:
            raise Muted
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value + int(sign + offset) if sign else value)
        if isinstance(value, str) and not sign:
            return str(value)
        raise ArchError(UnknownHole(name).at(span))

    # ---- lists, choices ------------------------------------------------------------------------

    def _listing(self, node: Listing, context: Context, words: str, own: frozenset[str]) -> Value:
        values = tuple(
            self.evaluate(item, context, f"{words}.{index}" if words else str(index), own)
            for index, item in enumerate(node.items)
        )
        return limited(values, node.span)

    def _choice(self, node: ChoiceNode, context: Context, words: str, own: frozenset[str]) -> Value:
        choice = context.frame.run.choice(node, words, map(bare, node.options))
        answer = self.decide(choice, node, context)
        option = node.options[choice.options.index(str(answer))]
        return self.evaluate(option, context, words, own)

    def decide(self, choice: Choice, node: Node, context: Context) -> Answer:
        """Asks for one choice and leaves a trace of the answer."""
        answer = context.asker.choose(choice)
        if context.frame.trace is not None:
            context.frame.trace.decisions[node, context.turn] = answer
        return answer

    def _range(self, node: Range, context: Context, words: str, own: frozenset[str]) -> Value:
        low, high = self.number(node.low, context, words), self.number(node.high, context, words)
        log = isinstance(node.step, Name) and node.step.name == "log"
        step = self.number(node.step, context) if node.step is not None and not log else None
        if low > high:
            raise ArchError(EmptyRange(shown(low), shown(high)).at(node.span))
        if isinstance(low, int) and isinstance(high, int) and not log:
            return self._int_range(node, low, high, step, context, words)
        if step is not None and step <= 0:
            raise ArchError(BadRange("the step of a range must be above 0").at(node.span))
        if log and low <= 0:
            raise ArchError(BadRange("a logarithmic range starts above 0").at(node.span))
        choice = Choice(
            words, "float", (), node.span, float(low), float(high), None if step is None else float(step), log
        )
        answer = self.decide(choice, node, context)
        return normal(Fraction(str(answer)))

    def _int_range(
        self, node: Range, low: int, high: int, step: Value, context: Context, words: str
    ) -> Value:
        step = 1 if step is None else step
        if not isinstance(step, int) or step < 1:
            raise ArchError(
                BadRange("the step of a range of whole numbers must be a whole number").at(node.span)
            )
        if (high - low) // step >= MAX_LIST * 10:
            raise ArchError(ListTooLong(MAX_LIST * 10).at(node.span))
        options = tuple(str(value) for value in range(low, high + 1, step))
        choice = Choice(words, "int", options, node.span, low, high, step)
        return int(self.decide(choice, node, context))

    def _quote(self, node: Quote, context: Context, words: str, own: frozenset[str]) -> Value:
        elements = node.pipeline.elements
        if len(elements) == 1 and isinstance(elements[0], Word):
            if elements[0].name in own:
                return OwnWord(elements[0], context, words)
            return self.partial(elements[0], context, words)
        return self.quoted(node.pipeline, context, words)

    def quoted(self, pipeline: Pipeline, context: Context, words: str) -> Quoted:
        """A pipeline as a value."""
        file = context.frame.file
        reads = file.reads_maps(pipeline)
        open_ = file.is_open(pipeline)
        free: tuple[tuple[str, Any], ...] = ()
        if not reads and not open_:
            try:
                names = {node.name for node in walk(pipeline) if isinstance(node, Name | Word)}
                names |= {node.label for node in walk(pipeline) if isinstance(node, Marked) and node.label}
                holes = "".join(names)
                free = tuple(
                    (name, key_of(value))
                    for name, value in context.variables.items()
                    if name in names or f"{{{name}" in holes
                )
                reads = any(isinstance(context.variables[name], Map | Pyramid) for name, _ in free)
            except Uncacheable:
                reads = True
        return Quoted(pipeline, context, words, open_, reads, free)

    def sequence(self, node: Expression, context: Context, words: str) -> Value:
        """The values of a loop: `a..b` is a sequence here; a scalar stays one."""
        if isinstance(node, Range):
            low = self.whole(node.low, context, words, sign="..")
            high = self.whole(node.high, context, words, sign="..")
            step = 1 if node.step is None else self.whole(node.step, context, sign=":")
            if step == 0:
                raise ArchError(BadRange("the step of a sequence must not be 0").at(node.span))
            if (high - low) // step >= MAX_LIST:
                raise ArchError(ListTooLong(MAX_LIST).at(node.span))
            return tuple(range(low, high + (1 if step > 0 else -1), step))
        return self.evaluate(node, context, words)

    def turns(self, bindings: Sequence[LoopBinding], context: Context) -> list[dict[str, Value]]:
        """The variables of each turn of a loop whose lists run in step."""
        columns: list[tuple[LoopBinding, Value]] = []
        lengths: list[tuple[LoopBinding, int]] = []
        for binding in bindings:
            name = context.word(binding.values, binding.names[0])
            value = self.sequence(binding.values, context, name)
            columns.append((binding, value))
            if is_list(value):
                lengths.append((binding, len(value)))
        if not lengths:
            wrong = bindings[0].values
            raise ArchError(
                WrongValue(bindings[0].names[0], "a list", described(columns[0][1])).at(wrong.span)
            )
        if len({length for _, length in lengths}) > 1:
            told = tuple((binding.values.span.text, length) for binding, length in lengths)
            others = [Label(b.values.span, f"{length} values") for b, length in lengths[1:]]
            raise ArchError(StepsDiffer(told).at(lengths[0][0].values.span, *others))
        return [self._turn(columns, index) for index in range(lengths[0][1])]

    def _turn(self, columns: list[tuple[LoopBinding, Value]], index: int) -> dict[str, Value]:
        variables: dict[str, Value] = {}
        for binding, values in columns:
            value = values[index] if is_list(values) else values
            if len(binding.names) == 1:
                variables[binding.names[0]] = value
                continue
            if not is_list(value) or len(value) != len(binding.names):
                wanted = f"rows of {len(binding.names)} values"
                raise ArchError(
                    WrongValue(", ".join(binding.names), wanted, shown(value)).at(binding.values.span)
                )
            variables.update(zip(binding.names, value, strict=True))
        return variables

    # ---- arithmetic ----------------------------------------------------------------------------

    def number(self, node: Expression, context: Context, words: str = "") -> int | Fraction:
        return as_number(self.evaluate(node, context, words), node.span)

    def whole(self, node: Expression, context: Context, words: str = "", *, sign: str) -> int:
        """A whole number; `sign` is what it stands at: `*`, `..`, a word."""
        value = as_number(self.evaluate(node, context, words), node.span)
        if not isinstance(value, int):
            raise ArchError(WrongValue(sign, "a whole number", shown(value)).at(node.span))
        return value

    def truth(self, node: Expression, context: Context, words: str = "") -> bool:
        value = self.evaluate(node, context, words)
        if not isinstance(value, bool):
            raise ArchError(WrongValue("if", "true or false", described(value)).at(node.span))
        return value

    def _when(self, node: When, context: Context, words: str, own: frozenset[str]) -> Value:
        chosen = node.value if self.truth(node.condition, context, words) else node.otherwise
        return self.evaluate(chosen, context, words, own)

    def _unary(self, node: Unary, context: Context, words: str, own: frozenset[str]) -> Value:
        if node.operator == "not":
            return not self.truth(node.operand, context, words)
        return -self.number(node.operand, context, words)

    def _binary(self, node: Binary, context: Context, words: str, own: frozenset[str]) -> Value:
        operator = node.operator
        if operator == "and":
            return self.truth(node.left, context, words) and self.truth(node.right, context, words)
        if operator == "or":
            return self.truth(node.left, context, words) or self.truth(node.right, context, words)
        if operator == "*" and isinstance(node.left, Paren) and isinstance(node.left.inner, Quote):
            return self.quoted(Pipeline(node.span, (repeat(node),)), context, words)
        if operator == "*" and context.frame.file.is_open(node.left):
            return self._repeated_list(node, context, words, own)
        left = self.evaluate(node.left, context, words, own)
        right = self.evaluate(node.right, context, words, own)
        if operator in ("==", "!="):
            return (comparable(left) == comparable(right)) == (operator == "==")
        if is_list(left) or is_list(right):
            return list_arithmetic(operator, left, right, node.span)
        return number_arithmetic(
            operator, as_number(left, node.left.span), as_number(right, node.right.span), node.span
        )

    def _repeated_list(self, node: Binary, context: Context, words: str, own: frozenset[str]) -> Value:
        """`[{a, b}] * 5` decides five times."""
        if not isinstance(node.left, Listing):
            left, right = self.number(node.left, context, words), self.number(node.right, context, words)
            return number_arithmetic("*", left, right, node.span)
        count = self.whole(node.right, context, f"{words}.times" if words else "times", sign="*")
        if count * len(node.left.items) > MAX_LIST:
            raise ArchError(ListTooLong(MAX_LIST).at(node.span))
        if context.frame.trace is not None:
            context.frame.trace.turns[node, context.turn] = list(range(max(0, count)))
        values: list[Value] = []
        for turn in range(count):
            inside = context.but(turn=(*context.turn, turn))
            for item in node.left.items:
                name = f"{words}.{len(values)}" if words else str(len(values))
                values.append(self.evaluate(item, inside, name, own))
        return limited(tuple(values), node.span)

    def _function(self, node: Function, context: Context, words: str, own: frozenset[str]) -> Value:
        if node.name in JOINS:
            return self.quoted(stages_in(node), context, words)
        rule = FUNCTIONS.get(node.name)
        if rule is None:
            raise ArchError(UnknownFunction(node.name, tuple(FUNCTIONS)).at(node.name_span))
        values = []
        for argument in node.arguments:
            if isinstance(argument, Keyword | Each):
                raise ArchError(Arithmetic(f"`{node.name}` takes no keywords").at(argument.span))
            values.append(self.evaluate(argument, context, words))
        try:
            return rule(values, node.span)
        except (ValueError, ZeroDivisionError, OverflowError):
            raise ArchError(Arithmetic(f"`{node.span.text}` has no value").at(node.span)) from None


def _handed_on(value: Value, own: frozenset[str], context: Context) -> Value:
    """What a `let` or a parameter holds, as one of the `own` words of where it is used if it is such a word.

    A definition of a file that is no part of the library stays what it is.
    """
    if not isinstance(value, Partial) or value.written not in own or value.positional or value.keywords:
        return value
    if context.frame.file.vocabulary.meaning(value.written) is not value.callee:
        return value
    return BareWord(value.written, value.span)


def bare(option: Expression) -> Expression:
    """An option without the brackets around it: they are no part of its name."""
    while isinstance(option, Paren):
        option = option.inner
    return option


def stages_in(join: Function) -> Pipeline:
    """The pipeline that a join as a value is; raises ArchError for a branch that is no stage."""
    made = as_pipeline(join)
    if made is None:
        branches = [part for part in join.arguments if not isinstance(part, Keyword | Each)]
        wrong = next(part for part in branches if as_pipeline(part) is None)
        raise ArchError(NotAStage(wrong.span.text).at(wrong.span))
    return made


def repeat(node: Binary) -> Any:
    """The repeated group that `(...) * n` is where a stage is wanted."""
    element = as_element(node)
    assert element is not None
    return element
