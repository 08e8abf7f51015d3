"""A fingerprint tells whether a folder holds the same data as before, and what it holds otherwise."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from archdsl.data import describe
from archdsl.data.fingerprint import Changes, Fingerprint, read_fingerprint, take_fingerprint
from archdsl.errors.commands import Unreadable
from tests.data.folders import classification, flat, save, segmentation, sheet, stripes


def fingerprint(folder: Path) -> Fingerprint:
    return take_fingerprint(describe(folder))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return segmentation(tmp_path / "data")


def test_it_names_every_file_of_training_and_validation_with_its_sha_256(folder: Path) -> None:
    save(folder / "test" / "images" / "0.png", flat(1))
    save(folder / "test" / "masks" / "0.png", flat(1))
    expected = {
        f"{split}/{kind}/{index}.png": hashlib.sha256(
            (folder / split / kind / f"{index}.png").read_bytes()
        ).hexdigest()
        for split, count in (("train", 3), ("val", 2))
        for kind in ("images", "masks")
        for index in range(count)
    }
    assert fingerprint(folder).files == expected


def test_a_copy_under_another_path_and_date_is_the_same_data(folder: Path, tmp_path: Path) -> None:
    before = fingerprint(folder)
    shutil.copytree(folder, tmp_path / "copy", copy_function=shutil.copyfile)
    assert before.changes_to(fingerprint(tmp_path / "copy")) is None


def new_image(folder: Path) -> None:
    save(folder / "val" / "images" / "9.png", flat(9))
    save(folder / "val" / "masks" / "9.png", stripes(0, 0, 0, 0, 1, 1, 2, 2))


def image_gone(folder: Path) -> None:
    (folder / "train" / "images" / "1.png").unlink()


def one_pixel(folder: Path) -> None:
    pixels = flat(10)
    save(folder / "train" / "images" / "1.png", [[11, *pixels[0][1:]], *pixels[1:]])


def one_label(folder: Path) -> None:
    save(folder / "val" / "masks" / "0.png", stripes(0, 0, 0, 0, 1, 1, 1, 2))


CHANGES: dict[Callable[[Path], None], Changes] = {
    new_image: Changes(new=("val/images/9.png", "val/masks/9.png")),
    image_gone: Changes(gone=("train/images/1.png", "train/masks/1.png")),
    one_pixel: Changes(changed=("train/images/1.png",)),
    one_label: Changes(changed=("val/masks/0.png",)),
    lambda folder: sheet(folder, ignore_index=255): Changes(facts=(("ignore_index", "null", "255"),)),
    lambda folder: sheet(folder, licence="CC0"): None,
}


@pytest.mark.parametrize(
    ("change", "expected"), CHANGES.items(), ids=lambda part: getattr(part, "__name__", "")
)
def test_what_changed_is_told(folder: Path, change: Callable[[Path], None], expected: Changes | None) -> None:
    before = fingerprint(folder)
    change(folder)
    assert before.changes_to(fingerprint(folder)) == expected


def test_an_image_that_went_to_another_class_is_gone_and_new(tmp_path: Path) -> None:
    folder = classification(tmp_path / "pets")
    before = fingerprint(folder)
    (folder / "train" / "cat" / "0.png").rename(folder / "train" / "dog" / "cat.png")
    assert before.changes_to(fingerprint(folder)) == Changes(("train/dog/cat.png",), ("train/cat/0.png",))


def test_it_reads_back_as_it_was_written(folder: Path, tmp_path: Path) -> None:
    before = fingerprint(folder)
    (tmp_path / "data.json").write_text(before.to_json())
    assert read_fingerprint(tmp_path / "data.json") == before


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", json.dumps({"files": 3})])
def test_a_broken_file_is_a_mistake(tmp_path: Path, text: str) -> None:
    (tmp_path / "data.json").write_text(text)
    with pytest.raises(Unreadable, match="broken"):
        read_fingerprint(tmp_path / "data.json")


def test_a_file_that_went_meanwhile_is_a_mistake(folder: Path) -> None:
    description = describe(folder)
    (folder / "val" / "masks" / "1.png").unlink()
    with pytest.raises(Unreadable, match="masks/1"):
        take_fingerprint(description)
