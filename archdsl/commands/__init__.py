"""The command line: one file a command, thin, and only the one that is called is loaded."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from archdsl.commands.reports import CLOSED_PIPE, FINE, INTERRUPTED, WRONG_CALL, exit_code, report
from archdsl.errors import ArchError, Mistake, suggest
from archdsl.errors.commands import outside, without_place

NAME, COMPLETION = "archdsl", "_ARCHDSL_COMPLETE"

# The sentence stands here too, so that `--help` needs none of the commands.
COMMANDS = {
    "check": "Tell everything that is wrong with specs.",
    "explain": "Explain a code of `check`, such as E203.",
    "fmt": "Rewrite specs in the one style.",
    "compile": "Build a spec as a torch module; draw it; save it.",
    "summary": "Tell a spec's stages, shapes, parameters and multiply-adds.",
    "show": "Print what a spec is on its way from text to module.",
    "specs": "List the library's models and search spaces.",
    "match": "Scale a spec's widths until it is as large as another.",
    "train": "Train a spec on a folder of images.",
    "search": "Search a space for its best architecture.",
    "demo-data": "Write a generated data set to try things on.",
}


class LazyGroup(click.Group):
    """Commands that live in a module each, imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"archdsl.commands.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        word = args[0]
        if word.endswith(".arch"):
            ctx.fail(f"A command is missing before '{word}', as in: archdsl check {word}")
        if word not in COMMANDS and not word.startswith("-"):
            near = suggest(word, COMMANDS)
            hint = f"Did you mean '{near}'?" if near else f"Commands: {', '.join(COMMANDS)}."
            ctx.fail(f"No such command '{word}'. {hint}")
        other = args[1] if len(args) > 2 and not args[2].startswith("-") else ""
        if other in COMMANDS and not os.path.exists(other):
            ctx.fail(f"'{word}' and '{other}' are two commands. Did you mean: {NAME} {' '.join(args[1:])}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _tell_version(ctx: click.Context, option: click.Parameter, wanted: bool) -> None:
    """Tells the installed version and ends; a clone on the path alone has none."""
    if not wanted or ctx.resilient_parsing:
        return
    from importlib import metadata  # slow, and nothing else here needs it

    try:
        version = metadata.version("archdsl")
    except metadata.PackageNotFoundError:
        version = "(not installed)"
    click.echo(f"archdsl {version}")
    ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_tell_version)
def app() -> None:
    """Neural networks for images as one line of text.

    SPEC is a file, `-` for the standard input, or the name of a model or space of the library (`resnet50`).
    Exit codes: 0 fine, 1 the spec is wrong, 2 the call is wrong.
    """


def main() -> None:
    """Runs the command line and ends the process with its exit code."""
    # What a short call makes lives to its end: looking through it for garbage would cost a tenth of the call.
    gc.set_threshold(50_000, 20, 20)
    if COMPLETION in os.environ:
        app.main(prog_name=NAME, complete_var=COMPLETION)
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Runs one call and gives its exit code; what a user does wrong ends in a sentence, not a traceback."""
    try:
        # Not `app.main`, which has its own view of closed pipes and interrupts.
        with app.make_context(NAME, list(arguments)) as context:
            code = app.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as end:
        return end.exit_code
    except BrokenPipeError:
        _drop_output()  # whoever read it has gone, as with `| head`
        return CLOSED_PIPE
    except KeyboardInterrupt:
        click.echo("archdsl: interrupted", err=True)
        return INTERRUPTED
    except click.ClickException as error:
        if isinstance(error, click.NoSuchOption) and error.ctx is not None:
            error = click.UsageError(_no_option(error.option_name, error.ctx.command), error.ctx)
        error.show()
        return error.exit_code
    except ArchError as error:
        report(error.diagnostics)
        return exit_code(error.diagnostics)
    except Mistake as mistake:
        report((without_place(mistake),))
        return WRONG_CALL
    except OSError as error:
        if error.filename is None:
            _drop_output()
        report((without_place(outside(error)),))
        return WRONG_CALL
    return int(code or FINE)


def _no_option(got: str, command: click.Command) -> str:
    """That there is no such option, and which was meant; click's own guesses know no foreign words."""
    names = (name for option in command.params for name in option.opts if name.startswith("--"))
    options = {_word(name): name for name in names}
    near = suggest(_word(got), options)
    hint = f" Did you mean '{options[near]}'?" if near else ""
    return f"No such option '{got}'.{hint}"


def _word(option: str) -> str:
    return option.lstrip("-").replace("-", "_")


def _drop_output() -> None:
    """Sends what is still buffered nowhere, or the interpreter would try it again and complain at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
