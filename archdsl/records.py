"""Frozen dataclasses whose methods are shared instead of generated, and whose fields are collected late.

The standard decorator writes and compiles methods for every class, about a millisecond each, and the
trees, operations and mistakes of this package are two hundred classes that `archdsl check` loads before
it reads a spec. Here a class is made a dataclass when it is first used, without any generated method;
`dataclasses.fields` and `replace` work from then on.
"""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any, dataclass_transform

_DEFAULTS = "_record_defaults"


def defaults_of(cls: type) -> dict[str, Any]:
    """The fields of a record's class with their defaults (dataclasses.MISSING where there is none)."""
    known: dict[str, Any] | None = cls.__dict__.get(_DEFAULTS)
    return _collected(cls) if known is None else known


def _collected(cls: type) -> dict[str, Any]:
    for base in cls.__mro__[-2:0:-1]:
        if inspect.get_annotations(base):
            defaults_of(base)
    if cls.__doc__ is None:
        cls.__doc__ = " "  # else dataclasses would work out a signature to say there
    dataclasses.dataclass(init=False, repr=False, eq=False)(cls)
    found = {field.name: field.default for field in dataclasses.fields(cls)}
    setattr(cls, _DEFAULTS, found)
    return found


def fill(record: object, values: tuple[Any, ...], named: dict[str, Any]) -> None:
    """What a generated `__init__` does: each field from its place, its name or its default."""
    defaults = defaults_of(type(record))
    if not values and named.keys() == defaults.keys():
        record.__dict__.update(named)
        return
    if len(values) == len(defaults) and not named:
        record.__dict__.update(zip(defaults, values, strict=True))
        return
    given = dict(zip(defaults, values, strict=False))
    if len(values) > len(defaults) or named.keys() & given.keys() or named.keys() - defaults.keys():
        raise TypeError(f"the fields of {type(record).__name__} are {', '.join(defaults)}")
    made = {**defaults, **given, **named}
    for name, value in made.items():
        if value is dataclasses.MISSING:
            raise TypeError(f"{type(record).__name__} needs {name}")
    record.__dict__.update(made)


@dataclass_transform(eq_default=False, frozen_default=True)
class Record:
    """A frozen record; subclasses write their fields as annotations. Records compare by identity."""

    def __init__(self, *values: Any, **named: Any) -> None:
        fill(self, values, named)

    def __setattr__(self, name: str, value: Any) -> None:
        raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> None:
        raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")

    def __repr__(self) -> str:
        told = (f"{name}={getattr(self, name)!r}" for name in defaults_of(type(self)))
        return f"{type(self).__qualname__}({', '.join(told)})"


class Value(Record):
    """A record that equals another of its class with equal fields."""

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and told(self) == told(other)

    def __hash__(self) -> int:
        return hash((type(self), told(self)))


def told(record: object) -> tuple[Any, ...]:
    """The values of a record's fields, in order."""
    return tuple(getattr(record, name) for name in defaults_of(type(record)))
