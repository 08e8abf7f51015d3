"""Stochastic depth over a whole network: a rate that grows from block to block is known only here."""

from __future__ import annotations

from dataclasses import replace

from archdsl.network import Network
from archdsl.ops.regularisers import DropPath


def with_rates(network: Network) -> Network:
    """The network with `drop_path RATE ramp=true` worked out: RATE*i/n for the i-th of n, from 0.

    They are counted in the network's order, those that can't drop anything too, as timm does (Huang et
    al. 2016, arXiv:1603.09382).
    """
    ramps = {
        operation.path: operation.op
        for operation in network.operations
        if isinstance(operation.op, DropPath) and operation.op.ramp
    }
    rated = {path: DropPath(op.rate * i / len(ramps)) for i, (path, op) in enumerate(ramps.items())}
    operations = tuple(
        operation._replace(op=rated.get(operation.path, operation.op)) for operation in network.operations
    )
    return replace(network, operations=operations) if rated else network
