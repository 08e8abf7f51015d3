"""Limits on what a spec may expand to, and on what memory may hold of it (E41, E489)."""

from __future__ import annotations

from archdsl.errors.base import Mistake


class TooManyOperations(Mistake):
    code = "E410"
    limit: int

    def message(self) -> str:
        return f"this spec expands to more than {self.limit:,} operations"

    def label(self) -> str:
        return "the limit is passed here"


class TooManySteps(Mistake):
    code = "E414"
    limit: int

    def message(self) -> str:
        return f"this spec goes through more than {self.limit:,} stages while it is expanded"

    def label(self) -> str:
        return "the limit is passed here"


class CallsTooDeep(Mistake):
    code = "E411"
    limit: int

    def message(self) -> str:
        return f"calls are nested deeper than {self.limit}"


class ListTooLong(Mistake):
    code = "E412"
    limit: int

    def message(self) -> str:
        return f"a list has more than {self.limit:,} values"


class NumberTooLarge(Mistake):
    code = "E413"
    limit: str

    def message(self) -> str:
        return f"a number is larger than {self.limit}"


class NetworkTooLarge(Mistake):
    """A network that memory does not hold once it is built."""

    code = "E489"
    parameters: int

    def message(self) -> str:
        return f"memory does not hold the {self.parameters:,} parameters of this network"

    def help(self) -> str:
        return "`archdsl summary`, which needs no memory for them, tells which stage has them"
