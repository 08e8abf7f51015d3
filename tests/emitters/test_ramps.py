"""Rates of stochastic depth that grow through a network."""

from __future__ import annotations

import pytest

import archdsl
from archdsl.emitters.ramps import with_rates
from archdsl.network import Network
from archdsl.ops.regularisers import DropPath


def rates(spec: str) -> list[float]:
    found = archdsl.load(spec)
    assert isinstance(found, archdsl.Architecture)
    return rates_of(with_rates(found.network))


def rates_of(network: Network) -> list[float]:
    return [operation.op.rate for operation in network.operations if isinstance(operation.op, DropPath)]


def test_the_rate_of_block_i_of_n_is_i_nths_of_the_last() -> None:
    body = "conv 3x3 3 | drop_path 0.4 ramp=true"
    assert rates(f"residual({body}) * 4") == pytest.approx([0, 0.1, 0.2, 0.3])


def test_a_block_that_drops_its_sum_can_not_be_left_out_but_counts() -> None:
    spec = "for w in [3, 8, 8, 8] (residual(conv 3x3 w | drop_path 0.4 ramp=true, shortcut=none))"
    assert rates(spec) == pytest.approx([0, 0, 0.2, 0.3])


def test_a_rate_without_a_ramp_stays_and_does_not_count() -> None:
    steep, flat = "drop_path 0.4 ramp=true", "drop_path 0.3"
    assert rates(f"{steep} | {flat} | {steep}") == pytest.approx([0, 0.3, 0.2])


def test_a_path_that_is_shared_has_one_rate() -> None:
    spec = "(conv 3x3 3 | drop_path 0.4 ramp=true) as a | share a | drop_path 0.4 ramp=true"
    assert rates(spec) == pytest.approx([0, 0, 0.2])


def test_a_network_without_a_ramp_is_the_same_network() -> None:
    found = archdsl.load("conv 3x3 3 | drop_path 0.3")
    assert isinstance(found, archdsl.Architecture)
    assert with_rates(found.network) is found.network
