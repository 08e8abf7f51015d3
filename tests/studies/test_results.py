"""Results are read only if they are whole and the candidate's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl.studies.results import TrialResult, read_result, write_result
from archdsl.studies.trials import COMPLETE
from archdsl.training import Epoch


def test_a_result_comes_back_as_it_was_written(tmp_path: Path) -> None:
    result = TrialResult("abc", COMPLETE, 0.1 + 0.2, (Epoch(1, 0.7, 0.1 + 0.2, 1.5),), device="cpu")
    write_result(tmp_path / "result.json", result)
    assert read_result(tmp_path / "result.json", "abc") == result
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]


@pytest.mark.parametrize(
    "torn",
    [
        '{"identity": "',
        "[]",
        "{}",
        '{"identity": "abc", "epochs": [{}]}',
        "",
        '{"identity": "abc", "epochs": 3}',
        "\0",
    ],
)
def test_what_is_no_whole_result_is_none(tmp_path: Path, torn: str) -> None:
    (tmp_path / "result.json").write_text(torn)
    assert read_result(tmp_path / "result.json", "abc") is None
    assert read_result(tmp_path / "missing.json", "abc") is None


def test_the_result_of_another_candidate_is_none(tmp_path: Path) -> None:
    write_result(tmp_path / "result.json", TrialResult("abc", COMPLETE, 0.5))
    assert read_result(tmp_path / "result.json", "abd") is None
