"""What all tests share: one thread each, caches of their own, the command line as a function."""

from __future__ import annotations

import io
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.hub import empty_hub

__all__ = ["empty_hub"]

# Two tests run side by side on two cores; must be set before anything imports torch.
os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).parents[1]
_CACHE = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """The tests' caches are not the user's; workers inherit the controller's."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        config.stash[_CACHE] = Path(tempfile.mkdtemp(prefix="archdsl-tests-"))
        os.environ["XDG_CACHE_HOME"] = str(config.stash[_CACHE])


def pytest_unconfigure(config: pytest.Config) -> None:
    if _CACHE in config.stash:
        shutil.rmtree(config.stash[_CACHE], ignore_errors=True)


@pytest.fixture
def data_folder() -> Path:
    """The folder of real data sets; tests that want it are skipped where there is none."""
    folder = os.environ.get("ARCHDSL_DATA")
    if not folder:
        pytest.skip("ARCHDSL_DATA names no folder of data sets")
    return Path(folder)


class Ended(NamedTuple):
    """How a call of the command line ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def archdsl(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Ended]:
    """The command line as a function, working in the test's own folder."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str | Path, stdin: str = "") -> Ended:
        from archdsl.commands import run

        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        capfd.readouterr()
        code = run([str(argument) for argument in arguments])
        sys.stdout.flush()
        return Ended(code, *capfd.readouterr())

    return call
