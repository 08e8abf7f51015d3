"""Trains candidates in one process on this machine, started when it is needed and again when it dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from queue import Empty, Queue
from threading import Thread
from typing import IO, Any

from archdsl.errors.commands import outside
from archdsl.errors.studies import WorkerCannotGoOn
from archdsl.studies.executor import Interrupted, Job, Report, WorkerDied
from archdsl.studies.folder import StudyFolder
from archdsl.studies.interrupts import Interrupts
from archdsl.studies.lock import Lock
from archdsl.studies.results import TrialResult, read_result
from archdsl.studies.study import Study
from archdsl.training import Epoch

_GLANCE = 0.2  # seconds between two looks at whether the study was asked to stop


class LocalExecutor:
    """One spawned process that loads the data once and trains one candidate after the other.

    Messages are lines of JSON through its standard input and output. It ends by itself when this process
    does, and holds the study's lock for as long as it lives.
    """

    def __init__(self, study: Study, folder: StudyFolder, lock: Lock, interrupts: Interrupts) -> None:
        self._study = study
        self._folder = folder
        self._lock = lock
        self._interrupts = interrupts
        self._process: subprocess.Popen[bytes] | None = None
        self._messages: Queue[dict[str, Any] | None] = Queue()

    def train(self, job: Job, report: Report) -> TrialResult:
        process = self._process or self._start()
        candidate, folder = job.candidate, job.folder.path.resolve()
        self._send(process, text=candidate.text, identity=candidate.identity, folder=str(folder))
        while True:
            match self._receive(process):
                case {"epoch": epoch}:
                    self._send(process, stop=report(Epoch(**epoch)))
                case {"broken": reason}:
                    self.close()
                    raise WorkerCannotGoOn(reason, str(self._folder.log))
                case {"done": fit_for_more}:
                    result = read_result(job.folder.result, job.candidate.identity)
                    if not fit_for_more:
                        self.close()
                    if result is None:
                        raise WorkerCannotGoOn(f"{job.folder.result} is gone", str(self._folder.log))
                    return result

    def close(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(OSError):
            _pipe(process.stdin).close()
        process.kill()
        process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        try:
            with self._folder.log.open("ab") as log:
                process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "archdsl.studies.worker"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    pass_fds=(self._lock.handle,) if os.name == "posix" else (),
                    # Ctrl-C in a terminal reaches the supervisor alone.
                    start_new_session=True,
                    env=_environment(),
                )
        except OSError as error:
            raise outside(error) from None
        self._process, self._messages = process, Queue()
        Thread(target=_listen, args=(_pipe(process.stdout), self._messages), daemon=True).start()
        self._send(
            process,
            study=str(self._folder.path),
            space=str(self._study.space),
            data=str(self._study.data),
            recipe=asdict(self._study.recipe),
            device=self._study.device,
            parent=os.getpid(),
        )
        return process

    def _send(self, process: subprocess.Popen[bytes], **message: object) -> None:
        with suppress(BrokenPipeError):  # a worker that died is noticed where its answer is awaited
            pipe = _pipe(process.stdin)
            pipe.write(json.dumps(message).encode() + b"\n")
            pipe.flush()

    def _receive(self, process: subprocess.Popen[bytes]) -> dict[str, Any]:
        while not self._interrupts.requested:
            with suppress(Empty):
                message = self._messages.get(timeout=_GLANCE)
                if message is None:
                    self._process = None
                    raise WorkerDied(_how_it_ended(process.wait()))
                return message
        raise Interrupted


def _environment() -> dict[str, str]:
    """This process's, with its import path.

    Threads that wait in a loop for one another take ten times as long where others want the cores too; on a
    quiet machine sleeping costs next to nothing.
    """
    path = os.pathsep.join(path for path in sys.path if path)
    return {"OMP_WAIT_POLICY": "PASSIVE", **os.environ, "PYTHONPATH": path}


def _listen(pipe: IO[bytes], messages: Queue[dict[str, Any] | None]) -> None:
    """Everything that a worker says, then None when it has ended."""
    for line in pipe:
        with suppress(ValueError):  # a line that was cut off by a kill
            messages.put(json.loads(line))
    messages.put(None)


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None, "the process was started with pipes"
    return pipe


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"the worker ended with exit code {code}"
    by = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    hint = ", as it does when the machine runs out of memory" if by == "SIGKILL" else ""
    return f"the worker was killed ({by}{hint})"
