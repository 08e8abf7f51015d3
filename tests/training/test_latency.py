"""How a latency is taken, by a clock that the test winds."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import torch
from torch import Tensor, nn

from archdsl.tensors import Shape
from archdsl.training.latency import RUNS, WARM_UPS, latency


class Watched(nn.Module):
    """Notes how it is run."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[tuple[int, ...], bool, bool]] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append((tuple(x.shape), self.training, torch.is_inference_mode_enabled()))
        return x


def ticks(milliseconds: list[float]) -> Iterator[float]:
    """What a clock shows before and after each run, in seconds."""
    now = 5.0
    for taken in milliseconds:
        yield now
        now += taken / 1000
        yield now
        now += 1


def test_a_latency_is_the_median_of_runs_after_a_warm_up() -> None:
    runs = [float(run) for run in range(1, RUNS)]
    clock = chain(ticks([900.0] * WARM_UPS + [500.0, *reversed(runs)]))
    module = Watched().train()
    measured = latency(module, Shape(3, 8, 6), torch.device("cpu"), 1, lambda: next(clock))
    assert measured == sorted([*runs, 500.0])[RUNS // 2]
    assert module.seen == [((1, 3, 8, 6), False, True)] * (WARM_UPS + RUNS)
    assert next(clock, None) is None


def test_a_clock_that_is_not_wound_tells_something() -> None:
    assert latency(nn.Conv2d(1, 1, 1), Shape(1, 4, 4), torch.device("cpu")) >= 0
