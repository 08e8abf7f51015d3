"""Which operations of one turn of a block are those of another, where one turn has more of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import NamedTuple

from archdsl.emitters.drawing.phrases import own_name
from archdsl.network import Network, Operation
from archdsl.ops.activations import ACTIVATIONS


class Placed(NamedTuple):
    """An operation of a block.

    Attributes:
        path: its place below the block, which no other there has; without a module its word and number.
        names: those on its path below the block.
        kind: what it is in any turn, whatever stands before it: names, words of definitions, the operation.
    """

    path: str
    names: tuple[str, ...]
    kind: tuple[str, ...]
    operation: Operation


def placed(network: Network, scope: str, operations: Sequence[Operation]) -> Iterator[Placed]:
    """The operations of a block, whose scope has a path, each at its place."""
    words = {inner.path: inner.word for inner in network.scopes}
    seen: Counter[str] = Counter()
    for operation in operations:
        word = operation.op.name
        path = operation.path.removeprefix(scope)
        if not own_name(network, operation):
            seen[word] += 1
            path = f"{word} {seen[word]}"
        names = tuple(operation.path.removeprefix(scope).strip(".").split("."))
        yield Placed(path, names, (*_made(words, scope, names), _sort(word)), operation)


def matched(ones: Sequence[Placed], others: Sequence[Placed]) -> Iterator[tuple[Placed, Placed]]:
    """The operations that two turns share, in pairs: those of one kind in one order.

    Of the others, those that the definition gave one name, and joins of what has one name.
    """
    rest, left = list(ones), list(others)
    for one, other in _aligned(ones, others):
        rest.remove(one)
        left.remove(other)
        yield one, other
    named = {other.names: other for other in left if not _is_number(other.names[-1])}
    for one in rest:
        if one.names in named:
            yield one, named.pop(one.names)


def _aligned(ones: Sequence[Placed], others: Sequence[Placed]) -> Iterable[tuple[Placed, Placed]]:
    """As many pairs of one kind as there are in order, and among as many those that stand nearest.

    The longest common subsequence, from a table of what is best behind each pair.
    """
    if [one.kind for one in ones] == [other.kind for other in others]:
        return zip(ones, others, strict=True)
    pair = 1 + sum(len(one.names) for one in ones)
    best = [[0] * (len(others) + 1) for _ in range(len(ones) + 1)]
    for i in reversed(range(len(ones))):
        for j in reversed(range(len(others))):
            gain = pair + _shared(ones[i], others[j]) if ones[i].kind == others[j].kind else 0
            best[i][j] = max(best[i + 1][j], best[i][j + 1], best[i + 1][j + 1] + gain)
    return _followed(best, ones, others)


def _shared(one: Placed, other: Placed) -> int:
    """How many names two paths begin with alike."""
    pairs = zip(one.names, other.names, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _followed(
    best: list[list[int]], ones: Sequence[Placed], others: Sequence[Placed]
) -> Iterator[tuple[Placed, Placed]]:
    """The pairs on the way through the table that keeps the best."""
    i = j = 0
    while best[i][j]:
        if best[i][j] == best[i + 1][j]:
            i += 1
        elif best[i][j] == best[i][j + 1]:
            j += 1
        else:
            yield ones[i], others[j]
            i, j = i + 1, j + 1


def _made(words: Mapping[str, str], scope: str, names: Iterable[str]) -> Iterator[str]:
    """The names on a path below a scope; for a number the definition that made what has it."""
    path = scope
    for name in names:
        path = f"{path}.{name}" if path else name
        yield words.get(path, "") if _is_number(name) else name


def _is_number(name: str) -> bool:
    return name[:1].isdigit()


def _sort(word: str) -> str:
    """An operation's word; one for all activations, which a definition may take as an argument."""
    return "activation" if word in ACTIVATIONS else word
