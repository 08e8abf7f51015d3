"""Mistakes about files that a spec names (E42)."""

from __future__ import annotations

from archdsl.errors.base import Mistake


class NoSuchUse(Mistake):
    code = "E427"
    path: str
    reason: str

    def message(self) -> str:
        return f'`use "{self.path}"` can\'t be read: {self.reason.lower()}'

    def help(self) -> str:
        return "the path is relative to the folder of the spec"


class OutsideFolder(Mistake):
    code = "E428"
    path: str

    def message(self) -> str:
        return f'`use "{self.path}"` leaves the folder of the spec'

    def help(self) -> str:
        return "copy the file beside the spec"
