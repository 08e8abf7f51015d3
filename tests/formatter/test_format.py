"""The one style: what a spec looks like after `archdsl fmt`."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl.errors import ArchError
from archdsl.formatter import format_spec
from archdsl.source import Source
from tests.formatter.meaning import said

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.arch"))


def formatted(text: str) -> str:
    return format_spec(Source("a.arch", text))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_keeps_its_meaning_and_is_stable(path: Path) -> None:
    text = path.read_text("utf-8")
    once = formatted(text)
    assert said(once) == said(text)
    assert formatted(once) == once
    assert all(len(line) <= 100 for line in once.splitlines() if "#" not in line)


@pytest.mark.parametrize(
    ("rough", "smooth"),
    [
        ("conv   3x3\t64|bn|relu", "conv 3x3 64 | bn | relu"),
        ("| conv 3x3 64\n| bn", "conv 3x3 64 | bn"),
        ("conv 3x3 64 |\n  bn", "conv 3x3 64 | bn"),
        ("def f( w,k = 3, )=conv k w", "def f(w, k=3) = conv k w"),
        ("def f() = \n  relu", "def f() = relu"),
        ("def f = relu", "def f = relu"),
        ("let x=[ 1,2 , 3, ]", "let x = [1, 2, 3]"),
        ("let x={a,b 3 , ( c|d )}", "let x = {a, b 3, (c | d)}"),
        ("require  params<10M   and not  macs>=1.50G", "require params < 10M and not macs >= 1.5G"),
        ("use   \"a  b.arch\"", 'use "a  b.arch"'),
        ("about  paper=\"x\"   year=2018", 'about paper="x" year=2018'),
        ("default conv   bias=false", "default conv bias=false"),
        ("arch  1", "arch 1"),
        ("input   03x224x0224", "input 3x224x224"),
        ("encoder a?as b", "encoder a ? as b"),
        ("(a|b)*3 as x", "(a | b) * 3 as x"),
        ("concat( a , each i in 1..3(b i), dim=1 ) *2", "concat(a, each i in 1..3 (b i), dim=1) * 2"),
        ("for (k,s)in t,i in 1..2(conv k s)", "for (k, s) in t, i in 1..2 (conv k s)"),
        ("if a>1(b)else(c)", "if a > 1 (b) else (c)"),
        ("if a (b)else if c (d)", "if a (b) else if c (d)"),
        ("f 2 .. 5 : 1 k=1 .. n - 1", "f 2..5:1 k=1..n-1"),
        ("gate @x  @y{i+1}.z", "gate @x @y{i+1}.z"),
        ("encoder timm:resnet50.a1", "encoder timm:resnet50.a1"),
    ],
)  # fmt: skip
def test_blanks_stand_where_they_belong(rough: str, smooth: str) -> None:
    assert formatted(rough) == smooth + "\n"


@pytest.mark.parametrize(
    ("rough", "smooth"),
    [
        ("4 * w", "4*w"),
        ("w//2-1", "w//2-1"),
        ("len( ws ) - 1", "len(ws)-1"),
        ("- w * - 2", "-w*-2"),
        ("(a + b) * c", "(a+b)*c"),
        ("4*max(a, b)", "4*max(a, b)"),
        ("max(a, b)*4", "max(a, b) * 4"),  # for all that its form tells, a join that is repeated
        ("[s]+[1]*(n - 1)", "[s] + [1] * (n-1)"),
        ("[{a, b}]*5", "[{a, b}] * 5"),
        ("(unit)*3", "(unit) * 3"),
        ("add(f 3, id)*3", "add(f 3, id) * 3"),
        ("a if b==1 else c", "a if b == 1 else c"),
        ("(2 if w>64 else 1)*w", "(2 if w > 64 else 1)*w"),
        ("not a or b", "not a or b"),
    ],
)
def test_arithmetic_of_numbers_is_tight_and_that_of_lists_and_stages_is_not(rough: str, smooth: str) -> None:
    assert formatted(f"let x = {rough}") == f"let x = {smooth}\n"


@pytest.mark.parametrize(
    ("rough", "smooth"),
    [
        ("0.50", "0.5"),
        ("2.0", "2"),
        ("007", "7"),
        ("0.0", "0"),
        ("10M", "10M"),
        ("10.0M", "10M"),
        ("1.50G", "1.5G"),
        ("1E-03", "1e-3"),
        ("1e+3", "1e3"),
        ("10e0", "10e0"),
        ("100", "100"),
    ],
)
def test_a_number_is_written_in_one_way_and_keeps_its_unit(rough: str, smooth: str) -> None:
    assert formatted(f"let x = {rough}") == f"let x = {smooth}\n"


def test_a_long_pipeline_has_a_stage_a_line() -> None:
    stages = [
        "encoder tf_efficientnet_b0 taps=[blocks.0.0, blocks.1.0]",
        "skip plain input=true",
        "up transpose block=up_block",
        "head 1x1",
    ]
    assert formatted(" | ".join(stages)) == "\n| ".join(stages) + "\n"


def test_stages_that_the_author_keeps_on_one_line_of_a_long_pipeline_stay_there() -> None:
    text = (
        "conv 3x3 64 stride=2 as convolution_1 | bn as normalisation_1 | relu\n"
        "| conv 3x3 64 stride=2 as convolution_2 | bn as normalisation_2 | relu\n"
    )
    assert formatted(text) == text
    assert formatted(text.replace("_2 | relu", "_2\n | relu")) == text.replace("_2 | relu", "_2\n| relu")


def test_a_pipeline_over_several_lines_that_fits_on_one_is_put_there() -> None:
    assert (
        formatted("encoder resnet34\n| skip plain\n| up transpose\n")
        == "encoder resnet34 | skip plain | up transpose\n"
    )


def test_a_long_definition_starts_below_its_head() -> None:
    body = "conv 3x3 width as convolution | bn as normalisation | relu as activation"
    assert formatted(f"def block(width, stride, groups) = {body}") == (
        f"def block(width, stride, groups) =\n  {body}\n"
    )


def test_a_long_join_has_a_branch_a_line_and_its_options_on_the_last() -> None:
    branch = "conv 3x3 width stride=stride as conv1 | bn"
    rough = f"residual({branch} | relu | conv 3x3 width, shortcut=(project width), se=se) | relu"
    assert formatted(f"def f(width) = {rough}") == (
        "def f(width) =\n"
        "  residual(\n"
        f"    {branch} | relu | conv 3x3 width,\n"
        "    shortcut=(project width), se=se)\n"
        "  | relu\n"
    )  # fmt: skip


def test_long_options_of_a_stage_stand_below_it() -> None:
    text = (
        "| up {transpose, bilinear}\n"
        "    block=[{double_conv, residual_block, mbconv}] * 5\n"
        "    channels=[256, 128, 64, 32, 16, 8]\n"
    )
    assert formatted(f"encoder resnet34\n{text}") == f"encoder resnet34\n{text}"


def test_a_long_list_of_values_is_filled() -> None:
    numbers = ", ".join(str(number) for number in range(1000, 1030))
    lines = formatted(f"let x = [{numbers}]").splitlines()
    assert lines[0] == "let x = ["
    assert all(80 < len(line) <= 100 for line in lines[1:-1])
    assert lines[-1].endswith("1029]")


def test_a_long_condition_breaks_before_its_operators() -> None:
    parts = ["params < 10000000", "macs < 1000000000", "receptive_field >= 224", "activations < 100000000"]
    assert formatted("require " + " and ".join(parts)) == (
        "require params < 10000000 and macs < 1000000000 and receptive_field >= 224\n"
        "  and activations < 100000000\n"
    )


def test_what_can_not_be_broken_stays_long() -> None:
    text = f'use "{"x" * 120}.arch"\n'
    assert formatted(text) == text


def test_blank_lines_collapse_to_one_and_are_never_added() -> None:
    text = "\n\n# a\n\n\n\nlet x = 1\nlet y = 2\n  \n\t\n\nconv x y\n\n\n"
    assert formatted(text) == "# a\n\nlet x = 1\nlet y = 2\n\nconv x y\n"


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff", "  \t\n"])
def test_a_text_that_says_nothing_is_empty(text: str) -> None:
    assert formatted(text) == ""


def test_windows_line_ends_and_marks_and_tabs_go() -> None:
    assert (
        formatted("\ufeffconv\t3x3 64\r\n# a\r\n\r\n\r\nlet x = 1\r\n") == "conv 3x3 64\n# a\n\nlet x = 1\n"
    )


@pytest.mark.parametrize(
    "text", ["| input 3", "| def", "| use(a)", "| let ? as x | b", "def f = input 3 | def"]
)
def test_a_stage_called_like_a_statement_stays_a_stage(text: str) -> None:
    assert formatted(text) == text + "\n"


def test_a_pipeline_in_a_choice_keeps_its_brackets() -> None:
    text = "up block={(conv 3x3 64 | bn), mbconv expand=6, (se r=4) ?} | {a | b, c}\n"
    text = text.replace(", (se r=4) ?", "")
    assert formatted(text) == text


def test_a_spec_that_can_not_be_read_is_not_formatted() -> None:
    with pytest.raises(ArchError):
        formatted("conv 3x3 |")


def test_a_deep_text_is_formatted() -> None:
    text = "f " + "[" * 32 + "1" + "]" * 32 + "\n"
    assert formatted(text) == text
    assert formatted("let x = " + "1+" * 250 + "1").count("+") == 250
