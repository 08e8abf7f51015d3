"""Mean-field inference of `crf` against the papers' sums, pixel by pixel, and in networks."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

import archdsl
from tests.specs.references import disagreement

Pixel = tuple[int, ...]


def nearness(a: Pixel, b: Pixel, sigma: float) -> float:
    return math.exp(-sum((p - q) ** 2 for p, q in zip(a, b, strict=True)) / (2 * sigma**2))


def gathered(image: Tensor, labels: Tensor, radius: int, spatial: float, colour: float | None) -> Tensor:
    """The sum over j != i of k(f_i, f_j) Q_j(l), with a window and no other pixel (Krähenbühl and Koltun, 3).

    Divided by what the first Gaussian sums up to in a whole window, wherever the pixel lies.
    """
    steps = [s for s in itertools.product(range(-radius, radius + 1), repeat=image.ndim - 1) if any(s)]
    whole = sum(nearness(step, (0,) * len(step), spatial) for step in steps)
    made = torch.zeros_like(labels)
    sizes = image.shape[1:]
    for i in itertools.product(*map(range, sizes)):
        for step in steps:
            j = tuple(p + s for p, s in zip(i, step, strict=True))
            if not all(0 <= p < size for p, size in zip(j, sizes, strict=True)):
                continue
            k = nearness(i, j, spatial)
            if colour is not None:
                apart = float((image[(slice(None), *i)] - image[(slice(None), *j)]).square().sum())
                k *= math.exp(-apart / (2 * colour**2))
            made[(slice(None), *i)] += k / whole * labels[(slice(None), *j)]
    return made


def mean_field(image: Tensor, scores: Tensor, compatibility: Tensor, iterations: int, radius: int) -> Tensor:
    """Zheng et al. 2015, algorithm 1, without the last softmax; `compatibility` is -mu."""
    made = scores
    for _ in range(iterations):
        labels = made.softmax(0)
        message = 10 * gathered(image, labels, radius, 80, 0.5) + 3 * gathered(image, labels, radius, 3, None)
        made = scores + torch.einsum("lk,k...->l...", compatibility, message)
    return made


@pytest.mark.parametrize(("iterations", "radius"), [(1, 1), (3, 2)])
def test_crf_is_the_papers_algorithm(iterations: int, radius: int) -> None:
    torch.manual_seed(0)
    spec = f"input 4x7x6\n\nconv 1x1 3 | crf {iterations} radius={radius} beta=0.5 as crf"
    module = archdsl.compile(spec).eval()
    compatibility = torch.randn(3, 3)
    module.crf.mean_field.compatibility.weight.data = compatibility[:, :, None, None]
    image = torch.rand(4, 7, 6)
    with torch.inference_mode():
        scores = module.get_submodule("0")(image[None])[0]
        expected = mean_field(image, scores, compatibility, iterations, radius)
        assert (expected - scores).abs().max() > 1
        assert disagreement(module(image[None])[0], expected) <= 1e-5


def test_crf_of_a_volume_is_the_same_algorithm() -> None:
    torch.manual_seed(0)
    module = archdsl.compile("input 2x3x4x5\n\nconv 1x1x1 3 | crf 2 radius=1 beta=0.5").eval()
    image = torch.rand(2, 3, 4, 5)
    with torch.inference_mode():
        scores = module.get_submodule("0")(image[None])[0]
        expected = mean_field(image, scores, torch.eye(3), 2, 1)
        assert disagreement(module(image[None])[0], expected) <= 1e-5


def test_one_channel_is_the_score_of_one_class_against_none() -> None:
    torch.manual_seed(0)
    module = archdsl.compile("input 3x6x5\n\nconv 1x1 1 | crf 2 radius=1 beta=0.5").eval()
    image = torch.rand(3, 6, 5)
    with torch.inference_mode():
        score = module.get_submodule("0")(image[None])[0]
        both = mean_field(image, torch.cat([0 * score, score]), torch.eye(2), 2, 1)
        assert disagreement(module(image[None])[0], both[1:] - both[:1]) <= 1e-5


def test_a_pixel_that_disagrees_with_all_that_look_like_it_gives_way() -> None:
    image = torch.zeros(1, 1, 8, 8)
    image[..., 4:] = 1
    halves = 0.05 * torch.cat([image, 1 - image], 1)  # scores of two classes: right, left
    wrong = halves.clone()
    wrong[..., 3, 1], wrong[..., 5, 4] = halves[0, :, 0, 7], halves[0, :, 0, 0]
    module = archdsl.compile("input 3x8x8\n\nconcat(chunk 1 of=3, chunk 2 of=3) | crf").eval()
    with torch.inference_mode():
        made = module(torch.cat([image, wrong], 1))
    assert torch.equal(made.argmax(1), halves.argmax(1))


# ---- in networks ------------------------------------------------------------------------------------

NETWORK = "encoder plain widths=[4, 8] | skip plain | up bilinear | head 1x1 out=3"


@pytest.mark.parametrize("size", ["", "size=own"])
def test_a_network_with_crf_trains_takes_every_size_and_exports(size: str) -> None:
    spec = f"encoder plain widths=[4, 8] | level 1 | head 1x1 out=3 {size} | crf 2 as crf"
    module = archdsl.compile(spec).train()
    module(torch.randn(2, 3, 19, 22)).square().sum().backward()
    assert all(parameter.grad is not None for parameter in module.parameters())
    assert module.crf.mean_field.pairwise.appearance.grad.abs() > 0
    module.eval()
    for height, width in ((19, 22), (2, 2), (3, 9)):
        made = module(torch.randn(1, 3, height, width))
        assert made.shape[2:] == ((height, width) if not size else (height // 2, width // 2))
        assert made.isfinite().all()
    sides = {2: torch.export.Dim("h", min=8), 3: torch.export.Dim("w", min=8)}
    exported = torch.export.export(module, (torch.randn(1, 3, 24, 20),), dynamic_shapes=(sides,)).module()
    image = torch.randn(1, 3, 29, 14)
    torch.testing.assert_close(exported(image), module(image))


def test_what_crf_costs_is_bounded_by_its_window() -> None:
    """5 iterations of 49 weights a number, 3x3 scores a pixel, and the 48 differences of 3 colours."""
    plain, refined = archdsl.load(NETWORK), archdsl.load(f"{NETWORK} | crf")
    pixels = 224 * 224
    assert refined.macs - plain.macs == pixels * (5 * (3 * 49 + 3 * 3) + 48 * 3)
    assert refined.params - plain.params == 3 * 3 + 2
    assert refined.receptive_field == plain.receptive_field + 5 * 6
