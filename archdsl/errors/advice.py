"""Advice on specs that are right (W001 to W029)."""

from __future__ import annotations

from typing import ClassVar

from archdsl.errors.base import Mistake, Severity


class Advice(Mistake):
    """What could be better."""

    severity: ClassVar[Severity] = Severity.ADVICE


class NoHead(Advice):
    code = "W001"
    returned: str

    def message(self) -> str:
        return "the model has no head"

    def label(self) -> str:
        return f"the pipeline ends here and returns {self.returned}"

    def help(self) -> str:
        return "add `| head 1x1 out=2`, or leave it if features are what you want"


class LongSchedule(Advice):
    """A list with more values than there are levels."""

    code = "W002"
    option: str
    given: int
    levels: int
    side: str

    def message(self) -> str:
        return f"`{self.option}` has {self.given} values for {self.levels} levels"

    def label(self) -> str:
        extra = self.given - self.levels
        return f"the {self.side} {f'{extra} are' if extra > 1 else 'one is'} not used"

    def help(self) -> str:
        return "a list is aligned at the finest level"


class HiddenDefinition(Advice):
    """A definition that a recipe stage's own word hides."""

    code = "W003"
    stage: str
    word: str

    def message(self) -> str:
        return f"`{self.stage} {self.word}` is not the definition `{self.word}`"

    def label(self) -> str:
        return f"`{self.stage}` has a word of its own for this"

    def help(self) -> str:
        return f"in brackets it is the definition: `{self.stage} ({self.word})`"


class BiasBeforeNorm(Advice):
    """Biases that the batch norm behind them takes away again."""

    code = "W004"
    word: str
    count: int

    def message(self) -> str:
        if self.count == 1:
            return f"the bias of this `{self.word}` has no effect"
        return f"the biases of {self.count} convolutions have no effect"

    def label(self) -> str:
        return "the batch norm behind it takes the bias away again"

    def help(self) -> str:
        return f"write `bias=false`, or `default {self.word} bias=false` once for the file"


class FailsAtOddSize(Advice):
    """A join written by hand that fits at the input's size, but not at others."""

    code = "W005"
    height: int
    width: int

    def message(self) -> str:
        return f"this join fails at other input sizes, such as {self.height}x{self.width}"

    def help(self) -> str:
        return "give one the size of the other, with `interpolate like=@x` or `crop like=@x`"


class UnusedParameter(Advice):
    code = "W006"
    definition: str
    name: str

    def message(self) -> str:
        return f"`{self.definition}` never uses `{self.name}`"

    def help(self) -> str:
        return f"delete it, or call it `_{self.name}` if it only keeps a place"


class UnusedLet(Advice):
    code = "W007"
    name: str

    def message(self) -> str:
        return f"`{self.name}` is never used"

    def help(self) -> str:
        return "delete it"


class NeverFeasible(Advice):
    """A space of which no sampled member meets the requirements."""

    code = "W008"
    tried: int
    failing: int

    def message(self) -> str:
        return f"none of {self.tried} members that were tried meets the requirements"

    def label(self) -> str:
        return f"{self.failing} break this one"

    def help(self) -> str:
        return "loosen it, or leave options out that can't meet it"


class Holes(Advice):
    """A serial stack of dilated kernels that doesn't read every pixel of its field."""

    code = "W009"
    rates: tuple[int, ...]
    read: int
    spanned: int
    kernel: int | None
    goal: int

    def message(self) -> str:
        rates = ", ".join(map(str, self.rates[-6:]))
        shown = f"... {rates}" if len(self.rates) > 6 else rates
        if len(self.rates) == 1:
            return f"a kernel dilated {shown} leaves holes"
        return f"kernels dilated {shown} in series leave holes"

    def label(self) -> str:
        return f"what leaves here reads {self.read} of {self.spanned} pixels in a row"

    def help(self) -> str:
        if self.kernel is None or len(self.rates) < 2:
            return "begin at rate 1, and grow by less than what is read without holes so far"
        if self.goal > self.kernel:
            broken = f"M_2 is {self.goal} here, the kernel's size {self.kernel}"
        else:
            broken = f"the first rate is {self.rates[0]} here"
        rule = "hybrid dilated convolution begins at rate 1 and keeps M_2 to the kernel's size"
        return f"{rule} ({broken}), as rates 1, 2, 5 do"


class DropoutBeforeNorm(Advice):
    """Dropouts whose output a batch norm reads, near or far."""

    code = "W010"
    count: int

    def message(self) -> str:
        subject = "this dropout stands" if self.count == 1 else f"{self.count} dropouts stand"
        return f"{subject} before a batch norm"

    def label(self) -> str:
        return "dropout changes the variance in training, and not afterwards"

    def help(self) -> str:
        return "put dropout behind the last batch norm, or leave one of the two out"


class NormAfterActivation(Advice):
    """Norms that read what an activation made of a convolution."""

    code = "W011"
    norm: str
    activation: str
    count: int

    def message(self) -> str:
        where = "" if self.count == 1 else f", in {self.count} places"
        return f"`{self.norm}` stands behind `{self.activation}`{where}"

    def label(self) -> str:
        return "it takes away the mean that the activation has made"

    def help(self) -> str:
        return f"the usual order is `conv | {self.norm} | {self.activation}`"


class MissingActivation(Advice):
    """Linear maps in series, which are one linear map."""

    code = "W012"
    count: int

    def message(self) -> str:
        where = "" if self.count == 1 else f", in {self.count} places"
        return f"no activation stands between two linear maps{where}"

    def label(self) -> str:
        return "two such maps can do no more than one"

    def help(self) -> str:
        return "put `relu` between them, or leave one out"


class SmallField(Advice):
    """A network that sees less than one object."""

    code = "W013"
    seen: int
    wanted: int

    def message(self) -> str:
        return f"the receptive field is {self.seen} pixels, the objects are {self.wanted} wide"

    def label(self) -> str:
        return "a pixel of the output sees no more"

    def help(self) -> str:
        return "add levels, dilate the deepest ones, or add a `context` stage"


class UnreadLevel(Advice):
    """A level that was asked for."""

    code = "W014"
    level: str
    climbs: bool

    def message(self) -> str:
        return f"nothing reads {self.level}"

    def label(self) -> str:
        return "it is not built"

    def help(self) -> str:
        if self.climbs:
            return "leave it out, or let the decoder climb from it with a larger `depth=` of `skip`"
        return "leave it out, or read it"


class UnreadStage(Advice):
    """Stages whose result comes to nothing."""

    code = "W015"
    count: int

    def message(self) -> str:
        return "nothing reads this stage" if self.count == 1 else f"nothing reads {self.count} stages"

    def label(self) -> str:
        return "it is not built"

    def help(self) -> str:
        return "join it, or delete it"


class ChannelsLast(Advice):
    """An image of as many channels as others have pixels."""

    code = "W018"
    got: str
    meant: str

    def message(self) -> str:
        return f"`{self.got}` is an image of {self.got.split('x')[0]} channels"

    def label(self) -> str:
        return f"did you mean `{self.meant}`?"

    def help(self) -> str:
        return f"channels come first: `input {self.meant}`"

    def replacement(self) -> str | None:
        return self.meant


class OrderOfTorch(Advice):
    """Three numbers of a convolution that make more sense in the order that torch has."""

    code = "W019"
    word: str
    kernel: int
    out: int
    stride: int

    def message(self) -> str:
        sizes = f"a kernel of {self.kernel}x{self.kernel}, {self.out} channels and steps of {self.stride}"
        return f"`{self.word} {self.kernel} {self.out} {self.stride}` has {sizes}"

    def label(self) -> str:
        return "kernel, channels that leave, stride: in this order"

    def help(self) -> str:
        meant = f"`{self.word} {self.stride}x{self.stride} {self.out}`"
        return (
            f"{self.out} channels by a kernel of {self.stride} are {meant}; if it is meant, write `stride=`"
        )


class AskedTimm(Advice):
    """A model of timm that the table doesn't have."""

    code = "W020"
    encoder: str

    def message(self) -> str:
        return f"`{self.encoder}` is newer than the table of timm's models, so the installed timm was asked"

    def help(self) -> str:
        return "checking takes seconds, and needs that timm"


class ReadoutOfNoToken(Advice):
    """`neck project_readout` behind an encoder that gives no token beside its pixels."""

    code = "W021"
    neck: str

    def message(self) -> str:
        return f"`{self.neck}` reads a token beside each pixel, and no encoder gives one"

    def label(self) -> str:
        return "takes half of a level's own channels for it"

    def help(self) -> str:
        return "write `class_token=true` at the encoder, a vision transformer of timm, or leave the neck out"


class MemoryBound(Advice):
    """Depthwise layers that wait for memory longer than they compute."""

    code = "W016"
    count: int
    intensity: float
    macs: float
    moved: float
    balance: int

    def message(self) -> str:
        layers = "a depthwise layer does" if self.count == 1 else f"{self.count} depthwise layers do"
        return f"{layers} {self.intensity:g} operations for each byte that moves: MACs don't tell the time"

    def label(self) -> str:
        return f"{self.macs:.1%} of the multiply-adds, {self.moved:.0%} of the bytes that layers move"

    def help(self) -> str:
        return f"below {self.balance} a processor waits for memory: measure, or count activations"


class NotMeasured(Advice):
    """A requirement that only a run on the device decides."""

    code = "W017"
    figure: str

    def message(self) -> str:
        return f"`{self.figure}` can't be told without a device"

    def label(self) -> str:
        return "left open here"

    def help(self) -> str:
        return "`archdsl search` measures each candidate before it trains it"
