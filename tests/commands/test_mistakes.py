"""Every wrong call of the command line has its answer in `tests/golden/commands`.

`ARCHDSL_GOLDEN=write pytest tests/commands/test_mistakes.py` writes them anew; read them before a commit.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from archdsl.errors import Mistake
from archdsl.errors import commands as mistakes

FOLDER = Path(__file__).parents[1] / "golden" / "commands"

SPEC = "encoder plain widths=[4, 8] | skip plain | up {transpose, bilinear} | head 1x1 out=2\n"
CALLS = {
    "a_command_mistyped": ["chek", "a.arch"],
    "a_command_unknown": ["frobnicate"],
    "a_command_forgotten": ["a.arch"],
    "two_commands": ["check", "summary", "a.arch"],
    "a_batch_for_an_image": ["summary", "a.arch", "--set=up=bilinear", "--input=1x3x64x64"],
    "no_such_file": ["check", "none.arch"],
    "nearly_a_model": ["summary", "resnet5"],
    "a_folder": ["fmt", "nets"],
    "a_file_that_cannot_be_read": ["check", "/proc/self/mem"],
    "a_picture": ["check", "picture.arch"],
    "no_folder_to_write_to": ["compile", "a.arch", "--set=up=bilinear", "--render", "none/a.svg"],
    "an_unknown_ending": ["compile", "a.arch", "--set=up=bilinear", "--render", "a.gif"],
    "two_specs": ["compile", "a.arch", "--render", "b.arch"],
    "no_spec": ["compile", "--render", "a.svg"],
    "a_shape_of_one_number": ["compile", "a.arch", "--input=512"],
    "a_shape_without_height": ["compile", "a.arch", "--input=3x0x512"],
    "a_setting_without_value": ["compile", "a.arch", "--set=up"],
    "a_setting_twice": ["compile", "a.arch", "--set=up=bilinear", "--set=up=transpose"],
    "an_unknown_choice": ["compile", "a.arch", "--set=upp=bilinear"],
    "an_unknown_option_of_a_choice": ["compile", "a.arch", "--set=up=nearest"],
    "nothing_to_fix": ["check", "--fix", "-"],
    "an_option_of_another_tool": ["train", "a.arch", "--data=nets", "--lr=0.1"],
    "no_folder_of_data": ["train", "a.arch", "--data=none"],
}


@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_call_is_answered_as_its_golden_file_has_it(archdsl, tmp_path, name):
    if name == "a_file_that_cannot_be_read" and not Path(CALLS[name][-1]).exists():
        pytest.skip("no file that the system refuses to read, even to root")
    (tmp_path / "a.arch").write_text(SPEC)
    (tmp_path / "nets").mkdir()
    (tmp_path / "picture.arch").write_bytes(b"\x89PNG\r\n\x1a\n")
    ended = archdsl(*CALLS[name])
    text = f"$ archdsl {' '.join(CALLS[name])}\n{ended.out}{ended.err}"
    golden = FOLDER / f"{name}.txt"
    if os.environ.get("ARCHDSL_GOLDEN") == "write":
        golden.write_text(text, "utf-8")
    assert ended.code == 2
    assert text == golden.read_text("utf-8")


def test_every_mistake_of_a_call_is_shown():
    shown = "\n".join(path.read_text("utf-8") for path in FOLDER.glob("*.txt"))
    classes = [
        kind
        for kind in vars(mistakes).values()
        if isinstance(kind, type) and kind.__module__ == mistakes.__name__
    ]
    of_training = {mistakes.NoSuchDevice}  # needs torch: tests/training shows it
    missing = [
        kind.__name__ for kind in classes if issubclass(kind, Mistake) and f"[{kind.code}]" not in shown
    ]
    assert missing == [kind.__name__ for kind in of_training]


def test_every_golden_file_belongs_to_a_call():
    assert {path.stem for path in FOLDER.glob("*")} == set(CALLS)
