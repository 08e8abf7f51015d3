"""What flows, taken apart and put together again in other numbers."""

from __future__ import annotations

from typing import Any

from archdsl.blocks import Block, Builder
from archdsl.elaboration.arithmetic import is_list
from archdsl.elaboration.context import Trail
from archdsl.elaboration.values import UNKNOWN, Given, Muted, Partial, Uncacheable, Value
from archdsl.stage import Map, Pyramid
from archdsl.tensors import per_pixel


def level_strides(pyramid: Pyramid) -> tuple[str, ...]:
    return tuple(per_pixel(level.stride) for level in pyramid.maps)


def flow_maps(flow: Any) -> tuple[Map, ...]:
    return (flow,) if isinstance(flow, Map) else tuple(flow.maps)


def maps_in(value: Value) -> list[Map]:
    """Maps inside a value, in order."""
    if isinstance(value, Map):
        return [value]
    if isinstance(value, Pyramid):
        return list(value.maps)
    if isinstance(value, Partial):
        found = []
        for given in (*value.positional, *value.keywords.values(), *value.defaults.values()):
            found += maps_in(given.value)
        return found
    if is_list(value):
        return [found for item in value for found in maps_in(item)]
    return []


class Localiser:
    """Renumbers the values that a call reads, in the order in which `_signature` lists them."""

    def __init__(self) -> None:
        self.shapes: list[Any] = []
        self.strides: list[Any] = []

    def moved(self, value: Value) -> Any:
        if isinstance(value, Map):
            self.shapes.append(value.shape)
            self.strides.append(value.stride)
            return Map(len(self.shapes) - 1, value.shape, value.stride)
        if isinstance(value, Pyramid):
            return Pyramid(tuple(self.moved(level) for level in value.maps))
        if isinstance(value, Partial):
            if not maps_in(value):
                return value
            return value.but(
                positional=tuple(Given(self.moved(g.value), g.span) for g in value.positional),
                keywords={n: Given(self.moved(g.value), g.span) for n, g in value.keywords.items()},
                defaults={n: Given(self.moved(g.value), g.span) for n, g in value.defaults.items()},
            )
        if is_list(value):
            return tuple(self.moved(item) for item in value)
        return value


def finished(builder: Builder, flow: Any, trail: Trail | None) -> Block:
    """A builder's block, with what flows out of it."""
    if flow is UNKNOWN:
        raise Muted
    if not isinstance(flow, Map | Pyramid):
        raise Uncacheable
    outputs = tuple(dict.fromkeys(level.value for level in flow_maps(flow)))
    levels = tuple(level.value for level in trail.values) if trail is not None else ()
    return builder.block(outputs, levels, flow)


def rebuilt(flow: Any, moved: dict[int, int]) -> Any:
    """What flows out of a block, in the numbers of where it was placed."""
    if isinstance(flow, Map):
        return Map(moved[flow.value], flow.shape, flow.stride)
    return Pyramid(tuple(rebuilt(level, moved) for level in flow.maps))
