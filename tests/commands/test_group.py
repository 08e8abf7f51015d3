"""The command line as a whole: help, exit codes, what it loads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module

import click
import pytest

from archdsl.commands import COMMANDS

HEAVY = {"torch", "networkx", "optuna", "timm", "rich", "matplotlib", "lark"}


def loaded_by(*arguments: str) -> set[str]:
    """The modules that one call of the command line imports."""
    script = (
        "import json, sys\n"
        "from archdsl.commands import run\n"
        f"run({list(arguments)!r})\n"
        "json.dump([name for name in sys.modules], sys.stderr)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(ended.stderr.splitlines()[-1]))


def test_help_names_every_command(archdsl):
    ended = archdsl("--help")
    assert ended.code == 0
    assert [line.split()[0] for line in ended.out.split("Commands:\n")[1].splitlines()] == list(COMMANDS)


def test_help_loads_no_command_and_nothing_heavy():
    modules = loaded_by("--help")
    assert not modules & HEAVY
    assert not {name for name in modules if name.startswith("archdsl.commands.")} - {
        "archdsl.commands.reports"
    }


@pytest.mark.parametrize("command", ["check", "summary", "show"])
def test_looking_at_a_spec_waits_for_nothing_heavy(command, tmp_path):
    spec = tmp_path / "a.arch"
    spec.write_text("encoder effnet_b0 | skip nested depth=4 | up transpose | head 1x1 out=2\n")
    assert not loaded_by(command, str(spec)) & HEAVY - {"lark"}


def test_formatting_waits_for_the_parser_alone(tmp_path):
    spec = tmp_path / "a.arch"
    spec.write_text("conv 3x3 8\n")
    modules = loaded_by("fmt", str(spec))
    assert not modules & HEAVY - {"lark"}
    assert not {"archdsl.elaboration", "archdsl.ops", "archdsl.api"} & modules


def test_a_wrong_spec_is_told_before_torch_is_awake(tmp_path):
    spec = tmp_path / "a.arch"
    spec.write_text("encoder efnet_b0\n")
    assert "torch" not in loaded_by("compile", str(spec))


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_starts_with_the_sentence_that_lists_it(name):
    module = import_module(f"archdsl.commands.{name.replace('-', '_')}")
    assert isinstance(module.command, click.Command)
    assert module.command.name == name
    assert module.command.help.splitlines()[0] == COMMANDS[name]


def test_a_mistyped_command_is_answered_with_the_one_that_was_meant(archdsl):
    ended = archdsl("chek", "a.arch")
    assert ended.code == 2
    assert "Did you mean 'check'?" in ended.err


def test_an_unknown_command_is_answered_with_all_there_are(archdsl):
    ended = archdsl("frobnicate")
    assert ended.code == 2
    assert ", ".join(COMMANDS) in ended.err


def test_the_version_is_that_of_the_package(archdsl):
    from importlib.metadata import version

    assert archdsl("--version").out == f"archdsl {version('archdsl')}\n"


def test_a_shell_can_complete_commands():
    environment = {"_ARCHDSL_COMPLETE": "bash_complete", "COMP_WORDS": "archdsl f", "COMP_CWORD": "1"}
    ended = subprocess.run(
        [sys.executable, "-m", "archdsl"], env=os.environ | environment, capture_output=True, text=True
    )
    assert ended.stdout == "plain,fmt\n"
