"""On a real GPU: the line runs, trains and is searched there. Skipped where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import archdsl
from archdsl.data import load
from archdsl.data.demonstration import generate
from archdsl.training import Recipe
from archdsl.training.run import train

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]

LINE = "encoder effnet_b0 | skip nested depth=4 | up transpose | head 1x1 out=2"
SMALL = "let classes = 2\nencoder plain widths=[8, 16, 32] | skip plain | up transpose | head 1x1 out=classes"


def test_the_line_gives_on_the_gpu_what_it_gives_on_the_cpu() -> None:
    torch.manual_seed(0)
    module = archdsl.compile(LINE).eval()
    image = torch.randn(2, 3, 97, 131)
    with torch.no_grad():
        expected = module(image)
        torch.backends.cudnn.allow_tf32 = False
        made = module.cuda()(image.cuda()).cpu()
    torch.testing.assert_close(made, expected, rtol=1e-3, atol=1e-4)


def test_a_network_is_trained_on_the_gpu(tmp_path: Path) -> None:
    generate(tmp_path / "cells")
    data = load(tmp_path / "cells", 96)
    found = archdsl.load(SMALL, input=(data.description.channels, 96, 96), classes=data.description.classes)
    assert isinstance(found, archdsl.Architecture)
    module, outcome = train(found.to_torch, data, Recipe(epochs=3, size=96), "cuda")
    assert outcome.device.startswith("cuda")
    assert next(module.parameters()).is_cuda
    assert outcome.score > 0.2
