"""What in a value carries channels: its numbers and names, without factors, divisors and counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeAlias

from archdsl.syntax import (
    At,
    Binary,
    Binding,
    Choice,
    Each,
    Expression,
    Function,
    Keyword,
    Listing,
    Name,
    Number,
    Paren,
    Pipeline,
    Quote,
    Unary,
    When,
    Word,
    walk,
)

# Arguments of recipe stages that are widths; of two factors the one of such a name is channels.
OF_STAGES = ("channels", "width", "widths")

ROUNDING = ("round8", "round_to", "round", "ceil", "floor")
COUNTS = ("pow", "sqrt", "log2", "len", "size", "area", "stride")


class Run(NamedTuple):
    """What a variable of a loop runs through: the items of a list, or a column of a table's rows."""

    values: Expression
    column: int | None


# Names in reach: variables of loops, and parameters, whose values are not known here (None).
Reach: TypeAlias = Mapping[str, Run | None]


class Carrier(NamedTuple):
    """A number or name that carries channels.

    Attributes:
        column: of the table that a name stands for, if it is one.
        rounded: whether what becomes of it is rounded to whole channels: then it needn't be whole itself.
    """

    node: Number | Name
    column: int | None
    rounded: bool


def carriers(
    value: Expression, reach: Reach, column: int | None = None, rounded: bool = False, *, factors: bool = True
) -> Iterator[Carrier]:
    """The numbers and names that carry the channels of a value; of a table's rows, of a column.

    In `round8(32*width)` that is the factor `width`; without `factors` it is what stands beside it.
    """
    match value:
        case Number() if column is None:
            yield Carrier(value, None, rounded)
        case Name(name=name):
            run = reach.get(name)
            if run is None:
                yield Carrier(value, column, rounded)
            elif column is None:
                inner = {other: run for other, run in reach.items() if other != name}
                yield from carriers(run.values, inner, run.column, rounded, factors=factors)
        case Paren(inner=inner) | Unary(operand=inner):
            yield from carriers(inner, reach, column, rounded, factors=factors)
        case Quote(pipeline=Pipeline(elements=(Word(arguments=()) as word,))):
            yield from carriers(Name(word.span, word.name), reach, column, rounded, factors=factors)
        case Listing(items=items) if column is not None:
            rows = [row.items for row in items if isinstance(row, Listing)]
            for row in rows:
                if column < len(row):
                    yield from carriers(row[column], reach, None, rounded, factors=factors)
        case Listing(items=items) | Choice(options=items):
            for item in items:
                yield from carriers(item, reach, column, rounded, factors=factors)
        case When(value=one, otherwise=other) | Binary(operator="+" | "-", left=one, right=other):
            yield from carriers(one, reach, column, rounded, factors=factors)
            yield from carriers(other, reach, column, rounded, factors=factors)
        case Binary(operator="/" | "//", left=left):
            yield from carriers(left, reach, column, rounded, factors=factors)
        case Binary(operator="*", left=left, right=right):
            side = _channels_of(left, right, reach, rounded, factors)
            if side is not None:
                yield from carriers(side, reach, column, rounded, factors=factors)
        case Function(name=name, arguments=arguments):
            values = [item for item in arguments if not isinstance(item, Keyword | Each)]
            if name in ("max", "min"):
                values = [item for item in values if not isinstance(item, Number)] or values
            elif name == "round_to":  # a multiple that isn't written there is the width of a group
                values = [item for item in values[:2] if item is values[0] or not isinstance(item, Number)]
            else:
                values = values[:1]  # what is rounded or reversed, or a list of which an item is taken
            for item in values:
                yield from carriers(item, reach, column, rounded or name in ROUNDING, factors=factors)


def bound(bindings: tuple[Binding, ...]) -> dict[str, Run | None]:
    """What each variable of a loop runs through."""
    return {
        name: Run(binding.values, place if len(binding.names) > 1 else None)
        for binding in bindings
        for place, name in enumerate(binding.names)
    }


def _channels_of(
    left: Expression, right: Expression, reach: Reach, rounded: bool, factors: bool
) -> Expression | None:
    """The side of a product that is channels; the other is how often. None where that can't be told."""
    sides = (left, right)
    for chosen in (
        [side for side in sides if isinstance(_bare(side), Listing)],
        [side for side in sides if isinstance(_bare(side), At)],
        [side for side in sides if not _is_count(side)],
        [side for side in sides if any(name in OF_STAGES for name in _names(side))],
        # A factor of what is rounded is a network's own: all widths of a table are multiplied with it.
        [side for side in sides if rounded and any(reach.get(n, side) is None for n in _names(side))],
    ):
        if len(chosen) == 1:
            other = right if chosen[0] is left else left
            beside = rounded and not factors and not isinstance(_bare(chosen[0]), At | Listing)
            return other if beside else chosen[0]
    numbers = [bare for side in sides if isinstance(bare := _bare(side), Number)]
    return max(numbers, key=lambda number: number.value, default=None)


def _is_count(side: Expression) -> bool:
    bare = _bare(side)
    return isinstance(bare, Number) or (isinstance(bare, Function) and bare.name in COUNTS)


def _names(side: Expression) -> list[str]:
    return [node.name for node in walk(side) if isinstance(node, Name)]


def _bare(value: Expression) -> Expression:
    return _bare(value.inner) if isinstance(value, Paren) else value
