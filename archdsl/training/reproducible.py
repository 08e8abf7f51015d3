"""Everything global that bits depend on, set for a block and put back after it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def seeded(seed: int, device: torch.device | None = None) -> Iterator[None]:
    """Random numbers from `seed` inside; the caller's own, on the CPU and on `device`, go on as before."""
    on_gpu = device is not None and device.type == "cuda"
    with torch.random.fork_rng([device] if on_gpu else []):
        torch.manual_seed(seed)
        yield


def seeded_build(build: Callable[[], nn.Module], seed: int) -> nn.Module:
    """A module whose initial weights depend on `seed` alone: the same as after `torch.manual_seed(seed)`."""
    with seeded(seed):
        return build()


@contextmanager
def deterministic(threads: int | None) -> Iterator[None]:
    """Algorithms that give the same bits each time, where there are such, on a given number of CPU threads.

    An operation that has none (some on a GPU) runs all the same, without a warning.
    """
    before = (
        torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.backends.cudnn.benchmark,
    )
    # Read by cuBLAS when it starts; without it its sums have no fixed order.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    try:
        torch.set_num_threads(threads or before[0])
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.backends.cudnn.benchmark = False
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*does not have a deterministic implementation")
            yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1], warn_only=before[2])
        torch.backends.cudnn.benchmark = before[3]
