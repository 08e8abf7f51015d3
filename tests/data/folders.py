"""Small data sets, written where a test wants them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image


def save(path: Path, pixels: ArrayLike, dtype: type = np.uint8) -> Path:
    """Write an array as a picture: height x width (x 3)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels, dtype)).save(path)
    return path


def flat(value: int, height: int = 8, width: int = 8) -> list[list[int]]:
    return [[value] * width] * height


def stripes(*values: int, height: int = 8) -> list[list[int]]:
    """A row of columns, one a value."""
    return [list(values)] * height


def sheet(folder: Path, **entries: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dataset.json").write_text(json.dumps(entries), encoding="utf-8")


def segmentation(folder: Path, train: int = 3, val: int = 2, mask: ArrayLike | None = None) -> Path:
    """Grey images of 8x8 with masks of the classes 0, 1 and 2."""
    mask = stripes(0, 0, 0, 0, 1, 1, 2, 2) if mask is None else mask
    for split, count in (("train", train), ("val", val)):
        for index in range(count):
            save(folder / split / "images" / f"{index}.png", flat(10 * index))
            save(folder / split / "masks" / f"{index}.png", mask)
    return folder


def classification(folder: Path, classes: tuple[str, ...] = ("cat", "dog")) -> Path:
    """Three colour images of 8x8 a class to train on, two to validate."""
    for split, count in (("train", 3), ("val", 2)):
        for shade, name in enumerate(classes):
            for index in range(count):
                save(folder / split / name / f"{index}.png", np.full((8, 8, 3), 50 * shade + index))
    return folder
