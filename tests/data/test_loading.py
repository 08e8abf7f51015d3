"""Batches: which pixels, in which order, scaled how, and always the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from archdsl.data import Data, Normalisation, load
from tests.data.folders import classification, flat, save, segmentation, sheet, stripes


def grey_levels(data: Data, images: torch.Tensor) -> torch.Tensor:
    """Pixels as they are in the file."""
    mean, std = (torch.tensor(part).view(-1, 1, 1) for part in data.normalisation)
    white = (1 << data.description.bits) - 1
    return ((images * std + mean) * white).round().long()


def numbered(folder: Path, height: int = 9, width: int = 12, count: int = 3) -> Path:
    """Images whose every pixel has its own value, which is also its mask's."""
    pixels = np.arange(height * width).reshape(height, width)
    for split in ("train", "val"):
        for index in range(count):
            save(folder / split / "images" / f"{index}.png", pixels)
            save(folder / split / "masks" / f"{index}.png", pixels)
    sheet(folder, num_classes=255)
    return folder


def test_pixels_are_scaled_by_mean_and_deviation(tmp_path: Path) -> None:
    sheet(segmentation(tmp_path), normalisation={"mean": [0.2], "std": [0.5]})
    save(tmp_path / "val" / "images" / "0.png", flat(153))
    (batch,) = load(tmp_path, 8).validation(batch=8)
    # 153 / 255 is 0.6, which is 0.4 above the mean and 0.8 deviations.
    assert batch.images[0].allclose(torch.tensor(0.8))
    assert batch.images.dtype == torch.float32


def test_another_normalisation_can_be_asked_for(tmp_path: Path) -> None:
    save(segmentation(tmp_path) / "val" / "images" / "0.png", flat(255))
    data = load(tmp_path, 8, normalisation=Normalisation((0.5,), (0.25,)))
    (batch,) = data.validation(batch=8)
    assert batch.images[0].allclose(torch.tensor(2.0))


def test_sixteen_bits_are_scaled_by_their_own_white(tmp_path: Path) -> None:
    sheet(segmentation(tmp_path), normalisation={"mean": [0.0], "std": [1.0]})
    save(tmp_path / "val" / "images" / "0.png", flat(13107), np.uint16)
    (batch,) = load(tmp_path, 8).validation(batch=8)
    assert batch.images[0].allclose(torch.tensor(0.2))


def test_validation_takes_the_centre_of_every_image(tmp_path: Path) -> None:
    data = load(numbered(tmp_path, 9, 12), 4)
    (batch,) = data.validation(batch=8)
    # Rows 3 to 6 of 9 have two and three beside them; columns 4 to 7 of 12 four on each side.
    rows, columns = torch.arange(3, 7), torch.arange(4, 8)
    assert batch.targets[0].equal(rows[:, None] * 12 + columns)
    assert grey_levels(data, batch.images)[:, 0].equal(batch.targets)
    assert batch.targets.dtype == torch.int64


def test_a_mask_is_cut_and_turned_like_its_image(tmp_path: Path) -> None:
    data = load(numbered(tmp_path), 5)
    for number in range(8):
        for batch in data.epoch(number, batch=2, seed=0):
            assert grey_levels(data, batch.images)[:, 0].equal(batch.targets)


def test_training_crops_come_from_everywhere_in_every_orientation(tmp_path: Path) -> None:
    data = load(numbered(tmp_path, 6, 7, count=8), 5)
    seen = set()
    for number in range(30):
        for batch in data.epoch(number, batch=8, seed=0):
            for crop in batch.targets:
                tipped, mirrored = bool(crop[0, 0] > crop[4, 0]), bool(crop[0, 0] > crop[0, 4])
                seen.add((int(crop.min()), tipped, mirrored))
    # Two places down, three to the right, two flips.
    assert seen == {(7 * row + column, tip, mirror) for row in (0, 1) for column in (0, 1, 2)
                    for tip in (False, True) for mirror in (False, True)}  # fmt: skip


def test_a_small_image_is_continued_by_reflection(tmp_path: Path) -> None:
    segmentation(tmp_path)
    save(tmp_path / "val" / "images" / "0.png", [[10, 20, 30]])
    save(tmp_path / "val" / "masks" / "0.png", [[0, 1, 2]])
    (batch,) = load(tmp_path, 8).validation(batch=8)
    # Five columns are missing: two on the left, three on the right; one row is repeated.
    assert batch.targets[0].tolist() == [[2, 1, 0, 1, 2, 1, 0, 1]] * 8


def test_images_may_differ_in_size(tmp_path: Path) -> None:
    segmentation(tmp_path)
    save(tmp_path / "train" / "images" / "0.png", flat(0, 20, 9))
    save(tmp_path / "train" / "masks" / "0.png", flat(1, 20, 9))
    (batch,) = load(tmp_path, 8).epoch(1, batch=3, seed=0)
    assert batch.images.shape == (3, 1, 8, 8)


def test_an_epoch_shows_every_image_once(tmp_path: Path) -> None:
    segmentation(tmp_path, train=7)  # image i is 10 i
    data = load(tmp_path, 8)
    levels = [grey_levels(data, batch.images)[:, 0, 0, 0] for batch in data.epoch(3, batch=3, seed=1)]
    assert sorted(torch.cat(levels).tolist()) == [0, 10, 20, 30, 40, 50, 60]


@pytest.mark.parametrize("count", range(2, 14))
def test_no_batch_has_a_single_image(count: int, tmp_path: Path) -> None:
    data = load(segmentation(tmp_path, train=count), 8)
    for size in range(2, 8):
        sizes = [len(batch.images) for batch in data.epoch(1, batch=size, seed=0)]
        assert len(sizes) == data.steps(size)
        assert sum(sizes) == count
        assert min(sizes) >= 2
        assert max(sizes) <= max(size, 3)  # three images in twos are one batch


def test_an_epoch_depends_on_seed_and_number_alone(tmp_path: Path) -> None:
    data = load(numbered(tmp_path), 5)

    def pixels(number: int, seed: int) -> torch.Tensor:
        return torch.cat([batch.images for batch in data.epoch(number, batch=2, seed=seed)])

    first = pixels(1, 0)
    torch.rand(100)
    assert pixels(1, 0).equal(first)
    assert not pixels(2, 0).equal(first)
    assert not pixels(1, 1).equal(first)


def test_black_and_white_masks_become_zero_and_one(tmp_path: Path) -> None:
    mask = stripes(0, 0, 0, 255, 255, 255, 255, 255)
    (batch,) = load(segmentation(tmp_path, mask=mask), 8).validation(batch=8)
    assert batch.targets[0, 0].tolist() == [0, 0, 0, 1, 1, 1, 1, 1]


def test_grey_among_colours_has_three_equal_channels(tmp_path: Path) -> None:
    save(classification(tmp_path) / "val" / "cat" / "0.png", flat(80))
    data = load(tmp_path, 7)
    (batch,) = data.validation(batch=8)
    assert (grey_levels(data, batch.images)[0] == 80).all()


def test_pictures_to_classify_are_resized_to_eight_sevenths_of_a_crop(tmp_path: Path) -> None:
    save(classification(tmp_path) / "train" / "cat" / "0.png", np.zeros((40, 80, 3)))
    data = load(tmp_path, 14)
    assert data.train.images[0].shape == (3, 16, 32)
    batch = next(data.epoch(1, batch=6, seed=0))
    assert batch.images.shape[1:] == (3, 14, 14)
    assert batch.targets.ndim == 1


def test_pictures_to_classify_are_mirrored_but_never_tipped_over(tmp_path: Path) -> None:
    classification(tmp_path)
    corner = np.zeros((8, 8, 3))
    corner[:4, :4] = 255
    for index in range(3):
        save(tmp_path / "train" / "cat" / f"{index}.png", corner)
    data, mirrored = load(tmp_path, 7), set()
    for number in range(8):
        for batch in data.epoch(number, batch=6, seed=0):
            for image in grey_levels(data, batch.images)[batch.targets == 0, 0]:
                assert image[:3].sum() > image[4:].sum()
                mirrored.add(bool(image[:, :3].sum() < image[:, 4:].sum()))
    assert mirrored == {False, True}


def test_data_that_lies_on_a_device_is_not_moved_again(tmp_path: Path) -> None:
    data = load(segmentation(tmp_path), 8)
    assert data.on("cpu") is data
