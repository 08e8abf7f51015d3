"""Mistakes of building a torch module (E490 to E499)."""

from __future__ import annotations

from archdsl.errors.base import Mistake


class PackageMissing(Mistake):
    """An operation that comes with a package that need not be there."""

    code = "E490"
    word: str
    package: str
    extra: str

    def message(self) -> str:
        return f"`{self.word}` comes with {self.package}, which is not installed"

    def help(self) -> str:
        return f'pip install "archdsl[{self.extra}]"'
