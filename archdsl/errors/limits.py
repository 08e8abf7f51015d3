"""Limits on the text of a spec (E401 to E409): what is refused before anything is built of it."""

from __future__ import annotations

from archdsl.errors.base import Mistake


class LongText(Mistake):
    size: int
    limit: int

    code = "E401"

    def message(self) -> str:
        return f"the text has {self.size:,} bytes; at most {self.limit:,} are read"

    def label(self) -> str:
        return "the limit is reached here"

    def help(self) -> str:
        return 'move definitions into a file of their own and `use "that.arch"`'


class DeepBrackets(Mistake):
    limit: int

    code = "E402"

    def message(self) -> str:
        return f"brackets stand more than {self.limit} deep"

    def label(self) -> str:
        return "one bracket too many"

    def help(self) -> str:
        return "give the inner part a name: `def part = ...`"


class HugeNumber(Mistake):
    digits: int

    code = "E403"

    def message(self) -> str:
        return "this number is too large to be meant"

    def label(self) -> str:
        return f"at most {self.digits} digits, and exponents up to {self.digits}"


class DeepTree(Mistake):
    limit: int

    code = "E404"

    def message(self) -> str:
        return f"this is nested more than {self.limit} deep"

    def label(self) -> str:
        return "too many operators or stages inside one another"

    def help(self) -> str:
        return "give a part of it a name, with `let` or `def`"
