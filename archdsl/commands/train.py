"""`archdsl train`: one network, one data set, one score."""

from __future__ import annotations

from pathlib import Path

import click

from archdsl.api import built
from archdsl.commands.architectures import architecture
from archdsl.commands.arguments import output_option, set_option
from archdsl.commands.recipes import data_option, recipe_options
from archdsl.commands.reports import report
from archdsl.commands.sources import stem
from archdsl.data import describe
from archdsl.errors.commands import without_place
from archdsl.files import ensure_writable
from archdsl.tensors import Shape
from archdsl.training import Epoch, Outcome, Recipe


@click.command("train")
@click.argument("spec")
@data_option(required=True)
@recipe_options
@output_option(default="SPEC's name with .safetensors")
@set_option
def command(
    spec: str,
    data: Path,
    device: str | None,
    output: Path | None,
    settings: dict[str, str],
    **numbers: int | float | None,
) -> None:
    """Train a spec on a folder of images.

    DIR holds train/, val/ and test/ with images/ and masks/ each, or a folder of images for each class.
    The same call on the same machine's CPU gives the same score, bit for bit.
    """
    recipe = Recipe(**{name: number for name, number in numbers.items() if number is not None})  # type: ignore[arg-type]
    _train(spec, data, recipe, device or "auto", output or Path(f"{stem(spec)}.safetensors"), settings)


def _train(
    spec: str, folder: Path, recipe: Recipe, device: str, output: Path, settings: dict[str, str]
) -> None:
    description = describe(folder)
    if description.advice is not None:
        report((without_place(description.advice),))
    shape = Shape(description.channels, recipe.size, recipe.size)
    found = architecture(spec, shape=shape, classes=description.classes, settings=settings)
    ensure_writable(output)

    # Here and not above: a wrong spec is told before torch is awake.
    from archdsl.data import load
    from archdsl.training import train
    from archdsl.weights.files import save_file

    data = load(description, recipe.size)
    counts = ", ".join(f"{count} {split}" for split, count in description.counts.items())
    click.echo(f"{found.name}: {found.params:,} parameters; {folder}: {counts} images")
    module, outcome = train(lambda: built(found), data, recipe, device, _tell)
    if outcome.failure:
        raise click.ClickException(outcome.failure)
    save_file(module, output, _facts(found.identity, recipe, outcome))
    click.echo(f"score {outcome.score!r} ({_MEASURES[description.task]}, on {outcome.device})")
    click.echo(f"weights: {output}")


_MEASURES = {"segmentation": "mean Dice of the foreground classes", "classification": "accuracy"}


def _tell(epoch: Epoch) -> bool:
    click.echo(
        f"epoch {epoch.number:>3}  loss {epoch.loss:.4f}  score {epoch.score:.4f}  {epoch.seconds:.1f} s"
    )
    return False


def _facts(identity: str, recipe: Recipe, outcome: Outcome) -> dict[str, str]:
    """What the file of weights says of itself."""
    numbers = {name: str(value) for name, value in vars(recipe).items()}
    return numbers | {"identity": identity, "score": repr(outcome.score), "threads": str(outcome.threads)}
