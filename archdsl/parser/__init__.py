"""Text to tree: the only room that knows Lark."""

from __future__ import annotations

from archdsl.parser.reading import Limits, parse, parse_leniently

__all__ = ["Limits", "parse", "parse_leniently"]
