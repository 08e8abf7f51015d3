"""Identity: a Merkle hash over operations and ordered inputs, composed over blocks.

It is the same whether a network was written with definitions or without: commutative joins are
sorted, `id` is left out. Weights are part of it: an operation with weights that repeats the same
operation on the same input is another one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Protocol, TypeAlias

from archdsl.network import Network, Operation
from archdsl.op import Op, arguments
from archdsl.tensors import Shape

VERSION = b"archdsl-1"

# What hashing needs of each operation of a block: its hash (None for `id`), its inputs, whether
# they commute, whether it has weights, its module path.
Program: TypeAlias = tuple[tuple[bytes | None, tuple[int, ...], bool, bool, str], ...]


@lru_cache(maxsize=65_536)
def op_digest(op: Op) -> bytes:
    """A hash of an operation and its arguments; `3x3` and `3` are the same window."""
    told = [op.name, *((name, _side(getattr(op, name))) for name in arguments(type(op)))]
    return hashlib.blake2b(repr(told).encode(), digest_size=16).digest()


def _side(value: Any) -> Any:
    """One number for a size whose sides are equal."""
    return value[0] if isinstance(value, tuple) and len(set(value)) == 1 else value


class Digested(NamedTuple):
    """The hashes of a block's values for certain inputs; `first` by module path, none a repetition."""

    inputs: tuple[bytes, ...]
    digests: list[bytes]
    weighted: frozenset[bytes]
    first: dict[str, bytes]


class Hashed(Protocol):
    """A block, as far as hashing is concerned."""

    program: Program
    digested: Digested | None


class Digester:
    """Merkle hashes over operations and ordered inputs, with one ordinal for each repetition.

    An operation with weights that repeats the same operation on the same input is another one, and
    its ordinal tells them apart; an operation that shares its module hashes the module's first use.
    """

    __slots__ = ("repeats",)

    def __init__(self) -> None:
        self.repeats: dict[bytes, int] = {}

    def block(self, block: Hashed, inputs: tuple[bytes, ...], first: dict[str, bytes]) -> list[bytes]:
        """The hash of every value of a block, given those of its inputs.

        `first` holds the hashes of modules that were applied before, by path. A block that saw the
        same inputs last time (an encoder always does) has its hashes at hand, unless one of them
        was met before in this network.
        """
        known = block.digested
        if (
            known is not None
            and known.inputs == inputs
            and not first
            and known.weighted.isdisjoint(self.repeats)
        ):
            self.repeats.update(dict.fromkeys(known.weighted, 1))
            first.update(known.first)
            return known.digests
        fresh = not first
        before = len(self.repeats)
        digests = self._block(block, inputs, first)
        if fresh and len(self.repeats) - before == len(first):
            block.digested = Digested(inputs, digests, frozenset(first.values()), dict(first))
        return digests

    def _block(self, block: Hashed, inputs: Sequence[bytes], first: dict[str, bytes]) -> list[bytes]:
        digests = list(inputs)
        hasher = hashlib.sha256
        for op, sources, commutative, weighted, path in block.program:
            if op is None:  # id
                digests.append(digests[sources[0]])
                continue
            if len(sources) == 1:
                made = hasher(op + digests[sources[0]]).digest()
            else:
                parts = [digests[source] for source in sources]
                if commutative:
                    parts.sort()
                made = hasher(op + b"".join(parts)).digest()
            if weighted:
                made = self.weighted(made, path, first)
            digests.append(made)
        return digests

    def weighted(self, made: bytes, path: str, first: dict[str, bytes]) -> bytes:
        """The hash of an operation with weights, from that of what it does to what."""
        if path in first:
            return hashlib.sha256(made + b"shares" + first[path]).digest()
        count = self.repeats.get(made, 0)
        self.repeats[made] = count + 1
        if count:
            made = hashlib.sha256(made + b"%d" % count).digest()
        first[path] = made
        return made


def image_digest(shape: Shape) -> bytes:
    return hashlib.sha256(VERSION + str(shape).encode()).digest()


def one_digest(
    operation: Operation, inputs: tuple[bytes, ...], digester: Digester, first: dict[str, bytes]
) -> bytes:
    """The hash of one operation of an assembly or a flat network."""
    op = operation.op
    if op.name == "id":
        return inputs[0]
    if op.commutative:
        inputs = tuple(sorted(inputs))
    made = hashlib.sha256(op_digest(op) + b"".join(inputs)).digest()
    if op.has_weights:
        made = digester.weighted(made, operation.path, first)
    return made


def final_digest(flows: list[bytes], training: list[tuple[bytes, float]]) -> str:
    """The identity of a network, from the hashes of what it returns."""
    told = b"".join(flows) + b"".join(digest + repr(float(weight)).encode() for digest, weight in training)
    return hashlib.sha256(told).hexdigest()[:32]


def network_identity(network: Network) -> str:
    """The identity of a flat network: equal to that of the assembly which it came from."""
    digester = Digester()
    digests = [image_digest(network.input)]
    first: dict[str, bytes] = {}
    for operation in network.operations:
        inputs = tuple(digests[source] for source in operation.inputs)
        digests.append(one_digest(operation, inputs, digester, first))
    return final_digest(
        [digests[o.value] for o in network.outputs if not o.training_only],
        [(digests[o.value], o.weight) for o in network.outputs if o.training_only],
    )
