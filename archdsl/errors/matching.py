"""What can be said when one network can't be made as large as another (E320 to E329, W091)."""

from __future__ import annotations

from archdsl.errors.base import Mistake, Severity


class NothingToScale(Mistake):
    """A spec that writes no width itself, and calls nothing of the library that writes all of its own."""

    code = "E320"
    spec: str

    def message(self) -> str:
        return f"`{self.spec}` writes no widths of its own, so there is nothing to scale"

    def help(self) -> str:
        return "channels are scaled that a spec writes, or what it calls of the library: timm's models stay"


class NotScalable(Mistake):
    """Widths that other numbers of the spec hold fast."""

    code = "E321"
    spec: str
    reason: str

    def message(self) -> str:
        return f"the widths of `{self.spec}` can't be scaled together: {self.reason}"

    def help(self) -> str:
        return "something holds one fast, such as the channels of a published encoder that it is summed with"


class NotKnown(Mistake):
    """A figure of a network of which timm builds a part: only that part's parameters are known."""

    code = "E322"
    spec: str
    figure: str

    def message(self) -> str:
        return f"the {self.figure} of `{self.spec}` aren't known: timm builds a part of it"

    def help(self) -> str:
        return "leave `--by macs` out: parameters are known"


class NotMatched(Mistake):
    """The figure that is wanted lies beyond what the widths can do, or between two of them."""

    code = "W091"
    severity = Severity.ADVICE
    figure: str
    nearest: int
    wanted: int
    encoder: str = ""
    """A published encoder, which is not scaled."""

    def message(self) -> str:
        share = 100 * (self.nearest / self.wanted - 1)
        return f"{self.wanted:,} {self.figure} can't be had: the nearest are {self.nearest:,}, {share:+.1f} %"

    def help(self) -> str:
        return f"the encoder `{self.encoder}` stays as it was published" if self.encoder else ""
