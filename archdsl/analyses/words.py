"""The words that a piece of a spec reads."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archdsl.syntax import At, Marked, Name, Node, Spec, Word, walk

HOLE = re.compile(r"\{([A-Za-z0-9_]+)(?:[+-][0-9]+)?\}")


def holes_in(text: str) -> tuple[str, ...]:
    """The variables that a name with holes reads.

    >>> holes_in("layer{i}.{j+1}")
    ('i', 'j')
    """
    return tuple(HOLE.findall(text))


def words_in(node: Node) -> Iterator[str]:
    """Every word below a node that may name a variable, a `let` or a definition."""
    for found in walk(node):
        match found:
            case Word(name=name) | Name(name=name):
                yield name
            case At(name=name):
                yield name
                yield from holes_in(name)
            case Marked(label=str(label)):
                yield from holes_in(label)


def nodes_of(spec: Spec) -> Iterator[Node]:
    """Every node of a file, statement by statement."""
    return (node for statement in spec.statements for node in walk(statement))
