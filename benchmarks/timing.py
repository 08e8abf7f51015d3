"""How the benchmarks measure: processor time, variants in turn, the least of several."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from resource import RUSAGE_CHILDREN, getrusage


def least(runs: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Seconds of processor time of each variant: the least of some rounds, the variants taking turns."""
    best: dict[str, float] = {}
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.process_time()
            run()
            best[name] = min(best.get(name, float("inf")), time.process_time() - start)
    return best


def least_process(commands: Mapping[str, Sequence[str]], rounds: int) -> dict[str, float]:
    """The same for whole processes, Python's start included."""
    best: dict[str, float] = {}
    for _ in range(rounds):
        for name, command in commands.items():
            before = getrusage(RUSAGE_CHILDREN)
            subprocess.run(command, check=True, capture_output=True)
            after = getrusage(RUSAGE_CHILDREN)
            spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            best[name] = min(best.get(name, float("inf")), spent)
    return best


def table(title: str, seconds: Mapping[str, float], against: str) -> None:
    """Prints milliseconds and the ratio to one of the variants."""
    print(f"\n{title}")
    for name, spent in seconds.items():
        print(f"  {name:<40} {1000 * spent:>10.1f} ms   x{seconds[against] / spent:.2f}")


def machine() -> str:
    """What the figures were measured on."""
    return f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, {sys.platform}"
