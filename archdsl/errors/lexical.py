"""Mistakes in the characters of a spec: what can't be a word, a number or a string (E030 to E049)."""

from __future__ import annotations

from decimal import Decimal

from archdsl.errors.base import Mistake, Severity


class UnknownCharacter(Mistake):
    got: str

    code = "E030"

    def message(self) -> str:
        got = "a backquote" if self.got == "`" else f"`{self.got}`"
        return f"{got} has no meaning in a spec"

    def help(self) -> str:
        return _CHARACTER_HELP.get(self.got, "")


_CHARACTER_HELP = {
    "@": "a name follows `@` without a blank: `@skip`",
    "$": "a name stands alone: `width`, in a label in braces: `as block{i}`",
    ".": "dots stand in paths, `blocks.1.0`, and two of them in ranges, `2..5`",
}


class InvisibleCharacter(Mistake):
    got: str

    code = "E031"

    def message(self) -> str:
        if self.got == "\ufffd":
            return "this is not UTF-8 text"
        return f"a character that can't be seen, U+{ord(self.got):04X}, stands in the text"

    def label(self) -> str:
        return "here"

    def help(self) -> str:
        if self.got == "\ufffd":
            return "save the file as UTF-8"
        return "delete it; it may come from copying out of a document"

    def replacement(self) -> str | None:
        return None if self.got == "\ufffd" else ""


class Lookalike(Mistake):
    got: str
    meant: str

    code = "E032"
    safe_fix = True

    def message(self) -> str:
        if not self.meant.strip():
            return f"a blank of another kind, U+{ord(self.got):04X}, stands in the text"
        return f"`{self.got}` only looks like `{self.meant}`"

    def help(self) -> str:
        return "write a plain blank" if not self.meant.strip() else f"write `{self.meant}`"

    def replacement(self) -> str | None:
        return self.meant


class OpenString(Mistake):
    code = "E033"

    def message(self) -> str:
        return 'this `"` is never closed'

    def label(self) -> str:
        return "opened here, and the line ends"

    def help(self) -> str:
        return 'a string ends on its line, with `"`'


class ForeignHabit(Mistake):
    """What other languages write: `->`, `;`, `'text'`, `&&`, `// comment`."""

    rule: str
    advice: str = ""
    instead: str | None = None

    code = "E034"

    def message(self) -> str:
        return self.rule

    def label(self) -> str:
        return f"write `{self.instead.strip()}`" if self.instead else ""

    def help(self) -> str:
        return self.advice

    def replacement(self) -> str | None:
        return self.instead


class UnknownUnit(Mistake):
    got: str
    number: str
    unit: str

    code = "E035"

    def message(self) -> str:
        return f"unknown unit `{self.unit}` in `{self.got}`"

    def label(self) -> str:
        meant = self.replacement()
        return f"did you mean `{meant}`?" if meant else ""

    def help(self) -> str:
        if self.unit == "ms":
            return "times are in milliseconds, without a unit"
        if self.unit == "%":
            return "a share is a number from 0 to 1"
        return "units are K, M, G and T; they count, and are not bytes"

    def replacement(self) -> str | None:
        if self.unit == "ms":
            return self.number
        if self.unit == "%":
            return f"{(Decimal(self.number) / 100).normalize():f}"
        letter = self.unit[0].upper()
        return f"{self.number}{letter}" if self.unit.upper() in (letter, f"{letter}B") else None


class NotASize(Mistake):
    got: str
    meant: str | None

    code = "E036"

    def message(self) -> str:
        return f"`{self.got}` is not a size"

    def label(self) -> str:
        return f"did you mean `{self.meant}`?" if self.meant else ""

    def help(self) -> str:
        return "" if self.meant else "a size is whole numbers with `x` between them: `3x3`, `7x3x3`"

    def replacement(self) -> str | None:
        return self.meant


class NotARange(Mistake):
    got: str
    meant: str
    dots: bool = True  # where it has none, it is a difference

    code = "E037"

    def message(self) -> str:
        return f"`{self.got}` is not a range"

    def label(self) -> str:
        return f"did you mean `{self.meant}`?"

    def help(self) -> str:
        return (
            "a range has two dots" if self.dots else f"a range has two dots, and `{self.got}` is a difference"
        )

    def replacement(self) -> str | None:
        return self.meant


class NotANumber(Mistake):
    got: str
    meant: str | None

    code = "E038"

    def message(self) -> str:
        return f"`{self.got}` is neither a number nor a name"

    def label(self) -> str:
        return f"did you mean `{self.meant}`?" if self.meant else ""

    def help(self) -> str:
        return (
            "" if self.meant else "a number has digits on both sides of its dot; a name starts with a letter"
        )

    def replacement(self) -> str | None:
        return self.meant


class ForeignLetters(Mistake):
    got: str

    code = "E039"

    def message(self) -> str:
        return f"`{self.got}` can't be a name"

    def help(self) -> str:
        return "a name has letters from a to z, digits and `_`"


class Tabulator(Mistake):
    code = "W080"
    severity = Severity.ADVICE
    safe_fix = True

    def message(self) -> str:
        return "a tab stands in the text"

    def label(self) -> str:
        return "its width differs from editor to editor"

    def help(self) -> str:
        return "`archdsl fmt` writes blanks"

    def replacement(self) -> str | None:
        return "  "


class SpacedSize(Mistake):
    got: str

    code = "W081"
    severity = Severity.ADVICE

    def message(self) -> str:
        return f"`{self.got}` is three arguments"

    def label(self) -> str:
        return f"did you mean `{self.replacement()}`?"

    def help(self) -> str:
        return "a size has no blanks"

    def replacement(self) -> str | None:
        return "".join(self.got.split())
