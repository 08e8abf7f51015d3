"""A space with its choices decided, written as text: the same network, the same module paths.

Works on the tree, from the trace of an elaboration: what was decided at each node, in each turn of
the loops around it. A body that was decided differently in each turn is unrolled; a definition that
was decided differently in each call becomes several.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, TypeVar, cast

from archdsl.elaboration.arguments import first_kind, own_words
from archdsl.elaboration.choices import single, unwrapped
from archdsl.elaboration.context import Trace
from archdsl.elaboration.evaluate import bare
from archdsl.elaboration.program import Elaborated, Program
from archdsl.elaboration.values import shown
from archdsl.errors import ArchError
from archdsl.errors.spaces import CannotClose
from archdsl.formatter import format_node
from archdsl.syntax import (
    Alternatives,
    At,
    Binary,
    Binding,
    Branch,
    Choice,
    Define,
    Element,
    Expression,
    Function,
    Group,
    Input,
    Join,
    Keyword,
    Let,
    Listing,
    Loop,
    Marked,
    Name,
    Node,
    Number,
    Parameter,
    Paren,
    Pipeline,
    Quote,
    Range,
    Statement,
    Truth,
    Word,
    walk,
)
from archdsl.vocabulary import Definition, bare_call

Turn = tuple[int, ...]
NodeT = TypeVar("NodeT", bound=Node)


def closed_statements(program: Program, made: Elaborated) -> tuple[Statement, ...]:
    """The statements of the closed spec; raises CannotClose where text can't say it."""
    return Closer(program, made).statements()


@dataclass
class Closer:
    program: Program
    made: Elaborated
    names: dict[str, Define] = field(default_factory=dict)
    texts: dict[tuple[str, str], str] = field(default_factory=dict)

    def statements(self) -> tuple[Statement, ...]:
        spec = self.program.file.spec
        trace = self.made.trace
        assert trace is not None
        for let, decisions in self.made.let_traces.items():
            if let not in spec.statements and decided(decisions):
                raise ArchError(CannotClose(let.name).at(let.name_span))  # it is another file's
        closed: list[Statement] = []
        stated = False
        for statement in spec.statements:
            match statement:
                case Pipeline():
                    closed.append(self.whole(statement, trace))
                case Let():
                    closed.append(self.let(statement))
                case Define():
                    if not self.program.file.definitions[statement.name].is_open:
                        closed.append(statement)
                case Input():
                    stated = True
                    closed.append(self._input(statement))
                case _:
                    closed.append(statement)
        if not stated and self.program.input != (3, 224, 224):
            closed.insert(0, self._input(None))
        return self._with_definitions(closed)

    def _input(self, statement: Input | None) -> Input:
        from archdsl.syntax import Dimensions

        span = statement.span if statement is not None else self.program.file.spec.source.span(0, 0)
        return Input(span, Dimensions(span, tuple(self.program.input)))

    def _with_definitions(self, statements: list[Statement]) -> tuple[Statement, ...]:
        """Specialised definitions before the pipeline."""
        place = next((i for i, s in enumerate(statements) if isinstance(s, Pipeline)), len(statements))
        return (*statements[:place], *self.names.values(), *statements[place:])

    def let(self, let: Let) -> Let:
        if let.name in self.program.overrides:
            return replace(let, value=literal(self.program.overrides[let.name], let.value))
        trace = self.made.let_traces.get(let, Trace(let.name))
        return replace(let, value=self.expression(let.value, trace, ()))

    # ---- pipelines -----------------------------------------------------------------------------

    def whole(self, pipeline: Pipeline, trace: Trace) -> Pipeline:
        """A file's or definition's pipeline; if one call is left, brackets keep it from being that call."""
        made = self.pipeline(pipeline, trace, ())
        if bare_call(made) is None or bare_call(pipeline) is not None:
            return made
        return replace(made, elements=(Group(made.span, made, None),))

    def pipeline(self, pipeline: Pipeline, trace: Trace, turn: Turn) -> Pipeline:
        elements: list[Element] = []
        for element in pipeline.elements:
            made = self.element(element, trace, turn)
            if isinstance(element, Alternatives) and isinstance(made, Group):
                elements += made.body.elements  # what was taken stands where the choice stood
            elif made is not None:
                elements.append(made)
        return replace(pipeline, elements=tuple(elements) or (passing(pipeline),))

    def scope(self, pipeline: Pipeline, trace: Trace, turn: Turn, named: bool = True) -> Pipeline:
        """A pipeline that may have a name; if one stage is left, a repeat keeps it from taking that name."""
        made = self.pipeline(pipeline, trace, turn)
        if not named or single(unwrapped(made)) is None or single(unwrapped(pipeline)) is not None:
            return made
        once = Group(made.span, made, Number(made.span, 1, "1"))
        return replace(made, elements=(once,))

    def element(self, element: Element, trace: Trace, turn: Turn, named: bool = False) -> Element | None:
        """The closed element; None where a `?` left it out."""
        match element:
            case Marked():
                return self._marked(element, trace, turn)
            case Word():
                return self._word(element, trace, turn)
            case Group(times=None):
                return replace(element, body=self.scope(element.body, trace, turn, named))
            case Group():
                return self._repeated(element, trace, turn)
            case Join():
                return self._join(element, trace, turn)
            case Alternatives():
                option = element.options[self._taken(element, element.options, trace, turn)]
                return Group(element.span, self.scope(option, trace, turn, named), None)
            case Loop():
                return self._loop(element, trace, turn)
            case Branch():
                return self._branch(element, trace, turn, named)
            case At():
                return element

    def _marked(self, marked: Marked, trace: Trace, turn: Turn) -> Element | None:
        if marked.optional and trace.decisions.get((marked, turn), "true") != "true":
            return None if marked.label is None else replace(marked, element=passing(marked), optional=False)
        inner = self.element(marked.element, trace, turn, named=marked.label is not None)
        assert inner is not None
        return inner if marked.label is None else replace(marked, element=inner, optional=False)

    def _branch(self, branch: Branch, trace: Trace, turn: Turn, named: bool) -> Branch:
        otherwise: Pipeline | Branch | None = None
        if isinstance(branch.otherwise, Branch):
            otherwise = self._branch(branch.otherwise, trace, turn, named)
        elif branch.otherwise is not None:
            otherwise = self.scope(branch.otherwise, trace, turn, named)
        condition = self.expression(branch.condition, trace, turn)
        return Branch(branch.span, condition, self.scope(branch.then, trace, turn, named), otherwise)

    def _repeated(self, group: Group, trace: Trace, turn: Turn) -> Group:
        assert group.times is not None
        count = len(trace.turns.get((group, turn), []))
        if not self._open(group.body):
            body = self.pipeline(group.body, trace, turn)
            return replace(group, body=body, times=self._times(group.times, count))
        bodies = [self.pipeline(group.body, trace, (*turn, index)) for index in range(count)]
        return self._unrolled(group, bodies, group.body, trace, turn)

    def _times(self, times: Expression, count: int) -> Expression:
        return literal(count, times) if self._open(times) else times

    def _unrolled(
        self, node: Group | Join, bodies: list[Pipeline], body: Pipeline, trace: Trace, turn: Turn
    ) -> Group:
        """A repeat whose turns differ, one after the other."""
        span = node.span
        if len(bodies) < 2:
            only = bodies[0] if bodies else self.pipeline(body, trace, (*turn, 0))
            return Group(span, only, literal(len(bodies), Number(span, 0, "0")))
        groups = tuple(Group(span, made, None) for made in bodies)
        return Group(span, Pipeline(span, groups), None)

    def _loop(self, loop: Loop, trace: Trace, turn: Turn) -> Element:
        if not self._open(loop.body):
            bindings = tuple(replace(b, values=self._sequence(b.values, trace, turn)) for b in loop.bindings)
            return replace(loop, bindings=bindings, body=self.pipeline(loop.body, trace, turn))
        turns: list[Loop] = self._turned(loop, trace, turn)
        if len(turns) == 1:
            return turns[0]
        if not turns:
            return passing(loop)
        return Group(loop.span, Pipeline(loop.span, tuple(turns)), None)

    def _turned(self, loop: Any, trace: Trace, turn: Turn) -> list[Any]:
        """A loop of one turn for each turn that it took."""
        count = len(trace.turns.get((loop, turn), []))
        made = []
        for index in range(count):
            values = trace.turns[loop, turn][index]
            bindings = tuple(self._one_turn(b, values, index, trace, turn) for b in loop.bindings)
            made.append(
                replace(loop, bindings=bindings, body=self.pipeline(loop.body, trace, (*turn, index)))
            )
        return made

    def _one_turn(
        self, binding: Binding, values: dict[str, Any], index: int, trace: Trace, turn: Turn
    ) -> Binding:
        """A binding that holds only the values of one turn."""
        node = binding.values
        value = values[binding.names[0]] if len(binding.names) == 1 else None
        if is_literal(value) and len(binding.names) == 1:
            return replace(binding, values=Listing(node.span, (literal(value, node),)))
        closed = self._sequence(node, trace, turn)
        if isinstance(node, Listing):
            assert isinstance(closed, Listing)
            return replace(binding, values=Listing(node.span, (closed.items[index],)))
        picked = Function(node.span, "at", (closed, literal(index, node)), node.span)
        return replace(binding, values=Listing(node.span, (picked,)))

    def _sequence(self, node: Expression, trace: Trace, turn: Turn) -> Expression:
        """The values of a loop: a bare range is a sequence, not a choice."""
        if isinstance(node, Range):
            return replace(
                node, low=self.expression(node.low, trace, turn), high=self.expression(node.high, trace, turn)
            )
        return self.expression(node, trace, turn)

    def _join(self, join: Join, trace: Trace, turn: Turn) -> Element:
        if join.times is None:
            return replace(join, branches=self._branches(join, trace, turn))
        count = len(trace.turns.get((join, turn), []))
        if not any(self._open(branch) for branch in join.branches):
            branches = self._branches(join, trace, turn)
            return replace(join, branches=branches, times=self._times(join.times, count))
        bodies = []
        for index in range(count):
            once = replace(join, branches=self._branches(join, trace, (*turn, index)), times=None)
            bodies.append(Pipeline(join.span, (once,)))
        body = Pipeline(join.span, (replace(join, times=None),))
        return self._unrolled(join, bodies, body, trace, turn)

    def _branches(self, join: Join, trace: Trace, turn: Turn) -> tuple[Any, ...]:
        made: list[Any] = []
        for branch in join.branches:
            if isinstance(branch, Keyword):
                made.append(replace(branch, value=self.expression(branch.value, trace, turn)))
            elif isinstance(branch, Pipeline):
                made.append(self.pipeline(branch, trace, turn))
            elif self._open(branch.body):
                made += self._turned(branch, trace, turn)
            else:
                bindings = tuple(
                    replace(b, values=self._sequence(b.values, trace, turn)) for b in branch.bindings
                )
                made.append(replace(branch, bindings=bindings, body=self.pipeline(branch.body, trace, turn)))
        return tuple(made)

    # ---- calls ---------------------------------------------------------------------------------

    def _word(self, word: Word, trace: Trace, turn: Turn) -> Word:
        arguments = self._arguments(word, trace, turn)
        definition = self._definition(word.name)
        if definition is not None:
            called = self._specialised(definition, trace.calls.get((word, turn)))
            return replace(word, name=called, arguments=arguments)
        self._keeps_closed(word, trace.calls.get((word, turn)))
        return replace(word, arguments=arguments)

    def _keeps_closed(self, word: Word, call: Trace | None) -> None:
        """Raises CannotClose for a call of another file's definition in which something was decided."""
        meaning = self.program.file.meaning(word.name)
        if isinstance(meaning, Definition) and (open_defaults(meaning, word) or (call and decided(call))):
            raise ArchError(CannotClose(word.name).at(word.span))

    def _arguments(self, word: Word, trace: Trace, turn: Turn) -> tuple[Expression | Keyword, ...]:
        """A call's arguments, and what was decided for those that it leaves to open defaults."""
        made = self._written(word, trace, turn)
        definition = self._definition(word.name)
        for parameter in open_defaults(definition, word) if definition is not None else ():
            assert parameter.default is not None
            value = self.expression(parameter.default, trace, (*turn, word.span.start))
            made.append(Keyword(word.span, parameter.name, value, word.span))
        return tuple(made)

    def _written(self, word: Word, trace: Trace, turn: Turn) -> list[Expression | Keyword]:
        """The arguments as they were written, closed; options by name last."""
        made: list[Expression | Keyword] = []
        for argument in word.arguments:
            if isinstance(argument, Keyword):
                made.append(replace(argument, value=self.expression(argument.value, trace, turn)))
            elif (option := self._own_option(word, argument, trace, turn)) is not None:
                made += [Name(option.name_span, option.name), *self._written(option, trace, turn)]
            else:
                made.append(atom(self.expression(argument, trace, turn)))
        return sorted(made, key=lambda argument: isinstance(argument, Keyword))

    def _own_option(self, word: Word, argument: Expression, trace: Trace, turn: Turn) -> Word | None:
        """The option that was taken, if it is a recipe stage's own word with arguments."""
        stage = self.program.file.meaning(word.name)
        if not isinstance(argument, Choice) or not isinstance(stage, type):
            return None
        own = own_words(first_kind(stage))
        match argument.options[self._taken(argument, argument.options, trace, turn)]:
            case Quote(pipeline=Pipeline(elements=(Word() as option,))) if option.name in own:
                return option
        return None

    def _definition(self, name: str) -> Definition | None:
        return self.program.file.definitions.get(name)

    def _specialised(self, definition: Definition, trace: Trace | None) -> str:
        """The name of the definition with its body closed as it was in this call."""
        if not definition.is_open:
            return definition.name
        node = definition.node
        parameters = None
        if node.parameters is not None:
            parameters = tuple(
                p if p.default is None else replace(p, default=self.expression(p.default, Trace(""), ()))
                for p in node.parameters
            )
        body = self.whole(node.body, trace or Trace(definition.name))
        key = (definition.name, format_node(body))
        if key not in self.texts:
            name = self._free(definition.name)
            self.texts[key] = name
            self.names[name] = replace(node, name=name, parameters=parameters, body=body)
        return self.texts[key]

    def _free(self, name: str) -> str:
        """A definition's name, numbered where it is taken."""
        number, free = 1, name
        while free in self.names or (number > 1 and self.program.file.meaning(free) is not None):
            number += 1
            free = f"{name}_{number}"
        return free

    def _given(self, word: Word, trace: Trace, turn: Turn) -> Word:
        """A definition given as a value, with its arguments.

        Raises CannotClose if its calls were decided apart, or are not to be found from here.
        """
        definition = self._definition(word.name)
        if definition is None or not definition.is_open or (word, turn) in trace.calls:
            return self._word(word, trace, turn)
        calls = trace.given.get((word.name_span, turn), [])
        names = {self._specialised(definition, call) for call in calls}
        if len(names) != 1 or (len(calls) > 1 and open_defaults(definition, word)):
            raise ArchError(CannotClose(word.name).at(word.span))
        return replace(word, name=names.pop(), arguments=self._arguments(word, trace, turn))

    # ---- expressions ---------------------------------------------------------------------------

    def expression(self, node: Expression, trace: Trace, turn: Turn) -> Expression:
        match node:
            case Choice():
                option = node.options[self._taken(node, node.options, trace, turn)]
                return bracketed(self.expression(option, trace, turn))
            case Range():
                answer = trace.decisions.get((node, turn))
                return literal(answer, node) if answer is not None else self.expression(node.low, trace, turn)
            case Quote(pipeline=Pipeline(elements=(Word() as word,))):
                return replace(
                    node, pipeline=replace(node.pipeline, elements=(self._given(word, trace, turn),))
                )
            case Quote():
                return replace(node, pipeline=self.scope(node.pipeline, trace, turn))
            case Binary(operator="*", left=Listing() as items) if self._open(items):
                count = len(trace.turns.get((node, turn), []))
                every = [
                    self.expression(item, trace, (*turn, index))
                    for index in range(count)
                    for item in items.items
                ]
                return Listing(node.span, tuple(every))
            case Name():
                word = self._given(Word(node.span, node.name, (), node.span), trace, turn)
                if not word.arguments:
                    return replace(node, name=word.name)
                return Paren(node.span, Quote(node.span, Pipeline(node.span, (word,))))
            case _:
                return self._rebuilt(node, trace, turn)

    def _rebuilt(self, node: Expression, trace: Trace, turn: Turn) -> Expression:
        """A node with the expressions below it closed."""
        if not self._open(node):
            return node
        changes: dict[str, Any] = {}
        for name in node.__dataclass_fields__:
            value = getattr(node, name)
            if name == "span":
                continue
            if isinstance(value, tuple):
                changes[name] = tuple(
                    self.expression(cast(Expression, item), trace, turn) if isinstance(item, Node) else item
                    for item in value
                )
            elif isinstance(value, Node):
                changes[name] = self.expression(cast(Expression, value), trace, turn)
        return replace(node, **changes)

    def _taken(self, node: Node, options: tuple[Any, ...], trace: Trace, turn: Turn) -> int:
        """The number of the option that was taken; the first where the choice was never met."""
        answer = trace.decisions.get((node, turn))
        if answer is None:
            return 0
        return [format_node(bare(option)) for option in options].index(str(answer))

    def _open(self, node: Node) -> bool:
        return self.program.file.is_open(node)


def decided(trace: Trace) -> bool:
    """Whether anything was decided in a call or below it."""
    below = (*trace.calls.values(), *(call for calls in trace.given.values() for call in calls))
    return bool(trace.decisions) or any(map(decided, below))


def open_defaults(definition: Definition, word: Word) -> tuple[Parameter, ...]:
    """The parameters that a call leaves to defaults with choices."""
    given = {argument.name for argument in word.arguments if isinstance(argument, Keyword)}
    places = sum(not isinstance(argument, Keyword) for argument in word.arguments)
    return tuple(
        parameter
        for parameter in (definition.node.parameters or ())[places:]
        if parameter.name not in given
        and parameter.default is not None
        and definition.file.is_open(parameter.default)
    )


def passing(node: Node) -> Branch:
    """What lets the value pass without taking a number: `if false (id)`."""
    body = Pipeline(node.span, (Word(node.span, "id", (), node.span),))
    return Branch(node.span, Truth(node.span, False), body, None)


def is_literal(value: Any) -> bool:
    return isinstance(value, int | Fraction) and not isinstance(value, bool)


def literal(value: Any, node: Node) -> Number:
    """A number as the text that is read back as it."""
    if isinstance(value, str):
        value = int(value)
    text = shown(Fraction(str(value))) if isinstance(value, float) else shown(value)
    number = Fraction(text)
    return Number(node.span, number.numerator if number.denominator == 1 else number, text)


def bracketed(value: Expression) -> Expression:
    """A stage with arguments stands in brackets where a choice stood."""
    return Paren(value.span, value) if isinstance(value, Quote) else value


def atom(value: Expression) -> Expression:
    """An expression as a positional argument: one atom."""
    if isinstance(value, Binary) or (isinstance(value, Quote) and len(list(walk(value))) > 1):
        return Paren(value.span, value)
    return value
