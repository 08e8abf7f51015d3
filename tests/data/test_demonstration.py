"""The data set that the project draws itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from archdsl.data import describe
from archdsl.data.demonstration import generate, picture
from archdsl.data.images import read_image, read_mask
from archdsl.errors.commands import Unwritable
from archdsl.errors.data import FolderTaken
from tests.data.golden import assert_golden, shown

COUNTS = {"train": 4, "val": 2}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        generate(tmp_path / name, seed, COUNTS)
    a, b, c = (contents(tmp_path / name) for name in "abc")
    assert a == b
    image = "train/images/cells_000.png"
    assert a[image] != c[image]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c"]


def test_it_is_grey_with_three_classes_and_says_so_truly(tmp_path: Path) -> None:
    generate(tmp_path / "set", counts=COUNTS)
    said = describe(tmp_path / "set")
    assert (said.channels, said.class_names) == (1, ("background", "cell", "dividing"))
    assert said.counts == COUNTS
    (tmp_path / "set" / "dataset.json").unlink()
    seen = describe(tmp_path / "set")
    assert seen.classes == 3
    assert seen.normalisation.mean == pytest.approx(said.normalisation.mean, abs=1e-5)
    assert seen.normalisation.std == pytest.approx(said.normalisation.std, abs=1e-5)


def test_no_two_pictures_are_alike(tmp_path: Path) -> None:
    generate(tmp_path / "set", counts=COUNTS)
    images = [data for name, data in contents(tmp_path / "set").items() if "/images/" in name]
    assert len(set(images)) == 6


def test_brightness_alone_does_not_tell_the_classes() -> None:
    """The best threshold between the two kinds of cells leaves more than a fifth of their pixels wrong."""
    pairs = [picture(0, 0, index) for index in range(8)]
    cell, dividing = (np.concatenate([image[mask == label] for image, mask in pairs]) for label in (1, 2))
    wrong = [((cell >= level).mean() + (dividing < level).mean()) / 2 for level in range(256)]
    assert min(wrong) > 0.2


def test_cells_are_brighter_than_what_is_around_them() -> None:
    pairs = [picture(0, 0, index) for index in range(8)]
    assert all(image[mask > 0].mean() > 1.3 * image[mask == 0].mean() for image, mask in pairs)


def test_a_complete_set_is_left_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    generate(folder, counts=COUNTS)
    before = (folder / "dataset.json").stat().st_mtime_ns
    generate(folder, counts=COUNTS)
    assert (folder / "dataset.json").stat().st_mtime_ns == before


@pytest.mark.parametrize("seed", [0, 1])
def test_a_folder_with_something_else_is_never_touched(seed: int, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    if seed:
        generate(folder, 0, COUNTS)
    else:
        folder.mkdir()
        (folder / "notes.txt").write_text("mine")
    before = contents(folder)
    with pytest.raises(FolderTaken) as raised:
        generate(folder, seed, COUNTS)
    assert_golden("a_folder_with_something_else", shown(raised.value, folder))
    assert contents(folder) == before


def test_an_empty_folder_and_a_missing_parent_will_do(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "a" / "b"):
        generate(folder, counts=COUNTS)
        assert describe(folder).counts == COUNTS


def test_a_set_that_cannot_be_finished_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("PIL.Image.Image.save", full)
    with pytest.raises(Unwritable, match="set` cannot be written: No space left on device"):
        generate(tmp_path / "set", counts=COUNTS)
    assert list(tmp_path.iterdir()) == []


def test_image_and_mask_have_the_size_that_was_asked_for(tmp_path: Path) -> None:
    generate(tmp_path / "set", counts=COUNTS, side=96)
    assert read_image(tmp_path / "set" / "val" / "images" / "cells_001.png").shape == (96, 96, 1)
    assert read_mask(tmp_path / "set" / "val" / "masks" / "cells_001.png").shape == (96, 96)
