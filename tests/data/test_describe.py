"""What a folder is found to hold."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from archdsl.data import Normalisation, describe
from tests.data.folders import classification, flat, save, segmentation, sheet, stripes


def test_masks_and_grey_images_tell_task_channels_classes_and_counts(tmp_path: Path) -> None:
    found = describe(segmentation(tmp_path))
    assert (found.task, found.channels, found.bits, found.classes) == ("segmentation", 1, 8, 3)
    assert found.class_names == ("background", "class 1", "class 2")
    assert found.counts == {"train": 3, "val": 2}
    assert found.ignore_index is None


def test_class_folders_tell_the_classes_in_the_order_of_their_names(tmp_path: Path) -> None:
    found = describe(classification(tmp_path, ("dog", "cat")))
    assert (found.task, found.channels, found.class_names) == ("classification", 3, ("cat", "dog"))
    assert {(example.image.parent.name, example.target) for example in found.examples["train"]} == {
        ("cat", 0),
        ("dog", 1),
    }


def test_the_order_of_classes_in_the_datasheet_is_kept(tmp_path: Path) -> None:
    sheet(classification(tmp_path), classes=["dog", "cat"])
    found = describe(tmp_path)
    assert found.class_names == ("dog", "cat")
    assert {(example.image.parent.name, example.target) for example in found.examples["val"]} == {
        ("dog", 0),
        ("cat", 1),
    }


def test_normalisation_is_that_of_the_training_images(tmp_path: Path) -> None:
    segmentation(tmp_path, train=2)
    save(tmp_path / "train" / "images" / "0.png", flat(51))
    save(tmp_path / "train" / "images" / "1.png", flat(153))
    # 51 is a fifth of 255, 153 three fifths: their mean is two fifths, and each is one fifth away.
    mean, std = describe(tmp_path).normalisation
    assert mean == pytest.approx((0.4,))
    assert std == pytest.approx((0.2,))


def test_one_colour_image_makes_all_of_them_colour(tmp_path: Path) -> None:
    segmentation(tmp_path, train=2)
    save(tmp_path / "train" / "images" / "0.png", flat(51))
    save(tmp_path / "train" / "images" / "1.png", np.full((8, 8, 3), (51, 153, 255)))
    found = describe(tmp_path)
    assert found.channels == 3
    assert found.normalisation.mean == pytest.approx((0.2, 0.4, 0.6))
    # The grey image is 1/5 in each channel; the other one 1/5, 3/5 and 1: half of the difference is left.
    assert found.normalisation.std == pytest.approx((1 / 255, 0.2, 0.4))


def test_sixteen_bits_are_kept_and_eight_among_them_stay_as_bright(tmp_path: Path) -> None:
    segmentation(tmp_path, train=2)
    save(tmp_path / "train" / "images" / "0.png", flat(51))
    save(tmp_path / "train" / "images" / "1.png", flat(39321), np.uint16)  # three fifths of 65535
    found = describe(tmp_path)
    assert (found.channels, found.bits) == (1, 16)
    assert found.normalisation.mean == pytest.approx((0.4,))
    assert found.normalisation.std == pytest.approx((0.2,))


def test_black_and_white_masks_mean_two_classes(tmp_path: Path) -> None:
    found = describe(segmentation(tmp_path, mask=stripes(0, 0, 0, 0, 255, 255, 255, 255)))
    assert found.class_names == ("background", "foreground")
    assert found.white_foreground


def test_white_is_no_class_where_the_datasheet_ignores_it(tmp_path: Path) -> None:
    sheet(segmentation(tmp_path, mask=stripes(0, 0, 1, 1, 2, 2, 255, 255)), ignore_index=255)
    found = describe(tmp_path)
    assert (found.classes, found.ignore_index, found.white_foreground) == (3, 255, False)


def test_the_datasheet_is_believed(tmp_path: Path) -> None:
    segmentation(tmp_path)
    sheet(
        tmp_path,
        task="semantic-segmentation",
        classes=["soil", "leaf", "stem", "fruit"],
        channels=3,
        normalisation={"mean": [0.1, 0.2, 0.3], "std": [1, 2, 3]},
        licence="any other entry",
    )
    found = describe(tmp_path)
    assert found.class_names == ("soil", "leaf", "stem", "fruit")
    assert found.channels == 3
    assert found.normalisation == Normalisation((0.1, 0.2, 0.3), (1.0, 2.0, 3.0))


def test_a_number_of_classes_does_where_they_have_no_names(tmp_path: Path) -> None:
    sheet(segmentation(tmp_path), num_classes=4)
    assert describe(tmp_path).class_names == ("background", "class 1", "class 2", "class 3")


def test_without_splits_a_fifth_of_the_images_is_kept_for_validation(tmp_path: Path) -> None:
    for index in range(10):
        save(tmp_path / "images" / f"{index}.jpg", flat(0))
        save(tmp_path / "masks" / f"{index}.png", stripes(0, 0, 0, 0, 0, 0, 1, 1))
    found = describe(tmp_path)
    assert found.counts == {"train": 8, "val": 2}
    names = [example.image.stem for split in ("train", "val") for example in found.examples[split]]
    assert sorted(names) == [str(index) for index in range(10)]
    assert describe(tmp_path).examples == found.examples


def test_without_splits_a_fifth_of_each_class_is_kept(tmp_path: Path) -> None:
    for name, count in (("cat", 15), ("dog", 5)):
        for index in range(count):
            save(tmp_path / name / f"{index}.png", flat(index))
    kept = [example.target for example in describe(tmp_path).examples["val"]]
    assert kept == [0, 0, 0, 1]


def test_an_image_stays_in_its_split_when_others_come(tmp_path: Path) -> None:
    def kept(count: int) -> set[str]:
        for index in range(count):
            save(tmp_path / "images" / f"{index}.png", flat(0))
            save(tmp_path / "masks" / f"{index}.png", stripes(0, 0, 0, 0, 0, 0, 1, 1))
        return {example.image.stem for example in describe(tmp_path).examples["val"]}

    before, after = kept(50), kept(53)
    assert (len(before), len(after)) == (10, 11)
    assert len(before & after) >= 8  # a random choice would keep two of ten


def test_test_images_whose_masks_are_kept_back_are_left_alone(tmp_path: Path) -> None:
    save(segmentation(tmp_path) / "test" / "images" / "0.png", flat(0))
    assert describe(tmp_path).counts == {"train": 3, "val": 2}


def test_hidden_files_are_no_images(tmp_path: Path) -> None:
    (segmentation(tmp_path) / "train" / "images" / "._0.png").write_bytes(b"")
    assert describe(tmp_path).counts["train"] == 3


def test_describing_needs_no_torch(tmp_path: Path) -> None:
    segmentation(tmp_path)
    code = (
        "import sys, pathlib, archdsl.data, archdsl.training, archdsl.data.demonstration\n"
        "assert 'numpy' not in sys.modules and 'PIL' not in sys.modules\n"
        "archdsl.data.describe(pathlib.Path(sys.argv[1])), archdsl.training.Recipe()\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
