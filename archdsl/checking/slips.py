"""Slips that read as something else: options without commas between them, names with signs in them."""

from __future__ import annotations

import re
from collections.abc import Callable

from archdsl.syntax import Binary, Expression, Name, Pipeline, Quote, Word

_SIGNED = re.compile(r"(?:timm/|tu/)?\w[\w.]*(?:-\w[\w.]*)*")


def run_together(
    option: Expression | Pipeline, own: frozenset[str], room: Callable[[Word], int | None]
) -> Name | None:
    """The second of `{relu silu}`: options that read as one stage with arguments, which it doesn't take.

    Args:
        own: words of a recipe stage, if the choice is of these.
        room: how many arguments a stage takes by position, where that is known.
    """
    match option:
        case Quote(pipeline=Pipeline(elements=(Word() as word,))) | Pipeline(elements=(Word() as word,)):
            names = [argument for argument in word.arguments if isinstance(argument, Name)]
        case _:
            return None
    if not names or len(names) < len(word.arguments):
        return None
    are_own = own.issuperset((word.name, *(name.name for name in names)))
    return names[0] if are_own or room(word) == 0 else None


def name_with_signs(node: Binary) -> Name | None:
    """The first part of a name that reads as arithmetic, as in `{tf-efficientnet-b0, timm/resnet18}`."""
    parts: list[Expression] = [node]
    while isinstance(first := parts[0], Binary) and first.operator in ("-", "/"):
        parts[:1] = [first.left, first.right]
    names = [part for part in parts if isinstance(part, Name)]
    if len(names) < len(parts) or len(parts) < 2 or not _SIGNED.fullmatch(node.span.text):
        return None
    return names[0]
