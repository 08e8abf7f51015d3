"""The contract of a recipe stage: what flows, the wiring it may use, and its arguments.

A stage is a loop over a topology (the levels of an encoder, the nodes of a decoder). It reads like
the sentence that describes it and can do nothing but add: it sees a `Wiring`, never the elaborator.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, Protocol, TypeAlias

from archdsl.errors.recipes import ScheduleTooShort
from archdsl.op import Kind, Op
from archdsl.records import Value
from archdsl.source import Span
from archdsl.tensors import Shape, Stride

# ---- what flows --------------------------------------------------------------------------------


class Map(NamedTuple):
    """One feature map, or a vector (rank 0): the number of its value, its shape, its stride."""

    value: int
    shape: Shape
    stride: Stride


class Pyramid(NamedTuple):
    """Feature maps of one image, finest first."""

    maps: tuple[Map, ...]


class Joining(NamedTuple):
    """How a decoder whose nodes read all levels brings each of them to `width` channels."""

    width: int
    block: StageValue


class Lattice(Value):
    """A pyramid with the decoder's wiring chosen, not yet upsampled.

    Attributes:
        maps: the levels that the decoder reads, finest first.
        join: how a node joins what climbs with its skips: none, concat or add.
        nested: whether inner nodes exist (UNet++), else only the last of each row.
        full: how a node reads all levels (UNet 3+), where it does.
        gates: an attention stage or None for each skip level, finest first, the image's before them.
        signalled: a gate of each skip that sees what climbs (Attention U-Net), where there is one.
        with_input: whether the image itself joins at full resolution.
        newest_first: the order of a nested node's skips.
    """

    maps: tuple[Map, ...]
    join: str
    nested: bool = False
    full: Joining | None = None
    gates: tuple[StageValue | None, ...] = ()
    signalled: StageValue | None = None
    with_input: bool = False
    newest_first: bool = False


Flow: TypeAlias = Map | Pyramid | Lattice


def described_flow(flow: Flow) -> str:
    """What flows, in a sentence about something else that was wanted."""
    if isinstance(flow, Map):
        return "one map"
    return "a bare pyramid" if isinstance(flow, Pyramid) else "a decoder that is not upsampled yet"


# ---- values that stand for stages --------------------------------------------------------------


class BareWord(str):
    """A word that names nothing in scope; the stage that gets it knows what it means.

    `span` is where it is written, `known` gives the stages that have a name there.
    """

    __slots__ = ("known", "span")

    span: Span | None
    known: Callable[[], tuple[str, ...]]

    def __new__(
        cls, word: str, span: Span | None = None, known: Callable[[], tuple[str, ...]] = tuple
    ) -> BareWord:
        made = super().__new__(cls, word)
        made.span = span
        made.known = known
        return made


class Size(tuple[int, ...]):
    """`3x3` as a value."""

    __slots__ = ()

    def __str__(self) -> str:
        return "x".join(map(str, self))


class StageValue(Protocol):
    """A stage as a value: something that `Wiring.call` can run."""

    @property
    def word(self) -> str:
        """What a reader calls it."""
        ...

    def takes(self, parameter: str) -> bool:
        """Whether it has an argument of that name that is not given yet."""
        ...

    def gives(self, parameter: str) -> bool:
        """Whether it has an argument of that name that is given already."""
        ...

    @property
    def takes_more(self) -> bool:
        """Whether it has one more argument by position."""
        ...


# ---- kinds of arguments that only recipe stages have -------------------------------------------


class StageName(Value):
    """One of the stage's own words, else any definition, else (in brackets) a definition only.

    With `rest` the arguments that the recipe stage does not know belong to this definition; with
    `sizes` a size such as `1x1` may stand there too, with `timm` one of timm's models; with `closed` the own
    words are all there are.
    """

    own: tuple[str, ...] = ()
    optional: bool = False
    rest: bool = False
    sizes: bool = False
    closed: bool = False
    timm: bool = False


class Gate(Value):
    """An attention stage, or `none`."""


class PerLevel(Value):
    """One value for all levels, or a list with one a level."""

    kind: Any


class Paths(Value):
    """A list of module paths."""


class Tag(Value):
    """A word or text that names published weights."""


StageKind: TypeAlias = Kind | StageName | Gate | PerLevel | Paths | Tag


class PerLevelValue(NamedTuple):
    """A schedule as it was given: the values and whether they were a list."""

    values: tuple[Any, ...]
    listed: bool

    def aligned(self, option: str, levels: int) -> tuple[Any, ...]:
        """One value a level, for a list whose last value is the finest level's.

        A longer list is used from its finest end; raises ScheduleTooShort for a shorter one.
        """
        if not self.listed:
            return self.values * levels
        if len(self.values) < levels:
            raise ScheduleTooShort(option, len(self.values), levels)
        return self.values[len(self.values) - levels :]


EVERYWHERE = PerLevelValue((None,), False)


# ---- the wiring --------------------------------------------------------------------------------


Build: TypeAlias = "Callable[[Wiring, tuple[Map, ...]], Map]"


class Wiring(Protocol):
    """All that a stage may do."""

    @property
    def image(self) -> Map:
        """The image: `@input`."""
        ...

    def add(self, op: Op, *maps: Map, name: str | None = None) -> Map:
        """Adds an operation; one without a name has no module path (joins, alignment)."""
        ...

    def call(self, stage: StageValue, flow: Map, *arguments: Any, name: str, **keywords: Any) -> Map:
        """Runs a stage given as a value, under a name."""
        ...

    def run(self, stage: StageValue, flow: Map | Pyramid, *, name: str, **keywords: Any) -> Map | Pyramid:
        """Runs a stage given as a value that may take or give a whole pyramid."""
        ...

    def library(self, word: str) -> StageValue:
        """A definition by its word, as the spec's file sees it."""
        ...

    def part(self, name: str) -> Wiring:
        """The same wiring below a name."""
        ...

    def cell(self, name: str, key: tuple[Any, ...], maps: tuple[Map, ...], build: Build) -> Map:
        """A named part, built once for each `key` and shapes of `maps`: it depends on nothing else."""
        ...

    def backbone(
        self,
        stage: StageValue,
        flow: Map,
        taps: tuple[str, ...] | None,
        depth: int | None,
        keywords: dict[str, Any],
        weights: str | None,
    ) -> Pyramid:
        """Runs a definition as an encoder: its levels down to stride 2^depth, and only what they need.

        `weights` asks for those that are published under that tag.
        """
        ...

    def blocks(self) -> tuple[str, tuple[str, ...]]:
        """The encoder before, where it is a transformer of timm, and the paths that its `taps=` may name."""
        ...

    def output(self, name: str, value: Map, weight: float = 1.0) -> None:
        """An output that exists in training only."""
        ...

    def plan(self, supervision: Callable[[], list[tuple[int, Map]]]) -> None:
        """Leaves a plan for deep supervision; the head asks for what it makes."""
        ...

    def planned(self) -> list[tuple[int, Map]] | None:
        """The lower depths' maps by the plan of the decoder before; None without a decoder."""
        ...

    def drawn(self, name: str, role: str, row: int, column: int, value: Map) -> None:
        """Records a node of the recipe's drawing."""
        ...

    def drawn_after(self, before: Map, name: str, role: str, value: Map) -> None:
        """Records a node and the edge to it from the node that gave `before`."""
        ...

    def drawing_of(self, value: Map) -> str:
        """The name of the node that gave a value; empty if none did."""
        ...

    def spot_of(self, name: str) -> tuple[int, int] | None:
        """Row and column of a node of the drawing; None where there is none of that name."""
        ...

    def edge(self, source: str, target: str, kind: str, label: str = "") -> None:
        """Records an edge of the recipe's drawing."""
        ...


class Stage(Value):
    """One recipe stage; subclasses are final, frozen records whose fields are its arguments.

    Class attributes:
        name: the word of the language.
        part: the module path of what it builds.
    """

    name: ClassVar[str]
    part: ClassVar[str] = ""

    def wire(self, net: Wiring, flow: Any) -> Flow:
        """Adds the stage to the network and returns what flows on.

        Raises a Mistake of errors/recipes.py where the arguments don't fit what flows.
        """
        raise NotImplementedError
