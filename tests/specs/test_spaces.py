"""The library's spaces against what is published about them."""

from __future__ import annotations

import csv
import random
from collections.abc import Mapping
from pathlib import Path

import pytest

import archdsl
from archdsl import resources

# ---- NAS-Bench-201 ---------------------------------------------------------------------------------

# The benchmark's numbers of its operations, and its columns in the order of `edges`.
OPERATIONS = ("zeroize", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
COLUMNS = ("op_0to1", "op_0to2", "op_1to2", "op_0to3", "op_1to3", "op_2to3")


@pytest.fixture(scope="module")
def nasbench() -> archdsl.Space:
    found = archdsl.load(resources.specs() / "spaces" / "nasbench201.arch")
    assert isinstance(found, archdsl.Space)
    return found


def cell(space: archdsl.Space, row: Mapping[str, str]) -> archdsl.Architecture:
    """The member that a row of the benchmark's table describes."""
    return space.close(
        {f"edges.{place}": OPERATIONS[int(row[column])] for place, column in enumerate(COLUMNS)}
    )


def test_nasbench201_has_15_625_members(nasbench: archdsl.Space) -> None:
    assert nasbench.count() == 15_625


def test_a_cell_of_nasbench201_has_its_published_size(nasbench: archdsl.Space) -> None:
    # Number 9930: five 3x3 convolutions and, from 0 to 3, a skip connection.
    found = cell(nasbench, dict(zip(COLUMNS, "333133", strict=True)))
    assert found.params / 1e6 == pytest.approx(1.289, abs=5e-4)
    assert found.macs / 1e6 == pytest.approx(184.73, abs=5e-3)


@pytest.fixture
def table(data_folder: Path) -> list[dict[str, str]]:
    """What the benchmark tells of each of its networks."""
    with (data_folder / "nas-bench-201" / "nasbench201.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_extremes_of_nasbench201_are_those_of_its_table(
    nasbench: archdsl.Space, table: list[dict[str, str]]
) -> None:
    sizes = sorted((int(row["params"]), int(row["macs"])) for row in table)
    assert [(member.params, member.macs) for member in nasbench.extremes] == [sizes[0], sizes[-1]]


def test_members_of_nasbench201_have_the_sizes_of_its_table(
    nasbench: archdsl.Space, table: list[dict[str, str]]
) -> None:
    assert len({tuple(row[column] for column in COLUMNS) for row in table}) == nasbench.count()
    for row in random.Random(0).sample(table, 200):
        member = cell(nasbench, row)
        assert (member.params, member.macs) == (int(row["params"]), int(row["macs"])), row["index"]
