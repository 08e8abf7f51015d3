"""The tables of docs/language.md say what the code says: arguments, bounds, defaults, names, limits."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest

import archdsl
from archdsl import resources
from archdsl.analyses.requirements import FIGURES
from archdsl.blocks import MAX_OPERATIONS
from archdsl.elaboration.arithmetic import FUNCTIONS, MAX_LIST, MAX_NESTED, MAX_NUMBER
from archdsl.elaboration.context import MAX_CALLS, MAX_STEPS
from archdsl.elaboration.joins import PLACES
from archdsl.elaboration.program import FACTS
from archdsl.errors import advice
from archdsl.op import Dims, Flag, Int, MapRef, Padding, Real, Word, arguments
from archdsl.ops import OPERATIONS
from archdsl.parser import parse
from archdsl.parser.reading import Limits
from archdsl.source import Source
from archdsl.stage import Gate, Paths, PerLevel, PerLevelValue, StageName, Tag
from archdsl.stages import STAGES
from archdsl.syntax import Define
from archdsl.vocabulary import JOINS
from tests.docs.pages import page, quoted, rows, section
from tests.docs.test_blocks import modules

NAME = "language.md"

# ---- operations --------------------------------------------------------------------------------------


def told(kind: Any) -> str:
    """What an argument takes."""
    match kind:
        case Int() | Real():
            return f"{kind.low:g} to {kind.high:g}" if kind.high is not None else bounded(kind)
        case Flag():
            return "true, false"
        case Dims():
            return "size" if kind.low == 1 else f"size, {kind.low} or more"
        case Word(options=options):
            return ", ".join(options)
        case Padding():
            return "symmetric, same, size"
        case MapRef():
            return "map"
    raise AssertionError(kind)


def bounded(kind: Int | Real) -> str:
    word = "whole" if isinstance(kind, Int) else "number"
    return word if kind.low is None else f"{word}, {kind.low:g} or more"


def argument(name: str, field: dataclasses.Field[Any], needed: bool) -> str:
    """`stride=1` (size)."""
    kind = field.metadata["kind"]
    if needed or field.default is None:
        return f"`{name}` ({told(kind)}{'' if needed else '; optional'})"
    default = str(field.default).lower() if isinstance(field.default, bool) else plain(field.default)
    return f"`{name}={default}`" if isinstance(kind, Flag) else f"`{name}={default}` ({told(kind)})"


def plain(value: Any) -> str:
    return f"{value:g}".replace("e-0", "e-") if isinstance(value, float) else str(value)


def signature(word: str) -> str:
    """The arguments of an operation as the table has them; initial weights stand in the text below it."""
    op = OPERATIONS[word]
    maps = op.maps[: op.inputs[0] - 1]
    found = (
        argument(name, field, field.default is dataclasses.MISSING or name in maps)
        for name, field in arguments(op).items()
    )
    return ", ".join(text.replace(f" ({INITIAL})", "") for text in found)


INITIAL = ", ".join(arguments(OPERATIONS["conv"])["init"].metadata["kind"].options)


def test_every_operation_stands_in_the_table_with_its_arguments() -> None:
    table = rows(section(NAME, "4."), "operation", "arguments", "what it does")
    assert {row[0]: row[1] for row in table} == {
        f"`{word}`": signature(word) for word in OPERATIONS if word not in JOINS
    }


def test_all_initial_weights_are_told() -> None:
    text = section(NAME, "4.").split("(`init=`)")[1].split("\n\n")[0]
    assert set(INITIAL.split(", ")) <= set(quoted(text))


# ---- recipe stages -----------------------------------------------------------------------------------


def taken(kind: Any) -> str:
    """What an argument of a recipe stage takes."""
    match kind:
        case PerLevel(kind=inner):
            return f"{taken(inner)}; per level"
        case Gate():
            return "a gate, or `none`"
        case Paths():
            return "a list of module paths"
        case Tag():
            return "a word"
        case Flag():
            return "`true` or `false`"
        case Word(options=options):
            return ", ".join(f"`{option}`" for option in options)
        case StageName():
            return name_taken(kind)
        case Int() | Real():
            return told(kind).removeprefix("whole, ")
    raise AssertionError(kind)


def name_taken(kind: StageName) -> str:
    words = ["a size such as `1x1`"] if kind.sizes else []
    words += ["a model of timm"] if kind.timm else []
    words += ["`none`"] if kind.optional and "none" not in kind.own and kind.rest else []
    words += [f"`{word}`" for word in kind.own]
    if kind.closed:
        return ", ".join(words)
    return ", ".join([*words, "a definition, or a pipeline in brackets"] if words else ["a definition"])


def default_of(field: dataclasses.Field[Any]) -> str:
    value = field.default
    if value is dataclasses.MISSING:
        return "needed"
    if isinstance(value, PerLevelValue):
        (value,) = value.values
    if value is None:
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`" if isinstance(value, str) else f"{value:g}"


# Defaults that a stage works out for itself, and what the table says of some more.
WORKED_OUT = {
    "depth": "all levels",
    "channels": "by stride",
    "block": "`double_conv`",
    "skip gate": "`attention_gate`",
    "skip channels": "64",
    "skip block": "`single_conv`",
}


@pytest.mark.parametrize("word", STAGES)
def test_every_argument_of_a_recipe_stage_stands_in_its_table(word: str) -> None:
    title = next(line for line in page(NAME).splitlines() if line.startswith(f"### `{word} NAME"))
    table = rows(section(NAME, title.removeprefix("### ")), "argument", "takes", "default", "what for")
    fields = arguments(STAGES[word])
    assert [row[0] for row in table] == [f"`{name}`" for name in fields]
    for name, takes, default, purpose in table:
        field = fields[name.strip("`")]
        assert takes.startswith(taken(field.metadata["kind"]).removesuffix("; per level")), name
        assert takes.endswith("; per level") == isinstance(field.metadata["kind"], PerLevel), name
        option = name.strip("`")
        worked_out = WORKED_OUT.get(f"{word} {option}", WORKED_OUT.get(option))
        assert default in (default_of(field), worked_out), name
        assert purpose


# ---- the library -------------------------------------------------------------------------------------


def library() -> dict[str, str]:
    """Its definitions as they are written: `double_conv(width, dilation=1)`."""
    found = {}
    for path in (*resources.specs().glob("blocks/*.arch"), *resources.specs().glob("encoders/*.arch")):
        spec = parse(Source(path.name, path.read_text(encoding="utf-8")))
        for statement in spec.statements:
            if isinstance(statement, Define) and not statement.name.startswith("_"):
                written = ", ".join(parameter.span.text for parameter in statement.parameters or ())
                found[statement.name] = f"{statement.name}({written})" if written else statement.name
    return found


def test_the_whole_library_is_listed() -> None:
    table = rows(section(NAME, "4."), "definition", "what it is")
    listed = [text for row in table for cell in row for text in series(cell)]
    assert set(library().values()) <= set(listed)
    assert {text for row in table for text in quoted(row[0])} <= set(library().values())


def series(cell: str) -> list[str]:
    """What is quoted, `a0` to `a7` written out."""
    found = quoted(cell)
    for first, last in re.findall(r"`(\w+)` to `(\w+)`", cell):
        found += [f"{first[:-1]}{number}" for number in range(int(first[-1]), int(last[-1]) + 1)]
    return found


# ---- words -------------------------------------------------------------------------------------------


def test_every_function_stands_in_the_table() -> None:
    table = rows(section(NAME, "5."), "function", "gives")
    assert {text.split("(")[0] for row in table for text in quoted(row[0])} == set(FUNCTIONS)


def test_every_join_stands_in_the_table() -> None:
    forms = [text for row in rows(section(NAME, "6."), "form", "what it makes") for text in quoted(row[0])]
    assert {form.split("(")[0] for form in forms if re.match(r"[a-z]+\(", form)} == set(JOINS)


def test_every_place_of_a_gate_stands_in_the_table() -> None:
    table = rows(section(NAME, "9."), "`se=`", "where")
    assert [row[0] for row in table] == [f"`{place}`" for place in PLACES]


def test_every_figure_stands_in_the_table() -> None:
    table = rows(section(NAME, "10."), "figure", "what it is")
    assert [row[0] for row in table] == [f"`{figure}`" for figure in FIGURES]


def test_every_advice_on_a_spec_stands_in_the_table() -> None:
    table = rows(section(NAME, "8."), "code", "says")
    members = [member for member in vars(advice).values() if isinstance(member, type)]
    codes = sorted(member.code for member in members if hasattr(member, "code"))
    assert [row[0] for row in table] == [f"`{code}`" for code in codes]


def test_every_fact_is_named() -> None:
    (row,) = [row for row in rows(section(NAME, "8."), "statement", "says") if row[0].startswith("`about")]
    assert quoted(row[1]) == list(FACTS)


# ---- what tables say of specs ------------------------------------------------------------------------

PATHS = [(row[1], row[2]) for row in rows(section(NAME, "7."), "rule", "example", "paths")]
CHOICES = rows(section(NAME, "10."), "spec", "choices")


@pytest.mark.parametrize(("example", "paths"), PATHS, ids=[example for example, _ in PATHS])
def test_a_path_of_the_table_is_that_of_the_module(example: str, paths: str) -> None:
    (text,) = quoted(example)
    assert modules(archdsl.load(f"input 3x32x32\n{text}")) == ", ".join(quoted(paths))  # type: ignore[arg-type]


@pytest.mark.parametrize(("example", "names"), CHOICES, ids=[example for example, _ in CHOICES])
def test_a_choice_of_the_table_has_that_name(example: str, names: str) -> None:
    (text,) = quoted(example)
    found = archdsl.load(f"input 3x32x32\n{text}")
    assert sorted(choice.name for choice in found.choices) == sorted(quoted(names))  # type: ignore[union-attr]


def test_the_limits_are_those_of_the_code() -> None:
    table = dict(rows(section(NAME, "12."), "what", "at most"))
    assert table == {
        "text of a file": f"{Limits().size:,} bytes",
        "brackets inside one another": str(Limits().brackets),
        "calls inside one another": str(MAX_CALLS),
        "items of a list, turns of a loop": f"{MAX_LIST:,}",
        "values of a list with those of the lists inside it": f"{MAX_NESTED:,}",
        "repeats of a group": "1,000",
        "operations": f"{MAX_OPERATIONS:,}",
        "stages gone through": f"{MAX_STEPS:,}",
        "a number": f"10^{len(str(MAX_NUMBER)) - 1}",
    }
    assert [d.code for d in archdsl.check("(relu) * 1001")] == ["E108"]
    assert archdsl.check("(relu) * 1000") == ()
