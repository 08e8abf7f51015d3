"""What may be done with numbers and lists: operators and functions, in exact numbers, bounded."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from archdsl.elaboration.blame import at_word
from archdsl.elaboration.values import Partial, Value, described, shown
from archdsl.errors import ArchError
from archdsl.errors.arguments import Arithmetic
from archdsl.errors.expansion import ListTooLong, NumberTooLarge
from archdsl.errors.names import UnknownVariable
from archdsl.source import Span
from archdsl.stage import BareWord, Map, Pyramid, Size
from archdsl.vocabulary import Definition

MAX_LIST = 1_000
MAX_NESTED = 10_000  # values of a list and of the lists inside it
MAX_NUMBER = 10**18
MAX_DENOMINATOR = 10**30


def is_list(value: Value) -> bool:
    return isinstance(value, tuple) and not isinstance(value, Size | Map | Pyramid)


def normal(value: int | Fraction) -> int | Fraction:
    """A whole fraction as an int."""
    return value.numerator if isinstance(value, Fraction) and value.denominator == 1 else value


def as_number(value: Value, span: Span) -> int | Fraction:
    """A value as a number; a map counts as its channels."""
    if isinstance(value, int | Fraction) and not isinstance(value, bool):
        return value
    if isinstance(value, Map):
        return value.shape.channels
    if isinstance(value, Pyramid):
        return value.maps[-1].shape.channels
    if isinstance(value, BareWord):
        raise ArchError(at_word(UnknownVariable(value, "", ()), value, span))
    raise ArchError(Arithmetic(f"{described(value)} is not a number").at(span))


def comparable(value: Value) -> Value:
    if isinstance(value, bool):
        return (bool, value)  # `true` is not 1
    if isinstance(value, Map):
        return value.shape.channels
    if isinstance(value, Partial) and not value.positional and not value.keywords:
        return value.written
    if isinstance(value, Definition):
        return value.name
    return str(value) if isinstance(value, str) else value


def list_arithmetic(operator: str, left: Value, right: Value, span: Span) -> Value:
    """Lists add and repeat."""
    made: Value = None
    if operator == "+" and is_list(left) and is_list(right):
        made = tuple(left) + tuple(right)
    elif operator == "*" and is_list(left) and isinstance(right, int):
        if len(left) * right > MAX_LIST:
            raise ArchError(ListTooLong(MAX_LIST).at(span))
        made = tuple(left) * right
    elif operator == "*" and is_list(right) and isinstance(left, int):
        return list_arithmetic(operator, right, left, span)
    else:
        raise ArchError(
            Arithmetic(f"`{operator}` does not work on {described(left)} and {described(right)}").at(span)
        )
    return limited(made, span)


def limited(values: tuple[Value, ...], span: Span) -> tuple[Value, ...]:
    """A list that is short enough, with all that the lists inside it hold: to compare it takes that long."""
    if len(values) > MAX_LIST:
        raise ArchError(ListTooLong(MAX_LIST).at(span))
    lists, held = [values], 0
    while lists:
        inner = lists.pop()
        held += len(inner)
        if held > MAX_NESTED:
            raise ArchError(ListTooLong(MAX_NESTED).at(span))
        lists += filter(is_list, inner)
    return values


def number_arithmetic(operator: str, left: Any, right: Any, span: Span) -> Value:
    """Arithmetic and comparison of exact numbers."""
    match operator:
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case ">=":
            return left >= right
        case "+":
            made = left + right
        case "-":
            made = left - right
        case "*":
            made = left * right
        case _ if right == 0:
            raise ArchError(Arithmetic("division by zero").at(span))
        case "/":
            made = Fraction(left) / Fraction(right)
        case "//":
            made = left // right
        case _:
            made = left % right
    return bounded(made, span)


def bounded(value: int | Fraction, span: Span) -> int | Fraction:
    if not -MAX_NUMBER <= value <= MAX_NUMBER or (
        isinstance(value, Fraction) and value.denominator > MAX_DENOMINATOR
    ):
        raise ArchError(NumberTooLarge("10^18").at(span))
    return normal(value)


# ---- functions ---------------------------------------------------------------------------------


def round_to(value: int | Fraction, divisor: int, share: int | Fraction = 0) -> int:
    """The nearest multiple of a divisor, at least the divisor and that share of the value."""
    made = max(divisor, int(value + Fraction(divisor, 2)) // divisor * divisor)
    return made + divisor if made < share * value else made


def round8(value: int | Fraction) -> int:
    """The nearest multiple of 8, never below 90 % of the value (EfficientNet, arXiv:1905.11946)."""
    return round_to(value, 8, Fraction(9, 10))


def _numbers(values: list[Value], span: Span, count: int | None = None) -> list[Any]:
    if len(values) == 1 and is_list(values[0]) and count is None:
        values = list(values[0])
    if (count is not None and len(values) != count) or not values:
        raise ValueError
    return [as_number(value, span) for value in values]


def _whole(value: Value, span: Span) -> int:
    number = as_number(value, span)
    if not isinstance(number, int):
        raise ArchError(Arithmetic(f"{shown(number)} is not a whole number").at(span))
    return number


def _one(rule: Callable[[int | Fraction], int]) -> Callable[[list[Value], Span], Value]:
    return lambda values, span: rule(_numbers(values, span, 1)[0])


def _round_to(values: list[Value], span: Span) -> Value:
    number, divisor, share = _numbers(values if len(values) == 3 else [*values, 0], span, 3)
    if not isinstance(divisor, int) or divisor < 1 or not 0 <= share <= 1:
        raise ValueError
    return round_to(number, divisor, share)


def _len(values: list[Value], span: Span) -> Value:
    (value,) = values
    if isinstance(value, Pyramid):
        return len(value.maps)
    return len(_list(value, span))


def _list(value: Value, span: Span) -> tuple[Value, ...]:
    if not is_list(value):
        raise ArchError(Arithmetic(f"{described(value)} is not a list").at(span))
    return tuple(value)


def _at(values: list[Value], span: Span) -> Value:
    items, index = _list(values[0], span), _whole(values[1], span)
    if len(values) != 2 or not 0 <= index < len(items):
        raise ArchError(Arithmetic(f"there is no item {index} in a list of {len(items)}").at(span))
    return items[index]


def _take(values: list[Value], span: Span) -> Value:
    items, count = _list(values[0], span), _whole(values[1], span)
    if len(values) != 2 or not 0 <= count <= len(items):
        raise ArchError(Arithmetic(f"can't take {count} of a list of {len(items)}").at(span))
    return items[:count]


def _reversed(values: list[Value], span: Span) -> Value:
    (value,) = values
    return tuple(reversed(_list(value, span)))


def _pow(values: list[Value], span: Span) -> Value:
    base, exponent = _numbers(values, span, 2)
    if not isinstance(exponent, int) or abs(exponent) > 64 or (base == 0 and exponent < 0):
        raise ArchError(Arithmetic("the exponent of `pow` must be a whole number up to 64").at(span))
    return bounded(Fraction(base) ** exponent, span)


def _real(rule: Callable[[float], float]) -> Callable[[list[Value], Span], Value]:
    """A function whose values are seldom exact: the nearest fraction with a denominator up to 10^12."""

    def applied(values: list[Value], span: Span) -> Value:
        (number,) = _numbers(values, span, 1)
        return normal(Fraction(rule(float(number))).limit_denominator(10**12))

    return applied


def _size(values: list[Value], span: Span) -> Value:
    return Size(_whole(value, span) for value in values)


def _area(values: list[Value], span: Span) -> Value:
    """A number is the side of a square, as in a kernel."""
    (value,) = values
    if isinstance(value, Size):
        return math.prod(value)
    return _whole(value, span) ** 2


def _stride(values: list[Value], span: Span) -> Value:
    (value,) = values
    if isinstance(value, Pyramid):
        value = value.maps[-1]
    if not isinstance(value, Map) or value.stride is None:
        raise ArchError(Arithmetic(f"{described(value)} has no stride").at(span))
    return normal(value.stride)


FUNCTIONS: dict[str, Callable[[list[Value], Span], Value]] = {
    "min": lambda values, span: min(_numbers(values, span)),
    "max": lambda values, span: max(_numbers(values, span)),
    "sum": lambda values, span: sum(_numbers(values, span)) if values != [()] else 0,
    "floor": _one(math.floor),
    "ceil": _one(math.ceil),
    "round": _one(lambda value: math.floor(value + Fraction(1, 2))),
    "round8": _one(round8),
    "round_to": _round_to,
    "len": _len,
    "at": _at,
    "take": _take,
    "reversed": _reversed,
    "pow": _pow,
    "sqrt": _real(math.sqrt),
    "log2": _real(math.log2),
    "size": _size,
    "area": _area,
    "stride": _stride,
}
