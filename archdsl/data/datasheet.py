"""dataset.json: what a folder says of itself, so that it need not be worked out.

Every entry is optional, others are ignored:

    {"task": "segmentation", "classes": ["background", "cell"], "channels": 1, "ignore_index": 255,
     "normalisation": {"mean": [0.2], "std": [0.1]}}

`num_classes` may stand in for `classes` where they have no names. Mean and standard deviation are those of
the training images, a number a channel, for pixels scaled to [0, 1].
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple, NoReturn, TypeAlias

from archdsl.errors.data import BrokenDatasheet

NAME = "dataset.json"

Task: TypeAlias = Literal["segmentation", "classification"]

_TASKS: dict[str, Task] = {
    "segmentation": "segmentation",
    "semantic-segmentation": "segmentation",
    "classification": "classification",
    "image-classification": "classification",
}


class Normalisation(NamedTuple):
    """What is subtracted from, and what then divides, pixels scaled to [0, 1]; a number a channel."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True)
class Datasheet:
    """The entries that were there and made sense."""

    path: Path
    task: Task | None = None
    class_names: tuple[str, ...] | None = None
    channels: int | None = None
    ignore_index: int | None = None
    normalisation: Normalisation | None = None

    def refuse(self, key: str, wanted: str) -> NoReturn:
        """Raise for an entry that the images contradict."""
        raise BrokenDatasheet(str(self.path), key, wanted)


def read_datasheet(folder: Path) -> Datasheet:
    """The folder's dataset.json; an empty one where there is none.

    Raises:
        BrokenDatasheet: the file is not JSON, or an entry has another form than it should.
    """
    path = folder / NAME
    if not path.exists():
        return Datasheet(path)
    entries = _entries(path)

    def entry(key: str, read: Any, wanted: str) -> Any:
        """One entry through its reader, whose every failure is one mistake."""
        if entries.get(key) is None:
            return None
        try:
            return read(entries[key])
        except (KeyError, TypeError, ValueError):
            raise BrokenDatasheet(str(path), key, wanted) from None

    names = entry("classes", _names, "a list of two or more different names is wanted")
    count = entry("num_classes", partial(_whole, low=2, high=255), "a whole number from 2 to 255 is wanted")
    if names is not None and count is not None and len(names) != count:
        raise BrokenDatasheet(str(path), "num_classes", f"it is {count}, `classes` has {len(names)} names")
    return Datasheet(
        path,
        task=entry("task", _TASKS.__getitem__, f"one of {', '.join(_TASKS)} is wanted"),
        class_names=names if names is not None or count is None else default_names(count),
        channels=entry("channels", lambda value: {1: 1, 3: 3}[value], "1 (grey) or 3 (colour) is wanted"),
        ignore_index=entry("ignore_index", partial(_whole, low=0, high=255), "null or 0 to 255 is wanted"),
        normalisation=entry(
            "normalisation", _normalisation, "`mean` and `std` with a number a channel are wanted"
        ),
    )


def default_names(count: int) -> tuple[str, ...]:
    """What classes without names are called."""
    if count == 2:
        return ("background", "foreground")
    return ("background", *(f"class {index}" for index in range(1, count)))


def _entries(path: Path) -> dict[str, Any]:
    try:
        entries = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise BrokenDatasheet(str(path), "", error.strerror or str(error)) from None
    except json.JSONDecodeError as error:
        reason = f"it is no JSON, line {error.lineno} column {error.colno}: {error.msg}"
        raise BrokenDatasheet(str(path), "", reason) from None
    except (UnicodeDecodeError, RecursionError):
        raise BrokenDatasheet(str(path), "", "it is no JSON text in UTF-8") from None
    if not isinstance(entries, dict):
        raise BrokenDatasheet(str(path), "", 'a JSON object is wanted, as in {"classes": [...]}')
    return entries


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        raise TypeError
    if not 2 <= len(value) <= 255 or len(set(value)) != len(value):
        raise ValueError
    return tuple(value)


def _whole(value: Any, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    if not low <= value <= high:
        raise ValueError
    return value


def _normalisation(value: Any) -> Normalisation:
    mean, std = (tuple(float(number) for number in value[key]) for key in ("mean", "std"))
    if len(mean) != len(std) or not mean or min(std) <= 0:
        raise ValueError
    return Normalisation(mean, std)
