"""One training from nothing to a score: what `archdsl train` does, and a worker of a study."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from torch import nn

from archdsl.data import Data, Normalisation
from archdsl.training.loop import Report, fit
from archdsl.training.recipe import Outcome, Recipe
from archdsl.training.reproducible import seeded_build


def train(
    build: Callable[[], nn.Module],
    data: Data,
    recipe: Recipe,
    device: str = "auto",
    report: Report | None = None,
) -> tuple[nn.Module, Outcome]:
    """Build a network with the recipe's seed and `fit` it.

    Images are normalised as the network's published weights expect it, where it has some, else as the data
    says. The network that comes back keeps what it was, as `normalisation`.

    Raises:
        OutOfMemory, OutputsDoNotFit: as `fit` does.
    """
    module = seeded_build(build, recipe.seed)
    expected = getattr(module, "normalisation", None)
    if expected is not None:
        data = replace(data, normalisation=Normalisation(*expected))
    module.normalisation = data.normalisation  # type: ignore[assignment]
    return module, fit(module, data, recipe, device, report)
