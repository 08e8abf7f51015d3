"""Requirements that a device decides: open until something was measured."""

from __future__ import annotations

import pytest

import archdsl
from archdsl.analyses.requirements import broken, holds, measured
from archdsl.formatter import format_node

PIPELINE = "conv 3x3 8 | relu | head 1x1 out=2"


def loaded(condition: str) -> archdsl.Architecture:
    found = archdsl.load(f"require {condition}\n\n{PIPELINE}")
    assert isinstance(found, archdsl.Architecture)
    return found


@pytest.mark.parametrize(
    ("condition", "fast", "slow"),
    [
        ("latency < 5", [], ["latency < 5"]),
        ("params < 1M and latency < 5", [], ["latency < 5"]),
        ("latency*2 < 10 or depth > 5", [], ["latency*2 < 10 or depth > 5"]),
        ("latency > 1 and not latency > 5", [], ["not latency > 5"]),
        ("params < 1M", [], []),
    ],
)
def test_a_latency_is_required_once_it_was_measured(condition: str, fast: list[str], slow: list[str]) -> None:
    found = loaded(condition)
    for latency, wanted in ((None, []), (4.25, fast), (5.5, slow)):
        found.latency = latency
        assert list(map(format_node, broken(found.requirements, found))) == wanted
        assert all(holds(requirement, found) for requirement in found.requirements) == (not wanted)


def test_what_stands_beside_a_latency_is_decided_at_once() -> None:
    with pytest.raises(archdsl.ArchError) as caught:
        loaded("latency < 5 and params < 10")
    assert [found.code for found in caught.value.diagnostics] == ["E307"]
    assert "params < 10" in str(caught.value)
    assert "latency" not in caught.value.diagnostics[0].message


def test_only_latency_needs_a_device() -> None:
    assert [name.name for name in measured(loaded("latency < 5 and params < 1M").requirements)] == ["latency"]
    assert measured(loaded("params < 1M and gridding_free").requirements) == ()


def test_a_closed_member_keeps_what_is_required() -> None:
    space = archdsl.load("require latency < 5\n\nconv {3x3, 5x5} 8 | relu | head 1x1 out=2")
    assert isinstance(space, archdsl.Space)
    assert space.feasible(space.sample(0))
    member = archdsl.load(space.sample(0).to_text())
    assert isinstance(member, archdsl.Architecture)
    assert len(measured(member.requirements)) == 1


@pytest.mark.parametrize("condition", ["latency", "latency < gridding_free"])
def test_a_latency_is_a_number(condition: str) -> None:
    assert next(found.code for found in archdsl.check(f"require {condition}\n\n{PIPELINE}")) == "E306"
