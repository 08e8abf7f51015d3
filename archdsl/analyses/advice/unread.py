"""Advice on what a spec writes and no output reads; it isn't built."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archdsl.analyses.advice.recipes import recipe_stages
from archdsl.blocks import Instance
from archdsl.elaboration.program import Elaborated, Program
from archdsl.errors import Diagnostic
from archdsl.errors.advice import UnreadLevel, UnreadStage
from archdsl.network import Operation, needed
from archdsl.source import Label, Source, Span
from archdsl.syntax import Keyword, Listing, Word


def unread_levels(program: Program, made: Sequence[Elaborated]) -> Iterator[Diagnostic]:
    """Levels that `taps=` asks for by name and that the decoder doesn't read."""
    for word, stage in recipe_stages(program):
        if stage.name == "encoder" and (taps := _taps(word)) is not None:
            unread = [set(_unread_outputs(member, word, len(taps.items))) for member in made]
            for number in sorted(set.intersection(*unread)):
                yield UnreadLevel(taps.items[number].span.text).at(taps.items[number].span)


def _taps(word: Word) -> Listing | None:
    values = [each.value for each in word.arguments if isinstance(each, Keyword) and each.name == "taps"]
    return values[0] if values and isinstance(values[0], Listing) else None


def _unread_outputs(made: Elaborated, word: Word, levels: int) -> list[int]:
    """Numbers of an encoder's levels that nothing reads."""
    items = made.assembly.builder.items
    place = next((n for n, i in enumerate(items) if isinstance(i, Instance) and i.span == word.span), None)
    if place is None:
        return []
    encoder = items[place]
    assert isinstance(encoder, Instance)
    if len(encoder.block.outputs) != levels:
        return []
    read = {value for part in made.assembly.whole if part.position == place for value, _ in part.ends}
    return [number for number in range(levels) if encoder.first + number not in read]


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
