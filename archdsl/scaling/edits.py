"""The text of a spec with other widths."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import islice
from typing import NamedTuple

from archdsl.elaboration.program import Program
from archdsl.network import Network
from archdsl.scaling.widths import Widths
from archdsl.stages.up import default_width
from archdsl.syntax import (
    About,
    Element,
    Expression,
    Keyword,
    Name,
    Paren,
    Pipeline,
    Word,
    as_element,
    unmarked,
)


class Edit(NamedTuple):
    """A piece of a text and what is to stand there.

    Attributes:
        widths: which are written there anew.
        multiplier: a factor of widths, written there times the factor that all widths grow by.
        before, after: what is written around them.
    """

    start: int
    end: int
    widths: tuple[int, ...] = ()
    multiplier: Fraction | None = None
    before: str = ""
    after: str = ""

    def written(self, widths: Iterable[int], factor: float) -> str:
        if self.multiplier is not None:
            return multiplied(self.multiplier, factor)
        return self.before + ", ".join(map(str, widths)) + self.after


def multiplied(multiplier: Fraction, factor: float) -> str:
    """A factor of widths times another, in four significant digits.

    >>> multiplied(Fraction(11, 10), 1.2345678), multiplied(Fraction(2), 1.0)
    ('1.358', '2')
    """
    found = f"{float(multiplier) * factor:.4g}"
    return found if "e" not in found else f"{float(found):f}".rstrip("0").rstrip(".")


def rewritten(text: str, places: Iterable[Edit], widths: Iterable[int] = (), factor: float = 1.0) -> str:
    """A text with other widths: those of all places, one after the other."""
    left = iter(widths)
    written = [(edit, edit.written(tuple(islice(left, len(edit.widths))), factor)) for edit in places]
    for edit, new in sorted(written, key=lambda one: one[0].start, reverse=True):
        text = text[: edit.start] + new + text[edit.end :]
    return text


def of_widths(widths: Widths) -> Iterator[Edit]:
    """Where a spec's widths stand."""
    for number, rounded in widths.of_file().items():
        start, end = number.span.start, number.span.end
        if rounded:
            yield Edit(start, end, multiplier=Fraction(number.value))
        else:
            yield Edit(start, end, (int(number.value),))


def of_defaults(program: Program, network: Network) -> Iterator[Edit]:
    """Where the widths that an `up` of the file's pipeline takes by default are to be written."""
    assert program.pipeline is not None
    for word in words_of(program.pipeline):
        if word.name == "up" and not _sums(program.pipeline):
            stated = any(isinstance(a, Keyword) and a.name == "channels" for a in word.arguments)
            channels = tuple(map(default_width, _climbed(network)))
            if not stated and channels:
                yield Edit(word.span.end, word.span.end, channels, before=" channels=[", after="]")


def words_of(pipeline: Pipeline) -> Iterator[Word]:
    """The calls that a pipeline runs one after the other."""
    for element in map(unmarked, pipeline.elements):
        if isinstance(element, Word):
            yield element


def without_weights(program: Program) -> Iterator[Edit]:
    """What takes the published weights out of `about`: they fit the widths that they were trained with."""
    for statement in program.file.spec.statements:
        if isinstance(statement, About) and len(statement.keywords) > 1:
            spans = [keyword.span for keyword in statement.keywords if keyword.name == "weights"]
            yield from (Edit(span.start, span.end) for span in spans)


def published_encoder(program: Program, widths: Widths) -> str:
    """What the pipeline's `encoder` calls, where it is the library's and the call gives it no widths."""
    assert program.pipeline is not None
    for word in words_of(program.pipeline):
        if word.name == "encoder" and word.arguments:
            called = _called(word.arguments[0])
            own = isinstance(called, Word) and called.name in program.file.definitions
            given = any(True for _ in widths.given(word, program.file, {}))
            return "" if given or own else word.arguments[0].span.text
    return ""


def _called(value: Expression | Keyword) -> Element | None:
    """The stage that a value is, without brackets."""
    if isinstance(value, Paren | Keyword):
        return _called(value.value if isinstance(value, Keyword) else value.inner)
    return as_element(value)


def _sums(pipeline: Pipeline) -> bool:
    """Whether the decoder adds its skips: a level then has its skip's channels."""
    skips = [word for word in words_of(pipeline) if word.name == "skip"]
    return any(isinstance(a, Name) and a.name == "add" for word in skips for a in word.arguments[:1])


def _climbed(network: Network) -> list[int]:
    """Strides of the levels that the decoder climbs to, the coarsest first."""
    strides = {
        int(network.operations[cell.value - 1].stride or 1)
        for cell in network.cells
        if cell.role in ("nested", "decoder", "top")
    }
    return sorted(strides, reverse=True)
