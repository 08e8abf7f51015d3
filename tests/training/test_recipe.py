"""A recipe takes only numbers that a training can use."""

from __future__ import annotations

from typing import Any

import pytest

from archdsl.errors.data import RecipeOutOfRange
from archdsl.training import Recipe
from tests.data.golden import assert_golden, shown


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("epochs", 0, "1 or more"),
        ("size", 0, "1 or more"),
        ("threads", 0, "1 or more"),
        ("batch", 1, "2 or more"),
        ("learning_rate", 0.0, "above 0"),
        ("learning_rate", float("nan"), "above 0"),
        ("weight_decay", -0.1, "0 or more"),
        ("seed", 2**63, "a number of 64 bits"),
    ],
)
def test_a_number_out_of_range_is_told(name: str, value: Any, wanted: str) -> None:
    with pytest.raises(RecipeOutOfRange) as raised:
        Recipe(**{name: value})
    assert str(raised.value) == f"`{name}` of the training is {value}, it has to be {wanted}"
    if name == "batch":
        assert_golden("a_batch_of_one", shown(raised.value))


def test_the_least_of_each_will_do() -> None:
    recipe = Recipe(epochs=1, size=1, batch=2, seed=-(2**63), weight_decay=0.0, threads=1)
    assert recipe.epochs == 1
