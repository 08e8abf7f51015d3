"""Mistakes about what flows between stages (E25 to E27)."""

from __future__ import annotations

from archdsl.errors.base import Mistake


class WrongFlow(Mistake):
    code = "E250"
    stage: str
    wanted: str
    got: str
    mend: str = ""

    def message(self) -> str:
        return f"`{self.stage}` wants {self.wanted}, but {self.got} flows here"

    def help(self) -> str:
        return self.mend


class ScheduleTooShort(Mistake):
    code = "E253"
    option: str
    given: int
    wanted: int

    def message(self) -> str:
        return f"`{self.option}` has {self.given} values for {self.wanted} levels"

    def help(self) -> str:
        return "give one value for all, or a list with one a level"

    def blames(self) -> str:
        return self.option


class WidthOfSum(Mistake):
    code = "E258"
    above: int

    def message(self) -> str:
        return "`skip add` leaves no free width: a level has its skip's channels"

    def help(self) -> str:
        if self.above:
            steps = _counted(self.above, "step")
            return f"leave `channels=` out, or list a width for the {steps} above the finest level alone"
        return "leave `channels=` out, or use `skip plain`"

    def blames(self) -> str:
        return "channels"


class TooSmall(Mistake):
    code = "E259"
    height: int
    width: int
    minimum: str

    def message(self) -> str:
        return f"the input {self.height}x{self.width} is too small for this network"

    def help(self) -> str:
        return f"the smallest input is {self.minimum}"


class ShortcutDiffers(Mistake):
    code = "E261"
    body: str
    shortcut: str

    def message(self) -> str:
        return "the shortcut does not fit the body of the residual"

    def label(self) -> str:
        return f"the body gives {self.body}, the shortcut {self.shortcut}"

    def help(self) -> str:
        return (
            "`shortcut=auto` projects channels and stride; height and width must follow from the stride, "
            "so its kernels are odd and padded"
        )


class HeadTwice(Mistake):
    code = "E262"

    def message(self) -> str:
        return "`supervise=deep` needs a decoder before the head"

    def help(self) -> str:
        return "it scores the levels of `up`; write `... | up transpose | head ... supervise=deep`"

    def blames(self) -> str:
        return "supervise"


class PartMoves(Mistake):
    """A part of a recipe, or a gate, that gives another shape than its place has."""

    code = "E263"
    before: str
    after: str
    part: str = "a context module"
    option: str = "form"

    @property
    def _is_gate(self) -> bool:
        return self.option in ("attention", "gate")

    def message(self) -> str:
        return f"{self.part} must keep the {'shape' if self._is_gate else 'height and width'} of its map"

    def label(self) -> str:
        return f"it makes {self.after} of {self.before}"

    def help(self) -> str:
        return "multiply the map by what weighs it: `mul(id, ...)`" if self._is_gate else ""

    def blames(self) -> str:
        return self.option


class MissingOption(Mistake):
    code = "E265"
    stage: str
    option: str

    def message(self) -> str:
        return f"`{self.stage}` needs `{self.option}=`"

    def help(self) -> str:
        return f"for instance `{self.option}=2`"


class NothingToReturn(Mistake):
    code = "E266"
    got: str

    def message(self) -> str:
        return f"the pipeline ends in {self.got}, which a network can't return"

    def help(self) -> str:
        return "`up` climbs a decoder: add `| up transpose | head 1x1 out=2`"


class ChannelsDiffer(Mistake):
    """A spec whose `input` disagrees with the data."""

    code = "E267"
    stated: int
    given: int

    def message(self) -> str:
        return f"the images have {_counted(self.given, 'channel')}, the spec says {self.stated}"

    def label(self) -> str:
        return f"{_counted(self.stated, 'channel')} here"

    def help(self) -> str:
        return "without `input` a spec takes the channels of the data"


class ClassesDiffer(Mistake):
    """A network whose output disagrees with the data."""

    code = "E268"
    channels: int
    classes: int
    maps: int = 1

    def message(self) -> str:
        answer = f"{self.maps} maps" if self.maps > 1 else _counted(self.channels, "channel")
        return f"the data have {_counted(self.classes, 'class', 'es')}, the network answers with {answer}"

    def help(self) -> str:
        if self.maps > 1:
            return f"a head makes one answer of them: `| head 1x1 out={self.classes}`"
        return (
            f"write {self.classes}, or `let classes = {self.classes}` and `out=classes`: it follows the data"
        )


class NotDoubled(Mistake):
    """A definition as `up` that doesn't double its map, or levels that are further apart than that."""

    code = "E270"
    form: str
    before: str
    after: str
    levels: bool = False

    def message(self) -> str:
        if self.levels:
            return f"`up {self.form}` doubles, which does not lead from level {self.after} to {self.before}"
        return f"`{self.form}` as `up` must double its map"

    def label(self) -> str:
        return "" if self.levels else f"it makes {self.after} of {self.before}"

    def help(self) -> str:
        return "`up bilinear` and `up nearest` climb steps of any height"

    def blames(self) -> str:
        return "form"


class NotWhole(Mistake):
    """Levels whose strides are no whole multiples, where maps are pooled from one to the other."""

    code = "E271"
    fine: str
    coarse: str

    def message(self) -> str:
        return f"pooling takes whole steps, but levels {self.fine} and {self.coarse} are none apart"

    def help(self) -> str:
        return "take levels whose strides are multiples of one another: `levels [...]` picks some"


class NothingPooled(Mistake):
    """An `up unpool` above the finest level, where no map was pooled."""

    code = "E272"
    finest: str

    def message(self) -> str:
        return f"`up unpool` needs the map that was pooled, and above level {self.finest} there is none"

    def help(self) -> str:
        return (
            "take an encoder whose first level has the image's own size: `encoder vgg16_bn`, `encoder plain`"
        )

    def blames(self) -> str:
        return "form"


class OptionOfOther(Mistake):
    """An option of `skip` that the chosen form has no use for."""

    code = "E273"
    option: str
    form: str
    owner: str

    def message(self) -> str:
        return f"`skip {self.form}` has no `{self.option}=`"

    def help(self) -> str:
        return f"`{self.option}=` belongs to `skip {self.owner}`"

    def blames(self) -> str:
        return self.option


class NoSignal(Mistake):
    """A gate of `skip gated` that can't see what climbs."""

    code = "E274"
    gate: str

    def message(self) -> str:
        gate = f"`{self.gate}`" if self.gate != "stage" else "this pipeline"
        return f"{gate} has no parameter `signal`, the map that climbs"

    def help(self) -> str:
        return f"`skip plain attention={self.gate}` gates a skip by itself" if self.gate != "stage" else ""

    def blames(self) -> str:
        return "gate"


class NoPyramid(Mistake):
    """A definition as `neck` that gives one map."""

    code = "E278"
    form: str

    def message(self) -> str:
        form = f"`{self.form}`" if self.form != "stage" else "this pipeline"
        return f"{form} as `neck` must give a pyramid, and gives one map"

    def help(self) -> str:
        if self.form == "stage":
            return "`pyramid(...)` makes a pyramid of its branches"
        return f"what makes one map of all levels is a stage by itself: `| {self.form} as decoder`"

    def blames(self) -> str:
        return "form"


class OtherClasses(Mistake):
    """A definition as `head` that has no `out`, and gives another number of channels."""

    code = "E279"
    form: str
    out: int
    got: int

    def message(self) -> str:
        form = f"`{self.form}`" if self.form != "stage" else "this pipeline"
        return f"{form} as `head` gives {_counted(self.got, 'channel')}, not {self.out}"

    def label(self) -> str:
        return "it takes no `out`"

    def help(self) -> str:
        return f"`| head 1x1 out={self.out}` behind it makes {self.out} of them"

    def blames(self) -> str:
        return "out"


def _counted(number: int, word: str, plural: str = "s") -> str:
    return f"{number} {word}{'' if number == 1 else plural}"
