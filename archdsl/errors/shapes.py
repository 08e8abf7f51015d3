"""What operations say of the shapes that they are given.

Shapes are plain tuples here: C×H×W, C×D×H×W for a volume, F for a vector. A mistake about several
inputs carries all of their shapes, in order, so that whoever knows the places can label each.
"""

from __future__ import annotations

from typing import TypeAlias

from archdsl.errors.base import Mistake

Sizes: TypeAlias = tuple[int, ...]

# Sizes that differ by less than this are the two roundings of one odd size; else strides differ.
ROUNDING = 1.5

SUMMED = {"add": "added", "mul": "multiplied", "concat": "joined"}


def size(sizes: Sizes) -> str:
    """`64x28x28`."""
    return "x".join(map(str, sizes))


def described(shape: Sizes) -> str:
    """A shape with the name of what has it: `a map of 64x28x28`."""
    if len(shape) == 1:
        return f"a vector of {shape[0]} feature{'s' * (shape[0] != 1)}"
    return f"a {'volume' if len(shape) == 4 else 'map'} of {size(shape)}"


class IndivisibleChannels(Mistake):
    """Channels that do not divide into the parts that an operation makes of them."""

    code = "E201"
    channels: int
    parts: int
    unit: str = "groups"

    def message(self) -> str:
        return f"{self.channels} channels do not divide into {self.parts} {self.unit}"

    def label(self) -> str:
        if self.channels < self.parts:
            return ""
        return f"{self.channels} = {self.channels // self.parts}*{self.parts} + {self.channels % self.parts}"

    def help(self) -> str:
        above = (self.channels // self.parts + 1) * self.parts
        below = self.channels // self.parts * self.parts
        return f"take {below} or {above} channels" if below else f"take at least {above} channels"

    def blames(self) -> str:
        return {
            "groups": "groups",
            "squares of pixels": "factor",
            "chunks": "of",
            "sets of offsets": "offset",
        }[self.unit]


class KernelTooLarge(Mistake):
    """A window that does not fit into its (padded) input; `minimum` is the least size that it fits."""

    code = "E202"
    word: str
    kernel: Sizes
    given: Sizes
    minimum: Sizes

    def message(self) -> str:
        return f"a {size(self.kernel)} window of `{self.word}` is larger than its input"

    def label(self) -> str:
        return f"gets {size(self.given)}"

    def help(self) -> str:
        return f"the input here must be at least {size(self.minimum)}: take a larger image or fewer strides"


class DifferentSizes(Mistake):
    """Joined maps whose height or width differ."""

    code = "E203"
    word: str
    shapes: tuple[Sizes, ...]

    def message(self) -> str:
        return f"maps of different size cannot be {SUMMED[self.word]}"

    def help(self) -> str:
        if any(set(shape[1:]) == {1} for shape in self.shapes):
            return "`mul` spreads a map of one pixel; elsewhere `interpolate like=@x` does"
        columns = zip(*(shape[1:] for shape in self.shapes), strict=True)
        if all(max(column) < ROUNDING * min(column) for column in columns):
            return (
                "an odd size was halved on the way, or a kernel is even: give one the size of the other, "
                "with `interpolate like=@x` or `crop like=@x` (recipe stages align by themselves)"
            )
        if self.word == "add":
            return "give both branches the same stride, or use residual(...), which projects the shortcut"
        return "give all branches the same stride, or resize one with `interpolate like=@x`"


class DifferentChannels(Mistake):
    """Summed or multiplied maps whose channels differ."""

    code = "E204"
    word: str
    shapes: tuple[Sizes, ...]

    def message(self) -> str:
        return f"maps of different channels cannot be {SUMMED[self.word]}"

    def help(self) -> str:
        return f"give all branches {self.shapes[0][0]} channels, or join them with concat(...)"


class WantsMap(Mistake):
    """A vector where an operation reads height and width."""

    code = "E205"
    word: str
    given: Sizes

    def message(self) -> str:
        return f"`{self.word}` needs a map"

    def label(self) -> str:
        return f"gets {described(self.given)}"

    def help(self) -> str:
        return f"put `{self.word}` before `flatten`, or use `linear`"


class WantsVector(Mistake):
    """A map where an operation reads a vector."""

    code = "E206"
    word: str
    given: Sizes

    def message(self) -> str:
        return f"`{self.word}` needs a vector"

    def label(self) -> str:
        return f"gets {described(self.given)}"

    def help(self) -> str:
        if all(side == 1 for side in self.given[1:]):
            return f"put `flatten` before it: flatten | {self.word} ..."
        return f"put `gap | flatten` (or `flatten` alone) before it: gap | flatten | {self.word} ..."


class WrongRank(Mistake):
    """A size of two numbers for a volume, or of three for a map."""

    code = "E207"
    word: str
    argument: str
    value: Sizes
    given: Sizes

    def message(self) -> str:
        return f"{self.argument} {size(self.value)} of `{self.word}` does not fit {described(self.given)}"

    def label(self) -> str:
        count = len(self.given) - 1
        return f"{count} number{'s' * (count != 1)} wanted here"

    def help(self) -> str:
        if len(set(self.value)) == 1:
            return f"write {size(self.value[:1] * (len(self.given) - 1))}, or {self.value[0]} alone"
        if len(self.given) == 4:
            return "say depth, height and width, as in 3x5x5; a single number stands for a cube"
        return "say height and width, as in 5x5; a volume has an input of four numbers, as in 1x16x32x32"

    def blames(self) -> str:
        return self.argument


class WrongKind(Mistake):
    """An operation that does not exist for volumes (or only for them), or inputs of several kinds."""

    code = "E208"
    word: str
    wanted: str
    shapes: tuple[Sizes, ...]
    mend: str = ""

    def message(self) -> str:
        return f"`{self.word}` needs {self.wanted}"

    def label(self) -> str:
        return f"gets {' and '.join(described(shape) for shape in self.shapes)}"

    def help(self) -> str:
        return self.mend


def of_other_rank(word: str, given: Sizes) -> WrongKind:
    """A backbone or a block of others, which is for maps or for volumes alone, and gets the other."""
    if len(given) == 4:
        mend = (
            "volumes go through `encoder plain`, and through pipelines of your own with sizes such as 3x3x3"
        )
        return WrongKind(word, "a map", (given,), mend)
    return WrongKind(word, "a volume", (given,), "a volume has an input of four numbers, as in 1x16x32x32")


class CropTooLarge(Mistake):
    """A piece larger than the map that it is cut from."""

    code = "E209"
    wanted: Sizes
    given: Sizes
    offset: Sizes

    def message(self) -> str:
        start = f" from {size(self.offset)} on" if any(self.offset) else ""
        return f"{size(self.wanted)} cannot be cropped out of {size(self.given)}{start}"

    def help(self) -> str:
        return "`interpolate like=@x` makes a map larger; `pad` adds zeros around it"


class ExactlyOne(Mistake):
    """An operation that needs one of a few arguments, and got none or several."""

    code = "E210"
    word: str
    options: tuple[str, ...]
    given: tuple[str, ...]

    def message(self) -> str:
        *most, last = self.options
        return f"`{self.word}` needs one of {', '.join(most)} and {last}"

    def label(self) -> str:
        return f"both {' and '.join(self.given)}" if self.given else "none is given"


class PaddingTooLarge(Mistake):
    """Windows that would lie in the padding alone."""

    code = "E211"
    word: str
    kernel: Sizes
    padding: Sizes
    most: Sizes

    def message(self) -> str:
        return f"`{self.word}` cannot pad {size(self.padding)} around a {size(self.kernel)} window"

    def help(self) -> str:
        return f"pad by {size(self.most)} at most"


class NoSuchChunk(Mistake):
    """A piece beyond the last one."""

    code = "E212"
    index: int
    of: int

    def message(self) -> str:
        return f"there is no chunk {self.index} of {self.of}"

    def help(self) -> str:
        return f"chunks count from 0: the last one is {self.of - 1}"

    def blames(self) -> str:
        return "index"


class KernelBelowStride(Mistake):
    """A transposed convolution that cannot multiply the size by its stride."""

    code = "E213"
    kernel: Sizes
    stride: Sizes

    def message(self) -> str:
        return f"a {size(self.kernel)} `transpose_conv` cannot grow a map exactly {size(self.stride)} times"

    def help(self) -> str:
        return "take a kernel of at least the stride, and an odd one where the stride is 1"

    def blames(self) -> str:
        return "kernel"


class AlignCorners(Mistake):
    """`align_corners` for a way of resizing that has no corners to align."""

    code = "E214"
    mode: str

    def message(self) -> str:
        return f"`{self.mode}` has no align_corners"

    def help(self) -> str:
        return "leave it out, or take bilinear or bicubic"

    def blames(self) -> str:
        return "align_corners"


class WrongPartner(Mistake):
    """A second map that does not fit what flows."""

    code = "E240"
    word: str
    argument: str
    wanted: str
    given: Sizes

    def message(self) -> str:
        return f"`{self.word}` needs {self.wanted}"

    def label(self) -> str:
        return f"is {described(self.given)}"

    def blames(self) -> str:
        return self.argument


class OtherImage(Mistake):
    """A backbone of timm that takes images of some sizes only."""

    code = "E218"
    word: str
    wanted: str
    given: str

    def message(self) -> str:
        return f"`{self.word}` takes {self.wanted}"

    def label(self) -> str:
        return f"gets {self.given}"


class NothingLeft(Mistake):
    """A factor that makes a map smaller than one pixel."""

    code = "E215"
    word: str
    given: Sizes
    minimum: Sizes

    def message(self) -> str:
        return f"`{self.word}` leaves nothing of a map this small"

    def label(self) -> str:
        return f"gets {size(self.given)}"

    def help(self) -> str:
        return f"the input here must be at least {size(self.minimum)}"


# Mistakes that a larger image may mend.
BY_SIZE = frozenset((KernelTooLarge.code, CropTooLarge.code, NothingLeft.code))


class SizeAlone(Mistake):
    """Weights that no gradient reaches: only the size of what they make is read, or the like.

    `reader` is the operation that reads it; `sizing` says whether another map of that size would do.
    """

    code = "E219"
    reader: str
    sizing: bool

    def message(self) -> str:
        if self.sizing:
            return "only the size of what this makes is read, so its weights would learn nothing"
        return f"what this makes is read by `{self.reader}` alone, so its weights would learn nothing"

    def label(self) -> str:
        return "no gradient comes back to it"

    def help(self) -> str:
        if self.sizing:
            return "take the size of a map that is used, or of a `pool` with the same stride"
        return f"give `{self.reader}` a map that is used elsewhere too"
