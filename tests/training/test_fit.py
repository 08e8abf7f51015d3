"""The training loop: it learns, it repeats itself to the bit, it stops when it is told to."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, pi
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from archdsl.data import Data, load
from archdsl.data.demonstration import generate
from archdsl.errors.commands import NoSuchDevice
from archdsl.errors.data import OutOfMemory, OutputsDoNotFit
from archdsl.training import Epoch, Recipe, evaluate, fit, seeded_build
from archdsl.training.loop import learning_rate_factor
from tests.data.folders import classification, segmentation
from tests.data.golden import assert_golden, shown


class Small(nn.Sequential):
    """Two convolutions and a head."""

    def __init__(self, classes: int = 3, width: int = 8, dropout: float = 0.1) -> None:
        super().__init__(
            nn.Conv2d(1, width, 5, padding=2, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Conv2d(width, width, 5, padding=2, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, classes, 1),
        )


class Classifier(nn.Sequential):
    """Global pooling, then normalisation: fails in training on a single image."""

    def __init__(self, classes: int) -> None:
        pooled = (nn.Conv2d(3, 8, 3), nn.AdaptiveAvgPool2d(1), nn.BatchNorm2d(8), nn.Flatten())
        super().__init__(*pooled, nn.Linear(8, classes))


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Data:
    folder = tmp_path_factory.mktemp("data") / "cells"
    generate(folder, counts={"train": 24, "val": 8}, side=80)
    return load(folder, 64)


@pytest.fixture
def blank(tmp_path: Path) -> Data:
    """Five images of 8x8, of three classes."""
    return load(segmentation(tmp_path, train=5), 8)


RECIPE = Recipe(epochs=2, size=8, batch=2, threads=1)


def states(module: nn.Module) -> list[Tensor]:
    return [tensor.clone() for tensor in module.state_dict().values()]


def test_a_small_network_learns_the_demonstration_set(cells: Data) -> None:
    module = seeded_build(Small, 0)
    before = evaluate(module, cells)
    outcome = fit(module, cells, Recipe(epochs=6, size=64, batch=4, learning_rate=1e-2, threads=1), "cpu")
    assert outcome.score > before + 0.1
    # All cells found and no dividing one told apart gives less than a half.
    assert outcome.score > 0.25
    assert outcome.epochs[-1].loss < 0.8 * outcome.epochs[0].loss
    assert outcome.score == evaluate(module, cells)


def test_a_training_repeats_itself_to_the_bit(cells: Data) -> None:
    recipe, trained = Recipe(epochs=2, size=64, threads=1), []
    for wasted in (0, 1234):
        torch.manual_seed(wasted)
        torch.rand(wasted)
        module = seeded_build(Small, recipe.seed)
        torch.rand(wasted)
        outcome = fit(module, cells, recipe, "cpu", report=lambda epoch: bool(torch.rand(7).sum() < 0))
        trained.append((states(module), outcome.score, [epoch.loss for epoch in outcome.epochs]))
    (weights, *scores), (again, *repeated) = trained
    assert scores == repeated
    assert all(map(torch.equal, weights, again))


def test_another_seed_gives_other_weights(blank: Data) -> None:
    one, other = (seeded_build(Small, 0) for _ in range(2))
    assert all(map(torch.equal, states(one), states(other)))
    fit(one, blank, RECIPE, "cpu")
    fit(other, blank, Recipe(**{**vars(RECIPE), "seed": 1}), "cpu")
    assert not all(map(torch.equal, states(one), states(other)))


def test_a_seeded_build_is_what_the_seed_gives_by_hand() -> None:
    torch.manual_seed(5)
    by_hand, following = Small(), torch.rand(3)
    torch.manual_seed(5)
    Small()
    assert all(map(torch.equal, states(by_hand), states(seeded_build(Small, 5))))
    assert torch.rand(3).equal(following), "the caller's own numbers go on as if nothing had been built"


def test_what_is_global_is_as_before(blank: Data) -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    threads = torch.get_num_threads()
    outcome = fit(Small(), blank, Recipe(epochs=1, size=8, threads=threads + 1), "cpu")
    assert outcome.threads == threads + 1
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()
    torch.manual_seed(1)
    fit(seeded_build(Small, 0), blank, RECIPE, "cpu")
    assert torch.rand(3).equal(expected)


def test_the_module_ends_in_evaluation_mode_with_ordinary_weights(blank: Data) -> None:
    module = Small()
    fit(module, blank, RECIPE, "cpu")
    assert not any(part.training for part in module.modules())
    assert all(weight.is_contiguous() for weight in module.parameters())


def test_every_epoch_is_reported_as_it_ends(blank: Data) -> None:
    reported: list[Epoch] = []

    def report(epoch: Epoch) -> bool:
        reported.append(epoch)
        return False

    outcome = fit(Small(), blank, RECIPE, "cpu", report)
    assert [epoch.number for epoch in reported] == [1, 2]
    assert outcome.epochs == tuple(reported)
    assert (outcome.score, outcome.stopped, outcome.failure) == (reported[-1].score, False, "")
    assert (outcome.threads, outcome.device) == (1, "cpu")


@pytest.mark.parametrize(("last", "stopped"), [(1, True), (3, False)])
def test_a_report_can_stop_the_training(last: int, stopped: bool, blank: Data) -> None:
    recipe = Recipe(epochs=3, size=8, threads=1)
    outcome = fit(Small(), blank, recipe, "cpu", lambda epoch: epoch.number == last)
    assert len(outcome.epochs) == last
    assert outcome.stopped is stopped


class Diverging(nn.Module):
    """Gives numbers until it has been called some times, then none."""

    def __init__(self, calls: int) -> None:
        super().__init__()
        self.calls, self.body = calls, Small()

    def forward(self, x: Tensor) -> Tensor:
        self.calls -= 1
        logits: Tensor = self.body(x)
        return logits * (float("nan") if self.calls < 0 else 1.0)


# Five images in twos are two batches, two validation images one more call.
@pytest.mark.parametrize(("calls", "epochs"), [(0, 0), (1, 0), (2, 0), (3, 1), (5, 1)])
def test_a_network_that_diverges_fails_with_a_sentence(calls: int, epochs: int, blank: Data) -> None:
    outcome = fit(Diverging(calls), blank, RECIPE, "cpu")
    assert outcome.score == 0.0
    assert len(outcome.epochs) == epochs
    assert outcome.failure == (
        f"the network diverged: in epoch {epochs + 1} the loss or an output was no finite number"
    )


def test_classes_are_learned_from_their_folders(tmp_path: Path) -> None:
    data = load(classification(tmp_path), 7)  # cats are black, dogs a little less so
    recipe = Recipe(epochs=30, size=7, batch=3, learning_rate=0.03, threads=1)
    assert fit(seeded_build(lambda: Classifier(2), 0), data, recipe, "cpu").score == 1.0


@pytest.mark.parametrize("batch", [2, 4, 5])
def test_normalisation_after_pooling_never_meets_a_single_image(batch: int, tmp_path: Path) -> None:
    data = load(classification(tmp_path, ("cat", "dog", "eel")), 7)  # nine images
    outcome = fit(Classifier(3), data, Recipe(epochs=1, size=7, batch=batch, threads=1), "cpu")
    assert outcome.failure == ""


class WithAuxiliary(nn.Module):
    """In training two outputs, of which the second counts with its weight."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.body, self.head, self.aux = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 3, 1), nn.Conv2d(4, 3, 1)
        self.loss_weights = {"out": 1.0, "aux1": weight}

    def forward(self, x: Tensor) -> Tensor | dict[str, Tensor]:
        x = self.body(x).relu()
        return {"out": self.head(x), "aux1": self.aux(x)} if self.training else self.head(x)


@pytest.mark.parametrize(("weight", "learns"), [(0.0, False), (0.4, True)])
def test_training_only_outputs_learn_by_their_weight(weight: float, learns: bool, blank: Data) -> None:
    module = WithAuxiliary(weight)
    before = module.aux.weight.detach().clone()
    fit(module, blank, Recipe(epochs=1, size=8, weight_decay=0.0, threads=1), "cpu")
    assert module.aux.weight.equal(before) is not learns


def test_frozen_weights_stay(blank: Data) -> None:
    module = WithAuxiliary(1.0)
    module.body.requires_grad_(False)
    before, head = module.body.weight.clone(), module.head.weight.clone()
    fit(module, blank, RECIPE, "cpu")
    assert module.body.weight.equal(before)
    assert not module.head.weight.equal(head)


def test_the_rate_rises_for_a_tenth_of_the_steps_and_falls_along_a_cosine() -> None:
    factors = [learning_rate_factor(step, 20) for step in range(20)]
    assert factors[:2] == [0.5, 1.0]
    # Of the 18 steps down, the ninth is half-way to the nineteenth, which would be zero.
    assert factors[2:] == pytest.approx([(1 + cos(pi * step / 19)) / 2 for step in range(1, 19)])
    assert learning_rate_factor(0, 1) == 1.0


def raising(error: Exception) -> Callable[[Tensor], Tensor]:
    def forward(x: Tensor) -> Tensor:
        raise error

    return forward


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"),
        MemoryError(),
    ],
    ids=["gpu", "cpu", "python"],
)
def test_memory_that_runs_out_is_told(error: Exception, blank: Data) -> None:
    module = Small()
    module.forward = raising(error)  # type: ignore[method-assign]
    with pytest.raises(OutOfMemory) as raised:
        fit(module, blank, Recipe(size=8, batch=16), "cpu")
    assert_golden("memory_that_runs_out", shown(raised.value))


def test_other_errors_of_a_module_are_not_called_a_lack_of_memory(blank: Data) -> None:
    module = Small()
    module.forward = raising(RuntimeError("shapes do not match"))  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="shapes do not match"):
        fit(module, blank, RECIPE, "cpu")


def test_a_network_for_other_classes_is_told(blank: Data) -> None:
    with pytest.raises(
        OutputsDoNotFit, match="`out` is a map of 4x8x8, the data wants 3 channels at every pixel"
    ):
        fit(Small(classes=4), blank, RECIPE, "cpu")


@pytest.mark.parametrize("name", ["tpu", "cuda:99", "meta", ""])
def test_a_device_that_is_not_there_is_told(name: str, blank: Data) -> None:
    with pytest.raises(NoSuchDevice, match=f"there is no device `{name}`"):
        fit(Small(), blank, RECIPE, name)


def test_data_in_another_size_than_the_recipe_s_is_refused(blank: Data) -> None:
    with pytest.raises(ValueError, match="crops of 8, the recipe says 16"):
        fit(Small(), blank, Recipe(size=16), "cpu")
