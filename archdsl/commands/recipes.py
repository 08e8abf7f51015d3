"""Options that say how and on what a network is trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from archdsl.training import Recipe

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def data_option(*, required: bool) -> Callable[[Decorated], Decorated]:
    return click.option(
        "--data",
        metavar="DIR",
        type=click.Path(path_type=Path),
        required=required,
        help="Folder of images and masks, or of a folder of images for each class.",
    )


def recipe_options(function: Decorated) -> Decorated:
    """How a network is trained; what isn't given is None, and left to the recipe."""
    described = {
        "--epochs": (int, f"Passes over the training images.  [default: {Recipe.epochs}]"),
        "--size": (int, f"Side of the training crops, in pixels.  [default: {Recipe.size}]"),
        "--batch": (int, f"Images in a step.  [default: {Recipe.batch}]"),
        "--seed": (int, f"Of first weights, order, crops and flips.  [default: {Recipe.seed}]"),
        "--learning-rate": (float, f"The highest.  [default: {Recipe.learning_rate}]"),
        "--threads": (int, "Threads of the CPU, on which sums depend in their last bits."),
        "--device": (str, "`auto`, `cpu`, `cuda`, `cuda:1`, ...  [default: auto]"),
    }
    for name, (kind, text) in reversed(described.items()):
        function = click.option(name, type=kind, help=text)(function)
    return function
