"""What no reader of a spec could make sense of: odd characters and numbers, habits of other languages.

Each is reported, and replaced by as many characters that mean what was probably meant, so that all
offsets stay and what follows can still be read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from archdsl.errors.base import Diagnostic, Mistake
from archdsl.errors.lexical import (
    ForeignHabit,
    ForeignLetters,
    InvisibleCharacter,
    Lookalike,
    NotANumber,
    NotARange,
    NotASize,
    OpenString,
    Tabulator,
    UnknownCharacter,
    UnknownUnit,
)
from archdsl.source import Source

Reading: TypeAlias = tuple[Mistake | None, str]  # what is wrong, and what to read instead


def readable(source: Source) -> tuple[str, list[Diagnostic]]:
    """The text as the parser may read it, as long as the source's, and what had to be replaced."""
    found: list[Diagnostic] = []

    def replace(match: re.Match[str]) -> str:
        kind = match.lastgroup
        if kind is None:  # nothing wrong
            return match[0]
        mistake, instead = _READERS[kind](match[0])
        if mistake is not None:
            found.append(mistake.at(source.span(*match.span())))
        return instead[: len(match[0])].ljust(len(match[0]))

    text = _INVISIBLE.sub(replace, source.text)
    text = _TEXT.sub(replace, text)
    tab = text.find("\t")
    if tab >= 0 and not found:
        found.append(Tabulator().at(source.span(tab, tab + 1)))
    return text, found


# Control characters, half characters, marks that turn the direction of a text, the mark of a failed decoding.
_INVISIBLE = re.compile(
    "(?P<order>\\A\ufeff)"
    "|(?P<invisible>[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffd]"
    "|[\ud800-\udfff]|\\r(?!\\n))"
)

# `20%` with no second operand: the end of the text, of the statement, or what ends an argument.
_PERCENT = r"""
    (?P<percent>[0-9]+(?:\.[0-9]+)?[ \t]*%)
    (?=(?:\s|\#[^\n]*)*+(?:\Z|(?<=\n)\S|[|)\]},?]|as\b|[A-Za-z_]\w*[ \t]*=(?!=)))
"""
_HOLE = r"\{[A-Za-z0-9_]+(?:[+-][0-9]+)?\}"
_FINE = rf"""
    "[^"\n]*" | \#[^\n]*
    | (?<![\w.@-])as[ \t]+(?:[A-Za-z0-9_.\-]|{_HOLE})++(?!\w)
    | @(?:[A-Za-z0-9_.]|{_HOLE})++(?!\w)
    | timm:[A-Za-z0-9_.]+
    | [A-Za-z_][A-Za-z0-9_]*+(?:\.[A-Za-z0-9_]+)*+(?!\w)
    | [0-9]+(?:x[0-9]+)+(?![\w×…]|\.(?!\.)|\.\.\.)
    | [0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?[KMGT]?(?![\w×…]|\.(?!\.)|\.\.\.)
"""
_WRONG = r"""
    (?P<open_string>"[^\n]*)
    | (?P<odd_quotes>[“”„«][^“”„«»"\n]*[“”»"] | '[^'"\n]*' | ‘[^’'"\n]*[’'])
    | (?P<comment>/\*[^\n]*?(?:\*/|$) | ^(?://|--)[^\n]* | (?<=[ \t])--[ \t][^\n]*
        | (?<=[ \t])//[ \t]+[A-Za-z]\w*[ \t]+(?!(?:as|if|else|and|or)\b)[A-Za-z][^\n|=()\[\]{}]*$)
    | (?P<letters>@?[^\W\d]\w*(?:\.\w+)*)
    | (?P<odd_range>(?:[0-9]+(?:\.[0-9]+)?)?(?:\.{3,}|…)(?:[0-9]+(?:\.[0-9]+)?)?)
    | (?P<odd_number>[0-9]\w*(?:[.×]\w+)*(?:\.(?!\.))? | (?<!\.)\.[0-9]\w*)
    | (?P<arrow>[-=~]+>|\|>|>>)
    | (?P<habit>;|&&|&|!(?!=)|\*\*|\^|:=|\\)
    | (?P<lookalike>[‘’“”×·−–—≤≥≠，｜│∣＝（）：\u00a0\u2000-\u200a\u202f\u3000])
    | (?P<unknown>[$~`'»„«…]|@|(?<!\.)\.(?!\.)|[^\s\x21-\x7e])
"""
_TEXT = re.compile(f"{_PERCENT} | {_FINE} | {_WRONG}", re.VERBOSE | re.MULTILINE)


def _order(_: str) -> Reading:
    """A byte order mark at the very start is legal."""
    return None, " "


def _invisible(got: str) -> Reading:
    return InvisibleCharacter(got), " "


def _open_string(got: str) -> Reading:
    return OpenString(), '""'


def _odd_quotes(got: str) -> Reading:
    plain = f'"{got[1:-1]}"'
    if got[0] == "'":
        return ForeignHabit("text stands in `\"`, not in `'`", instead=plain), plain
    return Lookalike(got, plain), plain


def _comment(got: str) -> Reading:
    return ForeignHabit("comments start with `#`", instead="# " + got.strip(" \t/*-")), ""


def _letters(got: str) -> Reading:
    return ForeignLetters(got.removeprefix("@")), "@_" if got[0] == "@" else "_"


def _odd_range(got: str) -> Reading:
    low, high = re.split(r"\.{3,}|…", got)
    meant = f"{low}..{high}"
    return NotARange(got, meant), meant


def _odd_number(got: str) -> Reading:
    size = re.sub("[X×]", "x", got)
    if re.fullmatch(r"[0-9]+(?:x[0-9]+)+", size):
        return NotASize(got, size), size
    if re.fullmatch(r"[0-9]+(?:x[0-9]*)+", size):
        return NotASize(got, None), "1x1"
    plain = re.sub(r"(?<=[0-9])_(?=[0-9])", "", got)
    if re.fullmatch(r"\.[0-9]+", plain):
        return NotANumber(got, f"0{plain}"), "0"
    if re.fullmatch(r"[0-9]+(?:\.[0-9]+)?\.?", plain):
        return NotANumber(got, plain.rstrip(".")), "0"
    if unit := re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([KMGTkmgt]?[Bb]?|ms)", plain):
        return UnknownUnit(got, *unit.groups()), "0"
    return NotANumber(got, None), "0"


def _percent(got: str) -> Reading:
    return UnknownUnit(got, got.rstrip(" \t%"), "%"), "0"


def _arrow(got: str) -> Reading:
    return ForeignHabit(f"stages are joined with `|`, not with `{got}`", instead="|"), "|"


def _habit(got: str) -> Reading:
    return _HABITS[got]


def _lookalike(got: str) -> Reading:
    meant = _LOOKALIKES.get(got, " ")
    return Lookalike(got, meant), meant


def _unknown(got: str) -> Reading:
    return UnknownCharacter(got), "_"


_HABITS: dict[str, Reading] = {
    ";": (ForeignHabit("a statement ends with its line, not with `;`", "delete it, or start a new line"), ""),
    "&&": (ForeignHabit("`&&` is written `and`", instead="and"), "or"),
    "&": (ForeignHabit("`&` is written `and`", instead="and"), "+"),
    "!": (ForeignHabit("`!` is written `not`", instead="not "), ""),
    "**": (ForeignHabit("powers are written `pow(a, b)`", "write `pow(2, i)` for 2 to the power of i"), "*"),
    "^": (ForeignHabit("powers are written `pow(a, b)`", "write `pow(2, i)` for 2 to the power of i"), "*"),
    ":=": (ForeignHabit("`:=` is written `=`", instead="="), "="),
    "\\": (ForeignHabit("a line needs no `\\` at its end", "an indented line continues the statement"), ""),
}

_LOOKALIKES = dict(zip("‘’“”×·−–—≤≥≠，｜│∣＝（）：", "''\"\"**---<><,|||=():", strict=True)) | {
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
}

_READERS: dict[str, Callable[[str], Reading]] = {
    "order": _order,
    "invisible": _invisible,
    "open_string": _open_string,
    "odd_quotes": _odd_quotes,
    "comment": _comment,
    "letters": _letters,
    "odd_range": _odd_range,
    "odd_number": _odd_number,
    "percent": _percent,
    "arrow": _arrow,
    "habit": _habit,
    "lookalike": _lookalike,
    "unknown": _unknown,
}
