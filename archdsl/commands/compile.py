"""`archdsl compile`: a module, a drawing, a file of weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from archdsl.analyses.summary import abbreviated
from archdsl.api import Architecture
from archdsl.commands.arguments import input_option, set_option
from archdsl.commands.architectures import architecture
from archdsl.commands.specs import stem
from archdsl.tensors import Shape

if TYPE_CHECKING:
    from torch.nn import Module

ENDINGS = (".svg", ".png", ".pdf", ".dot")


@click.command("compile")
@click.argument("spec", required=False)
@click.option(
    "--render",
    metavar="[FILE]",
    is_flag=False,
    flag_value="",
    help="Draw it; the format is the file's ending: svg, png, pdf, dot.  [default: SPEC's name with .svg]",
)
@click.option(
    "--level",
    type=click.Choice(["recipe", "full"]),
    default="recipe",
    show_default=True,
    help="Draw the recipe's grid, or every operation.",
)
@set_option
@input_option
@click.option("--weights", metavar="FILE", help="Load weights of one's own (safetensors).")
@click.option("-o", "--output", metavar="FILE", help="Save the module's weights (safetensors).")
def command(
    spec: str | None,
    render: str | None,
    level: str,
    settings: dict[str, str],
    shape: Shape | None,
    weights: str | None,
    output: str | None,
) -> None:
    """Build a spec as a torch module; draw it; save it.

    Without options it tells what was built.
    """
    spec, drawing = _sorted_out(spec, render)
    found = architecture(spec, shape=shape, settings=settings)
    if drawing is not None:
        _draw(found, Path(drawing or f"{stem(spec)}.svg"), level)
    if output is not None or weights is not None or drawing is None:
        module = found.to_torch()
        _tell(found, module)


def _sorted_out(spec: str | None, render: str | None) -> tuple[str, str | None]:
    """The spec, and the drawing's file, empty for its default.

    `--render` takes a value or none, so `--render a.arch` could mean either: what ends in .arch is
    the spec, and what ends as a drawing does is the drawing.
    """
    if render and (spec is None or render.endswith(".arch")) and not render.endswith(ENDINGS):
        if spec is not None and not spec.endswith(ENDINGS):
            raise click.UsageError(f"Two specs: '{spec}' and '{render}'.")
        spec, render = render, spec or ""
    if spec is None:
        raise click.UsageError("Missing argument 'SPEC'.")
    return spec, render
