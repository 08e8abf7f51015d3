"""Gridding: serial stacks of dilated kernels whose reach has holes (Wang et al. 2017, arXiv:1702.08502).

A hole is one in the map that the stack begins with and in the image too: what windows before it
have read together, as where a map became smaller, is no hole between the taps.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from archdsl.network import Network, Operation
from archdsl.records import Value
from archdsl.tensors import Window

CONVOLUTIONS = ("conv", "dwconv")

# Its taps move by offsets that it learns: where they lie is not known, so it is taken to leave none out.
DEFORMABLE = "deform_conv"

# What a stack reads along each axis, as a set of offsets: bit n says that the n-th pixel from the
# left end is read. A stack without a dilated kernel has no holes and is not followed.
Reach = tuple[int, ...]


class Stack(Value):
    """What has been read since the last change of resolution, and the dilation rates on the way.

    Attributes:
        reach: in pixels of the map that this resolution began with.
        rates, kernels: dilation and size of each kernel, in order.
        last: the number of its last dilated operation.
        image: the same reach in pixels of the image, or of the map that was last made larger.
        steps: how many of those lie between two pixels of the map.
    """

    reach: Reach
    rates: tuple[int, ...]
    kernels: tuple[int, ...]
    last: int | None
    image: Reach
    steps: tuple[int, ...]

    @property
    def dilated(self) -> bool:
        return any(rate > 1 for rate in self.rates)

    @property
    def holes(self) -> Reach:
        """The reach along axes with holes, which what is read before a map became smaller doesn't fill."""
        axes = zip(self.reach, self.image, strict=True)
        return tuple(bits for bits, pixels in axes if self.dilated and _open(bits) and _open(pixels))


def _open(bits: int) -> bool:
    """Whether a bit is missing between the first and the last."""
    return bits & (bits + 1) != 0


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
    empty = Stack((1,) * rank, (), (), None, (1,) * rank, (1,) * rank)
    stacks = [empty]
    goes_on: set[int] = set()
    for number, operation in enumerate(network.operations):
        window = operation.op.window(network.shapes_into(operation))
        if window is None or len(window.kernel) != rank:
            stacks.append(_joined(operation, stacks, goes_on, empty))
        elif all(stride.denominator == 1 for stride in window.stride):
            stack = _read(stacks[operation.inputs[0]], window, operation, number)
            if _keeps_size(window) or not stack.holes:
                apart = operation.op.detached
                goes_on.update(value for n, value in enumerate(operation.inputs) if n not in apart)
            stacks.append(stack if _keeps_size(window) else _smaller(stack, empty))
        else:
            stacks.append(empty)
    found: dict[int, Gridding] = {}
    for value, stack in enumerate(stacks):
        if value not in goes_on and stack.holes and stack.last is not None:
            worst = min(stack.holes, key=lambda bits: bits.bit_count() / bits.bit_length())
            sizes = (worst.bit_count(), worst.bit_length())
            found.setdefault(stack.last, Gridding(stack.rates, stack.kernels, *sizes, stack.last))
    return tuple(found.values())


def _keeps_size(window: Window) -> bool:
    return all(stride == 1 for stride in window.stride)


def _smaller(stack: Stack, empty: Stack) -> Stack:
    """A new stack at a lower resolution: what lies before it counts in pixels of the image alone."""
    return replace(empty, image=stack.image, steps=stack.steps)


def _read(stack: Stack, window: Window, operation: Operation, number: int) -> Stack:
    """A stack after one more window; those of convolutions are among its kernels."""
    filled = operation.op.name == DEFORMABLE
    kernels, rates = window.kernel, window.dilation
    apart = tuple(rate * step for rate, step in zip(rates, stack.steps, strict=True))
    read = (_taps(*axis, filled) for axis in zip(stack.reach, kernels, rates, strict=True))
    seen = (_taps(*axis, filled) for axis in zip(stack.image, kernels, apart, strict=True))
    steps = tuple(step * int(stride) for step, stride in zip(stack.steps, window.stride, strict=True))
    stack = replace(stack, reach=tuple(read), image=tuple(seen), steps=steps)
    if operation.op.name not in (*CONVOLUTIONS, DEFORMABLE) or max(kernels) == 1:
        return stack
    rate = max(rates)
    last = number if rate > 1 else stack.last
    return replace(stack, rates=(*stack.rates, rate), kernels=(*stack.kernels, max(kernels)), last=last)


def _taps(bits: int, kernel: int, distance: int, filled: bool) -> int:
    """What a kernel reads of what each of its taps has read."""
    made = 0
    for tap in range(kernel):
        made |= bits << (tap * distance)
    return (1 << made.bit_length()) - 1 if filled else made


def _joined(operation: Operation, stacks: list[Stack], goes_on: set[int], empty: Stack) -> Stack:
    """What a pointwise operation or a join reads: the union.

    Behind branches that are dilated in parallel a new stack begins: what they read around the centre, without
    their holes, has been read.
    """
    inputs = [(value, stacks[value]) for value in operation.inputs]
    if operation.stride is None:
        return empty
    dilated = [(value, stack) for value, stack in inputs if stack.dilated]
    parallel = len({id(stack) for _, stack in dilated}) > 1 and not _nested(dilated)
    goes_on.update(value for value, _ in (dilated if parallel else inputs))
    widest = max((stack for _, stack in inputs), key=lambda stack: (len(stack.rates), stack.reach))
    # Beside a map that was made larger, the image's pixels are known by the other branch.
    steps = max(stack.steps for _, stack in inputs)
    reach = _union([stack.reach for _, stack in inputs])
    image = _union([stack.image for _, stack in inputs if stack.steps == steps])
    if parallel:
        return replace(empty, reach=_central(reach), image=_central(image), steps=steps)
    return replace(widest, reach=reach, image=image, steps=steps)


def _central(reach: Reach) -> Reach:
    """What is read around the centre up to the first hole on either side."""
    found = []
    for bits in reach:
        right = left = (bits.bit_length() - 1) // 2
        while right and bits >> (right - 1) & 1:
            right -= 1
        while bits >> (left + 1) & 1:
            left += 1
        found.append((1 << (left - right + 1)) - 1)
    return tuple(found)


def _union(branches: list[Reach]) -> Reach:
    """What any of several branches reads, all about one centre."""
    made = []
    for widths in zip(*branches, strict=True):
        longest = max(bits.bit_length() for bits in widths)
        read = 0
        for bits in widths:
            read |= bits << ((longest - bits.bit_length()) // 2)
        made.append(read)
    return tuple(made)


def _nested(dilated: list[tuple[int, Stack]]) -> bool:
    """Whether each stack begins with the next shorter one: a residual sum, not parallel branches."""
    rates = sorted((stack.rates for _, stack in dilated), key=len)
    return all(longer[: len(shorter)] == shorter for shorter, longer in pairwise(rates))
