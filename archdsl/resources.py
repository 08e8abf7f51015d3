"""Finds the folders that travel with the package: `grammars/` and `specs/`.

A wheel carries them inside the package, a clone keeps them at its top. An editable install may copy
them into site-packages, where they grow stale: only the package that is running is asked, never the
path on which it was found.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def grammars() -> Path:
    """The folder of the grammars, `arch.lark` among them."""
    return _folder("grammars")


def specs() -> Path:
    """The folder of the library: definitions and models in the language itself."""
    return _folder("specs")


def collection() -> dict[str, Path]:
    """The library's models by name, then its search spaces."""
    folders = (specs() / "models", specs() / "spaces")
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.arch"))}


@cache
def _folder(name: str) -> Path:
    """Beside this file, as in a wheel, else at the top of the clone that this file belongs to."""
    inside = _PACKAGE / name
    if inside.is_dir():
        return inside
    if _is_ours(_PACKAGE.parent / "pyproject.toml"):
        return _PACKAGE.parent / name
    raise FileNotFoundError(f"the installation is incomplete: `{name}` is missing from {_PACKAGE}")


def _is_ours(project: Path) -> bool:
    """Whether a pyproject.toml is this project's, by its line: a parser would cost more than it tells."""
    try:
        return 'name = "archdsl"' in project.read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return False
