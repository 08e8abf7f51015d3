"""What can be wrong with the form of a spec, before any word of it is looked up (E001 to E029)."""

from __future__ import annotations

import re
from typing import ClassVar

from archdsl.errors.base import Mistake
from archdsl.errors.foreign import ours


class NotExpected(Mistake):
    """What no other mistake describes better."""

    got: str
    wanted: tuple[str, ...]

    code = "E001"

    def message(self) -> str:
        return f"`{self.got}` can't stand here"

    def label(self) -> str:
        return f"expected {_or(self.wanted)}" if self.wanted else ""


class Unfinished(Mistake):
    wanted: tuple[str, ...]

    code = "E002"

    def message(self) -> str:
        return "the statement ends too early"

    def label(self) -> str:
        return f"expected {_or(self.wanted)} after this" if self.wanted else ""


class EmptyPipe(Mistake):
    code = "E003"

    def message(self) -> str:
        return "nothing stands between two pipes"

    def label(self) -> str:
        return "a stage is missing here"

    def help(self) -> str:
        return "delete one `|`"

    def replacement(self) -> str | None:
        return "|"


class TrailingPipe(Mistake):
    code = "E004"

    def message(self) -> str:
        return "the pipeline ends with `|`"

    def label(self) -> str:
        return "no stage follows"

    def help(self) -> str:
        return "delete it, or add a stage"

    def replacement(self) -> str | None:
        return ""


class Unclosed(Mistake):
    bracket: str

    code = "E005"

    def message(self) -> str:
        return f"this `{self.bracket}` is never closed"

    def label(self) -> str:
        return "opened here"


class WrongCloser(Mistake):
    got: str
    opener: str
    meant: str

    code = "E006"

    def message(self) -> str:
        return f"`{self.got}` closes a `{self.opener}`"

    def label(self) -> str:
        return f"expected `{self.meant}`"

    def replacement(self) -> str | None:
        return self.meant


class Unopened(Mistake):
    got: str

    code = "E007"

    def message(self) -> str:
        return f"this `{self.got}` closes nothing"

    def label(self) -> str:
        return "no bracket is open here"

    def help(self) -> str:
        return "delete it"

    def replacement(self) -> str | None:
        return ""


class NoPipe(Mistake):
    """Two stages with nothing between them."""

    got: str

    code = "E008"

    def message(self) -> str:
        return f"a `|` is missing before `{self.got}`"

    def label(self) -> str:
        return "the stage before it is complete"

    def help(self) -> str:
        return f"write `| {self.got}`"

    def replacement(self) -> str | None:
        return f"| {self.got}"


class LateArgument(Mistake):
    got: str
    stage: str

    code = "E009"

    def message(self) -> str:
        return f"`{self.got}` stands after an option of `{self.stage}`"

    def label(self) -> str:
        return "a positional argument comes before the options"

    def help(self) -> str:
        return f"move it to the left, or, if it is a stage of its own, write `| {self.got}`"


class BareRepeat(Mistake):
    stage: str
    times: str

    code = "E010"

    def message(self) -> str:
        return "`*` repeats only what stands in round brackets"

    def label(self) -> str:
        return "no bracket ends before it"

    def help(self) -> str:
        return f"write `({self.stage}) * {self.times}`; arithmetic is `(w*2)`"


class BareArithmetic(Mistake):
    kind: str
    expression: str
    repeats: bool = False  # how often a group is repeated, instead of an argument
    apart: str = ""  # the two arguments that are as likely meant: `3 8` where `3 -8` stands

    code = "E011"

    def message(self) -> str:
        where = "the number of repeats" if self.repeats else "a positional argument"
        return f"{self.kind} in {where} needs round brackets"

    def label(self) -> str:
        return f"{'the number' if self.repeats else 'an argument'} ends before it"

    def help(self) -> str:
        if self.repeats:
            return f"write `* ({self.expression})`"
        if self.apart:
            difference = f"; a difference is `({self.expression})`" if self.expression else ""
            return f"two arguments are written `{self.apart}`, without a sign{difference}"
        return f"write `({self.expression})`; after `=` no brackets are needed"


class SignInName(Mistake):
    """`tf-efficientnet-b0`, `timm/resnet18`, `unet++`."""

    got: str
    stage: str = ""

    code = "E012"

    signs: ClassVar[dict[str, str]] = {"-": "minus", "/": "divided by", "+": "plus"}

    @property
    def _sign(self) -> str:
        return next(sign for sign in self.signs if sign in self.got)

    @property
    def _decoder(self) -> str | None:
        return ours(self.got.replace("+", "plus"), ("nested",))

    def message(self) -> str:
        return f"`{self.got}` is not a name: `{self._sign}` means {self.signs[self._sign]}"

    def label(self) -> str:
        meant = self.replacement()
        return f"did you mean `{meant}`?" if meant else ""

    def help(self) -> str:
        if self._decoder:
            return "" if self.replacement() else "U-Net++ is `encoder resnet34 | skip nested | up transpose`"
        if self._sign == "/":
            return "a model of timm is `timm:NAME`"
        return "names use `_`" if self._sign == "+" else f"names use `_`; a difference is `({self.got})`"

    def replacement(self) -> str | None:
        if self._sign == "+":
            return self._decoder if self.stage == "skip" else None
        whose, _, model = re.sub("[-/]", "_", self.got).partition("_")
        # segmentation_models.pytorch calls timm's models so, hubs of weights write `timm/NAME`.
        return f"timm:{model}" if whose in ("timm", "tu") else f"{whose}_{model}"


class ReservedWord(Mistake):
    got: str

    code = "E014"

    def message(self) -> str:
        return f"`{self.got}` is a word of the language, not a name"

    def label(self) -> str:
        return "a name is wanted here"

    def help(self) -> str:
        return _RESERVED_HELP.get(self.got, f"choose another name, such as `{self.got}_`")


_RESERVED_HELP = {
    "else": "`else` follows its `if ... (...)` directly, without a `|`",
    "as": "`as` follows the stage that it names",
    "each": "`each` stands inside a join: `concat(each r in rates (...))`",
}


class NotAStage(Mistake):
    """A value between pipes: `(3 | relu)`."""

    got: str

    code = "E015"

    def message(self) -> str:
        return f"`{self.got}` is a value, not a stage"

    def label(self) -> str:
        return "a stage is wanted here"


class SpacedBracket(Mistake):
    name: str

    code = "E016"

    def message(self) -> str:
        return f"a blank stands between `{self.name}` and its bracket"

    def label(self) -> str:
        return f"write `{self.name}(`"

    def help(self) -> str:
        return "behind a blank, `(` opens an argument of its own"

    def replacement(self) -> str | None:
        return f"{self.name}("


class CallSyntax(Mistake):
    """`conv(3x3, 64)`, as other languages call things."""

    name: str
    arguments: str

    code = "E017"

    def message(self) -> str:
        return f"the arguments of `{self.name}` stand in brackets"

    def label(self) -> str:
        return "behind a name, brackets hold the branches of a join"

    def help(self) -> str:
        return f"write `{f'{self.name} {self.arguments}'.strip()}`"


class NothingInside(Mistake):
    opener: str
    closer: str

    code = "E018"

    def message(self) -> str:
        return f"nothing stands between `{self.opener}` and `{self.closer}`"

    def label(self) -> str:
        return "expected a stage or a value inside"


class StrayComma(Mistake):
    """A comma that separates nothing, or stands where blanks separate."""

    why: str

    code = "E019"

    reasons: ClassVar[dict[str, tuple[str, str, str]]] = {
        "empty": ("nothing stands before this `,`", "a branch or a value is missing", "delete it"),
        "outside": (
            "a `,` separates only inside brackets",
            "no bracket is open here",
            "blanks separate arguments: `conv 3x3 64`",
        ),
        "round": (
            "round brackets hold one value or pipeline",
            "a second one follows",
            "a list is `[3, 5]`, a size `3x3`, a choice `{3, 5}`",
        ),
    }

    def message(self) -> str:
        return self.reasons[self.why][0]

    def label(self) -> str:
        return self.reasons[self.why][1]

    def help(self) -> str:
        return self.reasons[self.why][2]

    def replacement(self) -> str | None:
        return None if self.why == "round" else ""


class MissingComma(Mistake):
    got: str

    code = "E029"

    def message(self) -> str:
        return f"a `,` is missing before `{self.got}`"

    def label(self) -> str:
        return "what stands in brackets is separated by commas"

    def replacement(self) -> str | None:
        return f", {self.got}"


class LateMark(Mistake):
    label_text: str

    code = "E020"

    def message(self) -> str:
        return "`?` stands before `as`"

    def label(self) -> str:
        return f"write `{self.replacement()}`"

    def replacement(self) -> str | None:
        return f"? {self.label_text}"


class BareBody(Mistake):
    word: str

    code = "E021"

    def message(self) -> str:
        return f"what `{self.word}` governs stands in round brackets"

    def label(self) -> str:
        return "expected `(` before it"

    def help(self) -> str:
        return {
            "for": "for instance `for d in [1, 2, 5] (conv 3x3 64 dilation=d)`",
            "each": "for instance `each r in rates (conv 3x3 64 dilation=r)`",
        }.get(self.word, "for instance `if stride > 1 (pool max 2) else (id)`")


class ChainedComparison(Mistake):
    code = "E028"

    def message(self) -> str:
        return "a comparison can't be continued"

    def label(self) -> str:
        return "a second comparison"

    def help(self) -> str:
        return "write `a < b and b < c`"


def _or(words: tuple[str, ...]) -> str:
    return " or ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else words[0]
