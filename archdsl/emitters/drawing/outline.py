"""A network in a dozen parts: its scopes, opened as far as they differ, and what stands between them.

Parts are runs of operations, so that the graph of parts has no cycle whatever the network.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby, pairwise

from archdsl.emitters.drawing.phrases import computes, is_main, is_pool, own_name
from archdsl.network import Network, Operation
from archdsl.ops.joins import Concat
from archdsl.tensors import Stride

PARTS = 14  # as many as fit into a row
SMALL, FEW = 8, 4  # main operations that a scope, or a loose run, may have and yet be told whole
BRIEF = 2  # main operations of a scope inside a part that is told whole, not by its name


@dataclass(frozen=True)
class Part:
    """Operations `first` to `last` (exclusive): a scope, or a run outside of any (`loose`).

    `name` is the scope's path, `word` the definition's name; `children` are the scopes directly
    inside. A `row` is no scope itself but one or several, and what stands before or between them.
    """

    name: str
    word: str
    first: int
    last: int
    children: tuple[Part, ...] = ()
    loose: bool = False
    row: bool = False

    def __len__(self) -> int:
        return self.last - self.first


def tree(network: Network) -> Part:
    """All scopes, each inside the one that holds it; a scope that holds only another is one with it."""
    ordered = sorted(network.scopes, key=lambda scope: (scope.first, -scope.last, len(scope.path)))
    parts = [Part(scope.path, scope.word, scope.first, scope.last) for scope in ordered if scope.path]
    return _nest(Part("", "", 0, len(network.operations)), iter([*parts, None]))[0]


def _nest(part: Part, rest: Iterator[Part | None]) -> tuple[Part, Part | None]:
    """A part with all that lies in it, and the first part behind it."""
    children: list[Part] = []
    following = next(rest)
    while following is not None and following.first < part.last:
        if following.last > part.last:  # not inside: a scope that others interrupt
            following = next(rest)
            continue
        child, following = _nest(following, rest)
        children.append(child)
    if len(children) == 1 and len(children[0]) == len(part) and part.name:
        (only,) = children
        return replace(part, word=part.word or only.word, children=only.children), following
    return replace(part, children=tuple(children)), following


def segments(part: Part) -> list[Part]:
    """What a part consists of, in order: its scopes, and loose runs between them."""
    found: list[Part] = []
    at = part.first
    for child in part.children:
        if child.first > at:
            found.append(Part("", "", at, child.first, loose=True))
        found.append(child)
        at = child.last
    if at < part.last:
        found.append(Part("", "", at, part.last, loose=True))
    return found


def outline(network: Network) -> list[Part]:
    """The parts to draw in a row, about a dozen; loose ones have a name only where a run was cut."""
    parts = _inside(network, tree(network))
    while True:
        choices = [
            (part, inner)
            for part in parts
            if len(inner := _opened(network, part)) > 1
            and len(parts) + len(inner) - 1 <= PARTS * (2 if 2 * len(part) > len(network.operations) else 1)
        ]
        if not choices:
            break
        part, inner = max(choices, key=lambda pair: len(pair[0]))
        at = parts.index(part)
        parts[at : at + 1] = inner
    return _merged(network, _tidied(network, parts))


def repeats(network: Network, part: Part) -> bool:
    """Whether a part is one thing several times over: its scopes give one shape, each from the last."""
    shapes = {network.operations[child.last - 1].shape for child in part.children}
    return (
        len(part.children) > 1
        and len(shapes) == 1
        and all(_leads(network, one, other) for one, other in pairwise(part.children))
    )


def _leads(network: Network, one: Part, other: Part) -> bool:
    """Whether a scope, or what stands before it, reads what another made."""
    return any(
        one.first < value <= one.last
        for operation in network.operations[one.last : other.last]
        for value in operation.inputs
    )


def split(part: Part) -> list[Part]:
    """The scopes of a row as parts of their own, each with what stands before it; any other part itself."""
    if not part.row:
        return [part]
    starts = [part.first, *(child.last for child in part.children[:-1])]
    return [
        child if child.first == start else replace(child, first=start, children=(child,), row=True)
        for child, start in zip(part.children, starts, strict=True)
    ]


def mains(network: Network, part: Part) -> list[Operation]:
    """The operations of a part that a figure would tell."""
    inside = network.operations[part.first : part.last]
    return [operation for operation in inside if is_main(network, operation)]


def is_folded(network: Network, scope: Part, part: Part) -> bool:
    """Whether a scope inside a part is told by its name: of several operations, but not most that compute."""
    told = mains(network, scope)
    inner, outer = (sum(computes(network, made) for made in mains(network, of)) for of in (scope, part))
    return not scope.loose and len(told) > BRIEF and 3 * inner <= 2 * outer


def label(part: Part) -> str:
    """What a drawing calls a scope: the end of its path, from a name on; where it has none, its word."""
    *front, end = part.name.split(".")
    if not end[:1].isdigit():
        return end
    while front and front[-1][:1].isdigit():
        end = f"{front.pop()}.{end}"
    words = {part.word, *(child.word for child in part.children if part.row)} - {""}
    return f"{front[-1]}.{end}" if front else words.pop().lstrip("_") if len(words) == 1 else end


def brief(part: Part) -> str:
    """A scope in a word: the end of its path; where that is a number, the definition's name."""
    end = part.name.rsplit(".", 1)[-1]
    return end if not end[:1].isdigit() else part.word.lstrip("_") or label(part)


def _opened(network: Network, part: Part) -> list[Part]:
    """What a part opens into: itself where it is small or repeats itself."""
    whole = replace(part.children[0], first=part.first) if part.row and len(part.children) == 1 else part
    if repeats(network, whole) or len(mains(network, whole)) <= (FEW if part.loose else SMALL):
        return [part]
    part = whole
    if part.children:
        return _inside(network, part)
    resolutions = _by_resolution(network, part)
    return resolutions if len(resolutions) > 1 else _by_operation(network, part)


def _inside(network: Network, part: Part) -> list[Part]:
    """What a part consists of: a join belongs to the scope that it leads into, equal scopes are a row.

    Where there is much of it, so does a single operation (a pooling before the next level). What grows a
    map and concatenates it with a skip is part of what follows.
    """
    found: list[Part] = []
    pieces = segments(part)
    few = 0 if len(pieces) <= PARTS else 1
    for segment in pieces:
        before = found[-1] if found else None
        leads = before and before.loose and before.first and not segment.loose
        if before and leads and len(mains(network, before)) <= (2 if _joins(network, before) else few):
            segment = replace(segment, first=found.pop().first, children=(segment,), row=True)
            before = found[-1] if found else None
        if before and _goes_on(network, before, segment):
            segment = joined([found.pop(), segment])
        found.append(segment)
    return found


def _joins(network: Network, part: Part) -> bool:
    """Whether a run ends in a concatenation."""
    return isinstance(network.operations[part.last - 1].op, Concat)


def _goes_on(network: Network, part: Part, following: Part) -> bool:
    """Whether a scope does to what leaves another just what that did: one word, one shape."""
    last = part.children[-1] if part.row else part
    outs = network.operations[last.last - 1].shape, network.operations[following.last - 1].shape
    reads = {
        value
        for operation in network.operations[following.first : following.last]
        for value in operation.inputs
    }
    return bool(following.word) and last.word == following.word and outs[0] == outs[1] and last.last in reads


def _tidied(network: Network, parts: list[Part]) -> list[Part]:
    """Loose neighbours as one, unless both have something to tell."""
    found: list[Part] = []
    for part in parts:
        before = found[-1] if found else part
        if found and part.loose and before.loose and not (_tells(network, part) and _tells(network, before)):
            found[-1] = replace(before, last=part.last)
        else:
            found.append(part)
    return found


def _tells(network: Network, part: Part) -> bool:
    """Whether a part has a main operation or a join."""
    inside = network.operations[part.first : part.last]
    return any(len(operation.inputs) > 1 or is_main(network, operation) for operation in inside)


def _by_resolution(network: Network, part: Part) -> list[Part]:
    """A run of single operations, cut where the resolution changes; a pooling belongs to what it ends."""
    cuts = [part.first]
    for number in range(part.first + 1, part.last):
        before, here = network.operations[number - 1], network.operations[number]
        steps = computes(network, here) and here.stride != before.stride
        if steps or (is_pool(before.op) and before.stride != _stride_into(network, before)):
            cuts.append(number)
    return [
        Part(run_name(network, start, end), "", start, end, loose=True)
        for start, end in pairwise([*cuts, part.last])
    ]


def _by_operation(network: Network, part: Part) -> list[Part]:
    """A run with branches, cut at every main operation and join; a plain chain stays whole."""
    numbers = range(part.first, part.last)
    joins = {number for number in numbers if len(network.operations[number].inputs) > 1}
    if not joins:
        return [part]
    cuts = {n for n in numbers if n in joins or is_main(network, network.operations[n])} | {part.first}
    return [
        Part("" if start in joins else run_name(network, start, end), "", start, end, loose=True)
        for start, end in pairwise([*sorted(cuts), part.last])
    ]


def _stride_into(network: Network, operation: Operation) -> Stride:
    value = operation.inputs[0]
    return network.operations[value - 1].stride if value else Fraction(1)


def run_name(network: Network, first: int, last: int) -> str:
    """`features.0–4`: a run of operations by the paths of its modules."""
    run = network.operations[first:last]
    paths = [operation.path for operation in run if own_name(network, operation)]
    return between(paths[0], paths[-1]) if paths else run[0].op.name


def between(first: str, last: str) -> str:
    """Two names as a range; what they share at the start is said once (`inception4a–4e`)."""
    if first == last:
        return first
    (scope, _, start), (other, _, end) = first.rpartition("."), last.rpartition(".")
    if scope != other:
        return f"{first}–{last}"
    word, number = _split(end)
    return f"{first}–{number if word == _split(start)[0] and 0 < len(number) <= 2 else end}"


def _split(name: str) -> tuple[str, str]:
    """The letters that a name begins with, and the rest."""
    letters = re.match(r"[A-Za-z_]*", name)
    end = letters.end() if letters else 0
    return name[:end], name[end:]


# ---- too many parts ----------------------------------------------------------------------------


def _merged(network: Network, parts: list[Part]) -> list[Part]:
    """Neighbours of one word and resolution as one, where there are too many; then any neighbours."""
    keys: list[Callable[[Part], object]] = [
        lambda part: (part.word, network.operations[part.last - 1].stride),
        lambda part: network.operations[part.last - 1].stride,
    ]
    for key in keys:
        if len(parts) > PARTS:
            parts = [joined(list(group)) for _, group in groupby(parts, key)]
    if len(parts) > 2 * PARTS:
        step = -(-len(parts) // PARTS)
        parts = [joined(parts[at : at + step]) for at in range(0, len(parts), step)]
    return parts


def joined(parts: list[Part]) -> Part:
    """A row of parts as one, which holds them as its scopes."""
    if len(parts) == 1:
        return parts[0]
    scopes = [part for part in parts if not part.loose]
    children = tuple(child for part in scopes for child in (part.children if part.row else (part,)))
    if not children:
        return replace(parts[0], name="", last=parts[-1].last)
    name = between(children[0].name, children[-1].name)
    return Part(name, "", parts[0].first, parts[-1].last, children, row=True)
