"""How a network is trained, and what came of it: plain values, which need no torch."""

from __future__ import annotations

from dataclasses import dataclass

from archdsl.errors.data import RecipeOutOfRange


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training besides the network and the data.

    The optimiser is AdamW (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019). The
    learning rate rises over the first tenth of the steps and falls to zero along a cosine (Goyal et al.
    2017; Loshchilov and Hutter, "SGDR", 2017).

    Raises:
        RecipeOutOfRange: a number that no training can use.
    """

    epochs: int = 10
    size: int = 128
    """Side of the crops, in pixels."""
    batch: int = 8
    seed: int = 0
    """Of the weights at the start, the order of the images, their crops and flips, and dropout."""
    learning_rate: float = 3e-3
    """The highest; in the short trainings of a search it beat 1e-3, also for residual and mobile encoders."""
    weight_decay: float = 1e-2
    """Of weights alone, not of biases and normalisations."""
    threads: int | None = None
    """Threads of the CPU, on which sums depend in their last bits; None leaves them to torch."""

    def __post_init__(self) -> None:
        for name in ("epochs", "size", "threads"):
            self._require(name, 1)
        self._require("batch", 2)
        if not 0 < self.learning_rate < float("inf"):
            raise RecipeOutOfRange("learning_rate", self.learning_rate, "above 0")
        if not 0 <= self.weight_decay < float("inf"):
            raise RecipeOutOfRange("weight_decay", self.weight_decay, "0 or more")
        if not -(2**63) <= self.seed < 2**63:
            raise RecipeOutOfRange("seed", self.seed, "a number of 64 bits")

    def _require(self, name: str, low: int) -> None:
        value = getattr(self, name)
        if value is not None and value < low:
            raise RecipeOutOfRange(name, value, f"{low} or more")


@dataclass(frozen=True)
class Epoch:
    """One pass over the training images, and the score on the validation images after it."""

    number: int
    """From 1."""
    loss: float
    """Mean over the training batches."""
    score: float
    """From 0 to 1: mean Dice of the foreground classes, or accuracy."""
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """What a training came to."""

    score: float
    """That of the last epoch; 0 where there is a failure or no epoch."""
    epochs: tuple[Epoch, ...]
    stopped: bool = False
    """The reporter asked to stop before the last epoch."""
    failure: str = ""
    """Why the network could not be trained, in one sentence; empty where it could."""
    threads: int = 0
    """Threads of the CPU that were used: with the recipe, what repeats the training bit for bit."""
    device: str = "cpu"
