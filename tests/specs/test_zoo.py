"""docs/zoo.md has a row for every model, with what the model says of itself."""

from __future__ import annotations

import pytest

from archdsl.api import collection
from tests.specs.test_parity import TOLERANCE
from tests.specs.zoo import models, rows

ROWS = rows()
ABOUT = {path.stem: program.about for path, program in collection().items()}


def test_every_model_has_its_row_in_order() -> None:
    """`python -m tests.specs.zoo NAME` writes the row of a new model."""
    assert list(ROWS) == list(models())


@pytest.mark.parametrize("name", models())
def test_a_row_says_what_the_model_says(name: str) -> None:
    about, row = ABOUT[name], ROWS[name]
    assert (row.paper, row.year, row.task) == (about["paper"], str(about["year"]), about["task"])


def test_every_model_is_measured_and_no_difference_is_above_what_the_tests_allow() -> None:
    assert all(float(row.difference) <= TOLERANCE for row in ROWS.values())


def test_what_is_rebuilt_has_the_models_parameters() -> None:
    """A library's network may carry layers that nothing reads."""
    found = [row for row in ROWS.values() if row.reference.endswith("rebuilt")]
    assert found
    assert all(row.here == row.there for row in found)
