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
    """What a requirement may speak of, of a network that was just elaborated."""

    assembly: Assembly

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
    def macs(self) -> int:
        return self._costs.macs

    @property
    def activations(self) -> int:
        return costs.activations(self._network)

    @property
    def depth(self) -> int:
        return costs.depth(self._network)

    @property
    def receptive_field(self) -> int:
        return receptive_field.receptive_field(self._network)

    @property
    def gridding_free(self) -> bool:
        return not gridding.gridding(self._network)
