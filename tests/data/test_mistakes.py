"""Every way in which a folder can be wrong has its sentence in `tests/golden/data`.

`ARCHDSL_GOLDEN=write pytest tests/data tests/training` writes them anew; read them before you commit them.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from archdsl.data import describe
from archdsl.errors import Mistake
from archdsl.errors import data as mistakes
from tests.data.folders import classification, flat, save, segmentation, sheet, stripes
from tests.data.golden import FOLDER, assert_golden, shown


def told(folder: Path) -> str:
    with pytest.raises(Mistake) as raised:
        describe(folder)
    return shown(raised.value, folder)


def nothing(folder: Path) -> None:
    pass


def a_file(folder: Path) -> None:
    folder.write_text("x")


def an_empty_folder(folder: Path) -> None:
    folder.mkdir()


def pictures_alone(folder: Path) -> None:
    save(folder / "a.png", flat(0))


def a_folder_of_data_sets(folder: Path) -> None:
    segmentation(folder / "cells")


def no_validation(folder: Path) -> None:
    shutil.rmtree(segmentation(folder) / "val")


def validation_by_another_name(folder: Path) -> None:
    (segmentation(folder) / "val").rename(folder / "valid")


def masks_by_another_name(folder: Path) -> None:
    (segmentation(folder) / "train" / "masks").rename(folder / "train" / "labels")


def no_images(folder: Path) -> None:
    for path in (segmentation(folder) / "val" / "images").iterdir():
        path.unlink()


def an_image_without_mask(folder: Path) -> None:
    (segmentation(folder) / "train" / "masks" / "1.png").rename(folder / "train" / "masks" / "1_mask.png")


def two_images_of_one_name(folder: Path) -> None:
    save(segmentation(folder) / "train" / "images" / "1.jpg", flat(0))


def an_image_that_is_text(folder: Path) -> None:
    (segmentation(folder) / "train" / "images" / "1.png").write_text("not an image")


def an_image_cut_short(folder: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (8, 8))
    path = save(segmentation(folder) / "train" / "images" / "1.png", noise)
    path.write_bytes(path.read_bytes()[:80])


def an_image_of_32_bits(folder: Path) -> None:
    (segmentation(folder) / "train" / "images" / "1.png").unlink()
    save(folder / "train" / "images" / "1.tif", np.zeros((8, 8)), np.float32)


def a_mask_of_another_size(folder: Path) -> None:
    save(segmentation(folder) / "val" / "masks" / "1.png", flat(0, 6, 7))


def a_mask_in_colours(folder: Path) -> None:
    save(segmentation(folder) / "train" / "masks" / "1.png", np.zeros((8, 8, 3)))


def a_mask_of_16_bits(folder: Path) -> None:
    save(segmentation(folder) / "train" / "masks" / "1.png", np.zeros((8, 8)), np.uint16)


def a_mask_with_loss(folder: Path) -> None:
    (segmentation(folder) / "train" / "masks" / "1.png").unlink()
    save(folder / "train" / "masks" / "1.jpg", flat(1))


def a_class_without_name(folder: Path) -> None:
    sheet(segmentation(folder), classes=["background", "cell"])


def white_where_nobody_looked(folder: Path) -> None:
    sheet(segmentation(folder), classes=["background", "cell", "wall"])
    save(folder / "val" / "masks" / "1.png", stripes(0, 1, 255, 0, 0, 0, 0, 0))


def unlabelled_pixels(folder: Path) -> None:
    segmentation(folder, mask=stripes(0, 1, 2, 255, 0, 0, 0, 0))


def scattered_values(folder: Path) -> None:
    segmentation(folder, mask=stripes(0, 60, 120, 0, 0, 0, 0, 0))


def background_alone(folder: Path) -> None:
    segmentation(folder, mask=flat(0))


def no_label_at_all(folder: Path) -> None:
    sheet(segmentation(folder, mask=flat(255)), ignore_index=255)


def a_class_missing_from_val(folder: Path) -> None:
    (classification(folder) / "val" / "dog").rename(folder / "val" / "dogs")


def a_class_that_nobody_named(folder: Path) -> None:
    save(classification(folder) / "val" / "eel" / "0.png", flat(0))


def a_class_that_has_no_folder(folder: Path) -> None:
    sheet(classification(folder), classes=["cat", "dog", "eel"])


def one_image_to_train_on(folder: Path) -> None:
    segmentation(folder, train=1)


def two_images_of_a_class(folder: Path) -> None:
    for name, count in (("cat", 3), ("dog", 2)):
        for index in range(count):
            save(folder / name / f"{index}.png", flat(0))


def a_sheet_that_is_no_json(folder: Path) -> None:
    (segmentation(folder) / "dataset.json").write_text('{"classes": [}')


def a_sheet_that_is_a_list(folder: Path) -> None:
    (segmentation(folder) / "dataset.json").write_text("[]")


def classes_that_are_a_number(folder: Path) -> None:
    sheet(segmentation(folder), classes=3)


def a_class_twice(folder: Path) -> None:
    sheet(segmentation(folder), classes=["a", "b", "b"])


def two_numbers_of_classes(folder: Path) -> None:
    sheet(segmentation(folder), classes=["a", "b", "c"], num_classes=4)


def an_unknown_task(folder: Path) -> None:
    sheet(segmentation(folder), task="detection")


def the_other_task(folder: Path) -> None:
    sheet(segmentation(folder), task="image-classification")


def a_deviation_of_zero(folder: Path) -> None:
    sheet(segmentation(folder), normalisation={"mean": [0.5], "std": [0]})


def three_means_for_grey(folder: Path) -> None:
    sheet(segmentation(folder), normalisation={"mean": [0.5] * 3, "std": [0.1] * 3})


def grey_that_has_colours(folder: Path) -> None:
    sheet(classification(folder), channels=1)


def an_ignored_word(folder: Path) -> None:
    sheet(segmentation(folder), ignore_index="none")


CASES: tuple[Callable[[Path], None], ...] = (
    nothing,
    a_file,
    an_empty_folder,
    pictures_alone,
    a_folder_of_data_sets,
    no_validation,
    validation_by_another_name,
    masks_by_another_name,
    no_images,
    an_image_without_mask,
    two_images_of_one_name,
    an_image_that_is_text,
    an_image_of_32_bits,
    a_mask_of_another_size,
    a_mask_in_colours,
    a_mask_of_16_bits,
    a_mask_with_loss,
    a_class_without_name,
    white_where_nobody_looked,
    unlabelled_pixels,
    scattered_values,
    background_alone,
    no_label_at_all,
    a_class_missing_from_val,
    a_class_that_nobody_named,
    a_class_that_has_no_folder,
    one_image_to_train_on,
    two_images_of_a_class,
    a_sheet_that_is_no_json,
    a_sheet_that_is_a_list,
    classes_that_are_a_number,
    a_class_twice,
    two_numbers_of_classes,
    an_unknown_task,
    the_other_task,
    a_deviation_of_zero,
    three_means_for_grey,
    grey_that_has_colours,
    an_ignored_word,
)


@pytest.mark.parametrize("spoil", CASES, ids=lambda spoil: spoil.__name__)
def test_a_wrong_folder_is_told_in_a_sentence(spoil: Callable[[Path], None], tmp_path: Path) -> None:
    folder = tmp_path / "set"
    spoil(folder)
    assert_golden(spoil.__name__, told(folder))


def test_a_class_that_only_other_images_show_is_advised_of(tmp_path: Path) -> None:
    folder = segmentation(tmp_path)
    assert describe(folder).advice is None
    for index in range(3):
        save(folder / "train" / "masks" / f"{index}.png", stripes(0, 0, 0, 0, 1, 1, 1, 1))
    advice = describe(folder).advice
    assert advice is not None
    assert_golden("a_class_in_val_alone", shown(advice, folder))
    sheet(folder, ignore_index=2)
    assert describe(folder).advice is None


def test_every_mistake_in_data_has_a_golden_file() -> None:
    written = "".join(path.read_text("utf-8") for path in FOLDER.glob("*.txt"))
    members = vars(mistakes).values()
    codes = {member.code for member in members if getattr(member, "__module__", "") == mistakes.__name__}
    assert codes
    assert {code for code in codes if f"[{code}]" not in written} == set()


def test_a_file_that_was_cut_short_is_named(tmp_path: Path) -> None:
    an_image_cut_short(tmp_path)
    assert told(tmp_path).startswith("error[E437]: `DIR/train/images/1.png` cannot be read as an image: ")


def test_one_class_folder_is_no_data_set(tmp_path: Path) -> None:
    save(tmp_path / "cat" / "0.png", flat(0))
    assert told(tmp_path).startswith("error[E431]: `DIR` is not laid out as a data set: it holds cat/\n")


def test_a_palette_and_single_bits_number_classes_too(tmp_path: Path) -> None:
    mask = stripes(0, 0, 0, 1, 1, 1, 0, 0)
    folder = segmentation(tmp_path, mask=mask)
    palette = Image.fromarray(np.asarray(mask, np.uint8))
    palette.putpalette([0, 0, 0, 255, 0, 0])
    palette.save(folder / "train" / "masks" / "0.png")
    Image.fromarray(np.asarray(mask, bool)).save(folder / "train" / "masks" / "1.png")
    assert describe(folder).class_names == ("background", "foreground")
