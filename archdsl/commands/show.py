"""`archdsl show`: what a spec is on its way from text to module."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from fractions import Fraction

import click

from archdsl.commands.architectures import architecture
from archdsl.commands.arguments import input_option, set_option
from archdsl.commands.sources import read
from archdsl.network import Network
from archdsl.op import Op
from archdsl.parser import parse
from archdsl.source import Span
from archdsl.syntax import Node, children
from archdsl.tensors import Shape


@click.command("show")
@click.argument("spec")
@click.option(
    "--stage",
    type=click.Choice(["tree", "graph"]),
    default="graph",
    show_default=True,
    help="The syntax tree, or the network's operations.",
)
@set_option
@input_option
def command(spec: str, stage: str, settings: dict[str, str], shape: Shape | None) -> None:
    """Print what a spec is on its way from text to module."""
    if stage == "tree":
        lines = [line for statement in parse(read(spec)).statements for line in _tree(statement, 0)]
    else:
        lines = list(_graph(architecture(spec, shape=shape, settings=settings).network))
    click.echo("\n".join(lines))


def _tree(node: Node, level: int) -> Iterator[str]:
    """A line a node: where it stands, what it is, what it says itself."""
    values = {field.name: getattr(node, field.name) for field in fields(node)}
    said = [f"{name}={_told(value)}" for name, value in values.items() if _is_plain(value)]
    place = f"{node.span.line}:{node.span.column}"
    yield f"{place:>6}  {'  ' * level}{type(node).__name__} {' '.join(said)}".rstrip()
    for child in children(node):
        yield from _tree(child, level + 1)


def _is_plain(value: object) -> bool:
    """Whether a field holds a word, a number or a size, and no node."""
    if isinstance(value, tuple) and not isinstance(value, Span):
        return bool(value) and all(isinstance(item, int | str) for item in value)
    return isinstance(value, str | int | Fraction)


def _graph(network: Network) -> Iterator[str]:
    """A line an operation: its number, what it does and reads, shape and module path of what it gives."""
    yield f"%0 = image  {network.input}"
    for number, operation in enumerate(network.operations, 1):
        inputs = ", ".join(f"%{value}" for value in operation.inputs)
        path = f"  {operation.path}" if operation.path else ""
        yield f"%{number} = {_call(operation.op)} ({inputs})  {operation.shape}{path}"
    for output in network.outputs:
        when = f"  in training, weight {output.weight:g}" if output.training_only else ""
        yield f"{output.name} = %{output.value}  {network.shape_of(output.value)}{when}"


def _call(op: Op) -> str:
    """The operation with the arguments that aren't its defaults."""
    given = [
        f"{field.name}={_told(value)}"
        for field in fields(op)
        if (value := getattr(op, field.name)) != field.default
    ]
    return " ".join([op.name, *given])


def _told(value: object) -> str:
    if isinstance(value, tuple):
        return ("x" if isinstance(value[0], int) else ",").join(map(str, value))
    return repr(value) if isinstance(value, str) else str(value)
