"""Frozen dataclasses whose methods are shared instead of generated.

The standard decorator writes and compiles methods for every class, about a millisecond each, and the
trees, operations and mistakes of this package are two hundred classes that `archdsl check` loads before
it reads a spec. Here the decorator only collects the fields; `dataclasses.fields` and `replace` work.
"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, dataclass_transform

_NONE_GIVEN = dataclasses.MISSING


def collect(cls: type) -> dict[str, Any]:
    """Makes a class's annotations its fields, without any generated method; the fields and their defaults."""
    if cls.__doc__ is None:
        cls.__doc__ = " "  # else dataclasses would work out a signature to say there
    dataclasses.dataclass(init=False, repr=False, eq=False)(cls)
    return {field.name: field.default for field in dataclasses.fields(cls)}


def fill(record: Any, defaults: dict[str, Any], values: tuple[Any, ...], named: dict[str, Any]) -> None:
    """What a generated `__init__` does: each field from its place, its name or its default."""
    given = dict(zip(defaults, values, strict=False))
    if len(values) > len(defaults) or named.keys() & given.keys() or named.keys() - defaults.keys():
        raise TypeError(f"the fields of {type(record).__name__} are {', '.join(defaults)}")
    for name, value in {**defaults, **given, **named}.items():
        if value is _NONE_GIVEN:
            raise TypeError(f"{type(record).__name__} needs {name}")
        object.__setattr__(record, name, value)


@dataclass_transform(eq_default=False, frozen_default=True)
class Record:
    """A frozen record; subclasses write their fields as annotations. Records compare by identity."""

    _defaults: ClassVar[dict[str, Any]]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._defaults = collect(cls)

    def __init__(self, *values: Any, **named: Any) -> None:
        fill(self, self._defaults, values, named)

    def __setattr__(self, name: str, value: Any) -> None:
        raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> None:
        raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")

    def __repr__(self) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{n}={getattr(self, n)!r}' for n in self._defaults)})"


class Value(Record):
    """A record that equals another of its class with equal fields."""

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._told() == other._told()

    def __hash__(self) -> int:
        return hash((type(self), self._told()))

    def _told(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self._defaults)
