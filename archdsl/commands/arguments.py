"""Arguments that several commands have, and how their text is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from archdsl.analyses.advice.text import shape_in_other_order
from archdsl.commands.reports import report
from archdsl.errors.commands import WrongEnding, without_place
from archdsl.tensors import Shape

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

WEIGHTS_ENDING = ".safetensors"


class ShapeType(click.ParamType[Shape]):
    """`3x512x512`, or `1x32x64x64` for a volume."""

    name = "shape"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Shape:
        sizes = str(value).lower().split("x")
        if len(sizes) not in (3, 4) or not all(size.isascii() and size.isdigit() for size in sizes):
            self.fail(f"'{value}' is not CxHxW (or CxDxHxW), as in 3x512x512.", param, ctx)
        if not all(map(int, sizes)):
            self.fail(f"'{value}' has a side of 0.", param, ctx)
        shape = Shape(*map(int, sizes))
        if advice := shape_in_other_order(tuple(shape)):
            report([without_place(advice)])
        return shape


def read_settings(ctx: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """`--set name=value`, each name once."""
    settings: dict[str, str] = {}
    for text in values:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise click.BadParameter(f"'{text}' is not NAME=VALUE, as in up=bilinear.", ctx, option)
        if name in settings:
            raise click.BadParameter(f"'{name}' is given twice.", ctx, option)
        settings[name] = value
    return settings


def read_weights_path(ctx: click.Context, option: click.Parameter, path: Path | None) -> Path | None:
    """A file of weights to write: what its name says is what it holds.

    Raises:
        WrongEnding: it ends as a pickle, or as nothing that is read again.
    """
    if path is not None and path.suffix != WEIGHTS_ENDING:
        raise WrongEnding(str(path), (WEIGHTS_ENDING,))
    return path


def output_option(default: str = "") -> Callable[[Decorated], Decorated]:
    """`-o FILE`; `default` says which file it is else."""
    return click.option(
        "-o",
        "--output",
        metavar="FILE",
        type=click.Path(path_type=Path),
        callback=read_weights_path,
        help=f"Save the weights (safetensors).  {f'[default: {default}]' if default else ''}".rstrip(),
    )


def input_option(function: Decorated) -> Decorated:
    return click.option(
        "--input",
        "shape",
        metavar="CxHxW",
        type=ShapeType(),
        help="Shape of one image, instead of the spec's.",
    )(function)


def set_option(function: Decorated) -> Decorated:
    return click.option(
        "--set",
        "settings",
        metavar="NAME=VALUE",
        multiple=True,
        callback=read_settings,
        help="Close a choice of a space; may be given several times.",
    )(function)


def object_size_option(function: Decorated) -> Decorated:
    return click.option(
        "--object-size",
        metavar="N",
        type=click.IntRange(min=1),
        help="Width of the images' objects in pixels: advise where the network sees less.",
    )(function)
