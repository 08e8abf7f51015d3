"""docs/commands.md names every command with every option; links and paths of the pages lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from archdsl.commands import COMMANDS, app
from archdsl.commands.reports import CLOSED_PIPE, FINE, INTERRUPTED, WRONG_CALL, WRONG_SPEC
from archdsl.studies.folder import StudyFolder
from tests.docs.pages import FOLDER, PAGES, page, quoted, rows, section

NAME = "commands.md"


def options(word: str) -> set[str]:
    """The options of a command as the command line has them."""
    command = app.get_command(click.Context(app), word)
    assert command is not None
    parameters = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    return {name for parameter in parameters for name in parameter.opts}


@pytest.mark.parametrize("word", COMMANDS)
def test_every_option_of_a_command_stands_in_its_table(word: str) -> None:
    table = rows(section(NAME, f"`archdsl {word}"), "option", "what for")
    assert {name for row in table for name in quoted(row[0])} == options(word)


def test_the_page_tells_of_no_other_command() -> None:
    assert re.findall(r"^## `archdsl ([\w-]+)", page(NAME), re.MULTILINE) == list(COMMANDS)


def test_every_exit_code_is_told() -> None:
    table = rows(section(NAME, "Exit codes"), "code", "means")
    assert [int(row[0]) for row in table] == [FINE, WRONG_SPEC, WRONG_CALL, INTERRUPTED, CLOSED_PIPE]


def test_the_files_of_a_study_are_those_of_its_folder() -> None:
    table = rows(section(NAME, "`archdsl search"), "file", "what it is")
    told = {name.rstrip("/") for row in table for name in quoted(row[0])}
    folder = StudyFolder(Path("runs/NAME"))
    parts = (folder.history, folder.log, folder.winner, folder.winner_weights, folder.report)
    assert {part.name for part in parts} <= told


@pytest.mark.parametrize("name", PAGES)
def test_what_a_page_links_or_names_exists(name: str) -> None:
    text = page(name)
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    assert [link for link in links if not (FOLDER / link).exists()] == []
    named = re.findall(r"`((?:archdsl|tests|docs|specs|search|benchmarks)/[\w/.]*)`", text)
    assert [path for path in named if not (FOLDER.parent / path).exists()] == []
    anchors = re.findall(r"\]\(#([^)]+)\)", text)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    assert set(anchors) <= {anchor(heading) for heading in headings}


def anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
