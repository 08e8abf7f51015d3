"""Build and fit in one: the seed's weights, the images as the weights expect them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from archdsl.data import Data, Normalisation, load
from archdsl.training import Recipe, fit, seeded_build, train
from tests.data.folders import segmentation

RECIPE = Recipe(epochs=1, size=8, batch=2, threads=1)


class Pixelwise(nn.Module):
    """One 1x1 convolution; notes the mean of the images that it is shown."""

    def __init__(self, normalisation: Normalisation | None = None) -> None:
        super().__init__()
        self.layer = nn.Conv2d(1, 3, 1)
        self.normalisation = normalisation
        self.shown: list[float] = []

    def forward(self, image: Tensor) -> Tensor:
        self.shown.append(float(image.mean()))
        return self.layer(image)


@pytest.fixture
def blank(tmp_path: Path) -> Data:
    return load(segmentation(tmp_path, train=5), 8)


def test_a_network_is_built_with_the_recipe_s_seed_and_fitted(blank: Data) -> None:
    torch.manual_seed(99)
    module, outcome = train(Pixelwise, blank, RECIPE, "cpu")
    by_hand = seeded_build(Pixelwise, RECIPE.seed)
    assert outcome.score == fit(by_hand, blank, RECIPE, "cpu").score
    assert all(a.equal(b) for a, b in zip(module.parameters(), by_hand.parameters(), strict=True))


def test_images_are_normalised_as_published_weights_expect_them(blank: Data) -> None:
    expected = Normalisation((-4.0,), (0.5,))
    module, _ = train(lambda: Pixelwise(expected), blank, RECIPE, "cpu")
    assert isinstance(module, Pixelwise)
    # Pixels lie between 0 and 1.
    assert all(8 <= mean <= 10 for mean in module.shown)
    assert module.normalisation == expected


def test_a_network_keeps_the_normalisation_of_its_data(blank: Data) -> None:
    module, _ = train(Pixelwise, blank, RECIPE, "cpu")
    assert module.normalisation == blank.normalisation
