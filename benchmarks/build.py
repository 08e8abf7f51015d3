"""Building and running a U-Net on ResNet-34 beside segmentation_models.pytorch's: the same network.

python -m benchmarks.build
"""

from __future__ import annotations

from collections.abc import Callable

import segmentation_models_pytorch as smp
import torch
from torch import nn

import archdsl
from benchmarks.timing import least, machine, table

SPEC = "encoder resnet34 | skip plain | up nearest channels=[256, 128, 64, 32, 16] | head 3x3 out=1"


def ours() -> nn.Module:
    return archdsl.compile(SPEC)


def theirs() -> nn.Module:
    model: nn.Module = smp.Unet("resnet34", encoder_weights=None)
    return model


def infers(model: nn.Module, image: torch.Tensor) -> Callable[[], object]:
    model.eval()

    def run() -> object:
        with torch.inference_mode():
            return model(image)

    return run


def steps(model: nn.Module, image: torch.Tensor) -> Callable[[], object]:
    model.train()
    optimiser = torch.optim.AdamW(model.parameters(), fused=True)

    def run() -> object:
        optimiser.zero_grad()
        model(image).square().mean().backward()
        optimiser.step()
        return None

    return run


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print(f"{machine()}, torch {torch.__version__}, one thread")
    table("build", least({"archdsl": ours, "smp": theirs}, rounds=5), against="smp")
    image = torch.randn(1, 3, 256, 256)
    runs = {"archdsl": infers(ours(), image), "smp": infers(theirs(), image)}
    last = torch.channels_last
    runs["archdsl, channels_last"] = infers(ours().to(memory_format=last), image.to(memory_format=last))
    table("inference, batch 1, 256x256", least(runs, rounds=7), against="smp")
    batch = torch.randn(4, 3, 128, 128)
    runs = {"archdsl": steps(ours(), batch), "smp": steps(theirs(), batch)}
    table("training step, batch 4, 128x128", least(runs, rounds=5), against="smp")


if __name__ == "__main__":
    main()
