"""Every block of the documentation is what it says: right, in the one style, or exactly that mistake."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

import archdsl
from archdsl.architecture import Architecture, Space
from archdsl.errors import Severity
from archdsl.formatter import format_spec
from archdsl.op import Call
from archdsl.source import Source
from tests.docs.pages import Block, blocks, claims

SPECS = [block for block in blocks("arch") if not block.code]
MISTAKES = [block for block in blocks("arch") if block.code]
PYTHON = blocks("python")
CLAIMED = [(block, claim) for block in SPECS for claim in claims(block)]


def errors(text: str) -> list[str]:
    return [found.code for found in archdsl.check(text) if found.severity is Severity.ERROR]


@pytest.mark.parametrize("block", SPECS, ids=str)
def test_a_block_is_right_and_its_own_formatting(block: Block) -> None:
    assert errors(block.text) == []
    assert format_spec(Source(str(block), block.text)) == block.text


@pytest.mark.parametrize("block", MISTAKES, ids=str)
def test_a_block_marked_with_a_code_is_that_mistake_and_no_other(block: Block) -> None:
    assert set(errors(block.text)) == {block.code}


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_a_block_of_python_runs(block: Block) -> None:
    subprocess.run([sys.executable, "-c", block.text], check=True)


# ---- what comments claim -----------------------------------------------------------------------------


@pytest.mark.parametrize(("block", "claim"), CLAIMED, ids=[f"{b}-{c}" for b, c in CLAIMED])
def test_a_comment_that_claims_a_fact_is_true(block: Block, claim: str) -> None:
    found: Any = archdsl.load(block.text)
    for pattern, fact in FACTS.items():
        told = re.fullmatch(pattern, claim)
        if told is not None:
            assert fact(found) == told[1]


def params(found: Architecture) -> str:
    return f"{found.params:,}"


def gives(found: Architecture) -> str:
    network = found.network
    return ", ".join(str(network.shape_of(o.value)) for o in network.outputs if not o.training_only)


def modules(found: Architecture) -> str:
    """Paths of what has a module, each once."""
    operations = found.network.operations
    shapes = found.network.shape_of
    made = (o for o in operations if not isinstance(o.op.torch(tuple(map(shapes, o.inputs))), Call))
    return ", ".join(dict.fromkeys(operation.path for operation in made))


def outputs(found: Architecture) -> str:
    return ", ".join(output.name for output in found.network.outputs)


def choices(found: Space) -> str:
    return ", ".join(choice.name for choice in found.choices)


FACTS: dict[str, Callable[[Any], str]] = {
    r"([\d,]+) parameters": params,
    r"gives (.+)": gives,
    r"modules: (.+)": modules,
    r"outputs: (.+)": outputs,
    r"choices: (.+)": choices,
    r"(\d+) members": lambda found: str(found.count()),
}


def test_the_documentation_claims_facts_of_every_kind() -> None:
    for pattern in FACTS:
        assert any(re.fullmatch(pattern, claim) for _, claim in CLAIMED), pattern
