"""Expressions: exact numbers, lists, functions; what has no value is a mistake at its place."""

from __future__ import annotations

import pytest

from tests.elaboration.specs import architecture, codes, shapes

WIDTHS = [
    ("7 // 2", 3),
    ("-7 // 2 + 10", 6),
    ("7 % 3", 1),
    ("10 - 4 - 3", 3),
    ("1 + 2 * 3", 7),
    ("(1 + 2) * 3", 9),
    ("2 - -3", 5),
    ("0.1 * 3 * 10", 3),
    ("1 / 3 * 9", 3),
    ("7.5 // 2", 3),
    ("0.002K", 2),
    ("1e1", 10),
    ("round(2.5)", 3),
    ("round(3.4)", 3),
    ("floor(2.7)", 2),
    ("ceil(2.1)", 3),
    ("pow(2, 5)", 32),
    ("pow(2, -1) * 4", 2),
    ("round8(30)", 32),
    ("round8(20)", 24),
    ("round8(11)", 16),
    ("round8(4)", 8),
    ("round_to(30, 16)", 32),
    ("round_to(7, 16)", 16),
    ("round_to(40, 16)", 48),
    ("round_to(192, 56)", 168),
    ("round_to(192, 56, 0.9)", 224),
    ("round_to(192, 56, 0.875)", 168),
    ("min(3, 2)", 2),
    ("max([1, 5, 2])", 5),
    ("sum([1, 5, 2])", 8),
    ("sum(1, 5)", 6),
    ("1 + sum([])", 1),
    ("len([1, 2, 3])", 3),
    ("at([4, 5], 1)", 5),
    ("len(take([1, 2, 3], 2))", 2),
    ("at(reversed([4, 5]), 0)", 5),
    ("len([1] * 3 + [2])", 4),
    ("3 if 2 > 1 and not false else 4", 3),
    ("3 if 1 > 2 or false else 4", 4),
    ("@in + 1", 4),
    ("stride(@in)", 1),
    ("area(3x5)", 15),
    ("area(2x3x4)", 24),
    ("area(3)", 9),
]


@pytest.mark.parametrize(("text", "width"), WIDTHS, ids=[text for text, _ in WIDTHS])
def test_a_number_is_what_arithmetic_says(text: str, width: int) -> None:
    assert architecture(f"input 3x32x32\nconv 1 out={text}").network.operations[0].shape.channels == width


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("0.1 + 0.2 == 0.3", True),
        ("1 / 3 * 3 == 1", True),
        ("3 == 3.0", True),
        ("none == none", True),
        ("1 == true", False),
        ("[1, 2] == [1, 2]", True),
        ("3x3 == 3x3", True),
        ("bn == bn", True),
        ("bn == gn", False),
        ("a == a", True),
        ("a != b", True),
        ("2 <= 2", True),
        ("2 < 2", False),
    ],
)
def test_a_comparison_is_exact(text: str, holds: bool) -> None:
    assert (shapes(f"input 3x32x32\nif {text} (conv 1 8) else (conv 1 4)") == ["8x32x32"]) == holds


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1 / 0", "E120"),
        ("at([1, 2], 2)", "E120"),
        ("take([1], 2)", "E120"),
        ("min()", "E120"),
        ("sum()", "E120"),
        ("len(3)", "E120"),
        ("pow(2, 0.5)", "E120"),
        ("round_to(30, 0)", "E120"),
        ("round_to(30)", "E120"),
        ("round_to(30, 8, 1.1)", "E120"),
        ("round_to(30, 8, 1, 1)", "E120"),
        ("bn + 1", "E120"),
        ("1 / 3", "E108"),
        ("foo(3)", "E118"),
        ("[1] * 1001", "E412"),
        ("pow(10, 18) * 10", "E413"),
        ("width", "E107"),
    ],
)
def test_what_has_no_value_is_a_mistake(text: str, code: str) -> None:
    assert codes(f"input 3x32x32\nconv 1 out={text}") == [code]


def test_a_table_gives_a_row_a_turn() -> None:
    assert shapes("input 3x32x32\nfor (k, w) in [[3, 4], [5, 6]] (conv k w)") == ["4x32x32", "6x32x32"]
    assert codes("for (k, w) in [[3, 4], [5]] (conv k w)") == ["E108"]


def test_lists_in_step_have_one_length_and_a_scalar_serves_all_turns() -> None:
    assert shapes("input 3x32x32\nfor w in [4, 5], d in 2 (conv 3 w dilation=d)") == ["4x32x32", "5x32x32"]
    assert codes("for w in [4, 5], d in [1, 2, 5] (conv 3 w dilation=d)") == ["E121"]


@pytest.mark.parametrize(
    ("values", "widths"),
    [
        ("1..3", [1, 2, 3]),
        ("3..1:-1", [3, 2, 1]),
        ("7..1:-3", [7, 4, 1]),
        ("1..6:2", [1, 3, 5]),
        ("1..2:-1", []),
    ],
)
def test_a_loop_counts_upwards_or_downwards(values: str, widths: list[int]) -> None:
    text = f"input 3x8x8\nfor w in {values} (conv 1x1 w) | relu"
    assert shapes(text)[:-1] == [f"{width}x8x8" for width in widths]


@pytest.mark.parametrize(
    ("text", "code"),
    [("for w in 1..3:0 (conv 1x1 w)", "E305"), ("conv 1x1 8..4:-1", "E304"), ("conv 1x1 4..8:-1", "E305")],
)
def test_a_range_has_a_step_that_leads_on(text: str, code: str) -> None:
    assert codes(f"input 3x8x8\n{text}") == [code]
