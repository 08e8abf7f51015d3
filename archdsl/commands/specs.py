"""`archdsl specs`: what the library has."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from archdsl.analyses.summary import abbreviated, aligned
from archdsl.api import collection
from archdsl.architecture import Architecture, closed
from archdsl.elaboration.program import Program
from archdsl.errors import suggest

SPACE = "search spaces"


@click.command("specs")
@click.argument("words", nargs=-1)
@click.option("--task", help="Only those of a task: `classification`, `segmentation`, ...")
@click.option("--json", "as_json", is_flag=True, help="The same for programs.")
def command(words: tuple[str, ...], task: str | None, as_json: bool) -> None:
    """List the library's models and search spaces.

    WORDS choose those whose name, family, task or paper has all of them. Parameters are those of training,
    at the spec's own input; a model with published weights tells whose they are. Multiply-adds are unknown
    where timm builds a part: they are counted in a graph, and of such a part there is none.

    With --json, a space has `members`, and the figures of its `smallest` and its `largest`: the members with
    fewest and with most parameters that changing one choice after the other finds.
    """
    specs = collection()
    chosen = {path: program for path, program in specs.items() if _is_meant(path, program, words, task)}
    if not chosen:
        raise click.UsageError(_nothing(specs, words, task))
    if as_json:
        told = [_facts(path, program, ends=True) for path, program in chosen.items()]
        click.echo(json.dumps(told, indent=2))
        return
    found = [_facts(path, program) for path, program in chosen.items()]
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    click.echo("\n".join(_lines(found, width)))


# ---- choosing ------------------------------------------------------------------------------------


def _is_meant(path: Path, program: Program, words: Iterable[str], task: str | None) -> bool:
    if task is not None and program.about.get("task") != task:
        return False
    said = " ".join(_searched(path, program)).lower()
    return all(word.lower() in said for word in words)


def _searched(path: Path, program: Program) -> tuple[str, ...]:
    about = program.about
    return path.stem, *(str(about[fact]) for fact in ("family", "task", "title", "paper") if fact in about)


def _nothing(specs: dict[Path, Program], words: Sequence[str], task: str | None) -> str:
    """Why nothing was found, and what was probably meant."""
    tasks = sorted({str(program.about["task"]) for program in specs.values() if "task" in program.about})
    if task is not None and task not in tasks:
        near = suggest(task, tasks)
        return f"No spec is for '{task}'. " + (
            f"Did you mean '{near}'?" if near else f"Tasks: {', '.join(tasks)}."
        )
    known = {text for path, program in specs.items() for text in _searched(path, program)}
    nears = (suggest(word, known) for word in words)
    near = next(filter(None, nears), None)
    return f"No spec has '{' '.join(words)}'." + (f" Did you mean '{near}'?" if near else "")


# ---- facts ---------------------------------------------------------------------------------------


def _facts(path: Path, program: Program, *, ends: bool = False) -> dict[str, Any]:
    """What is listed of one spec; a space has members, and its `ends`, in place of figures of its own."""
    made = closed(path.stem, program, {})
    about = program.about
    facts: dict[str, Any] = {
        "name": path.stem,
        "path": str(path),
        "task": about.get("task"),
        "family": about.get("family"),
        "input": str(program.input),
        "parameters": None,
        "macs": None,
        "year": about.get("year"),
        "paper": about.get("paper"),
    }
    if isinstance(made, Architecture):
        facts |= _figures(made)
        if made.inference_params != made.params:
            facts["parameters_inference"] = made.inference_params
    else:
        facts["members"] = made.count()
        if ends:
            smallest, largest = made.extremes
            facts |= {"smallest": _figures(smallest), "largest": _figures(largest)}
    if "weights" in about:
        facts["weights"] = about["weights"]
    return facts


def _figures(made: Architecture) -> dict[str, int | None]:
    return {"parameters": made.params, "macs": made.macs}


# ---- the table -----------------------------------------------------------------------------------

COLUMNS = ("name", "family", "input", "parameters", "multiply-adds", "year", "paper", "weights")
NUMBERS = ("parameters", "multiply-adds", "year")

# What a narrow terminal does without, the first of them first.
DISPENSABLE = ("multiply-adds", "year", "input", "paper", "family", "weights")


def _lines(found: Sequence[dict[str, Any]], width: int | None) -> list[str]:
    """A part for each task and one for spaces, in each the specs by family."""
    parts: dict[str, list[dict[str, Any]]] = {}
    for facts in sorted(found, key=_place):
        parts.setdefault(_part(facts), []).append(facts)
    rows = [COLUMNS, *(_cells(facts) for part in parts.values() for facts in part)]
    head, *lines = _fitting(rows, width)
    told = [head, "─" * max(map(len, (head, *lines)))]
    for title, part in parts.items():
        told += [f"{title} ({len(part)})", *(lines.pop(0) for _ in part)]
    return told


def _part(facts: dict[str, Any]) -> str:
    return SPACE if "members" in facts else str(facts["task"])


def _place(facts: dict[str, Any]) -> tuple[Any, ...]:
    """Spaces last; within a family by name, numbers in names as numbers."""
    parts = re.split("([0-9]+)", facts["name"])
    name = [int(part) if part.isdigit() else part for part in parts]
    return "members" in facts, _part(facts), str(facts["family"] or ""), name


def _cells(facts: dict[str, Any]) -> tuple[str, ...]:
    if "members" in facts:
        size, macs = f"{facts['members']:,} members", ""
    else:
        size, macs = f"{facts['parameters']:,}", abbreviated(facts["macs"])
    library = str(facts.get("weights", "")).partition(":")[0]
    year, family, paper = (str(facts[key] or "") for key in ("year", "family", "paper"))
    return facts["name"], family, facts["input"], size, macs, year, paper, library


def _fitting(rows: Sequence[tuple[str, ...]], width: int | None) -> list[str]:
    """The rows as lines no wider than the terminal, with as many columns as that leaves room for."""
    columns = list(COLUMNS)
    for dropped in (*DISPENSABLE, ""):
        kept = [COLUMNS.index(name) for name in columns]
        numbers = [place for place, name in enumerate(columns) if name in NUMBERS]
        lines = aligned(
            [[f"  {row[0]}", *(row[column] for column in kept[1:])] for row in rows], numbers=numbers
        )
        if width is None or max(map(len, lines)) <= width or not dropped:
            break
        columns.remove(dropped)
    return lines
