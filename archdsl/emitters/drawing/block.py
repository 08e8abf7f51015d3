"""The block that a network repeats: all of its turns, what they share, and what only some of them have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate, groupby
from typing import NamedTuple

from archdsl.emitters.drawing.matching import Placed, matched, placed
from archdsl.emitters.drawing.outline import Part, mains, repeats, segments
from archdsl.emitters.drawing.phrases import JOINS, is_main, step
from archdsl.network import Network, Operation
from archdsl.op import per_axis


class Block(NamedTuple):
    """One turn of a repetition: a scope, and the joins behind it up to `last` (a dense layer's concat)."""

    scope: Part
    last: int

    def __len__(self) -> int:
        return self.last - self.scope.first

    def operations(self, network: Network) -> list[Placed]:
        """Its operations, each at its place below the block."""
        return list(placed(network, self.scope.name, network.operations[self.scope.first : self.last]))


class Unit(NamedTuple):
    """What is one box or circle: a main operation or a join, or a scope as a whole.

    Attributes:
        name: what a scope is called.
        paths: those of its operations below the block.
        operation: what a scope is not.
    """

    name: str
    paths: tuple[str, ...]
    operation: Operation | None = None

    @property
    def path(self) -> str:
        """Where its operation is, or the first of its scope."""
        return self.paths[0]

    @property
    def is_join(self) -> bool:
        return self.operation is not None and is_join(self.operation)


@dataclass(frozen=True)
class Repeated:
    """All blocks of one definition, in order.

    Attributes:
        word: the definition's name.
        blocks: those of all stages.
        firsts: the numbers of the blocks that come first in a stage.
        versions: the operations of all blocks at each path below the shown one, by the number of the block.
        shown: the block that has most to tell.
    """

    word: str
    blocks: tuple[Block, ...]
    firsts: frozenset[int]
    versions: dict[str, dict[int, Operation]]
    shown: Block

    def holders(self, unit: Unit) -> set[int]:
        """The numbers of the blocks that have a unit, of a scope at least some of it."""
        return {number for path in unit.paths for number in self.versions[path]}

    def in_all(self, unit: Unit) -> bool:
        """Whether every block has a unit."""
        return len(self.holders(unit)) == len(self.blocks)

    def words(self, path: str) -> str:
        """What blocks have at a path: `relu or hswish`."""
        names = dict.fromkeys(
            operation.op.name.replace("_", " ") for operation in self.versions[path].values()
        )
        return " or ".join(names)

    def signs(self, path: str) -> str:
        """How blocks join at a path: `cat or +`."""
        kinds = [type(operation.op) for operation in self.versions[path].values()]
        return " or ".join(dict.fromkeys(JOINS[kind] for kind in kinds if kind in JOINS))

    def wider(self, path: str) -> set[int]:
        """The numbers of the blocks whose operation at a path reads more than that of the shown one."""
        versions = self.versions[path]
        width = len(versions[self.blocks.index(self.shown)].inputs)
        return {number for number, made in versions.items() if len(made.inputs) > width}

    def step(self, path: str, rank: int) -> str:
        """The largest stride of the operation at a path, where blocks differ in it: `/2*`."""
        strides = {per_axis(getattr(op.op, "stride", None) or 1, rank) for op in self.versions[path].values()}
        return f"{step(max(strides), rank)}*" if len(strides) > 1 else ""


def is_join(operation: Operation) -> bool:
    return type(operation.op) in JOINS and len(operation.inputs) > 1


def find_repeated(network: Network, parts: Sequence[Part]) -> Repeated | None:
    """The definition whose blocks make up most of the parts that repeat themselves; else of all parts."""
    stages: dict[str, list[tuple[Block, ...]]] = defaultdict(list)
    for part in map(_innermost, parts):
        for word, run in _runs(part) if repeats(network, part) else ():
            stages[word].append(_turns(network, run))
    if not stages:
        stages = _equals(parts)
    if not stages:
        return None
    word = max(stages, key=lambda word: sum(len(block) for stage in stages[word] for block in stage))
    blocks = tuple(block for stage in stages[word] for block in stage)
    firsts = accumulate((len(stage) for stage in stages[word][:-1]), initial=0)
    shown = max(blocks, key=lambda block: (len(mains(network, block.scope)), len(block)))
    return Repeated(word, blocks, frozenset(firsts), _versions(network, blocks, shown), shown)


def _versions(network: Network, blocks: Sequence[Block], shown: Block) -> dict[str, dict[int, Operation]]:
    ones = shown.operations(network)
    versions: dict[str, dict[int, Operation]] = {one.path: {} for one in ones}
    for number, block in enumerate(blocks):
        for one, other in matched(ones, block.operations(network)):
            versions[one.path][number] = other.operation
    return versions


def _runs(part: Part) -> Iterator[tuple[str, Part]]:
    """Neighbours of one definition in a part, as a part; the part itself where they are all."""
    for word, scopes in groupby(part.children, lambda child: child.word):
        run = tuple(scopes)
        if word and run == part.children:
            yield word, part
        elif word and len(run) > 1:
            yield word, replace(part, first=run[0].first, last=run[-1].last, children=run)


def _equals(parts: Sequence[Part]) -> dict[str, list[tuple[Block, ...]]]:
    """Parts of a row that one definition made, where there are several (GoogLeNet's modules)."""
    scopes = [part.children[0] if part.row and len(part.children) == 1 else part for part in parts]
    blocks: dict[str, list[Block]] = defaultdict(list)
    for scope in scopes:
        blocks[scope.word].append(Block(scope, scope.last))
    return {word: [tuple(equal)] for word, equal in blocks.items() if word and len(equal) > 2}


def _innermost(part: Part) -> Part:
    """A part with what its scopes consist of, where that is scopes of one definition and nothing else."""
    inner = [piece for child in part.children for piece in segments(child)]
    words = {piece.word for piece in inner}
    if len(words) > 1 or words <= {""} or len(inner) == len(part.children):
        return part
    return _innermost(replace(part, children=tuple(inner)))


def _turns(network: Network, part: Part) -> tuple[Block, ...]:
    """The scopes of a part, with what is between them if that is only joins."""
    ends = [after.first for after in part.children[1:]] + [part.last]
    blocks = tuple(Block(child, end) for child, end in zip(part.children, ends, strict=True))
    between = [
        network.operations[number] for block in blocks for number in range(block.scope.last, block.last)
    ]
    if part.first < part.children[0].first or any(is_main(network, operation) for operation in between):
        return tuple(Block(child, child.last) for child in part.children)
    return blocks


LETTERS = {"kernel": "k", "dilation": "r", "groups": "g"}


def symbols(found: Repeated, units: Iterable[Unit]) -> dict[str, dict[str, str]]:
    """Letters for what blocks differ in, by the path of each unit and by argument: `{"out": "4w"}`."""
    shown = [unit for unit in units if unit.operation]
    words = {path: {"out": word} for path, word in _widths(found, shown).items()}
    for unit in shown:
        for argument, letter in LETTERS.items():
            values = {getattr(made.op, argument, None) for made in found.versions[unit.path].values()}
            if len(values) > 1 and None not in values:
                words.setdefault(unit.path, {})[argument] = letter
        kinds = {str(getattr(made.op, "kind", "")) for made in found.versions[unit.path].values()}
        if len(kinds) > 1 and "" not in kinds:
            words.setdefault(unit.path, {})["kind"] = " or ".join(sorted(kinds))
    return words


def letters(words: dict[str, dict[str, str]]) -> list[str]:
    """The letters that a block is drawn with, widths first: `["w1–w6", "k"]`."""
    used = {word.lstrip("0123456789") for told in words.values() for word in told.values()}
    widths = sorted((letter for letter in used if letter[0] == "w"), key=lambda letter: int(letter[1:] or 0))
    if len(widths) > 3:
        widths = [f"{widths[0]}–{widths[-1]}"]
    return [*widths, *(letter for letter in LETTERS.values() if letter in used)]


def _widths(found: Repeated, units: Iterable[Unit]) -> dict[str, str]:
    """Channels at the path of each unit as multiples of a width.

    One width `w` where it is enough for all of them; else `w1`, `w2`, ... for those that differ from block
    to block.
    """
    outs = {
        unit.path: {
            number: operation.shape.channels for number, operation in found.versions[unit.path].items()
        }
        for unit in units
        if unit.operation and hasattr(unit.operation.op, "out")
    }
    for path in (path for path, made in outs.items() if len(made) == len(found.blocks)):
        times = {other: _times(made, outs[path]) for other, made in outs.items()}
        if all(times.values()):
            return {other: _multiple(number, "w") for other, number in times.items()}
    bases: list[dict[int, int]] = []
    widths: dict[str, tuple[int, int]] = {}
    for path, made in outs.items():
        if len(set(made.values())) > 1:
            known = next((n for n, base in enumerate(bases) if _times(made, base)), len(bases))
            bases += [made] if known == len(bases) else []
            widths[path] = (_times(made, bases[known]), known + 1)
    letters = [f"w{number}" for number in range(1, len(bases) + 1)] if len(bases) > 1 else ["w"]
    return {path: _multiple(times, letters[number - 1]) for path, (times, number) in widths.items()}


def _times(made: dict[int, int], base: dict[int, int]) -> int:
    """How many times one width is the other in every block; 0 where that is not one whole number."""
    ratios = {Fraction(out, base[n]) if n in base else Fraction(1, 2) for n, out in made.items()}
    return int(min(ratios)) if len(ratios) == 1 and min(ratios).denominator == 1 else 0


def _multiple(times: int, letter: str) -> str:
    return letter if times == 1 else f"{times}{letter}"
