"""Whole studies through the command line, killed at any moment: nothing lost, nothing twice."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
TRIALS = 6
EPOCHS = 12
SPACE = """\
let classes = 2
encoder plain widths=[{4, 6, 8}, {8, 12}]
| skip plain
| up {transpose, bilinear}
| head 1x1 out=classes
require params < 100K
"""

pytestmark = pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bright squares on noise."""
    folder = tmp_path_factory.mktemp("squares")
    random = np.random.default_rng(0)
    for split, count in (("train", 6), ("val", 3)):
        (folder / split / "images").mkdir(parents=True)
        (folder / split / "masks").mkdir()
        for number in range(count):
            mask = np.zeros((32, 32), np.uint8)
            top, left = random.integers(0, 20, 2)
            mask[top : top + 12, left : left + 12] = 1
            image = random.integers(0, 160, (32, 32)) + 95 * mask
            Image.fromarray(image.astype(np.uint8)).save(folder / split / "images" / f"{number}.png")
            Image.fromarray(mask).save(folder / split / "masks" / f"{number}.png")
    return folder


class Search:
    """`archdsl search`, as a process that a test may kill."""

    def __init__(self, folder: Path, data: Path) -> None:
        self.folder = folder
        self.runs = folder / "runs" / "space"
        (folder / "space.arch").write_text(SPACE)
        options = f"--trials {TRIALS} --epochs {EPOCHS} --size 32 --batch 2 --threads 1 --device cpu"
        self.command = [sys.executable, "-m", "archdsl", "search", "space.arch", "--data", str(data)]
        self.command += options.split()
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> subprocess.Popen[str]:
        self.process = subprocess.Popen(
            self.command,
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return self.process

    def results(self) -> dict[str, float]:
        """What was finished, and when it was written down."""
        files = self.runs.glob("trials/*/result.json")
        return {path.parent.name: path.stat().st_mtime for path in files}

    def worker(self) -> int | None:
        """The process that trains now."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0]) if children else None

    def trains(self, after: int) -> bool:
        """Whether a candidate is under way, after so many were finished."""
        assert self.process is not None
        assert self.process.poll() is None, self.process.communicate()
        begun = len(list(self.runs.glob("trials/*/candidate.arch")))
        return begun > len(self.results()) >= after

    def table(self) -> list[dict[str, str]]:
        with (self.runs / "report" / "trials.csv").open() as file:
            return list(csv.DictReader(file))


@pytest.fixture
def search(tmp_path: Path, data: Path) -> Iterator[Search]:
    search = Search(tmp_path, data)
    yield search
    if search.process is not None and search.process.poll() is None:
        search.process.kill()
        search.process.wait()


def wait_until(happened: Callable[[], object]) -> None:
    """Gives up after a minute, which no machine needs."""
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def runs(process: int) -> bool:
    """Whether a process lives; one that only waits to be noticed does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def ended_well(search: Search, before: dict[str, float]) -> None:
    """Every trial ended once, and those that had ended before were not touched again."""
    process = search.process
    assert process is not None
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert "Traceback" not in err
    table = search.table()
    assert [row["state"] for row in table] == ["complete"] * TRIALS
    assert len({row["identity"] for row in table}) == TRIALS
    assert before.items() <= search.results().items()
    assert str(search.runs.relative_to(search.folder) / "winner.arch") in out


def test_a_killed_supervisor_loses_nothing_and_its_winner_trains_to_the_same_score(
    search: Search, data: Path, archdsl: Callable[..., tuple[int, str, str]]
) -> None:
    supervisor = search.start()
    wait_until(lambda: search.trains(after=2))
    worker = search.worker()
    assert worker is not None
    second = subprocess.run(search.command, cwd=search.folder, capture_output=True, text=True, check=False)
    assert (second.returncode, "is running already" in second.stderr) == (2, True)

    supervisor.kill()
    before = search.results()
    supervisor.wait()
    wait_until(lambda: not runs(worker))
    search.start()
    ended_well(search, before)

    text = (search.runs / "winner.arch").read_text()
    (options,) = re.findall(r"^# archdsl train winner.arch --data DIR (.*)$", text, re.MULTILINE)
    spec = search.runs / "winner.arch"
    code, out, err = archdsl("train", spec, "--data", data, *options.split(), "-o", "again.safetensors")
    assert (code, err) == (0, "")
    (score,) = re.findall(r"^# score: (\S+)", text, re.MULTILINE)
    assert f"score {score} " in out
    assert score == max((row["score"] for row in search.table()), key=float)
    from safetensors.torch import load_file

    first, again = load_file(search.runs / "winner.safetensors"), load_file("again.safetensors")
    assert first.keys() == again.keys()
    assert all(first[name].equal(again[name]) for name in first)


def test_a_killed_worker_is_replaced_and_a_stopped_study_goes_on(search: Search) -> None:
    supervisor = search.start()
    wait_until(lambda: search.trains(after=1))
    worker = search.worker()
    assert worker is not None
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: search.worker() not in (None, worker))
    wait_until(lambda: search.trains(after=2))
    supervisor.send_signal(signal.SIGINT)
    out, err = supervisor.communicate()
    assert (supervisor.returncode, "Traceback" in err) == (130, False)
    assert "Run the same command again to go on" in out

    before = search.results()
    search.start()
    ended_well(search, before)
    killed = [
        json.loads(attribute)
        for (attribute,) in _attributes(search.runs / "study.db", "reason")
        if "SIGKILL" in attribute
    ]
    assert len(killed) == 1


def _attributes(path: Path, key: str) -> list[tuple[str]]:
    import sqlite3

    with sqlite3.connect(path) as database:
        return database.execute(
            "select value_json from trial_user_attributes where key = ?", (key,)
        ).fetchall()
