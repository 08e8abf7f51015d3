"""Advice on specs that are right: each kind a function over the program or the network that it makes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from archdsl.analyses.figures import NetworkFigures
from archdsl.analyses.requirements import broken
from archdsl.analyses.words import words_in
from archdsl.elaboration.program import Elaborated, Program, first_option
from archdsl.errors import ArchError, Diagnostic
from archdsl.errors.advice import (
    BiasBeforeNorm,
    FailsAtOddSize,
    HiddenDefinition,
    LongSchedule,
    NeverFeasible,
    NoHead,
    UnusedLet,
    UnusedParameter,
)
from archdsl.errors.shapes import DifferentSizes
from archdsl.network import Network
from archdsl.op import arguments
from archdsl.source import Label, Span
from archdsl.stage import PerLevel, Stage, StageName
from archdsl.syntax import (
    Binary,
    Choice,
    Define,
    Element,
    Expression,
    Join,
    Keyword,
    Let,
    Listing,
    Marked,
    Name,
    Node,
    Number,
    Paren,
    Truth,
    Word,
    walk,
)
from archdsl.tensors import Shape

NORM = "bn"
SIZED_JOINS = ("concat", "add", "mul", "residual", "dense")
SIZED = {"macs", "activations"}  # figures that depend on the size of the input


def advice(program: Program, made: Sequence[Elaborated]) -> list[Diagnostic]:
    """All advice on a spec.

    Args:
        made: what it elaborates to; of a space several members, the first options' first.
    """
    found = [*unused_parameters(program), *unused_lets(program), *hidden_definitions(program)]
    if made and program.pipeline is not None:
        network = made[0].assembly.network()
        found += [*no_head(program, network), *long_schedules(program, made)]
        found += [*biases_before_norms(program, network), *joins_at_other_sizes(program)]
        found += never_feasible(program, made)
    return found


# ---- of the text -------------------------------------------------------------------------------


def unused_parameters(program: Program) -> Iterator[Diagnostic]:
    """Parameters that their definition doesn't read; a name that starts with `_` only keeps a place."""
    for statement in program.file.spec.statements:
        if isinstance(statement, Define):
            read = set(words_in(statement))
            for parameter in statement.parameters or ():
                if parameter.name not in read and not parameter.name.startswith("_"):
                    yield UnusedParameter(statement.name, parameter.name).at(parameter.span)


def unused_lets(program: Program) -> Iterator[Diagnostic]:
    """Lets that nothing in their file reads."""
    statements = program.file.spec.statements
    read = {word for statement in statements for word in words_in(statement)}
    for statement in statements:
        if isinstance(statement, Let) and statement.name not in read:
            yield UnusedLet(statement.name).at(statement.name_span)


def hidden_definitions(program: Program) -> Iterator[Diagnostic]:
    """Words of a recipe stage that a definition of the same file has too."""
    for word, stage in _recipe_stages(program):
        first = next(iter(arguments(stage).values())).metadata["kind"]
        if not isinstance(first, StageName) or not word.arguments:
            continue
        for name in _names(word.arguments[0]):
            place = _defined_at(program, name.name)
            if name.name in first.own and place is not None:
                mistake = HiddenDefinition(stage.name, name.name)
                yield mistake.at(name.span, Label(place, "this definition is hidden"))


def _names(node: Expression | Keyword) -> Iterator[Name]:
    """The names that an argument may be; in brackets a name is a definition's."""
    if isinstance(node, Name):
        yield node
    elif isinstance(node, Choice):
        for option in node.options:
            yield from _names(option)


def _defined_at(program: Program, name: str) -> Span | None:
    files = (program.file, *program.file.used)
    definitions = (file.definitions.get(name) for file in files)
    return next((found.node.name_span for found in definitions if found is not None), None)


def _recipe_stages(program: Program) -> Iterator[tuple[Word, type[Stage]]]:
    for node in _nodes(program):
        if isinstance(node, Word):
            stage = _recipe_stage(program, node)
            if stage is not None:
                yield node, stage


def _recipe_stage(program: Program, word: Word) -> type[Stage] | None:
    meaning = program.file.meaning(word.name)
    return meaning if isinstance(meaning, type) and issubclass(meaning, Stage) else None


def _nodes(program: Program) -> Iterator[Node]:
    return (node for statement in program.file.spec.statements for node in walk(statement))


# ---- of the network ----------------------------------------------------------------------------


def no_head(program: Program, network: Network) -> Iterator[Diagnostic]:
    """A recipe whose last stage is no head."""
    assert program.pipeline is not None
    last: Element = program.pipeline.elements[-1]
    while isinstance(last, Marked):
        last = last.element
    stage = _recipe_stage(program, last) if isinstance(last, Word) else None
    if stage is not None and stage.name != "head":
        flows = [output for output in network.outputs if not output.training_only]
        several = f"{len(flows)} feature maps"
        yield NoHead(several if network.returns_list else f"{network.shape_of(flows[0].value)} features").at(
            last.span
        )


def long_schedules(program: Program, made: Sequence[Elaborated]) -> Iterator[Diagnostic]:
    """Lists of a recipe stage with more values than the deepest member of the space has levels."""
    for word, stage in _recipe_stages(program):
        climbed = max((_climbed(each, stage.name) for each in made), default=0)
        levels = climbed + (stage.name == "skip" and _joins_image(word))
        for keyword in word.arguments:
            if not isinstance(keyword, Keyword) or keyword.name not in arguments(stage) or not climbed:
                continue
            if not isinstance(arguments(stage)[keyword.name].metadata["kind"], PerLevel):
                continue
            count = _length(keyword.value)
            if count is not None and count > levels:
                side = "first" if stage.name == "up" else "last"
                yield LongSchedule(keyword.name, count, levels, side).at(keyword.value.span)


def _climbed(made: Elaborated, stage: str) -> int:
    """How many levels a decoder climbs: those with a skip, and for `up` the steps above the finest tap."""
    cells = made.assembly.cells
    tops = sum(cell.role == "top" and cell.row == 0 for cell in cells)
    return sum(cell.role == "decoder" for cell in cells) + (tops if stage == "up" else 0)


def _joins_image(word: Word) -> bool:
    given = [
        argument for argument in word.arguments if isinstance(argument, Keyword) and argument.name == "input"
    ]
    return any(not isinstance(argument.value, Truth) or argument.value.value for argument in given)


def _length(node: Expression) -> int | None:
    """How many values a list has as it is written, if that is plain."""
    match node:
        case Listing(items=items):
            return len(items)
        case Paren(inner=inner):
            return _length(inner)
        case Binary(operator="+", left=left, right=right):
            lengths = (_length(left), _length(right))
            return None if None in lengths else sum(length or 0 for length in lengths)
        case Binary(operator="*", left=left, right=Number(value=int(times))):
            length = _length(left)
            return None if length is None else length * times
    return None


def biases_before_norms(program: Program, network: Network) -> Iterator[Diagnostic]:
    """Convolutions of the spec's own text whose bias only a batch norm reads, which subtracts it again."""
    readers: dict[int, list[str]] = {output.value: [""] for output in network.outputs}
    for operation in network.operations:
        for value in operation.inputs:
            readers.setdefault(value, []).append(operation.op.name)
    places: dict[Span, str] = {}
    for value, operation in enumerate(network.operations, 1):
        idle = getattr(operation.op, "bias", False) and readers.get(value) == [NORM]
        if idle and operation.span.source is program.file.spec.source:
            places.setdefault(operation.span, operation.op.name)
    if places:
        first, *others = places
        labels = [Label(span, "so does this one") for span in others]
        yield BiasBeforeNorm(places[first], len(places)).at(first, *labels[:4])


def joins_at_other_sizes(program: Program) -> Iterator[Diagnostic]:
    """Joins written by hand that fit at the input's size and fail one pixel above it."""
    if not any(isinstance(node, Join) and node.name in SIZED_JOINS for node in _nodes(program)):
        return
    height, width = program.input[-2] + 1, program.input[-1] + 1
    try:
        program.elaborate(first_option, image=Shape(*program.input[:-2], height, width))
    except ArchError as error:
        for mistake in error.diagnostics:
            if mistake.code == DifferentSizes.code and mistake.span is not None:
                told = FailsAtOddSize(height, width).at(mistake.span)
                yield replace(told, labels=mistake.labels)


def never_feasible(program: Program, made: Sequence[Elaborated]) -> Iterator[Diagnostic]:
    """Requirements that none of several members of a space meets.

    What depends on the input's size is left out where the spec leaves that to the data.
    """
    if len(made) < 2 or not program.requirements:
        return
    counts: Counter[Span] = Counter()
    for member in made:
        failing = broken(program.requirements, NetworkFigures(member.assembly))
        if program.stated_input is None:
            failing = [condition for condition in failing if not SIZED & set(words_in(condition))]
        if not failing:
            return
        counts.update(condition.span for condition in failing)
    (worst, most), *others = counts.most_common()
    labels = [Label(span, f"{count} break this one") for span, count in others]
    yield NeverFeasible(len(made), most).at(worst, *labels)
