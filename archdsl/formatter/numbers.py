"""The one way to write a number."""

from __future__ import annotations

import re
from fractions import Fraction

from archdsl.syntax import Number

_WRITTEN = re.compile(r"0*(\d+)(?:\.(\d+?)0*)?(?:[eE]([+-]?)0*(\d+))?([KMGT]?)")


def number_text(node: Number) -> str:
    """The one way to write a number: `0.50` is `0.5`; a unit or an exponent that was written stays."""
    written = _WRITTEN.fullmatch(node.text)
    if written is None:  # not from a text
        return decimal(node.value) or f"{Fraction(node.value).numerator}/{Fraction(node.value).denominator}"
    whole, decimals, sign, exponent, unit = written.groups(default="")
    mantissa = f"{whole}.{decimals}" if decimals.strip("0") else whole
    power = f"e{sign.strip('+')}{exponent}" if exponent else ""
    return f"{mantissa}{power}{unit}"


def decimal(value: int | Fraction) -> str | None:
    """A value in decimals, or None if it has no end in them: 1/3."""
    value = Fraction(value)
    places = 0
    while (value * 10**places).denominator != 1:
        places += 1
        if places > 40:
            return None
    digits = str(abs(int(value * 10**places))).rjust(places + 1, "0")
    text = f"{digits[:-places]}.{digits[-places:]}" if places else digits
    return f"-{text}" if value < 0 else text
