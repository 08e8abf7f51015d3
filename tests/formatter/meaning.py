"""What a spec says, whatever it looks like."""

from __future__ import annotations

from archdsl.parser import parse
from archdsl.source import Source
from tests.parser.shapes import shape


def said(text: str) -> list[str]:
    """The statements without places, and the comments."""
    spec = parse(Source("a.arch", text))
    return [*map(shape, spec.statements), *sorted(comment.text for comment in spec.comments)]
