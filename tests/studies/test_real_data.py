"""A small study of real microscopy, from one command to a winner that trains to the same score."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

SPACE = """\
let classes = 3

encoder plain widths=[{4, 8}, 8, 16]
| {skip plain, skip nested depth=2}
| up {transpose, bilinear}
| head 1x1 out=classes

require macs < 60M
"""


def test_nuclei_are_searched_and_the_winner_trains_to_the_same_score(
    archdsl: Callable[..., tuple[int, str, str]], data_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "small.arch").write_text(SPACE)
    recipe = (
        f"--data={data_folder / 'nuclei-fluo'}",
        "--epochs=1",
        "--size=64",
        "--threads=1",
        "--device=cpu",
    )
    code, out, err = archdsl("search", "small.arch", "--trials", "3", *recipe)
    assert (code, "3 of 3 trials are done" in out) == (0, True), err
    text = (tmp_path / "runs/small/winner.arch").read_text()
    (score,) = re.findall(r"^# score: (\S+)", text, re.MULTILINE)
    assert re.search(r"^input 1x64x64$", text, re.MULTILINE)
    assert re.search(r"^let classes = 2$", text, re.MULTILINE)
    code, out, err = archdsl("train", "runs/small/winner.arch", *recipe)
    assert (code, f"score {score} " in out) == (0, True), err
