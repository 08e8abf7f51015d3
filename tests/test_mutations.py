"""The list of mutations: each still has its place and its test, and none of what it must cover is missing."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from archdsl import errors
from archdsl.errors import Mistake
from archdsl.ops import OPERATIONS
from tests.mutate import ERROR, KILLED, ROOT, SURVIVED, Mutation, Runner, load

MUTATIONS = load()


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.of)
def test_a_mutation_has_one_place_and_leaves_a_program(mutation: Mutation) -> None:
    text = (ROOT / mutation.file).read_text("utf-8")
    changed = mutation.apply(text)
    assert changed != text
    if mutation.file.endswith(".py"):
        ast.parse(changed)


@pytest.mark.parametrize("test", sorted({mutation.test for mutation in MUTATIONS}))
def test_the_test_of_a_mutation_exists(test: str) -> None:
    file, _, name = test.partition("::")
    text = (ROOT / file).read_text("utf-8")
    function = name.partition("[")[0]
    assert function in {
        "",
        *(node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)),
    }


def test_every_section_rule_and_code_has_a_mutation() -> None:
    wanted = {*sections(), *codes()}
    wanted |= {f"{rule} of {word}" for word in OPERATIONS for rule in ("shape", "cost")}
    assert {mutation.of for mutation in MUTATIONS} == wanted


@pytest.mark.parametrize(
    ("changed", "ending"),
    [("VALUE = 2", KILLED), ("VALUE = 2 - 1", SURVIVED), ("import nowhere", ERROR), ("exit(1)", ERROR)],
)
def test_a_mutation_is_killed_by_a_test_that_ran_and_failed(
    tmp_path: Path, changed: str, ending: str
) -> None:
    file, test = tmp_path / "archdsl" / "__init__.py", tmp_path / "test_it.py"
    file.parent.mkdir()
    file.write_text("VALUE = 1\n")
    test.write_text("def test_it():\n    import archdsl\n    assert archdsl.VALUE == 1\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    mutation = Mutation("E000", "archdsl/__init__.py", "VALUE = 1", changed, "test_it.py")
    assert Runner(tmp_path, timeout=60).judge(mutation).ending == ending
    assert file.read_text() == "VALUE = 1\n"


def sections() -> Iterator[str]:
    text = (ROOT / "docs" / "language.md").read_text("utf-8")
    return (f"section {number}" for number in re.findall(r"^## (\d+)", text, re.MULTILINE))


def codes() -> Iterator[str]:
    for module in pkgutil.walk_packages(errors.__path__, "archdsl.errors."):
        for member in vars(importlib.import_module(module.name)).values():
            if isinstance(member, type) and issubclass(member, Mistake) and hasattr(member, "code"):
                yield member.code
