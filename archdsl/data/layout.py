"""Which files of a folder are images, and what belongs to each: a mask or a class."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from archdsl.data.datasheet import Datasheet, Task
from archdsl.data.images import ENDINGS
from archdsl.errors.commands import NoDataFolder, Unreadable
from archdsl.errors.data import (
    ClassFoldersDiffer,
    MissingMasks,
    MissingMasksFolder,
    MissingSplit,
    NoImages,
    SameName,
    TooFewImages,
    UnknownLayout,
)

SPLITS = ("train", "val", "test")
_HELD_OUT = 0.2  # of the images, where the folder has no splits


class Example(NamedTuple):
    """An image, and its mask or the number of its class."""

    image: Path
    target: Path | int


@dataclass(frozen=True)
class Layout:
    """The examples of each split, ordered by file name."""

    task: Task
    examples: dict[str, tuple[Example, ...]]
    class_names: tuple[str, ...] = ()
    """Those of the class folders; none where masks tell the classes."""


def find_layout(folder: Path, sheet: Datasheet) -> Layout:
    """The layout of a folder, from the names of files alone.

    Raises:
        Mistake: the folder is missing or not laid out as `archdsl.data` describes.
    """
    if not folder.exists():
        raise NoDataFolder(str(folder))
    if not folder.is_dir():
        raise Unreadable(str(folder), "it is a file, a folder of images is wanted")
    splits = {name: folder / name for name in SPLITS if (folder / name).is_dir()}
    for name in ("train", "val") if splits else ():
        if name not in splits:
            raise MissingSplit(str(folder), name, tuple(_folders(folder)))
    parts = splits or {"": folder}
    task = _task(folder, next(iter(parts.values())))
    if sheet.task not in (None, task):
        sheet.refuse("task", f"it says {sheet.task}, but the folders are laid out for {task}")
    if task == "segmentation":
        examples = {name: _masked(part) for name, part in parts.items()}
        classes: tuple[str, ...] = ()
    else:
        classes = sheet.class_names or tuple(_class_folders(parts.get("train", folder)))
        source = "dataset.json" if sheet.class_names else "train/"
        examples = {name: _classed(part, classes, source) for name, part in parts.items()}
    if not splits:
        examples = _split(folder, examples[""])
    for name, wanted in (("train", 2), ("val", 1)):
        if len(examples[name]) < wanted:
            raise TooFewImages(str(splits[name]), len(examples[name]), wanted)
    return Layout(task, {name: found for name, found in examples.items() if found}, classes)


def _task(folder: Path, part: Path) -> Task:
    """What the first split, or the folder itself, is laid out for."""
    names = list(_folders(part))
    if "images" in names:
        if "masks" not in names:
            raise MissingMasksFolder(str(part), tuple(names))
        return "segmentation"
    if len(_class_folders(part)) < 2:
        raise UnknownLayout(str(part), tuple(names), _inner(folder))
    return "classification"


def _masked(part: Path) -> tuple[Example, ...]:
    if part.name == "test" and not (part / "masks").is_dir():
        return ()  # images to predict, whose masks somebody keeps to himself
    for name in ("images", "masks"):
        if not (part / name).is_dir():
            raise NoImages(str(part / name), ENDINGS)
    images, masks = _by_stem(part / "images"), _by_stem(part / "masks")
    without = tuple(path.name for stem, path in images.items() if stem not in masks)
    if without:
        left = tuple(path.name for stem, path in masks.items() if stem not in images)
        raise MissingMasks(str(part / "masks"), without, left)
    return tuple(Example(path, masks[stem]) for stem, path in images.items())


def _classed(part: Path, classes: tuple[str, ...], source: str) -> tuple[Example, ...]:
    found = _class_folders(part)
    unknown = tuple(name for name in found if name not in classes)
    # The test images are not trained on; that they lack a class is no reason to stop.
    missing = tuple(name for name in classes if name not in found) if part.name != "test" else ()
    if missing or unknown:
        raise ClassFoldersDiffer(str(part), missing, unknown, source)
    numbers = {name: index for index, name in enumerate(classes)}
    return tuple(Example(path, numbers[name]) for name in found for path in _images(part / name))


def _split(folder: Path, examples: tuple[Example, ...]) -> dict[str, tuple[Example, ...]]:
    """A fifth of each class kept for validation, chosen by the hash of the file name.

    So a file stays where it is when others come, and the same file is never in both.
    """
    groups: dict[int, list[Example]] = {}
    for example in examples:
        number = example.target if isinstance(example.target, int) else 0
        groups.setdefault(number, []).append(example)
    held_out: set[Example] = set()
    for group in groups.values():
        if len(group) < 3:
            place = folder if isinstance(group[0].target, Path) else group[0].image.parent
            raise TooFewImages(str(place), len(group), 3)
        ranked = sorted(group, key=lambda example: hashlib.sha256(example.image.name.encode()).digest())
        held_out.update(ranked[: max(1, round(len(group) * _HELD_OUT))])
    return {
        "train": tuple(example for example in examples if example not in held_out),
        "val": tuple(example for example in examples if example in held_out),
    }


def _by_stem(folder: Path) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for path in _images(folder):
        if path.stem in files:
            raise SameName(str(folder), (files[path.stem].name, path.name))
        files[path.stem] = path
    if not files:
        raise NoImages(str(folder), ENDINGS)
    return files


def _images(folder: Path) -> list[Path]:
    """The image files of a folder, by name; hidden ones are some system's notes, not images."""
    return sorted(
        path for path in folder.iterdir() if path.suffix.lower() in ENDINGS and not path.name.startswith(".")
    )


def _folders(folder: Path) -> dict[str, Path]:
    folders = (path for path in sorted(folder.iterdir()) if path.is_dir())
    return {path.name: path for path in folders if not path.name.startswith(".")}


def _class_folders(folder: Path) -> list[str]:
    return [name for name, path in _folders(folder).items() if _images(path)]


def _inner(folder: Path) -> str:
    """The first folder inside that looks like a data set."""
    for path in _folders(folder).values():
        if {"train", "images"} & set(_folders(path)):
            return str(path)
    return ""
