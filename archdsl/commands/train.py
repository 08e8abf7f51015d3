"""`archdsl train`: one network, one data set, one score."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from archdsl.analyses.summary import abbreviated
from archdsl.commands.architectures import architecture_for
from archdsl.commands.arguments import set_option
from archdsl.commands.specs import stem
from archdsl.data import describe
from archdsl.training import Epoch, Recipe


@click.command("train")
@click.argument("spec")
@click.option("--data", required=True, metavar="DIR", type=click.Path(path_type=Path), help="The images.")
@click.option("--epochs", type=click.IntRange(min=1), default=Recipe.epochs, show_default=True)
@click.option(
    "--size",
    type=click.IntRange(min=1),
    default=Recipe.size,
    show_default=True,
    help="Side of the training crops, in pixels.",
)
@click.option("--batch", type=click.IntRange(min=2), default=Recipe.batch, show_default=True)
@click.option(
    "--seed",
    type=int,
    default=Recipe.seed,
    show_default=True,
    help="Of the weights at the start, the images' order, crops and flips.",
)
@click.option("--learning-rate", type=float, default=Recipe.learning_rate, show_default=True)
@click.option("--threads", type=click.IntRange(min=1), help="Threads of the CPU; part of what repeats a score.")
@click.option("--device", default="auto", show_default=True, help="`auto`, `cpu`, `cuda`, `cuda:1`, ...")
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="[default: SPEC's name with .safetensors]")
@set_option
def command(
    spec: str, data: Path, device: str, output: Path | None, settings: dict[str, str], **numbers: Any
) -> None:
    """Train a spec on a folder of images.

    DIR holds train/, val/ and test/ with images/ and masks/ each, or a folder of images for each class.
    """
