"""Mutation testing: each change of the code in `mutations.toml` must make the test that it names fail.

    python -m tests.mutate [WORD ...] [--jobs N] [--timeout SECONDS]

A mutation is made in a copy of the repository, one at a time, and only its own test runs there; the
working tree stays as it is. With words, only those mutations run whose line has one of them. The exit
code is 0 if every mutation was killed.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import tomllib
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from time import monotonic
from typing import NamedTuple, NoReturn

import hypothesis
import pytest

ROOT = Path(__file__).parents[1]
LIST = ROOT / "tests" / "mutations.toml"

# What tests import and mutations never change: loaded once, and every run is a fork of this process.
HEAVY = ("lark", "networkx", "optuna", "timm", "torch", "torch.utils.flop_counter", "torchvision")

KILLED, SURVIVED, ERROR = "killed", "SURVIVED", "ERROR"
_ENDINGS = {0: SURVIVED, 1: KILLED}  # by pytest's exit code; after any other the test didn't even run
_UNTESTED = 70
_FORK = get_context("fork")


@dataclass(frozen=True)
class Mutation:
    """One change of one file, and the test that has to notice."""

    of: str  # `section 3`, `shape of conv`, `cost of conv`, `E203`
    file: str
    find: str
    replace: str
    test: str

    def __str__(self) -> str:
        return f"{self.of:<24} {self.file:<38} {self.test}"

    def apply(self, text: str) -> str:
        """The file's text with the change; raises ValueError unless there is one place for it."""
        if text.count(self.find) != 1:
            raise ValueError(f"{self.file} has {text.count(self.find)} places like {self.find!r}")
        return text.replace(self.find, self.replace)


def load(path: Path = LIST) -> tuple[Mutation, ...]:
    """The list; an entry with `each` stands for a mutation for each of these words, at `{}`."""
    entries = tomllib.loads(path.read_text("utf-8"))["mutation"]
    return tuple(mutation for entry in entries for mutation in _expanded(**entry))


def _expanded(of: str, test: str, each: Sequence[str] = ("",), **change: str) -> Iterator[Mutation]:
    for word in each:
        yield Mutation(of=of.replace("{}", word), test=test.replace("{}", word), **change)


# ---- one mutation, in a worker's own copy -----------------------------------------------------------


class Verdict(NamedTuple):
    """What became of a mutation, and what pytest wrote."""

    mutation: Mutation
    ending: str
    seconds: float
    output: str


def snapshot(parent: Path) -> Path:
    """A new folder with all files that git tracks, or would."""
    folder = Path(tempfile.mkdtemp(dir=parent))
    command = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():  # not those that were deleted since they were added
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


@contextlib.contextmanager
def applied(mutation: Mutation, folder: Path, stamp: int) -> Iterator[None]:
    """The mutation, as long as the context lasts."""
    path = folder / mutation.file
    text, times = path.read_text("utf-8"), path.stat()
    path.write_text(mutation.apply(text), "utf-8")
    # Python takes bytecode for fresh if time and size are those of the source: no version may share a time.
    os.utime(path, (stamp, stamp))
    try:
        yield
    finally:
        path.write_text(text, "utf-8")
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


class Runner:
    """Runs mutations in one copy of the repository."""

    def __init__(self, folder: Path, timeout: float) -> None:
        self.folder = folder
        self.timeout = timeout
        self.runs = 0

    def judge(self, mutation: Mutation) -> Verdict:
        self.runs += 1
        started = monotonic()
        with applied(mutation, self.folder, stamp=self.runs):
            ending, output = self.tested([mutation.test])
        return Verdict(mutation, ending, monotonic() - started, output)

    def tested(self, tests: Sequence[str]) -> tuple[str, str]:
        """How tests ended on the copy as it stands, and what pytest wrote."""
        written = self.folder.with_suffix(".txt")
        process = _FORK.Process(target=_pytest, args=(self.folder, tests, written))
        process.start()
        process.join(self.timeout)
        code = process.exitcode
        assert process.pid is not None
        with contextlib.suppress(ProcessLookupError):  # of its group: tests may have left processes
            os.killpg(process.pid, signal.SIGKILL)
        process.join()
        output = written.read_text("utf-8", "replace") if written.exists() else ""
        if code is None:
            return ERROR, f"{output}\nnot done after {self.timeout:.0f} s"
        return _ENDINGS.get(code, ERROR), output


class _Collection:
    """Notes whether tests could be collected: a mutation that breaks an import proves nothing."""

    failed = False

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self.failed |= report.failed


def _pytest(folder: Path, tests: Sequence[str], written: Path) -> NoReturn:
    """In a fork: runs tests on the folder's code, and leaves with pytest's exit code or `_UNTESTED`."""
    os.setsid()
    with written.open("wb") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
    os.chdir(folder)
    os.environ["PYTHONPATH"] = str(folder)  # an editable install would lead processes to the working tree
    os.environ.pop("ARCHDSL_GOLDEN", None)
    sys.path[:] = [str(folder), *(entry for entry in sys.path if Path(entry).resolve() != ROOT)]
    for name in [name for name in sys.modules if name.partition(".")[0] in ("archdsl", "tests")]:
        del sys.modules[name]
    code, collection = _UNTESTED, _Collection()
    try:
        import archdsl

        assert Path(archdsl.__file__).is_relative_to(folder)
        code = pytest.main(["-x", "-q", "-p", "no:cacheprovider", *tests], plugins=[collection])
    except Exception:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(_UNTESTED if collection.failed else code)


# ---- all of them ------------------------------------------------------------------------------------

_runner: Runner  # of a worker process


def _begin(original: Path, timeout: float) -> None:
    global _runner
    folder = Path(tempfile.mkdtemp(dir=original.parent))
    shutil.copytree(original, folder, dirs_exist_ok=True)
    _runner = Runner(folder, timeout)


def _judge(mutation: Mutation) -> Verdict:
    return _runner.judge(mutation)


def verdicts(mutations: Sequence[Mutation], jobs: int, original: Path, timeout: float) -> Iterator[Verdict]:
    """In the order of the mutations."""
    with ProcessPoolExecutor(jobs, _FORK, _begin, (original, timeout)) as pool:
        yield from pool.map(_judge, mutations)


def main(words: Sequence[str], jobs: int, timeout: float) -> int:
    mutations = [each for each in load() if not words or any(word in str(each) for word in words)]
    for name in HEAVY:
        importlib.import_module(name)
    # The first example that fails is enough.
    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    hypothesis.settings.register_profile("mutations", phases=phases, report_multiple_bugs=False)
    hypothesis.settings.load_profile("mutations")
    with tempfile.TemporaryDirectory(prefix="archdsl-mutations-") as temporary:
        original = snapshot(Path(temporary).resolve())
        ending, output = Runner(original, 60 * timeout).tested(sorted({each.test for each in mutations}))
        if ending != SURVIVED:
            print(output, "\nThese tests fail without a mutation.", sep="\n")
            return 1
        counts = Counter({KILLED: 0, SURVIVED: 0, ERROR: 0})
        for verdict in verdicts(mutations, jobs, original, timeout):
            counts[verdict.ending] += 1
            print(f"{verdict.ending:<9}{verdict.seconds:6.1f} s  {verdict.mutation}", flush=True)
            if verdict.ending == ERROR:
                print(verdict.output)
    print(
        f"\n{len(mutations)} mutations:", ", ".join(f"{n} {ending.lower()}" for ending, n in counts.items())
    )
    return 0 if counts[KILLED] == len(mutations) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.mutate", description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*", metavar="WORD", help="part of a mutation's line")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="mutations at a time (1)")
    parser.add_argument("--timeout", type=float, default=120, metavar="SECONDS", help="for each (120)")
    given = parser.parse_args()
    sys.exit(main(given.words, given.jobs, given.timeout))
