"""What every mistake has: a code, a sentence, labelled places, and where there is one, a fix."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, ClassVar, dataclass_transform

from archdsl.errors.foreign import note, ours, plain
from archdsl.records import Value, fill
from archdsl.source import Label, Span, picture


class Severity(enum.StrEnum):
    ERROR = "error"
    ADVICE = "advice"


class Fix(Value):
    """A replacement that would mend the text; `safe` ones may be applied unseen."""

    span: Span
    text: str
    safe: bool = False


class Diagnostic(Value):
    """A mistake at a place: what the terminal, JSON and an editor show."""

    code: str
    severity: Severity
    message: str
    labels: tuple[Label, ...] = ()
    help: str = ""
    fix: Fix | None = None

    @property
    def span(self) -> Span | None:
        return next((label.span for label in self.labels if label.primary), None)

    def __str__(self) -> str:
        parts = [f"{self.severity.value}[{self.code}]: {self.message}"]
        if self.labels:
            parts.append(picture(self.labels))
        if self.help:
            width = max((len(str(label.span.line)) for label in self.labels), default=0)
            parts.append(f"{' ' * (width + 2)}= help: {self.help}")
        return "\n".join(parts)


@dataclass_transform(eq_default=False)
class Mistake(Exception):
    """Facts about one mistake; a subclass a mistake, its annotations those facts.

    Raise sites that know no place (an operation's shape rule) raise the mistake itself; whoever
    knows the place turns it into an ArchError with `at`.
    """

    code: ClassVar[str]
    severity: ClassVar[Severity] = Severity.ERROR

    def __init__(self, *facts: Any, **named: Any) -> None:
        super().__init__(*facts)
        fill(self, facts, named)

    @property
    def safe_fix(self) -> bool:
        """Whether the replacement may be applied unseen."""
        return False

    def blames(self) -> str:
        """The argument at fault, where one is: whoever knows its place marks that."""
        return ""

    def message(self) -> str:
        """What is wrong, in one sentence, lower case, without a full stop."""
        raise NotImplementedError

    def label(self) -> str:
        """Why here: the words beside the carets."""
        return ""

    def help(self) -> str:
        """How to mend it; empty when the message says it all."""
        return ""

    def replacement(self) -> str | None:
        """The text that would mend the marked place, if it is known."""
        return None

    def at(self, span: Span, *others: Label) -> Diagnostic:
        """This mistake as a diagnostic; `others` are the other parties, underlined with dashes."""
        text = self.replacement()
        return Diagnostic(
            code=self.code,
            severity=self.severity,
            message=self.message(),
            labels=(Label(span, self.label()), *(replace_primary(other) for other in others)),
            help=self.help(),
            fix=None if text is None else Fix(span, text, self.safe_fix),
        )

    def __str__(self) -> str:
        return self.message()


def replace_primary(label: Label) -> Label:
    return label._replace(primary=False)


class ArchError(Exception):
    """What the public verbs raise: one or more diagnostics of a spec, in the order of their places."""

    def __init__(self, *diagnostics: Diagnostic):
        super().__init__(*diagnostics)
        self.diagnostics = diagnostics

    def __str__(self) -> str:
        return "\n\n".join(str(diagnostic) for diagnostic in self.diagnostics)


def suggest(got: str, known: Iterable[str]) -> str | None:
    """The one known word that `got` was probably meant to be."""
    words = sorted(set(known))
    spelled = {plain(word): word for word in words} | {word.lower(): word for word in words}
    meant = spelled.get(got.lower()) or ours(got, words) or spelled.get(plain(got))
    if meant or note(got):
        return meant
    near = get_close_matches(got, words, n=1, cutoff=0.6)
    return _longer(got, words) or (near[0] if near else None)


def _longer(got: str, words: list[str]) -> str | None:
    """The shortest word that a whole name begins or ends: `resnext50_32x4d` for `resnext50`."""
    whole = plain(got)
    found = [word for word in words if plain(word).startswith(whole) or plain(word).endswith(whole)]
    return min(found, key=len) if len(whole) > 3 and found else None


def is_certain(got: str, known: Iterable[str]) -> bool:
    """Whether exactly one known word is `got` but for one slip of the keys."""
    words = set(known)
    return not ours(got, words) and sum(_is_slip(got, word) for word in words) == 1


def _is_slip(got: str, meant: str) -> bool:
    """Whether one letter is too many, missing, wrong, or swapped with the next; another number is no slip."""
    if [*filter(str.isdigit, got)] != [*filter(str.isdigit, meant)]:
        return False
    if len(got) > len(meant):
        got, meant = meant, got
    if len(got) < 3 or len(meant) - len(got) > 1:
        return False
    start = next((i for i, pair in enumerate(zip(got, meant, strict=False)) if pair[0] != pair[1]), len(got))
    if len(got) < len(meant):
        return got[start:] == meant[start + 1 :]
    swapped = got[:start] + got[start : start + 2][::-1] + got[start + 2 :]
    return meant in (got, swapped) or got[start + 1 :] == meant[start + 1 :]


def named(words: Iterable[str], limit: int = 8) -> str:
    """Up to `limit` words as text for a help line, in their given order."""
    listed = list(words)
    shown = ", ".join(listed[:limit])
    return shown if len(listed) <= limit else f"{shown} and more"
