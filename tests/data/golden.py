"""Mistakes that have no place in a text, beside the files that show how they read."""

from __future__ import annotations

import os
from pathlib import Path

from archdsl.errors import Mistake
from archdsl.errors.commands import without_place

FOLDER = Path(__file__).parents[1] / "golden" / "data"


def shown(mistake: Mistake, folder: Path | None = None) -> str:
    """A mistake as the command line shows it; `folder` is called DIR."""
    text = str(without_place(mistake))
    return text if folder is None else text.replace(str(folder), "DIR")


def assert_golden(name: str, text: str) -> None:
    path = FOLDER / f"{name}.txt"
    if os.environ.get("ARCHDSL_GOLDEN") == "write":
        path.write_text(text + "\n", "utf-8")
    assert text + "\n" == path.read_text("utf-8")
