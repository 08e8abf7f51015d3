"""A model of timm by its name: from the table, else from the timm that is installed."""

from __future__ import annotations

from functools import cache

from archdsl.backbones import renamed
from archdsl.backbones.table import Backbone, lines, parsed
from archdsl.errors.encoders import NoFeatures
from archdsl.errors.names import UnknownBackbone


@cache
def backbone(name: str) -> Backbone:
    """What is known of a model.

    Raises:
        UnknownBackbone: neither the table nor timm has it, or it is an old name.
        NoFeatures: timm has it, but gives no maps of it.
    """
    line = lines().get(name)
    return _asked(name) if line is None else parsed(line)


def in_table(name: str) -> bool:
    return name in lines()


def _asked(name: str) -> Backbone:
    base, _, tag = name.partition(".")
    known = tuple(lines())
    if name in renamed.listed():
        raise UnknownBackbone(name, known, now=renamed.listed()[name])
    if tag:  # a name and weights of it
        raise UnknownBackbone(name, known, base if base in known else "")
    try:
        from archdsl.backbones.measuring import Unfit, measured

        if name in (later := renamed.of_timm()):  # timm would build it, with a warning of its own
            raise UnknownBackbone(name, known, now=later[name])
        return measured(name)
    except ImportError:
        raise UnknownBackbone(name, known, asked=False) from None
    except LookupError:
        raise UnknownBackbone(name, known) from None
    except Unfit as reason:
        raise NoFeatures(f"timm:{name}", str(reason).splitlines()[0]) from None
