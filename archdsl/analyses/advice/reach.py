"""Advice on what a network reads of its image: holes, too little, and sizes at which it fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from archdsl.analyses.advice.written import Written
from archdsl.analyses.gridding import gridding
from archdsl.analyses.receptive_field import receptive_field
from archdsl.analyses.words import nodes_of
from archdsl.elaboration.program import Program, first_option
from archdsl.errors import ArchError, Diagnostic
from archdsl.errors.advice import FailsAtOddSize, Holes, SmallField
from archdsl.errors.shapes import DifferentSizes
from archdsl.network import Network
from archdsl.source import Label, Span
from archdsl.syntax import Join
from archdsl.tensors import Shape

SIZED_JOINS = ("concat", "add", "mul", "residual", "dense")


def gridding_holes(written: Written) -> Iterator[Diagnostic]:
    """Serial stacks of dilated kernels that leave holes: the first of them, with how many there are."""
    places: dict[Span, Holes] = {}
    for found in gridding(written.network):
        holes = Holes(found.rates, found.read, found.spanned, found.kernel, found.goal)
        places.setdefault(written.place(found.last), holes)
    if places:
        first, *others = places
        yield places[first].at(first, *(Label(place, "here too") for place in others[:4]))


def small_field(place: Span, network: Network, object_size: int) -> Diagnostic | None:
    """A network that sees less of the image than one of its objects, as far as that is known.

    More of an object than the image has can't be seen.
    """
    if network.opaque:
        return None
    seen, wanted = receptive_field(network), min(object_size, max(network.input.spatial))
    return SmallField(seen, object_size).at(place) if seen < wanted else None


def joins_at_other_sizes(program: Program) -> Iterator[Diagnostic]:
    """Joins written by hand that fit at the input's size and fail one pixel above it."""
    if not any(isinstance(node, Join) and node.name in SIZED_JOINS for node in nodes_of(program.file.spec)):
        return
    height, width = program.input[-2] + 1, program.input[-1] + 1
    try:
        program.elaborate(first_option, image=Shape(*program.input[:-2], height, width))
    except ArchError as error:
        for mistake in error.diagnostics:
            if mistake.code == DifferentSizes.code and mistake.span is not None:
                told = FailsAtOddSize(height, width).at(mistake.span)
                yield replace(told, labels=mistake.labels)
