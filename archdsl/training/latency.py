"""How long a module takes for one image, on the device at hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import torch
from torch import nn

from archdsl.tensors import Shape
from archdsl.training.reproducible import deterministic

WARM_UPS, RUNS = 3, 11


def latency(
    module: nn.Module,
    image: Shape,
    device: torch.device,
    threads: int | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """Milliseconds in inference at batch 1: the median of a few runs, after some that warm it up.

    Args:
        threads: of the CPU; all cores by default, as for training.
        clock: seconds.
    """
    module.eval().to(device)
    x = torch.zeros(1, *image, device=device)
    seconds: list[float] = []
    with torch.inference_mode(), deterministic(threads):
        for _ in range(WARM_UPS + RUNS):
            _wait(device)
            began = clock()
            module(x)
            _wait(device)
            seconds.append(clock() - began)
    return round(1000 * median(seconds[WARM_UPS:]), 3)


def _wait(device: torch.device) -> None:
    """Until the device has done all that it was asked to."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)
