"""`archdsl summary`: the table of a network."""

from __future__ import annotations

import json

import click

from archdsl.analyses.summary import summarise
from archdsl.commands.architectures import architecture
from archdsl.commands.arguments import input_option, object_size_option, set_option
from archdsl.commands.reports import report
from archdsl.tensors import Shape


@click.command("summary")
@click.argument("spec")
@click.option("--json", "as_json", is_flag=True, help="The same for programs.")
@click.option(
    "--depth",
    type=click.IntRange(min=1),
    help="How many levels of stages to show.  [default: 2 where they fit a screen]",
)
@set_option
@input_option
@object_size_option
def command(
    spec: str,
    as_json: bool,
    depth: int | None,
    settings: dict[str, str],
    shape: Shape | None,
    object_size: int | None,
) -> None:
    """Tell a spec's stages, shapes, parameters and multiply-adds.

    Parameters are trainable ones; multiply-adds are those of one image in inference.
    """
    found = architecture(spec, shape=shape, settings=settings)
    if object_size is not None and (advice := found.too_small_for(object_size)):
        report([advice])
    summary = summarise(found.network, depth)
    facts = {
        "activations": found.activations,
        "depth": found.depth,
        "receptive_field": found.receptive_field,
        "identity": found.identity,
    }
    if as_json:
        click.echo(json.dumps({"name": found.name} | summary.as_dict() | facts, indent=2))
        return
    click.echo(f"{found.name}: {summary.input} → {', '.join(str(shape) for _, shape in summary.outputs)}\n")
    click.echo(str(summary))
