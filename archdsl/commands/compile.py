"""`archdsl compile`: a module, a drawing, a file of weights."""

from __future__ import annotations

from pathlib import Path

import click

from archdsl.analyses.summary import abbreviated
from archdsl.api import built
from archdsl.architecture import Architecture
from archdsl.commands.architectures import architecture
from archdsl.commands.arguments import input_option, object_size_option, output_option, set_option
from archdsl.commands.reports import report
from archdsl.commands.sources import stem
from archdsl.emitters.drawing import ENDINGS, LEVELS, write
from archdsl.tensors import Shape


@click.command("compile")
@click.argument("spec", metavar="SPEC", required=False)
@click.option(
    "--render",
    metavar="[FILE]",
    is_flag=False,
    flag_value="",
    help="Draw it, as FILE's ending says (svg, png, pdf, dot).  [default: SPEC's name with .svg]",
)
@click.option(
    "--level",
    type=click.Choice(LEVELS),
    default="recipe",
    show_default=True,
    help="Draw the recipe, or every operation.",
)
@set_option
@input_option
@object_size_option
@click.option(
    "--weights", metavar="FILE", type=click.Path(path_type=Path), help="Load weights (safetensors)."
)
@output_option()
def command(
    spec: str | None,
    render: str | None,
    level: str,
    settings: dict[str, str],
    shape: Shape | None,
    object_size: int | None,
    weights: Path | None,
    output: Path | None,
) -> None:
    """Build a spec as a torch module; draw it; save it.

    Without options it tells what was built: its outputs and parameters.
    """
    spec, drawing = _sorted_out(spec, render)
    found = architecture(spec, shape=shape, settings=settings)
    if object_size is not None and (advice := found.too_small_for(object_size)):
        report([advice])
    if drawing is not None:
        _draw(found, Path(drawing or f"{stem(spec)}.svg"), level)
    if drawing is None or weights is not None or output is not None:
        _build(found, weights, output)


def _sorted_out(spec: str | None, render: str | None) -> tuple[str, str | None]:
    """The spec, and the drawing's file: empty for its default, None for no drawing.

    `--render` takes a value or none, so the word after it can be the spec: one that ends in `.arch`
    is, and any that doesn't end as a drawing where no other spec is named.
    """
    if render and (render.endswith(".arch") or (spec is None and not render.endswith(ENDINGS))):
        if spec is not None and not spec.endswith(ENDINGS):
            raise click.UsageError(f"There are two specs: '{spec}' and '{render}'.")
        spec, render = render, spec or ""
    if spec is None:
        raise click.UsageError("Missing argument 'SPEC'.")
    return spec, render


def _draw(found: Architecture, path: Path, level: str) -> None:
    drawn = write(found.network, path, title=found.name, level=level)
    click.echo(f"drawing: {drawn.path}")
    if drawn.advice is not None:
        click.echo(f"{drawn.advice}; {drawn.advice.help()}", err=True)


def _build(found: Architecture, weights: Path | None, output: Path | None) -> None:
    module = built(found, weights)
    parameters = sum(parameter.numel() for parameter in module.parameters())
    network = found.network
    click.echo(f"{found.name}: {parameters:,} parameters, {abbreviated(found.macs)} multiply-adds")
    click.echo(f"  input  {network.input}")
    for out in network.outputs:
        when = f"  in training, with loss weight {out.weight:g}" if out.training_only else ""
        click.echo(f"  {out.name}  {network.shape_of(out.value)}{when}")
    if output is not None:
        from archdsl.weights.files import save_file

        save_file(module, output, {"name": found.name, "identity": found.identity})
        click.echo(f"weights: {output}")
