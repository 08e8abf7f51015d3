"""What a name may mean at a place, as far as the text alone tells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from archdsl.analyses.words import HOLE
from archdsl.source import Span
from archdsl.syntax import Marked, Node, Parameter, walk


class Reach(NamedTuple):
    """Names in reach.

    Attributes:
        variables: parameters and loop variables, with the place where each is defined.
        labels: names given with `as` anywhere in the same definition; they may have holes.
        outside: whether nothing flows there: in a `let`, or in what a parameter is by default.
    """

    variables: Mapping[str, Span]
    labels: tuple[str, ...] = ()
    outside: bool = False

    @classmethod
    def of(cls, node: Node, parameters: Iterable[Parameter] = ()) -> Reach:
        """What is in reach everywhere in a definition or a file's pipeline."""
        return cls({parameter.name: parameter.span for parameter in parameters}, tuple(labels_in(node)))

    def within(self, names: Iterable[str], place: Span) -> Reach:
        """The same inside a loop."""
        return self._replace(variables={**self.variables, **dict.fromkeys(names, place)})

    def has_label(self, name: str) -> bool:
        """Whether a value may be called so, the holes of labels being anything."""
        return any(_pattern(label).fullmatch(name) for label in self.labels)


def labels_in(node: Node) -> Iterator[str]:
    """Names given with `as` below a node."""
    return (found.label for found in walk(node) if isinstance(found, Marked) and found.label is not None)


def _pattern(label: str) -> re.Pattern[str]:
    parts = HOLE.split(label)[::2]  # what stands between the holes
    return re.compile(".+".join(map(re.escape, parts)))
