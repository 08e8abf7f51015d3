"""Scores, from one table of counts: how often each class was taken for each."""

from __future__ import annotations

import torch
from torch import Tensor


def confusion(predicted: Tensor, target: Tensor, classes: int, ignore_index: int | None = None) -> Tensor:
    """Counts by true class (row) and predicted class (column), int64; `ignore_index` is left out."""
    truth, guess = target.flatten(), predicted.flatten()
    if ignore_index is not None:
        kept = truth != ignore_index
        truth, guess = truth[kept], guess[kept]
    return torch.bincount(truth * classes + guess, minlength=classes**2).view(classes, classes)


def mean_dice(table: Tensor) -> float:
    """Mean over the foreground classes of 2 |found and true| / (|found| + |true|) (Dice 1945), from 0 to 1.

    A class that is neither there nor found is left out; if all are, nothing was missed and the score is 1.
    """
    counts = table.double()
    both, either = counts.diagonal()[1:], (counts.sum(0) + counts.sum(1))[1:]
    occurs = either > 0
    if not occurs.any():
        return 1.0
    return float((2 * both[occurs] / either[occurs]).mean())


def accuracy(table: Tensor) -> float:
    """The share of images whose highest class is the true one (top-1), from 0 to 1."""
    return float(table.diagonal().sum() / table.sum())
