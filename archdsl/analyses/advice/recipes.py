"""Advice on recipe stages: what a reader would take for something else, or that comes to nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archdsl.analyses.words import nodes_of
from archdsl.elaboration.program import Elaborated, Program
from archdsl.errors import Diagnostic
from archdsl.errors.advice import HiddenDefinition, LongSchedule, NoHead, ReadoutOfNoToken
from archdsl.network import Network
from archdsl.op import arguments
from archdsl.ops.backbones import Timm
from archdsl.source import Label, Span
from archdsl.stage import PerLevel, Stage, StageName
from archdsl.syntax import (
    Binary,
    Choice,
    Expression,
    Keyword,
    Listing,
    Name,
    Number,
    Paren,
    Truth,
    Word,
    unmarked,
)
from archdsl.vocabulary import Definition


def hidden_definitions(program: Program) -> Iterator[Diagnostic]:
    """Words of a recipe stage that a definition of the same file has too."""
    for word, stage in recipe_stages(program):
        first = next(iter(arguments(stage).values())).metadata["kind"]
        if not isinstance(first, StageName) or not word.arguments:
            continue
        for name in _names(word.arguments[0]):
            place = _defined_at(program, name.name)
            if name.name in first.own and place is not None:
                mistake = HiddenDefinition(stage.name, name.name)
                yield mistake.at(name.span, Label(place, "this definition is hidden"))


# The library's necks that take half of a level's channels for those of a token.
READOUTS = ("add_readout", "project_readout")


def readouts_of_no_token(program: Program, made: Sequence[Elaborated]) -> Iterator[Diagnostic]:
    """Necks that read a token of each pixel, where no encoder, all of the library or of timm, gives one."""
    named = {"encoder": list[Name](), "neck": list[Name]()}
    for word, stage in recipe_stages(program):
        if stage.name in named and word.arguments:
            names = [name for name in _names(word.arguments[0]) if _is_known(program, name)]
            if stage.name == "encoder" and not names:
                return
            named[stage.name] += names
    necks = [name for name in named["neck"] if name.name in READOUTS]
    if necks and named["encoder"] and not any(_gives_tokens(member) for member in made):
        yield from (ReadoutOfNoToken(name.name).at(name.span) for name in necks)


def _is_known(program: Program, name: Name) -> bool:
    """Whether a name is a definition of the library or a model of timm."""
    meaning = program.file.meaning(name.name)
    return meaning is Timm or (isinstance(meaning, Definition) and meaning.file.library)


def _gives_tokens(made: Elaborated) -> bool:
    if not made.assembly.opaque:
        return False
    operations = (operation.op for operation in made.assembly.network().operations)
    return any(isinstance(op, Timm) and op.tokens for op in operations)


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


def no_head(program: Program, network: Network) -> Iterator[Diagnostic]:
    """A recipe whose last stage is no head."""
    assert program.pipeline is not None
    last = unmarked(program.pipeline.elements[-1])
    stage = _recipe_stage(program, last) if isinstance(last, Word) else None
    if stage is not None and stage.name != "head":
        flows = [output for output in network.outputs if not output.training_only]
        several = f"{len(flows)} feature maps"
        yield NoHead(several if network.returns_list else f"{network.shape_of(flows[0].value)} features").at(
            last.span
        )


def long_schedules(program: Program, made: Sequence[Elaborated]) -> Iterator[Diagnostic]:
    """Lists of a recipe stage with more values than the deepest member of the space has levels."""
    for word, stage in recipe_stages(program):
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


def recipe_stages(program: Program) -> Iterator[tuple[Word, type[Stage]]]:
    for node in nodes_of(program.file.spec):
        if isinstance(node, Word):
            stage = _recipe_stage(program, node)
            if stage is not None:
                yield node, stage


def _recipe_stage(program: Program, word: Word) -> type[Stage] | None:
    meaning = program.file.meaning(word.name)
    return meaning if isinstance(meaning, type) and issubclass(meaning, Stage) else None
