"""From source to spec, with all that is wrong with its text."""

from __future__ import annotations

from bisect import bisect_left as bisect
from collections.abc import Iterator, Sequence

from archdsl.errors.base import ArchError, Diagnostic, Severity
from archdsl.errors.lexical import SpacedSize
from archdsl.errors.limits import DeepBrackets, DeepTree, LongText
from archdsl.errors.statements import (
    IndentedStatement,
    LateVersion,
    ManyMore,
    MarginBody,
    MarginInBrackets,
    UnknownVersion,
)
from archdsl.errors.syntax import (
    Unclosed,
    Unopened,
    WrongCloser,
)
from archdsl.parser.characters import readable
from archdsl.parser.recovery import MOST, Reader
from archdsl.parser.scan import CLOSERS, Brackets, Piece, Stretch, brackets, scan
from archdsl.parser.tree import TreeBuilder
from archdsl.records import Record
from archdsl.source import Label, Source, Span
from archdsl.syntax import Node, Spec, Statement, Version, children, walk

VERSION = 1
"""The version of the language that is read here."""

MOST_SHOWN = 20


class Limits(Record):
    """What a text may ask for at most: options of the caller, never of the spec."""

    size: int = 64 * 1024  # bytes
    brackets: int = 32
    depth: int = 256  # nodes inside one another


USUAL = Limits()


def parse(source: Source, limits: Limits = USUAL) -> Spec:
    """The tree of a spec.

    Raises:
        ArchError: the text is wrong; it carries every diagnostic, in the order of the text.
    """
    spec, found = parse_leniently(source, limits)
    if any(diagnostic.severity is Severity.ERROR for diagnostic in found):
        raise ArchError(*found)
    return spec


def parse_leniently(source: Source, limits: Limits = USUAL) -> tuple[Spec, tuple[Diagnostic, ...]]:
    """The statements that could be read, and what is wrong with the text, advice included."""
    size = len(source.text.encode("utf-8", "replace"))
    if size > limits.size:
        end = len(source.text.encode("utf-8", "replace")[: limits.size].decode("utf-8", "ignore"))
        return Spec(source, ()), (LongText(size, limits.size).at(source.span(end, end + 1)),)
    text, found = readable(source)
    guessed = [
        place.start for mistake in found if (place := mistake.span) and mistake.severity is Severity.ERROR
    ]
    stretches, comments = scan(source, text)
    paired = [brackets(stretch.pieces, limits.brackets) for stretch in stretches]
    text = _mended(text, stretches, paired)
    statements = []
    for stretch, pairs in zip(stretches, paired, strict=True):
        found += _spaced_sizes(source, stretch)
        mistakes = [*_bracket_mistakes(source, stretch, pairs, limits), *_indented(source, stretch)]
        pieces, around = _sound(stretch, pairs)
        reader = Reader(source, text, pieces, around, guessed, bool(pairs.unclosed), mistakes)
        statement = _read(reader, limits)
        found += mistakes
        is_guess = bisect(guessed, stretch.start) != bisect(guessed, stretch.end)
        if statement is not None and not mistakes and not is_guess:
            statements.append(statement)
        if len(found) > MOST:
            break
    found += _late_versions(statements)
    return Spec(source, tuple(statements), comments), _shown(found)


# ---- brackets: wrong ones are mended so that the rest of their statement can be read


def _mended(text: str, stretches: Sequence[Stretch], paired: Sequence[Brackets]) -> str:
    """The text with closing brackets as they were meant to be, and blanks for those that close nothing."""
    characters = list(text)
    for stretch, pairs in zip(stretches, paired, strict=True):
        for number, opener in pairs.wrong:
            characters[stretch.pieces[number].start] = CLOSERS[stretch.pieces[opener].text]
        for number in pairs.unopened:
            characters[stretch.pieces[number].start] = " "
    return "".join(characters)


def _sound(stretch: Stretch, pairs: Brackets) -> tuple[tuple[Piece, ...], tuple[int, ...]]:
    """The pieces before the first bracket that is never closed, mended, and the bracket around each."""
    if not pairs.mistakes and pairs.too_deep is None:
        return stretch.pieces, pairs.around
    end = min((*pairs.unclosed, len(stretch.pieces)) if pairs.too_deep is None else (0,))
    unopened = frozenset(pairs.unopened)
    closers = {number: CLOSERS[stretch.pieces[opener].text] for number, opener in pairs.wrong}
    kept = [
        piece._replace(text=closers.get(number, piece.text))
        for number, piece in enumerate(stretch.pieces[:end])
        if number not in unopened
    ]
    return tuple(kept), brackets(kept, len(kept)).around


def _bracket_mistakes(
    source: Source, stretch: Stretch, pairs: Brackets, limits: Limits
) -> Iterator[Diagnostic]:
    def place(number: int) -> Span:
        return source.span(stretch.pieces[number].start, stretch.pieces[number].end)

    if stretch.margins:
        yield MarginInBrackets().at(place(stretch.margins[0]))
    if stretch.body is not None:
        yield MarginBody(stretch.pieces[0].text).at(place(stretch.body))
    if pairs.too_deep is not None:
        yield DeepBrackets(limits.brackets).at(place(pairs.too_deep))
    for number, opener in pairs.wrong:
        got, opened = stretch.pieces[number].text, stretch.pieces[opener].text
        yield WrongCloser(got, opened, CLOSERS[opened]).at(place(number), Label(place(opener), "opened here"))
    for number in pairs.unopened:
        yield Unopened(stretch.pieces[number].text).at(place(number))
    if pairs.unclosed:
        *others, last = sorted(pairs.unclosed)
        labels = (Label(place(number), "nor is this one") for number in others)
        yield Unclosed(stretch.pieces[last].text).at(place(last), *labels)


# ---- statements


def _read(reader: Reader, limits: Limits) -> Statement | None:
    """The statement that a reader reads; what is wrong with it is added to what the reader has found."""
    tree = reader.read() if reader.pieces else None
    if tree is None:
        return None
    builder = TreeBuilder(reader.source)
    statement: Statement = builder.transform(tree)
    reader.found += builder.diagnostics
    if sum(piece.kind in ("operator", "reserved") for piece in reader.pieces) > limits.brackets:
        reader.found += _too_deep(statement, limits.depth)
    return statement


def _too_deep(statement: Statement, limit: int) -> Iterator[Diagnostic]:
    """A mistake where the tree is deeper than its readers can go, as long chains of operators make it."""
    heights: dict[Node, int] = {}
    for node in reversed(list(walk(statement))):  # children first
        heights[node] = 1 + max((heights[child] for child in children(node)), default=0)
        if heights[node] > limit:
            yield DeepTree(limit).at(node.span._replace(end=node.span.start + 1))
            return


def _late_versions(statements: Sequence[Statement]) -> Iterator[Diagnostic]:
    for number, statement in enumerate(statements):
        if isinstance(statement, Version):
            if number:
                yield LateVersion().at(statement.span, Label(statements[0].span, "the first is here"))
            elif statement.number.value != VERSION:
                yield UnknownVersion(statement.number.text, VERSION).at(statement.number.span)


def _indented(source: Source, stretch: Stretch) -> Iterator[Diagnostic]:
    """`let x = 3` on an indented line: it could be arguments of the stage above, and hardly is."""
    pieces = stretch.pieces
    for word, following, after in zip(pieces[1:], pieces[2:], (*pieces[3:], None), strict=False):
        if _begins(word.text, following.kind, after.text if after else "") and _is_first(source, word):
            yield IndentedStatement(word.text).at(source.span(word.start, word.end))


def _begins(word: str, kind: str, after: str) -> bool:
    match word, kind:
        case "let" | "def", "name":
            return after in ("=", "(")
        case _:
            return (word, kind) in (("use", "string"), ("input", "size"), ("arch", "number"))


def _is_first(source: Source, piece: Piece) -> bool:
    return not source.text[source.text.rfind("\n", 0, piece.start) + 1 : piece.start].strip()


def _spaced_sizes(source: Source, stretch: Stretch) -> Iterator[Diagnostic]:
    """`3 x 3`: legal, as three arguments, and hardly meant."""
    for low, x, high in zip(stretch.pieces, stretch.pieces[1:], stretch.pieces[2:], strict=False):
        if x.text == "x" and low.kind == "number" and high.kind in ("number", "size"):
            span = source.span(low.start, high.end)
            yield SpacedSize(span.text).at(span)


def _shown(found: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
    """In the order of the text, one a place, and no more than a reader can take in."""
    places: dict[int, Diagnostic] = {}
    for diagnostic in sorted(found, key=lambda diagnostic: diagnostic.severity is Severity.ADVICE):
        places.setdefault(_start(diagnostic), diagnostic)
    ordered = sorted(places.values(), key=_start)
    rest = ordered[MOST_SHOWN:]
    if not rest:
        return tuple(ordered)
    assert rest[0].span is not None
    return (*ordered[:MOST_SHOWN], ManyMore(len(rest)).at(rest[0].span))


def _start(diagnostic: Diagnostic) -> int:
    return diagnostic.span.start if diagnostic.span else 0
