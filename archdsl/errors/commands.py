"""Mistakes in a call: files that can't be read or written, options that say nothing (E420 to E430).

They have no place in a spec, so they are shown without a picture, and the command ends with 2.
"""

from __future__ import annotations

import errno
import os

from archdsl.errors.base import Diagnostic, Mistake, named, suggest

_NOTHING_THERE = os.strerror(errno.ENOENT)


class NoSuchFile(Mistake):
    code = "E420"
    path: str
    models: tuple[str, ...] = ()
    """Names that would have been understood instead, where a model's name may stand."""

    def message(self) -> str:
        return f"there is no file `{self.path}`" + (" and no model of that name" if self.models else "")

    def help(self) -> str:
        near = suggest(self.path, self.models)
        return f"did you mean the library's `{near}`?" if near else ""


class FolderForFile(Mistake):
    code = "E421"
    path: str

    def message(self) -> str:
        return f"`{self.path}` is a folder, a file is wanted"

    def help(self) -> str:
        return "`check` and `fmt` take a folder too, one with `.arch` files in it or below"


class Unreadable(Mistake):
    code = "E422"
    path: str
    reason: str

    def message(self) -> str:
        return f"`{self.path}` cannot be read: {self.reason}"


class NotText(Mistake):
    code = "E423"
    path: str
    offset: int

    def message(self) -> str:
        return f"`{self.path}` is not text: byte {self.offset} is not UTF-8"

    def help(self) -> str:
        return "a spec is a plain text file, saved as UTF-8"


class Unwritable(Mistake):
    code = "E424"
    path: str
    reason: str

    def message(self) -> str:
        return f"`{self.path}` cannot be written: {self.reason}"

    def help(self) -> str:
        folder = os.path.dirname(self.path)
        missing = folder and self.reason == _NOTHING_THERE and not os.path.isdir(folder)
        return f"make the folder `{folder}` first" if missing else ""


class WrongEnding(Mistake):
    code = "E425"
    path: str
    endings: tuple[str, ...]

    def message(self) -> str:
        return f"the ending of `{self.path}` names no format to write"

    def help(self) -> str:
        return f"endings: {named(self.endings)}"


class NoDataFolder(Mistake):
    code = "E426"
    path: str

    def message(self) -> str:
        return f"there is no folder `{self.path}`"

    def help(self) -> str:
        return "`archdsl demo-data DIR` writes a data set to try things on"


class NoSuchDevice(Mistake):
    code = "E429"
    name: str

    def message(self) -> str:
        return f"there is no device `{self.name}` that torch can use here"

    def help(self) -> str:
        return "`auto` takes a GPU if there is one; `cpu` is always there"


class BatchForImage(Mistake):
    """The shape of a batch of one image where that of the image is wanted."""

    code = "E430"
    sizes: tuple[int, ...]

    def message(self) -> str:
        got, image = ("x".join(map(str, sizes)) for sizes in (self.sizes, self.sizes[1:]))
        return f"`{got}` is a batch of images of {image}, and the input is one image"

    def help(self) -> str:
        image = "x".join(map(str, self.sizes[1:]))
        return f"leave the first number out: {image}; a spec of volumes says so itself, with `input`"


def outside(error: OSError) -> Mistake:
    """What the operating system refused, as a mistake; without a file it spoke of the standard output."""
    reason = error.strerror or str(error)
    return Unwritable(str(error.filename) if error.filename else "standard output", reason)


def without_place(mistake: Mistake) -> Diagnostic:
    """A mistake that no text is to blame for, as a diagnostic."""
    return Diagnostic(mistake.code, mistake.severity, mistake.message(), help=mistake.help())
