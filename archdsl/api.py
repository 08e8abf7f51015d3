"""What people call: a spec read, checked, compiled."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from archdsl import resources
from archdsl.analyses.advice.text import FEW
from archdsl.analyses.requirements import unmet
from archdsl.architecture import Architecture, Space, closed
from archdsl.checking import (
    check_text,
    disagreements,
    minimum_input,
    mistakes,
    tidy,
)
from archdsl.elaboration.program import Program, first_option
from archdsl.errors import ArchError, Diagnostic, Mistake
from archdsl.errors.commands import BatchForImage, without_place
from archdsl.errors.spaces import StillOpen, UnknownChoice
from archdsl.files import read_source
from archdsl.network import Network
from archdsl.ops import OPERATIONS
from archdsl.ops.backbones import Timm
from archdsl.parser import parse, parse_leniently
from archdsl.source import Label, Source
from archdsl.stages import STAGES
from archdsl.syntax import Input
from archdsl.tensors import Shape
from archdsl.vocabulary import Vocabulary, index_library

if TYPE_CHECKING:
    from torch.nn import Module

SpecLike: TypeAlias = "str | Path | Source"

MOST_SHOWN = 8  # open choices in one message


# ---- loading -----------------------------------------------------------------------------------


@cache
def _library() -> dict[str, tuple[Path, ...]]:
    return index_library(resources.specs())


def _source(spec: SpecLike) -> tuple[Source, Path | None, str]:
    """The text of a spec, the folder in which its `use` may look, its name."""
    if not isinstance(spec, str | Path | Source):
        hint = "; it is loaded already" if isinstance(spec, Architecture | Space) else ""
        raise TypeError(f"a spec is a path, a text, or a name of the library, not {spec!r}{hint}")
    if isinstance(spec, Source):
        path = Path(spec.name)
        folder = path.parent if path.suffix == ".arch" and path.is_file() else None
        return spec, folder, path.stem
    if isinstance(spec, Path) or (spec.endswith(".arch") and "\n" not in spec):
        path = Path(spec)
        return read_source(path), path.parent, path.stem
    named = resources.collection().get(spec) if spec.isidentifier() else None
    if named is not None:
        return Source(named.name, named.read_text(encoding="utf-8")), None, spec
    return Source("<spec>", spec), None, "spec"


def _program(source: Source, folder: Path | None, image: Shape | None, classes: int | None) -> Program:
    vocabulary = Vocabulary(OPERATIONS, STAGES, _library(), parse)
    file = vocabulary.file(parse(source), folder)
    overrides = {} if classes is None else {"classes": classes}
    return Program(file, image, overrides)


def collection() -> dict[Path, Program]:
    """The library's models, then its spaces, unchecked; one vocabulary serves them all."""
    vocabulary = Vocabulary(OPERATIONS, STAGES, _library(), parse)
    paths = resources.collection().values()
    sources = {path: Source(path.name, path.read_text(encoding="utf-8")) for path in paths}
    programs = {
        path: Program(vocabulary.file(parse(source), path.parent)) for path, source in sources.items()
    }
    blocks: dict[Any, Any] = {}
    for program in programs.values():
        program.memo = blocks  # a U-Net on ResNet-34 is made of ResNet-34's blocks
    return programs


def load(
    spec: SpecLike,
    *,
    input: Shape | tuple[int, ...] | None = None,
    classes: int | None = None,
    set: Mapping[str, str | int | float] | None = None,
) -> Architecture | Space:
    """Reads and checks a spec: a path, a text, or the name of a model or space of the library.

    Args:
        input: the image's shape C×H×W instead of the spec's.
        classes: of the data: replaces `let classes = ...`; what the spec states otherwise is a mistake then.
        set: choices to close, by name.

    Raises:
        ArchError: with every mistake of the spec.
        Mistake: if the path can't be read, or `input` is the shape of a batch.
        TypeError: if it is no spec.
    """
    source, folder, name = _source(spec)
    shape = None if input is None else _shape_of(input)
    program = _program(source, folder, shape, classes)
    if shape is not None and _is_batch(shape, program):
        raise BatchForImage(tuple(shape))
    found = mistakes(program)
    if not found and classes is not None:
        found = disagreements(program, classes)
    if found:
        raise ArchError(*found)
    return _answered(closed(name, program, {}), set or {})


def _answered(made: Architecture | Space, options: Mapping[str, str | int | float]) -> Architecture | Space:
    """What was made, with choices closed by name; raises ArchError for wrong ones and unmet requirements."""
    if options:
        if isinstance(made, Architecture):
            raise ArchError(without_place(UnknownChoice(next(iter(options)), ())))
        made = made.close(options)
    if isinstance(made, Architecture) and (broke := unmet(made.requirements, made)):
        raise ArchError(*broke)
    return made


def open_mistake(space: Space) -> ArchError:
    """That a space was given where one architecture is wanted."""
    first, *others = space.choices
    labels = (Label(choice.span, f"`{choice.name}`") for choice in others[:MOST_SHOWN])
    mistake = StillOpen(len(space.choices), first.name, str(first_option(first)))
    return ArchError(mistake.at(first.span, *labels))


def compile(
    spec: SpecLike | Architecture | Space,
    *,
    input: Shape | tuple[int, ...] | None = None,
    weights: str | Path | None = None,
    inference: bool = False,
    set: Mapping[str, str | int | float] | None = None,
) -> Module:
    """A spec as a torch module, with published weights that it asks for, or those of a file.

    Args:
        spec: what `load` reads, or what it gave, such as a member of a space.
        input, set: as `load` has them; what was loaded has its input.
        weights: a file of weights.
        inference: whether what only training has is left out.

    Raises:
        ArchError: with every mistake of the spec, or if choices are still open.
        Mistake: if a path can't be read.
        TypeError: if it is no spec, or was loaded and gets an input.
    """
    if not isinstance(spec, Architecture | Space):
        found = load(spec, input=input, set=set)
    elif input is None:
        found = _answered(spec, set or {})
    else:
        raise TypeError(f"{spec.name} was loaded for {spec.input}: give `input` to `archdsl.load`")
    if isinstance(found, Space):
        raise open_mistake(found)
    return built(found, weights, inference)


def built(architecture: Architecture, weights: str | Path | None = None, inference: bool = False) -> Module:
    """The module of an architecture with its weights: a file's, or the published ones that its spec wants.

    Raises:
        ArchError: published weights are none of the encoder's, or can't be had.
        Mistake: what is wrong with the file.
    """
    from archdsl.emitters.torch_module import build
    from archdsl.weights.files import load_file
    from archdsl.weights.fitting import load_backbone, load_published

    module = build(architecture.network, inference=inference)
    if weights is not None:
        load_file(module, Path(weights))
        return module
    made, program = architecture._elaborated, architecture._program
    if made is None or program is None:  # made of a graph
        return module
    for wanted in made.weights:
        channels = architecture.input.channels
        try:
            settings = _of_timm(architecture.network, wanted.path)
            if settings is not None:
                load_backbone(module, wanted.path, wanted.published, settings, channels)
            else:
                load_published(module, wanted.path, wanted.published, wanted.parts, channels)
        except Mistake as mistake:
            raise ArchError(*tidy(program, [wanted.told(mistake)])) from None
    return module


def _of_timm(network: Network, path: str) -> dict[str, Any] | None:
    """How timm builds the encoder at a module path, if it does."""
    for operation in network.operations:
        if operation.path == path and isinstance(operation.op, Timm):
            return operation.op.settings(network.shapes_into(operation))
    return None


def check(spec: SpecLike, *, object_size: int | None = None) -> tuple[Diagnostic, ...]:
    """Everything that is wrong with a spec, and advice, in the order of their places.

    Args:
        object_size: pixels that the input's objects are wide: a network that sees less is told.

    Raises:
        TypeError: if it is no spec; what was loaded has its `diagnostics`.
    """
    source, folder, _ = _source(spec)
    tree, of_text = parse_leniently(source)
    vocabulary = Vocabulary(OPERATIONS, STAGES, _library(), parse)
    return check_text(Program(vocabulary.file(tree, folder)), of_text, object_size)


def _is_batch(shape: Shape, program: Program) -> bool:
    """Whether a shape reads as one image's behind the size of a batch; of volumes the spec would say so."""
    first, channels, *sides = shape
    if len(sides) != 2 or first != 1 or channels not in FEW:
        return False
    stated = (statement for statement in program.file.spec.statements if isinstance(statement, Input))
    return all(len(statement.shape.value) == 3 for statement in stated)


def _shape_of(input: Shape | tuple[int, ...]) -> Shape:
    if isinstance(input, str) or len(input) not in (3, 4):
        wanted = "(channels, height, width), or (channels, depth, height, width) of a volume"
        raise ValueError(f"input is the shape of one image, {wanted}, not {input!r}")
    if not all(isinstance(side, int) and side > 0 for side in input):
        raise ValueError(f"the sides of input are whole numbers above 0, not {input!r}")
    return Shape(*input)


__all__ = ["Architecture", "Space", "check", "compile", "load", "minimum_input"]
