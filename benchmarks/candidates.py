"""Candidates of a search space a second: sampled, costed, identified; beside building them with a peer.

python -m benchmarks.candidates [members]
"""

from __future__ import annotations

import gc
import sys
import time
from resource import RUSAGE_SELF, getrusage

import archdsl
from benchmarks.timing import machine

MEMBERS = 20_000

SPACE = """
let d = {2, 3, 4}
encoder {effnet_b0, resnet34}
| {skip plain depth=d, skip nested depth=d}
| up {transpose, bilinear, nearest, pixelshuffle}
    channels=[{256, 192, 128}, {128, 96}, {64, 48}, {32, 24}, 16]
    se=[{none, pre, post}] * 5
| head 1x1 out=2
"""


def drawn(space: archdsl.Space, first: int, count: int) -> tuple[float, int]:
    """Members a second of processor time, and how many of them are distinct."""
    seen = set()
    start = time.process_time()
    for seed in range(first, first + count):
        member = space.sample(seed)
        assert member.params > 0 < member.macs
        seen.add(member.identity)
    return len(seen) / (time.process_time() - start), len(seen)


def resident() -> float:
    """MiB that this process holds now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 2**20


def peer(count: int) -> float:
    """Networks a second with segmentation_models.pytorch: built without memory, parameters counted."""
    import segmentation_models_pytorch as smp
    import torch

    start = time.process_time()
    with torch.device("meta"):
        for number in range(count):
            depth = 3 + number % 3
            widths = (256, 128, 64, 32, 16)[-depth:]
            model = smp.Unet("resnet34", encoder_weights=None, encoder_depth=depth, decoder_channels=widths)
            assert sum(value.numel() for value in model.parameters())
    return count / (time.process_time() - start)


def main() -> None:
    members = int(sys.argv[1]) if len(sys.argv) > 1 else MEMBERS
    space = archdsl.load(SPACE)
    assert isinstance(space, archdsl.Space)
    print(f"{machine()}; a space of {space.count():,} members")
    space = archdsl.load(SPACE)
    assert isinstance(space, archdsl.Space)
    cold, _ = drawn(space, 0, 1_000)
    print(f"cold, the first 1,000:     {cold:8,.0f} distinct candidates a second")
    warm, distinct = drawn(space, 1_000, members - 1_000)
    gc.collect()
    before = resident()
    print(f"warm, up to {members:,}:     {warm:8,.0f} distinct candidates a second ({distinct:,} distinct)")
    more, _ = drawn(space, members, members)
    gc.collect()
    after = resident()
    print(f"warm, up to {2 * members:,}:     {more:8,.0f} distinct candidates a second")
    print(f"memory: {before:.0f} MiB, then {after:.0f} MiB: {100 * (after / before - 1):+.1f} %")
    print(f"peak {getrusage(RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
    built = peer(20)
    print(f"segmentation_models.pytorch on meta: {built:8.1f} networks a second: x{warm / built:,.0f}")


if __name__ == "__main__":
    main()
