"""Where a mistake is marked: at the argument that is at fault, with what computed arguments came to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from archdsl.elaboration.values import Given, Partial, Value, parameter_names
from archdsl.errors import Diagnostic, Mistake
from archdsl.errors.encoders import LevelMistake
from archdsl.errors.recipes import MissingOption, WrongFlow
from archdsl.errors.shapes import WrongKind, WrongRank, of_other_rank
from archdsl.source import Label, Span
from archdsl.stage import BareWord
from archdsl.vocabulary import Definition

CALLED = "called from here"
# Mistakes in shapes follow from what was given to a definition: its call is shown too.
OF_SHAPES = "E2"


def blamed(mistake: Mistake, span: Span, found: Partial, encoder: Label | None = None) -> Diagnostic:
    """A mistake of a stage as a diagnostic.

    Args:
        span: the whole stage, marked where no argument is at fault.
        encoder: the name of the encoder before a recipe stage.
    """
    given = given_to(found)
    guilty = given.get(mistake.blames())
    place = (
        found.span
        if isinstance(mistake, WrongFlow | MissingOption)
        else span
        if guilty is None
        else guilty.span
    )
    others = [label for label in computed(given, mistake.message()) if label.span != place]
    if isinstance(mistake, LevelMistake) and encoder is not None:
        others.append(Label(encoder.span, f"its levels: {' '.join(mistake.levels)}"))
    return mistake.at(place, *others)


def of_definition(mistake: Mistake, chain: Sequence[Definition], given: Partial | None) -> Mistake:
    """A mistake inside a definition of the library that is for maps, or for volumes, alone, as one of that.

    Args:
        chain: the definitions that are being expanded, outermost first.
    """
    word = next(definition.name for definition in chain if definition.file.library)
    if isinstance(mistake, WrongRank) and given is not None:
        size = given_to(given).get(mistake.argument)
        if size is None or size.span.text[0].isdigit():  # its own, not what it was called with
            return of_other_rank(word, mistake.given)
    if isinstance(mistake, WrongKind) and mistake.wanted in ("a map", "a volume"):
        return of_other_rank(word, mistake.shapes[0])
    return mistake


def at_word(mistake: Mistake, word: Value, span: Span) -> Diagnostic:
    """A mistake about a word that means nothing, where it is written, and at `span`, where it is used."""
    if not isinstance(word, BareWord) or word.span is None or word.span == span:
        return mistake.at(span)
    return mistake.at(word.span, Label(span, "used here"))


def given_to(found: Partial) -> dict[str, Given]:
    """The arguments of a stage by name."""
    by_place = dict(zip(parameter_names(found.callee), found.positional, strict=False))
    return {**by_place, **found.keywords}


def computed(given: dict[str, Given], message: str) -> Iterator[Label]:
    """Labels at arguments that came to a number of the message, where the text says it otherwise."""
    numbers = set(re.findall(r"\d+", message))
    for value, span in given.values():
        if str(value) in numbers and span.text != str(value):
            yield Label(span, f"= {value} here")


def called_from(diagnostic: Diagnostic, call: Span) -> Diagnostic:
    """A diagnostic with the call that leads to it, where that is news.

    Of another file any mistake shows the call; of the same one mistakes in shapes do, which depend on it.
    """
    place = diagnostic.span
    if place is None or _encloses(call, place):
        return diagnostic
    if place.source is call.source and not diagnostic.code.startswith(OF_SHAPES):
        return diagnostic
    if any(label.text == CALLED and label.span.source is call.source for label in diagnostic.labels):
        return diagnostic
    label = Label(call, CALLED, primary=False)
    return replace(diagnostic, labels=(*diagnostic.labels, label))


def _encloses(call: Span, place: Span) -> bool:
    return call.source is place.source and call.start <= place.start and place.end <= call.end
