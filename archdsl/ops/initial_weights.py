"""The words for initial weights; the emitters know what they mean."""

from __future__ import annotations

from archdsl.op import Word

INITIAL_WEIGHTS = (
    "torch",
    "kaiming_out",
    "kaiming_group",
    "kaiming_in",
    "kaiming_uniform",
    "xavier",
    "normal",
    "truncated",
    "truncated_02",
    "uniform_out",
    "bilinear",
    "identity",
    "zero",
)

INIT = Word(INITIAL_WEIGHTS)


def chosen(word: str) -> str | None:
    """What a layer says of it: nothing for torch's own."""
    return None if word == "torch" else word
