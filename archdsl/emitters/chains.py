"""Which parts of a network are one module, called as one: who replaces it replaces all of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby

from archdsl.network import Network
from archdsl.op import Layer, Recipe


def chains(network: Network, recipes: Mapping[int, Recipe]) -> dict[str, tuple[int, ...]]:
    """Top-level scopes whose operations follow one another, each reading only the one before.

    Operations without parameters at the end of a scope may read other values too (a head's resizing
    to the image's size): they stay outside.

    Args:
        recipes: those of the operations that are built, by number, in order.

    Returns:
        The numbers of each such scope's operations, by its path.
    """
    parts: dict[str, list[int]] = {}
    uses = Counter(output.value for output in network.outputs)
    paths: Counter[str] = Counter()
    for number in recipes:
        operation = network.operations[number]
        parts.setdefault(operation.path.partition(".")[0], []).append(number)
        uses.update(operation.inputs)
        paths[operation.path] += 1
    found = {}
    for scope, members in parts.items():
        chain = _beginning(network, recipes, members, uses)
        own = [network.operations[number].path for number in chain]
        if (
            chain
            and all("." in path and paths[path] == 1 for path in own)
            and _nests(own)
            and not any(_has_parameters(network, number) for number in members[len(chain) :])
        ):
            found[scope] = chain
    return found


def _beginning(
    network: Network, recipes: Mapping[int, Recipe], members: Sequence[int], uses: Mapping[int, int]
) -> tuple[int, ...]:
    """The longest beginning of a scope in which each operation alone reads the one before."""
    chain: list[int] = []
    for number in members:
        inputs = network.operations[number].inputs
        follows = not chain or (inputs == (chain[-1] + 1,) and uses[inputs[0]] == 1)
        if not follows or len(inputs) != 1 or not isinstance(recipes[number], Layer):
            break
        chain.append(number)
    return tuple(chain)


def _has_parameters(network: Network, number: int) -> bool:
    operation = network.operations[number]
    return operation.op.cost(network.shapes_into(operation)).params > 0


def _nests(paths: Sequence[str]) -> bool:
    """Whether nested sequences have these paths in this order: no scope is left and entered again."""
    split = [tuple(path.split(".")) for path in paths]
    for depth in range(1, max(map(len, split))):
        scopes = [scope for scope, _ in groupby(path[:depth] for path in split)]
        if len(set(scopes)) < len(scopes):
            return False
    return True
