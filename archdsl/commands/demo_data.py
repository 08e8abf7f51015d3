"""`archdsl demo-data`: images to try things on."""

from __future__ import annotations

from pathlib import Path

import click

from archdsl.data.demonstration import CLASSES, COUNTS, generate


@click.command("demo-data")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Other pictures.")
def command(folder: Path, seed: int) -> None:
    """Write a generated data set to try things on.

    Grey pictures of cells as a microscope shows them, with masks of three classes; the same bytes each time.
    """
    generate(folder, seed)
    counts = ", ".join(f"{count} {split}" for split, count in COUNTS.items())
    click.echo(f"{folder}: {counts} images with masks; classes: {', '.join(CLASSES)}")
