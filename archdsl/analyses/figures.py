"""The figures of one network by name, each worked out when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from archdsl.analyses import costs, gridding, receptive_field
from archdsl.assembly import Assembly
from archdsl.network import Network
from archdsl.tensors import Cost


@dataclass(eq=False)
class NetworkFigures:
    """What a requirement may speak of, of a network that was just elaborated.

    None is what is not known, where a part is opaque.
    """

    assembly: Assembly
    latency: float | None = None

    @cached_property
    def _costs(self) -> Cost:
        return self.assembly.costs()

    @cached_property
    def _network(self) -> Network:
        return self.assembly.network()

    @property
    def params(self) -> int:
        return self._costs.params

    @property
    def macs(self) -> int | None:
        return None if self.assembly.opaque else self._costs.macs

    @property
    def activations(self) -> int | None:
        return None if self.assembly.opaque else costs.activations(self._network)

    @property
    def depth(self) -> int | None:
        return None if self.assembly.opaque else costs.depth(self._network)

    @property
    def receptive_field(self) -> int | None:
        return None if self.assembly.opaque else receptive_field.receptive_field(self._network)

    @property
    def gridding_free(self) -> bool | None:
        return None if self.assembly.opaque else not gridding.gridding(self._network)
