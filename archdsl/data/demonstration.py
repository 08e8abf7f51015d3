"""A data set to try things on: cells under a fluorescence microscope, drawn by arithmetic.

Grey pictures of cells that touch, lie out of focus, are lit unevenly and drown in noise. Three classes:
background, cell, and dividing cell. A dividing cell is two parallel bars; a single bar of the same form and
brightness is a cell as others are, so that only what lies beside a bar tells its class: a network has to
look further than a bar is wide.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from archdsl.data.datasheet import NAME
from archdsl.errors.commands import Unwritable
from archdsl.errors.data import FolderTaken

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Plane: TypeAlias = NDArray[np.floating[Any]]
    Labels: TypeAlias = NDArray[np.uint8]

CLASSES = ("background", "cell", "dividing")
COUNTS: Mapping[str, int] = {"train": 96, "val": 24, "test": 24}
SIDE = 160

_VERSION = 1  # another number for other pictures
_MARGIN = 16  # drawn around a picture and cut off: cells lie across its border, and blur wraps around there
_FOCUS = (0.7, 1.5, 2.6)  # blur of the planes in which cells lie, in pixels


def generate(folder: Path, seed: int = 0, counts: Mapping[str, int] = COUNTS, side: int = SIDE) -> None:
    """Write the data set: images and masks in train/, val/ and test/, and dataset.json.

    The folder appears when it is complete. One that this call wrote before, with the same arguments, is left
    as it is. The same seed gives the same bytes, with the same versions of NumPy and Pillow.

    Raises:
        FolderTaken: the folder holds something else.
        Unwritable: the operating system refused.
    """
    origin = {"version": _VERSION, "seed": seed, "counts": dict(counts), "side": side}
    if folder.exists():
        if _origin_of(folder) == origin:
            return
        if not folder.is_dir() or any(folder.iterdir()):
            raise FolderTaken(str(folder))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as temporary:
            made = Path(temporary) / folder.name
            _write(made, origin)
            if folder.exists():
                folder.rmdir()  # empty: not every system renames onto a folder
            os.replace(made, folder)
    except OSError as error:
        raise Unwritable(str(folder), error.strerror or str(error)) from None


class Scene(NamedTuple):
    """What is in a picture, before light and noise."""

    planes: Plane
    """Brightness of the cells, a plane of focus after the other."""
    labels: Labels


def picture(seed: int, split: int, index: int, side: int = SIDE) -> tuple[Labels, Labels]:
    """One image and its mask, both side x side bytes."""
    import numpy as np

    numbers = np.random.default_rng([seed, split, index])
    scene = _scene(numbers, side + 2 * _MARGIN)
    image = _photograph(numbers, scene)
    inner = slice(_MARGIN, _MARGIN + side)
    return image[inner, inner], scene.labels[inner, inner]


def _scene(numbers: np.random.Generator, side: int) -> Scene:
    """Cells in clusters: most touch one that is there already."""
    import numpy as np

    planes = np.zeros((len(_FOCUS), side, side))
    labels = np.zeros((side, side), np.uint8)
    texture = 1 + 0.22 * _smooth_noise(numbers, side, 1.8)
    middles: list[tuple[float, float, float]] = []  # row, column, radius
    for _ in range(int(numbers.integers(26, 48))):
        kind = str(numbers.choice(("round", "bar", "pair"), p=(0.6, 0.17, 0.23)))
        radius = float(numbers.uniform(8.5, 12.5))
        row, column = map(float, numbers.uniform(0, side, 2))
        if middles and numbers.random() < 0.65:
            near = middles[numbers.integers(len(middles))]
            angle, distance = numbers.uniform(0, 2 * np.pi), near[2] + radius
            row, column = near[0] + distance * np.sin(angle), near[1] + distance * np.cos(angle)
        # Only the part of the canvas that a cell can reach.
        reach = int(1.5 * radius) + 3
        rows = np.arange(max(0, int(row) - reach), min(side, int(row) + reach + 1))
        columns = np.arange(max(0, int(column) - reach), min(side, int(column) + reach + 1))
        body = _body(numbers, kind, radius, rows[:, None] - row, columns[None, :] - column)
        part = np.ix_(rows, columns)
        if not body.any() or (labels[part][body > 0] > 0).mean() > 0.06:
            continue  # off the canvas, or on top of others
        labels[part] = np.where((body > 0) & (labels[part] == 0), 2 if kind == "pair" else 1, labels[part])
        # Packed chromosomes are brighter, but not by so much that brightness would tell.
        brightness = numbers.uniform(0.6, 1.2) if kind == "pair" else numbers.uniform(0.35, 1.0)
        planes[numbers.integers(len(planes))][part] += brightness * body
        middles.append((row, column, radius))
    return Scene(planes * texture, labels)


def _body(numbers: np.random.Generator, kind: str, radius: float, down: Plane, right: Plane) -> Plane:
    """Brightness of one cell at offsets from its middle: a wavy ellipse, a bar, or two in parallel."""
    import numpy as np

    angle = numbers.uniform(0, np.pi)
    length = np.sin(angle) * down + np.cos(angle) * right
    width = np.cos(angle) * down - np.sin(angle) * right
    if kind == "round":
        return _ellipse(numbers, length, width, radius, radius / np.sqrt(numbers.uniform(1.0, 1.6)))
    half = radius * numbers.uniform(0.32, 0.42)
    if kind == "bar":
        return _ellipse(numbers, length, width, radius, half)
    gap = half + numbers.uniform(1.5, 4.0)  # from the middle to that of a bar
    one, other = (_ellipse(numbers, length, width + place, radius, half) for place in (gap, -gap))
    return np.maximum(one, other)


def _ellipse(numbers: np.random.Generator, length: Plane, width: Plane, radius: float, half: float) -> Plane:
    """An ellipse with a wavy outline, brighter in the middle, as a body of some thickness is."""
    import numpy as np

    theta = np.arctan2(width / half, length / radius)
    outline = np.ones_like(theta)
    for wave in (2, 3, 5):
        outline += numbers.normal(0, 0.12 / wave) * np.cos(wave * theta + numbers.uniform(0, 2 * np.pi))
    distance = np.hypot(length / radius, width / half) / outline
    return np.where(distance < 1, 0.55 + 0.45 * np.sqrt(np.clip(1 - distance**2, 0, 1)), 0.0)


def _photograph(numbers: np.random.Generator, scene: Scene) -> Labels:
    """Blur of each plane, haze of what lies far from all of them, uneven light, shot and camera noise."""
    import numpy as np

    side = scene.labels.shape[0]
    sharp = sum(_blur(plane, sigma) for plane, sigma in zip(scene.planes, _FOCUS, strict=True))
    haze = np.clip(_smooth_noise(numbers, side, 14.0), 0, None) * numbers.uniform(0.05, 0.22)
    light = np.exp(numbers.uniform(0.2, 0.5) * _smooth_noise(numbers, side, 45.0))
    photons = numbers.uniform(25, 90) * light * (sharp + haze + 0.06)
    seen = numbers.poisson(photons) + numbers.normal(0, 2.0, photons.shape)
    exposure = numbers.uniform(120, 200) / np.quantile(photons, 0.99)
    grey: Labels = np.clip(np.rint(seen * exposure + 8), 0, 255).astype(np.uint8)
    return grey


def _blur(plane: Plane, sigma: float) -> Plane:
    """A Gaussian blur; what leaves on one side comes in on the other."""
    import numpy as np

    rows = np.fft.fftfreq(plane.shape[0])[:, None]
    columns = np.fft.rfftfreq(plane.shape[1])[None, :]
    transfer = np.exp(-2 * (np.pi * sigma) ** 2 * (rows**2 + columns**2))
    return np.fft.irfft2(np.fft.rfft2(plane) * transfer, plane.shape)


def _smooth_noise(numbers: np.random.Generator, side: int, sigma: float) -> Plane:
    """A random field of mean 0 and deviation 1 that changes over about `sigma` pixels."""
    noise = _blur(numbers.normal(size=(side, side)), sigma)
    normal: Plane = (noise - noise.mean()) / noise.std()
    return normal


def _write(folder: Path, origin: dict[str, Any]) -> None:
    import numpy as np
    from PIL import Image

    total = square = pixels = 0
    for split, (name, count) in enumerate(origin["counts"].items()):
        for part in ("images", "masks"):
            (folder / name / part).mkdir(parents=True)
        for index in range(count):
            image, mask = picture(origin["seed"], split, index, origin["side"])
            Image.fromarray(image).save(folder / name / "images" / f"cells_{index:03}.png")
            Image.fromarray(mask).save(folder / name / "masks" / f"cells_{index:03}.png")
            if name == "train":
                total += int(image.sum(dtype=np.int64))
                square += int(np.square(image, dtype=np.int64).sum())
                pixels += image.size
    mean, std = total / pixels / 255, (square / pixels - (total / pixels) ** 2) ** 0.5 / 255
    sheet = {
        "title": "Cells, some of them dividing, drawn by arithmetic to resemble fluorescence microscopy",
        "task": "segmentation",
        "classes": CLASSES,
        "channels": 1,
        "ignore_index": None,
        "normalisation": {"mean": [round(mean, 5)], "std": [round(std, 5)]},
        "generated": origin,
    }
    (folder / NAME).write_text(json.dumps(sheet, indent=1) + "\n", encoding="utf-8")


def _origin_of(folder: Path) -> Any:
    """The arguments that wrote a folder, if `generate` did."""
    try:
        sheet = json.loads((folder / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return sheet.get("generated") if isinstance(sheet, dict) else None
