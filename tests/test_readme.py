"""What the README and CONTRIBUTING say works as it stands there."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


class Step(NamedTuple):
    """A block of the tour, and what it prints where the README shows that."""

    language: str
    text: str
    output: str | None


def tour() -> list[Step]:
    """The fenced blocks of the section, in order; a `text` block is the output of the one before."""
    section = README.split("\n## Five minutes\n")[1].split("\n## ")[0]
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    steps: list[Step] = []
    for language, text in blocks:
        if language == "text":
            steps[-1] = steps[-1]._replace(output=text)
        else:
            steps.append(Step(language, text, None))
    return steps


def run(step: Step, folder: Path) -> subprocess.CompletedProcess[str]:
    commands = {"bash": ["bash", "-ec", step.text], "python": [sys.executable, "-c", step.text]}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        commands[step.language],
        cwd=folder,
        env=os.environ | {"PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=on_one_core,
    )


def on_one_core() -> None:
    """A search takes all cores that it may use, and other tests run at the same time."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {random.choice(sorted(os.sched_getaffinity(0)))})


def test_the_tour_runs_as_pasted_and_prints_what_it_shows(tmp_path):
    steps = tour()
    assert {step.language for step in steps} == {"bash", "python"}
    for step in steps:
        ended = run(step, tmp_path)
        if step.output is None:
            assert ended.returncode == 0, f"{step.text}\n{ended.stdout}"
        else:
            assert ended.stdout == step.output, step.text
    assert (tmp_path / "a.svg").exists()
    assert (tmp_path / "runs/tour/winner.safetensors").exists()


def test_the_line_of_the_readme_is_that_of_the_library():
    (line,) = {line.strip() for line in README.splitlines() if line.startswith("    encoder")}
    assert (ROOT / "specs/models/unetpp_effnet_b0.arch").read_text().splitlines()[-1] == line


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "docs/architecture.md"])
def test_every_file_that_a_document_links_or_names_exists(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", text)
    assert all(((ROOT / name).parent / link).exists() for link in links)
    named = re.findall(r"`((?:archdsl|tests|docs|specs|search|benchmarks)/[\w/.]*)`", text)
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_house_on_one_page_has_every_room():
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    inside = {
        path.name + "/" * path.is_dir() for path in (ROOT / "archdsl").iterdir() if path.name[0] not in "_."
    }
    assert {room for room in inside if f"`{room}`" not in page} == {"py.typed"}


def test_the_first_operation_of_the_guide_agrees_with_torch():
    import torch

    from archdsl.ops import activations
    from archdsl.tensors import Shape

    (block,) = re.findall(r"^ *```python\n(.*?)^ *```$", CONTRIBUTING, re.MULTILINE | re.DOTALL)
    names = dict(vars(activations))
    exec("\n".join(line.removeprefix("   ") for line in block.splitlines()), names)
    operation = names["SoftShrink"](amount=0.3)
    shape = Shape(4, 5, 6)
    recipe = operation.torch((shape,))
    module = getattr(torch.nn, recipe.target.removeprefix("torch.nn."))(**recipe.arguments)
    assert module(torch.ones(1, *shape)).shape[1:] == operation.shape((shape,))
    assert module(torch.tensor(1.0)).item() == pytest.approx(0.7)
