"""The same on real pictures, where ARCHDSL_DATA names a folder of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from torch import nn

from archdsl.data import describe, load
from archdsl.training import Recipe, fit, seeded_build


@pytest.mark.parametrize(
    ("name", "channels", "classes", "counts"),
    [
        ("nuclei-fluo", 1, 2, {"train": 120, "val": 40, "test": 40}),
        ("vnc-em", 1, 5, {"train": 13, "val": 3, "test": 4}),
        ("trashnet-small", 3, 6, {"train": 1768, "val": 328, "test": 431}),
    ],
)
def test_real_folders_are_described_alike_with_and_without_a_datasheet(
    name: str, channels: int, classes: int, counts: dict[str, int], data_folder: Path, tmp_path: Path
) -> None:
    said = describe(data_folder / name)
    assert (said.channels, said.classes, said.counts) == (channels, classes, counts)
    for split in counts:
        (tmp_path / split).symlink_to((data_folder / name / split).resolve())
    seen = describe(tmp_path)
    assert (seen.channels, seen.classes, seen.counts) == (channels, classes, counts)
    # The published numbers are rounded to five places.
    assert seen.normalisation.mean == pytest.approx(said.normalisation.mean, abs=1e-5)
    assert seen.normalisation.std == pytest.approx(said.normalisation.std, abs=1e-5)


def convolutions(channels: int, *widths: int, stride: int = 1) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for width in widths:
        layers += [nn.Conv2d(channels, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
        channels = width
    return layers


def test_a_small_network_finds_nuclei(data_folder: Path) -> None:
    data = load(data_folder / "nuclei-fluo", 128)
    module = seeded_build(lambda: nn.Sequential(*convolutions(1, 8, 8), nn.Conv2d(8, 2, 1)), 0)
    outcome = fit(module, data, Recipe(epochs=3, learning_rate=1e-2, threads=1), "cpu")
    # Everything called a nucleus would score less than 0.15.
    assert outcome.score > 0.6


def test_a_small_network_sorts_refuse_better_than_by_the_commonest_kind(data_folder: Path) -> None:
    data = load(data_folder / "trashnet-small", 32)

    def build() -> nn.Module:
        pooled = (nn.AdaptiveAvgPool2d(1), nn.Flatten())
        return nn.Sequential(*convolutions(3, 8, 16, 32, stride=2), *pooled, nn.Linear(32, 6))

    module = seeded_build(build, 0)
    outcome = fit(module, data, Recipe(epochs=2, size=32, batch=32, learning_rate=1e-2, threads=1), "cpu")
    # Paper is 83 of 328 validation pictures.
    assert outcome.score > 83 / 328 + 0.05
