"""`require`: constraints that are decided without tensors, but for what is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import Any, Protocol

from archdsl.errors import ArchError, Diagnostic
from archdsl.errors.spaces import BadRequirement, OpaqueFigure, Unmet
from archdsl.errors.specs import UnknownFact
from archdsl.formatter import format_node
from archdsl.syntax import Binary, Expression, Name, Number, Paren, Require, Unary, walk


class Figures(Protocol):
    """What a requirement may speak of; None is what is not known."""

    @property
    def params(self) -> int: ...
    @property
    def macs(self) -> int | None: ...
    @property
    def activations(self) -> int | None: ...
    @property
    def receptive_field(self) -> int | None: ...
    @property
    def depth(self) -> int | None: ...
    @property
    def gridding_free(self) -> bool | None: ...
    @property
    def latency(self) -> float | None:
        """Milliseconds; None where it was not measured."""


FIGURES: dict[str, Callable[[Figures], Any]] = {
    "params": lambda found: found.params,
    "macs": lambda found: found.macs,
    "activations": lambda found: found.activations,
    "receptive_field": lambda found: found.receptive_field,
    "depth": lambda found: found.depth,
    "gridding_free": lambda found: found.gridding_free,
    "latency": lambda found: found.latency,
}

# Figures that need a device. Parts of a requirement that speak of them are open until they were measured.
MEASURED = frozenset({"latency"})

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}

ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: Fraction(a) / Fraction(b),
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
}


def holds(requirement: Require, figures: Figures) -> bool:
    """Whether an architecture meets a requirement, as far as that can be told.

    Raises ArchError where it is no condition.
    """
    return all(_truth(part, figures) for part in conditions(requirement) if not _is_open(part, figures))


def measured(requirements: Iterable[Require]) -> tuple[Name, ...]:
    """Where requirements speak of figures that need a device."""
    return tuple(
        node
        for requirement in requirements
        for node in walk(requirement)
        if isinstance(node, Name) and node.name in MEASURED
    )


def _is_open(condition: Expression, figures: Figures) -> bool:
    """Whether it speaks of a figure that was not measured yet."""
    return any(
        isinstance(node, Name) and node.name in MEASURED and FIGURES[node.name](figures) is None
        for node in walk(condition)
    )


def conditions(requirement: Require) -> tuple[Expression, ...]:
    """The parts of a requirement that `and` joins, for messages and counts."""
    found: list[Expression] = []
    stack: list[Expression] = [requirement.condition]
    while stack:
        node = stack.pop()
        if isinstance(node, Binary) and node.operator == "and":
            stack += [node.right, node.left]
        else:
            found.append(node)
    return tuple(found)


def unknown(requirements: Iterable[Require], figures: Figures) -> Iterator[Diagnostic]:
    """A mistake for each figure that requirements speak of and that is not known of a network."""
    for requirement in requirements:
        for node in walk(requirement.condition):
            if not isinstance(node, Name) or node.name in MEASURED:
                continue
            if node.name in FIGURES and FIGURES[node.name](figures) is None:
                yield OpaqueFigure(node.name).at(node.span)


def told(condition: Expression, figures: Figures) -> str:
    """The figures that a condition speaks of, as text: `params = 12,345,678`."""
    names: list[str] = []
    stack: list[Expression] = [condition]
    while stack:
        node = stack.pop()
        if isinstance(node, Name) and node.name in FIGURES:
            names.append(node.name)
        elif isinstance(node, Binary):
            stack += [node.right, node.left]
        elif isinstance(node, Unary):
            stack.append(node.operand)
        elif isinstance(node, Paren):
            stack.append(node.inner)
    values = ((name, FIGURES[name](figures)) for name in dict.fromkeys(names))
    return ", ".join(
        f"{name} = {value:,}" if not isinstance(value, bool) else f"not {name}" for name, value in values
    )


def broken(requirements: Iterable[Require], figures: Figures) -> list[Expression]:
    """The conditions that a network breaks; raises ArchError where one is no condition."""
    found: list[Expression] = []
    for requirement in requirements:
        if not holds(requirement, figures):
            parts = conditions(requirement)
            found += [
                part for part in parts if len(parts) == 1 or not holds(Require(part.span, part), figures)
            ]
    return found


def unmet(requirements: Iterable[Require], figures: Figures) -> tuple[Diagnostic, ...]:
    """A mistake for each condition that a network breaks."""
    return tuple(
        Unmet(format_node(part), told(part, figures)).at(part.span) for part in broken(requirements, figures)
    )


def _truth(node: Expression, figures: Figures) -> bool:
    match node:
        case Paren():
            return _truth(node.inner, figures)
        case Unary(operator="not"):
            return not _truth(node.operand, figures)
        case Binary(operator="and"):
            return _truth(node.left, figures) and _truth(node.right, figures)
        case Binary(operator="or"):
            return _truth(node.left, figures) or _truth(node.right, figures)
        case Binary(operator=operator) if operator in COMPARISONS:
            return COMPARISONS[operator](_number(node.left, figures), _number(node.right, figures))
        case Name():
            value = _figure(node, figures)
            if isinstance(value, bool):
                return value
    raise ArchError(BadRequirement(f"`{node.span.text}`").at(node.span))


def _number(node: Expression, figures: Figures) -> Any:
    match node:
        case Number():
            return node.value
        case Paren():
            return _number(node.inner, figures)
        case Unary(operator="-"):
            return -_number(node.operand, figures)
        case Binary(operator=operator) if operator in ARITHMETIC:
            try:
                return ARITHMETIC[operator](_number(node.left, figures), _number(node.right, figures))
            except ZeroDivisionError:
                raise ArchError(BadRequirement("a division by zero").at(node.span)) from None
        case Name():
            value = _figure(node, figures)
            if not isinstance(value, bool):
                return value
    raise ArchError(BadRequirement(f"`{node.span.text}`").at(node.span))


def _figure(node: Name, figures: Figures) -> Any:
    if node.name not in FIGURES:
        raise ArchError(UnknownFact("figure to require", node.name, tuple(FIGURES)).at(node.span))
    value = FIGURES[node.name](figures)
    if value is None:
        raise ArchError(OpaqueFigure(node.name).at(node.span))
    return value
