"""Gridding: serial stacks of dilated kernels whose reach has holes (Wang et al. 2017, arXiv:1702.08502)."""

from __future__ import annotations

from itertools import pairwise

from archdsl.network import Network, Operation
from archdsl.records import Value
from archdsl.tensors import Window

CONVOLUTIONS = ("conv", "dwconv")

# What a stack reads along one axis, as a set of offsets: bit n says that the n-th pixel from the
# left end is read. A stack without a dilated kernel has no holes and is not followed.
Reach = tuple[int, ...]


class Stack(Value):
    """What has been read since the last change of resolution, and the dilation rates on the way."""

    reach: Reach
    rates: tuple[int, ...]
    kernels: tuple[int, ...]
    last: int | None

    @property
    def dilated(self) -> bool:
        return any(rate > 1 for rate in self.rates)

    @property
    def holes(self) -> bool:
        return self.dilated and any(bits & (bits + 1) for bits in self.reach)


class Gridding(Value):
    """A serial stack with holes.

    Attributes:
        rates, kernels: dilation and size of each kernel, in order.
        read, spanned: how many pixels it reads along its worst axis, and how many lie from end to end.
        last: the number of its last dilated operation.
    """

    rates: tuple[int, ...]
    kernels: tuple[int, ...]
    read: int
    spanned: int
    last: int

    @property
    def kernel(self) -> int | None:
        """The size of all kernels, if they have one."""
        return self.kernels[0] if len(set(self.kernels)) == 1 else None

    @property
    def goal(self) -> int:
        """M_2 of hybrid dilated convolution, which should be no more than the kernel's size.

        Stacks that start at rate 1 and keep to it have no holes; many others have none either.

        >>> Gridding((1, 2, 9), (3, 3, 3), 21, 25, 2).goal
        5
        """
        goal = self.rates[-1]
        for rate in self.rates[-2:0:-1]:
            goal = max(goal - 2 * rate, 2 * rate - goal, rate)
        return goal


def gridding(network: Network) -> tuple[Gridding, ...]:
    """Every serial stack whose taps' sums leave holes: exact. Parallel branches are exempt."""
    rank = network.input.rank
    empty = Stack((1,) * rank, (), (), None)
    stacks = [empty]
    ends: dict[int, Stack] = {}
    goes_on: set[int] = set()
    for number, operation in enumerate(network.operations, start=1):
        window = operation.op.window(network.shapes_into(operation))
        if window is not None and len(window.kernel) == rank:
            stack = _read(stacks[operation.inputs[0]], window, operation, number - 1)
            if stack is not None:
                goes_on.add(operation.inputs[0])
            stacks.append(stack or empty)
        else:
            stacks.append(_joined(operation, stacks, goes_on, empty))
        ends[number] = stacks[number]
    found: dict[int, Gridding] = {}
    for number, stack in ends.items():
        if number not in goes_on and stack.holes and stack.last is not None:
            worst = min(stack.reach, key=lambda bits: bits.bit_count() / bits.bit_length())
            sizes = (worst.bit_count(), worst.bit_length())
            found.setdefault(stack.last, Gridding(stack.rates, stack.kernels, *sizes, stack.last))
    return tuple(found.values())


def _read(stack: Stack, window: Window, operation: Operation, number: int) -> Stack | None:
    """A stack after one more kernel; None where the resolution changes."""
    if any(stride != 1 for stride in window.stride):
        return None
    if operation.op.name not in CONVOLUTIONS:
        return None
    reach = []
    for bits, kernel, rate in zip(stack.reach, window.kernel, window.dilation, strict=True):
        made = 0
        for tap in range(kernel):
            made |= bits << (tap * rate)
        reach.append(made)
    rate = max(window.dilation)
    if max(window.kernel) == 1:
        return Stack(tuple(reach), stack.rates, stack.kernels, stack.last)
    last = number if rate > 1 else stack.last
    return Stack(tuple(reach), (*stack.rates, rate), (*stack.kernels, max(window.kernel)), last)


def _joined(operation: Operation, stacks: list[Stack], goes_on: set[int], empty: Stack) -> Stack:
    """What a pointwise operation or a join reads: the union, unless branches are dilated in parallel."""
    inputs = [(value, stacks[value]) for value in operation.inputs]
    if operation.stride is None:
        return empty
    dilated = [(value, stack) for value, stack in inputs if stack.dilated]
    if len({id(stack) for _, stack in dilated}) > 1 and not _nested(dilated):
        goes_on.update(value for value, _ in dilated)
        return empty
    goes_on.update(value for value, _ in inputs)
    widest = max((stack for _, stack in inputs), key=lambda stack: (len(stack.rates), stack.reach))
    union = []
    for axis in range(len(widest.reach)):
        widths = [stack.reach[axis] for _, stack in inputs]
        longest = max(bits.bit_length() for bits in widths)
        made = 0
        for bits in widths:
            made |= bits << ((longest - bits.bit_length()) // 2)
        union.append(made)
    return Stack(tuple(union), widest.rates, widest.kernels, widest.last)


def _nested(dilated: list[tuple[int, Stack]]) -> bool:
    """Whether each stack begins with the next shorter one: a residual sum, not parallel branches."""
    rates = sorted((stack.rates for _, stack in dilated), key=len)
    return all(longer[: len(shorter)] == shorter for shorter, longer in pairwise(rates))
