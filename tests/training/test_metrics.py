"""Scores against calculations by hand."""

from __future__ import annotations

import pytest
import torch

from archdsl.training.metrics import accuracy, confusion, mean_dice


def test_the_table_counts_the_guesses_of_each_true_class() -> None:
    table = confusion(torch.tensor([0, 1, 1, 2]), torch.tensor([0, 0, 1, 1]), 3)
    assert table.tolist() == [[1, 1, 0], [0, 1, 1], [0, 0, 0]]


def test_ignored_pixels_are_in_no_row() -> None:
    table = confusion(torch.tensor([[1, 0, 1]]), torch.tensor([[1, 255, 0]]), 2, ignore_index=255)
    assert table.tolist() == [[0, 1], [0, 1]]


def test_dice_is_twice_the_common_pixels_over_all_that_are_found_or_true() -> None:
    truth, found = torch.tensor([0, 0, 1, 1, 1, 2, 2, 0]), torch.tensor([0, 1, 1, 1, 0, 2, 0, 0])
    # Class 1: 2 common, 3 found, 3 true; class 2: 1 common, 1 found, 2 true. The background does not count.
    assert mean_dice(confusion(found, truth, 3)) == pytest.approx((4 / 6 + 2 / 3) / 2)


def test_a_class_that_is_nowhere_is_left_out() -> None:
    assert mean_dice(confusion(torch.tensor([0, 1]), torch.tensor([1, 1]), 4)) == pytest.approx(2 / 3)


def test_a_class_that_is_found_where_it_is_not_counts_as_missed() -> None:
    assert mean_dice(confusion(torch.tensor([2, 1]), torch.tensor([0, 1]), 3)) == pytest.approx((1 + 0) / 2)


def test_nothing_to_find_and_nothing_found_is_perfect() -> None:
    assert mean_dice(confusion(torch.zeros(4).long(), torch.zeros(4).long(), 3)) == 1.0


def test_accuracy_is_the_share_of_right_guesses() -> None:
    table = confusion(torch.tensor([0, 1, 2, 2]), torch.tensor([0, 1, 1, 2]), 3)
    assert accuracy(table) == pytest.approx(0.75)
