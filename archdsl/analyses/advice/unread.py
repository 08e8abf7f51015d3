"""Advice on what a spec writes and no output reads; it isn't built."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from archdsl.analyses.advice.recipes import recipe_stages
from archdsl.analyses.words import nodes_of
from archdsl.blocks import Instance
from archdsl.elaboration.program import Elaborated, Program
from archdsl.errors import Diagnostic
from archdsl.errors.advice import UnreadLevel, UnreadStage
from archdsl.network import Operation, needed
from archdsl.source import Label, Source, Span
from archdsl.syntax import Keyword, Listing, Number, Pipeline, Word, unmarked


class Asked(NamedTuple):
    """A level that a spec asks for: where, in what words, its number, and how many there should be."""

    place: Span
    words: str
    number: int
    levels: int | None = None


def unread_levels(program: Program, made: Sequence[Elaborated]) -> Iterator[Diagnostic]:
    """Levels that the spec asks for by `taps=`, `levels`, `depth=` or a neck, and that nothing reads.

    Of `levels` and necks in front of a decoder only those that are deeper than all that are read: a
    decoder climbs past the others, whether it joins them or not.
    """
    stages = list(recipe_stages(program))
    encoders, necks = ([word for word, stage in stages if stage.name == name] for name in ("encoder", "neck"))
    climbs = any(stage.name == "skip" for _, stage in stages)
    found = []
    for word in encoders:
        for asked in _asked(program, word):
            deeper = climbs and asked.levels is None
            if all(asked.number in _unread(member, word, deeper, asked.levels) for member in made):
                found.append(UnreadLevel(asked.words, climbs).at(asked.place))
    yield from found
    for word in necks if not found else ():
        numbers = set.intersection(*(set(_unread(member, word, climbs)) - {-1} for member in made))
        if numbers:
            listed = ", ".join(map(str, sorted(numbers)))
            words = f"level {listed} of this neck" if len(numbers) == 1 else f"levels {listed} of this neck"
            yield UnreadLevel(words, climbs).at(word.span)


def _asked(program: Program, encoder: Word) -> Iterator[Asked]:
    """The levels of an encoder that the spec names: by paths, by numbers, or all down to a depth."""
    given = {each.name: each.value for each in encoder.arguments if isinstance(each, Keyword)}
    taps, levels = given.get("taps"), _listed_behind(program, encoder)
    if isinstance(taps, Listing):
        for number, item in enumerate(taps.items):
            yield Asked(item.span, f"the level `{item.span.text}`", number, len(taps.items))
    elif levels is not None:
        for item in levels.items:
            if isinstance(item, Number):
                yield Asked(item.span, f"the level `{item.span.text}`", int(item.value))
    elif taps is None and "depth" in given:
        yield Asked(given["depth"].span, f"the deepest level of `depth={given['depth'].span.text}`", -1)


def _listed_behind(program: Program, encoder: Word) -> Listing | None:
    """The list of a `levels [...]` that stands right behind a stage."""
    for node in nodes_of(program.file.spec):
        if isinstance(node, Pipeline):
            words = [unmarked(each) for each in node.elements]
            for before, behind in pairwise(words):
                if before is encoder and isinstance(behind, Word) and behind.name == "levels":
                    return next((each for each in behind.arguments if isinstance(each, Listing)), None)
    return None


def _unread(made: Elaborated, word: Word, deeper: bool, levels: int | None = None) -> list[int]:
    """Numbers of a stage's levels that nothing reads; the deepest is -1 as well.

    With `deeper` only those below all that are read, with `levels` only of a stage that has so many.
    """
    items = made.assembly.builder.items
    whole = (
        n for n, item in enumerate(items) if isinstance(item, Instance) and _is_within(item.span, word.span)
    )
    place = next(whole, None)
    if place is None:
        return []
    encoder = items[place]
    assert isinstance(encoder, Instance)
    count = len(encoder.block.outputs)
    if levels not in (None, count):
        return []
    read = {value for part in made.assembly.whole if part.position == place for value, _ in part.ends}
    unread = [number for number in range(count) if encoder.first + number not in read]
    deepest = max((number for number in range(count) if number not in unread), default=-1)
    told = [number for number in unread if not deeper or number > deepest]
    return [*told, *(-1 for number in told if number == count - 1)]


def _is_within(inner: Span, outer: Span) -> bool:
    return inner.source is outer.source and outer.start <= inner.start and inner.end <= outer.end


def unread_stages(program: Program, made: Sequence[Elaborated]) -> Iterator[Diagnostic]:
    """Stages of the spec's own text whose result no output reads, in any member."""
    source = program.file.spec.source
    encoders = {word.span for word, stage in recipe_stages(program) if stage.name == "encoder"}
    built: dict[Span, None] = {}
    read: set[Span] = set()
    for member in made:
        here, of_these = _stages(member, source, encoders)
        built |= dict.fromkeys(here)
        read |= of_these
    unread = [span for span in built if span not in read]
    if unread:
        first, *others = sorted(unread, key=lambda span: span.start)
        labels = [Label(span, "nor this one") for span in others[:4]]
        yield UnreadStage(len(unread)).at(first, *labels)


def _stages(made: Elaborated, source: Source, encoders: set[Span]) -> tuple[list[Span], set[Span]]:
    """The places of all stages that were made, and of those that some output reads.

    An encoder leaves out what comes after its levels: that is how any classifier serves as one.
    """
    built: list[Span] = []
    read: set[Span] = set()
    whole = {part.position: part for part in made.assembly.whole}
    for position, item in enumerate(made.assembly.builder.items):
        if item.span in encoders:
            continue
        part = whole.get(position)
        if isinstance(item, Operation) or part is None:
            built.append(item.span)
            if part is not None:
                read.add(item.span)
            continue
        assert part.block is not None
        values = (*part.block.outputs, *(output.value for output in part.block.training))
        kept = needed(part.block.operations, values, part.block.inputs)
        built += [item.span, *(operation.span for operation in item.block.operations)]
        read |= {item.span, *(part.block.operations[number].span for number in kept)}
    return [span for span in built if span.source is source], read
