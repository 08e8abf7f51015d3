"""Losses against calculations by hand, and against the library's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import exp, log
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from archdsl.data import Description, Normalisation
from archdsl.errors.data import OutputsDoNotFit
from archdsl.training.losses import class_logits, classification_loss, segmentation_loss, training_loss
from tests.data.golden import assert_golden, shown

MASKS = Description(
    folder=Path("set"),
    task="segmentation",
    channels=1,
    bits=8,
    class_names=("background", "cell"),
    ignore_index=None,
    white_foreground=False,
    normalisation=Normalisation((0.0,), (1.0,)),
    examples={},
)
PICTURES = replace(MASKS, task="classification", class_names=("cat", "dog", "eel"))


def softmax_of_classes(logits: Tensor) -> Tensor:
    return logits.softmax(dim=1)


def pixels(*logits: tuple[float, ...]) -> Tensor:
    """A map one pixel high: the logits of each pixel."""
    return torch.tensor(logits).T[None, :, None, :]


def test_undecided_between_two_classes() -> None:
    # One pixel of each class, probability 1/2 everywhere: the cross-entropy is ln 2. Of the foreground, 1/2
    # is common, 1 found, 1 true: with the smoothing pixel its Dice is (2 * 1/2 + 1) / (1 + 1 + 1) = 2/3.
    loss = segmentation_loss(pixels((0.0, 0.0), (0.0, 0.0)), torch.tensor([[[0, 1]]]))
    assert loss.item() == pytest.approx(log(2) + 1 / 3)


def test_three_classes_by_hand() -> None:
    # Three pixels of the classes 0, 1, 2. Logits (ln 2, 0, 0) are the probabilities 1/2, 1/4, 1/4.
    logits = pixels((log(2), 0, 0), (0, log(2), 0), (0, log(2), 0))
    loss = segmentation_loss(logits, torch.tensor([[[0, 1, 2]]]))
    cross_entropy = (log(2) + log(2) + log(4)) / 3
    first = (2 * 1 / 2 + 1) / (1 / 4 + 1 / 2 + 1 / 2 + 1 + 1)
    second = (2 * 1 / 4 + 1) / (1 / 4 + 1 / 4 + 1 / 4 + 1 + 1)
    assert loss.item() == pytest.approx(cross_entropy + 1 - (first + second) / 2)


def test_ignored_pixels_do_not_count() -> None:
    logits, target = pixels((1.0, 2.0), (0.5, -3.0), (9.0, -9.0)), torch.tensor([[[1, 0, 255]]])
    loss = segmentation_loss(logits, target, ignore_index=255)
    assert loss.item() == pytest.approx(segmentation_loss(logits[..., :2], target[..., :2]).item())


def test_a_batch_of_nothing_but_ignored_pixels_has_a_finite_loss() -> None:
    loss = segmentation_loss(pixels((1.0, 2.0)), torch.tensor([[[255]]]), ignore_index=255)
    assert loss.isfinite()


def test_a_class_that_is_neither_there_nor_found_costs_nothing() -> None:
    sure = pixels((50.0, 0.0, 0.0), (0.0, 50.0, 0.0))
    assert segmentation_loss(sure, torch.tensor([[[0, 1]]])).item() == pytest.approx(0, abs=1e-6)


def test_the_cross_entropy_is_the_library_s() -> None:
    torch.manual_seed(0)
    logits, target = torch.randn(2, 4, 5, 6), torch.randint(0, 4, (2, 5, 6))
    target[0, 0] = 9
    probabilities, kept = logits.softmax(1), target != 9
    dice = []
    for label in (1, 2, 3):
        found, truth = probabilities[:, label][kept], (target[kept] == label).float()
        dice.append((2 * (found * truth).sum() + 1) / (found.sum() + truth.sum() + 1))
    expected = F.cross_entropy(logits, target, ignore_index=9) + 1 - sum(dice) / 3
    assert segmentation_loss(logits, target, 9).item() == pytest.approx(expected.item(), rel=1e-5)


def test_one_logit_for_two_classes_is_binary_cross_entropy_and_dice() -> None:
    logits, target = torch.tensor([[[[2.0, -1.0, 0.5]]]]), torch.tensor([[[1, 0, 0]]])
    probabilities = [1 / (1 + exp(-value)) for value in (2.0, -1.0, 0.5)]
    entropy = -(log(probabilities[0]) + log(1 - probabilities[1]) + log(1 - probabilities[2])) / 3
    dice = (2 * probabilities[0] + 1) / (sum(probabilities) + 1 + 1)
    loss = training_loss(logits, target, MASKS, {})
    assert loss.item() == pytest.approx(entropy + 1 - dice, rel=1e-6)


def test_classification_is_cross_entropy() -> None:
    # Probabilities 1/2, 1/4, 1/4 and 1/4, 1/2, 1/4 for the classes 0 and 2.
    logits = torch.tensor([[log(2), 0, 0], [0, log(2), 0]])
    assert classification_loss(logits, torch.tensor([0, 2])).item() == pytest.approx((log(2) + log(4)) / 2)


def test_training_outputs_are_added_by_their_weights() -> None:
    torch.manual_seed(0)
    out, aux, target = torch.randn(2, 3), torch.randn(2, 3), torch.tensor([0, 2])
    loss = training_loss({"out": out, "aux1": aux}, target, PICTURES, {"aux1": 0.3})
    expected = classification_loss(out, target) + 0.3 * classification_loss(aux, target)
    assert loss.item() == pytest.approx(expected.item())


@pytest.mark.parametrize(
    ("activation", "made"), [("sigmoid", torch.sigmoid), ("softmax", softmax_of_classes)]
)
def test_probabilities_are_scored_as_the_logits_that_they_were(
    activation: str, made: Callable[[Tensor], Tensor]
) -> None:
    torch.manual_seed(0)
    logits, target = torch.randn(2, 3), torch.tensor([0, 2])
    loss = training_loss(made(logits), target, PICTURES, {}, {"out": activation})
    assert loss.item() == pytest.approx(classification_loss(logits, target).item(), rel=1e-4)


def test_a_coarse_output_is_resized_to_the_masks() -> None:
    coarse = torch.tensor([[[[0.0, 1.0]], [[1.0, 0.0]]]])
    logits = class_logits(coarse, MASKS, (1, 4))
    # Half-pixel centres: the values of the ends, and quarters between them.
    assert logits[0, 0, 0].tolist() == [0.0, 0.25, 0.75, 1.0]


WRONG: dict[str, tuple[Tensor | list[Tensor], Description]] = {
    "three_channels_for_two_classes": (torch.zeros(2, 3, 8, 8), MASKS),
    "a_vector_for_masks": (torch.zeros(2, 2), MASKS),
    "a_map_for_pictures": (torch.zeros(2, 3, 8, 8), PICTURES),
    "one_number_for_three_classes": (torch.zeros(2, 1), PICTURES),
    "maps_without_a_head": ([torch.zeros(2, 2, 8, 8)], MASKS),
}


@pytest.mark.parametrize("name", WRONG)
def test_an_output_of_another_data_set_is_told(name: str) -> None:
    output, description = WRONG[name]
    with pytest.raises(OutputsDoNotFit) as raised:
        class_logits(output, description, (8, 8))
    assert_golden(name, shown(raised.value))
