"""The table of a network: which rows it has, what they count."""

from __future__ import annotations

from fractions import Fraction

import pytest

from archdsl.analyses.summary import MOST_ROWS, abbreviated, summarise
from archdsl.network import Network, Operation, Output, Scope
from archdsl.op import Op
from archdsl.ops import OPERATIONS
from archdsl.source import Source
from archdsl.tensors import Shape

PLACE = Source("a.arch", "conv 3x3 8\n").span(0, 4)
IMAGE = Shape(3, 32, 32)


class Built:
    """Collects operations, each on the value before it unless told otherwise."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.scopes: list[Scope] = []

    def add(self, path: str, op: Op, *inputs: int) -> int:
        values = inputs or (len(self.operations),)
        shapes = tuple(self.operations[value - 1].shape if value else IMAGE for value in values)
        self.operations.append(Operation(op, values, op.shape(shapes), Fraction(1), path, PLACE))
        return len(self.operations)

    def network(self, *training: int) -> Network:
        outputs = [Output("out", len(self.operations) - len(training))]
        outputs += [Output(f"aux{value}", value, training_only=True) for value in training]
        return Network(IMAGE, tuple(self.operations), tuple(outputs), tuple(self.scopes))


def conv(out: int, **keywords: object) -> Op:
    return OPERATIONS["conv"](**{"kernel": (3, 3), "out": out} | keywords)  # type: ignore[arg-type]


def relu() -> Op:
    return OPERATIONS["relu"]()


def test_a_stage_counts_all_that_lies_in_it():
    built = Built()
    built.add("encoder.conv1", conv(8))
    built.add("encoder.conv2", conv(4))
    built.add("head", conv(2))
    rows = {row.path: row for row in summarise(built.network()).rows}
    first, second, head = 3 * 8 * 9 + 8, 8 * 4 * 9 + 4, 4 * 2 * 9 + 2
    assert rows["encoder"].params == first + second
    assert rows["encoder"].shape == Shape(4, 32, 32)
    assert rows["encoder.conv1"].params == first
    assert (rows["encoder"].level, rows["encoder.conv1"].level) == (0, 1)
    assert rows["head"].macs == 4 * 2 * 9 * 32 * 32
    assert summarise(built.network()).params == first + second + head


def test_a_module_used_twice_has_its_parameters_once_and_its_work_twice():
    built = Built()
    built.add("same", conv(3))
    built.add("same", conv(3))
    (row,) = summarise(built.network()).rows
    assert row.params == 3 * 3 * 9 + 3
    assert row.macs == 2 * 3 * 3 * 9 * 32 * 32


def test_what_exists_in_training_only_has_parameters_and_no_work():
    built = Built()
    built.add("body", conv(4))
    built.add("aux", conv(2), 1)
    summary = summarise(built.network(2))
    rows = {row.path: row for row in summary.rows}
    assert rows["aux"].params == 4 * 2 * 9 + 2
    assert rows["aux"].macs == 0
    assert summary.macs == rows["body"].macs
    assert [name for name, _ in summary.outputs] == ["out"]


def test_a_join_belongs_to_the_innermost_stage_around_it():
    built = Built()
    built.add("block.a", conv(4))
    built.add("block.b", conv(4), 0)
    built.add("", OPERATIONS["concat"](), 1, 2)
    built.scopes = [Scope("block", "pair", 0, 3)]
    row = summarise(built.network()).rows[0]
    assert (row.path, row.word, row.shape) == ("block", "pair", Shape(8, 32, 32))


def test_operations_that_neither_cost_nor_resize_have_no_row():
    built = Built()
    built.add("conv", conv(4))
    built.add("act", relu())
    assert [row.path for row in summarise(built.network()).rows] == ["conv"]


def test_a_stage_of_one_part_is_not_shown_twice():
    built = Built()
    built.add("head.0", conv(4))
    assert [row.path for row in summarise(built.network()).rows] == ["head"]


def test_numbered_lists_of_lists_show_what_they_number():
    built = Built()
    for block in range(2):
        for turn in range(2):
            built.add(f"blocks.{block}.{turn}.conv", conv(4))
    assert [row.path for row in summarise(built.network(), depth=1).rows] == ["blocks.0", "blocks.1"]


def test_stages_are_opened_only_where_the_table_fits_a_screen():
    built = Built()
    for stage in range(2):
        for number in range(MOST_ROWS):
            built.add(f"stage{stage}.conv{number}", conv(3))
    assert [row.path for row in summarise(built.network()).rows] == ["stage0", "stage1"]
    assert len(summarise(built.network(), depth=2).rows) == 2 + 2 * MOST_ROWS


def test_what_lies_deeper_than_two_levels_is_for_those_who_ask():
    built = Built()
    for name in ("conv1", "conv2"):
        for block in ("a", "b"):
            built.add(f"body.{block}.{name}", conv(3))
    assert max(row.level for row in summarise(built.network()).rows) == 1
    assert max(row.level for row in summarise(built.network(), depth=3).rows) == 2


def test_the_table_has_a_line_for_each_row_and_a_total():
    built = Built()
    built.add("body.conv", conv(8))
    built.add("body.act", relu())
    built.add("head", conv(2))
    summary = summarise(built.network())
    heads, _, body, inner, head, _, total = str(summary).splitlines()
    assert heads.split()[:2] == ["stage", "output"]
    assert body.split()[0] == "body"
    assert inner.startswith("  conv ")
    assert head.split() == ["head", "conv", "2x32x32", "146", "39.5", "%", "147K", "40.0", "%"]
    assert total.split()[:2] == ["total", f"{summary.params:,}"]


def test_the_shares_of_the_outermost_stages_add_up_to_one():
    built = Built()
    for name in ("a", "b", "c"):
        built.add(name, conv(5))
    stages = summarise(built.network()).as_dict()["stages"]
    assert sum(stage["macs_share"] for stage in stages) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (999, "999"), (1_000, "1K"), (385_800_000, "386M"), (999_600, "1M"), (1_824_000_000, "1.82G")],
)
def test_counts_are_told_with_three_digits(number, text):
    assert abbreviated(number) == text
