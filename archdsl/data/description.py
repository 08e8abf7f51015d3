"""What a folder of images holds, found out without torch: task, channels, classes, normalisation."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import NamedTuple

from archdsl.data.datasheet import Datasheet, Normalisation, Task, default_names, read_datasheet
from archdsl.data.images import read_image, read_mask
from archdsl.data.layout import Example, find_layout
from archdsl.errors.commands import Unreadable
from archdsl.errors.data import (
    MaskOfOtherSize,
    MaskValuesScattered,
    MaskValueTooHigh,
    NothingLabelled,
    UntrainedClasses,
)

WHITE = 255  # the foreground of masks in black and white


@dataclass(frozen=True)
class Description:
    """A data set: enough to type-check a spec against it, and to load it."""

    folder: Path
    task: Task
    channels: int
    """1 (all images are grey) or 3."""
    bits: int
    """8 or 16 a channel."""
    class_names: tuple[str, ...]
    ignore_index: int | None
    """The mask value of pixels that no loss and no score counts."""
    white_foreground: bool
    """The masks are black and white (0 and 255) and mean the classes 0 and 1."""
    normalisation: Normalisation
    examples: dict[str, tuple[Example, ...]]
    """By split: `train`, `val` and, where there is one, `test`."""
    advice: UntrainedClasses | None = None

    @property
    def classes(self) -> int:
        return len(self.class_names)

    @property
    def counts(self) -> dict[str, int]:
        """How many images each split has."""
        return {split: len(examples) for split, examples in self.examples.items()}


def describe(folder: Path) -> Description:
    """Look through a data set's folder, reading every image once.

    dataset.json in the folder is believed where it speaks; the rest is worked out: three channels if any
    image has colours, the classes from the class folders or from the values of all masks, mean and standard
    deviation from the training images.

    Raises:
        Mistake: whatever is wrong with the folder, naming the file.
    """
    sheet = read_datasheet(folder)
    try:
        layout = find_layout(folder, sheet)
    except OSError as error:
        raise Unreadable(str(error.filename), error.strerror or str(error)) from None
    surveys = {split: _survey_all(examples) for split, examples in layout.examples.items()}
    everything = [survey for split in surveys.values() for survey in split]
    channels = _channels(everything, sheet)
    bits = max(survey.bits for survey in everything)
    names, white, advice = layout.class_names, False, None
    if layout.task == "segmentation":
        white = _is_black_and_white(everything, sheet)
        names = _class_names(folder, everything, sheet, white)
        labelled = _labelled(surveys["train"], sheet)
        if len(labelled) < 2:
            raise NothingLabelled(str(folder), tuple(labelled))
        if untrained := _labelled(everything, sheet) - labelled:
            advice = UntrainedClasses(str(folder), tuple(names[value] for value in sorted(untrained)))
    return Description(
        folder=folder,
        task=layout.task,
        channels=channels,
        bits=bits,
        class_names=names,
        ignore_index=sheet.ignore_index if layout.task == "segmentation" else None,
        white_foreground=white,
        normalisation=sheet.normalisation or _normalisation(surveys["train"], channels, bits),
        examples=layout.examples,
        advice=advice,
    )


class _Survey(NamedTuple):
    """What one image and its mask tell."""

    bits: int
    pixels: int
    sums: tuple[int, ...]
    """Of the values of each channel."""
    squares: tuple[int, ...]
    mask: Path | None = None
    values: tuple[int, ...] = ()
    """Those that occur in the mask, ascending."""


def _survey_all(examples: Iterable[Example]) -> list[_Survey]:
    """Threads, because decoding a picture does not hold the interpreter's lock."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(_survey, examples))


def _survey(example: Example) -> _Survey:
    import numpy as np

    image = read_image(example.image)
    flat = image.reshape(-1, image.shape[2])
    sums = flat.sum(axis=0, dtype=np.uint64)
    squares = np.square(flat, dtype=np.uint64).sum(axis=0)
    survey = _Survey(image.dtype.itemsize * 8, len(flat), tuple(map(int, sums)), tuple(map(int, squares)))
    if isinstance(example.target, int):
        return survey
    mask = read_mask(example.target)
    if mask.shape != image.shape[:2]:
        raise MaskOfOtherSize(str(example.target), tuple(mask.shape), tuple(image.shape[:2]))
    values = np.flatnonzero(np.bincount(mask.ravel(), minlength=256))
    return survey._replace(mask=example.target, values=tuple(map(int, values)))


def _channels(surveys: list[_Survey], sheet: Datasheet) -> int:
    found = max(len(survey.sums) for survey in surveys)
    if sheet.channels is not None and sheet.channels < found:
        sheet.refuse("channels", f"it is {sheet.channels}, but there are images in colour")
    channels = sheet.channels or found
    stated = sheet.normalisation
    if stated is not None and len(stated.mean) != channels:
        sheet.refuse("normalisation", f"it has {len(stated.mean)} channels, the images have {channels}")
    return channels


def _is_black_and_white(surveys: list[_Survey], sheet: Datasheet) -> bool:
    values = {value for survey in surveys for value in survey.values}
    two_classes = sheet.class_names is None or len(sheet.class_names) == 2
    return two_classes and sheet.ignore_index != WHITE and WHITE in values and values <= {0, WHITE}


def _labelled(surveys: Iterable[_Survey], sheet: Datasheet) -> set[int]:
    """The values of masks that number classes."""
    return {value for survey in surveys for value in survey.values} - {sheet.ignore_index}


def _class_names(folder: Path, surveys: list[_Survey], sheet: Datasheet, white: bool) -> tuple[str, ...]:
    """Names of the classes that the masks number, after a look at whether they do."""
    if white:
        return sheet.class_names or default_names(2)
    where = {value: survey.mask for survey in surveys for value in survey.values}
    values = sorted(where.keys() - {sheet.ignore_index})
    if not values:
        raise NothingLabelled(str(folder), ())
    highest = values[-1]
    if sheet.class_names is not None:
        if highest >= len(sheet.class_names):
            raise MaskValueTooHigh(str(where[highest]), highest, len(sheet.class_names))
        return sheet.class_names
    # A class that never occurs is possible; when most don't, these were never class numbers.
    if 2 * len(values) <= highest:
        raise MaskValuesScattered(str(folder), tuple(values), str(where[highest]))
    return default_names(highest + 1)


def _normalisation(surveys: list[_Survey], channels: int, bits: int) -> Normalisation:
    """Mean and standard deviation of all pixels, from exact integer sums."""
    pixels = sum(survey.pixels for survey in surveys)
    white = 2**bits - 1
    mean, std = [], []
    for channel in range(channels):
        total = squares = 0
        for survey in surveys:
            at = channel if len(survey.sums) > 1 else 0  # grey among colours
            step = 257 if bits > survey.bits else 1  # 8 bits among 16, as `images.like` widens them
            total += survey.sums[at] * step
            squares += survey.squares[at] * step**2
        variance = (squares * pixels - total**2) / pixels**2
        mean.append(total / pixels / white)
        # Images of one even grey have no deviation; one grey level keeps the division defined.
        std.append(max(sqrt(variance), 1.0) / white)
    return Normalisation(tuple(mean), tuple(std))
