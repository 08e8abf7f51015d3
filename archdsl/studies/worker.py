"""The process that trains candidates: `python -m archdsl.studies.worker`.

It is told what to do through its standard input, loads the data once and never opens the study's history. A
result is on the disk before anyone is told of it.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import traceback
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import IO, Any

from torch import nn

from archdsl import api
from archdsl.analyses.requirements import broken, measured, told
from archdsl.data import Data, describe, load
from archdsl.errors import ArchError, Mistake
from archdsl.errors.commands import Unwritable
from archdsl.files import write_atomically
from archdsl.formatter import format_node
from archdsl.source import Source
from archdsl.studies.candidates import identity_of
from archdsl.studies.executor import Report
from archdsl.studies.folder import StudyFolder, TrialFolder
from archdsl.studies.results import TrialResult, read_latencies, write_result
from archdsl.studies.trials import COMPLETE, FAILED, PRUNED
from archdsl.tensors import Shape
from archdsl.training import Epoch, Outcome, Recipe, train
from archdsl.training.latency import latency
from archdsl.training.loop import chosen_device
from archdsl.weights.files import save_file

_PR_SET_PDEATHSIG = 1


class Channel:
    """Lines of JSON from and to the supervisor; when it is gone, so is this process."""

    def __init__(self, incoming: IO[bytes], outgoing: IO[bytes]) -> None:
        self._lines: SimpleQueue[bytes] = SimpleQueue()
        self._outgoing = outgoing
        Thread(target=self._listen, args=(incoming,), daemon=True).start()

    def _listen(self, incoming: IO[bytes]) -> None:
        for line in incoming:
            self._lines.put(line)
        os._exit(0)

    def receive(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self._lines.get())
        return message

    def send(self, **message: object) -> None:
        self._outgoing.write(json.dumps(message).encode() + b"\n")
        self._outgoing.flush()


@dataclass(frozen=True)
class Bench:
    """What is the same for all candidates: the data in memory, the recipe, the device.

    A candidate uses what its `space` uses, from the same folder.
    """

    data: Data
    recipe: Recipe
    device: str
    space: str = "candidate"

    def architecture(self, text: str, identity: str) -> api.Architecture:
        """A candidate, checked."""
        description = self.data.description
        shape = Shape(description.channels, self.recipe.size, self.recipe.size)
        architecture = api.load(Source(self.space, text), input=shape, classes=description.classes)
        assert isinstance(architecture, api.Architecture), "a candidate is closed"
        # A study that trained something else than it proposed would look well and mean nothing.
        assert identity_of(architecture) == identity, "the candidate's text makes another network"
        return architecture

    def refusal(self, architecture: api.Architecture, latencies: Path) -> str:
        """What was measured of a candidate that is too slow, and the requirement; empty for others."""
        if not measured(architecture.requirements):
            return ""
        place = chosen_device(self.device)
        key = f"{architecture.identity} {place}"
        known = read_latencies(latencies)
        if key not in known:
            module = architecture.to_torch(inference=True)
            known[key] = latency(module, architecture.input, place, self.recipe.threads)
            write_atomically(latencies, json.dumps(known, indent=1).encode())
        architecture.latency = known[key]
        return "; ".join(
            f"{told(part, architecture)}, not {format_node(part)}"
            for part in broken(architecture.requirements, architecture)
        )

    def train(self, architecture: api.Architecture, report: Report) -> tuple[nn.Module, Outcome]:
        """Build and train a candidate, as `archdsl train` does, to the same bits."""
        return train(lambda: api.built(architecture), self.data, self.recipe, self.device, report)


def main() -> None:
    """Train what comes, until the supervisor ends or a candidate broke something."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel = Channel(sys.stdin.buffer, _private_output())
    setup = channel.receive()
    _die_with(setup["parent"])
    try:
        recipe, device = Recipe(**setup["recipe"]), setup["device"]
        description = describe(Path(setup["data"]))
        # A worker that takes the place of one that died reads the data again, perhaps days later.
        StudyFolder(Path(setup["study"])).keep_data(description)
        data = load(description, recipe.size).on(chosen_device(device))
        bench = Bench(data, recipe, device, setup["space"])
        while _work(bench, channel.receive(), channel):
            channel.send(done=True)
        channel.send(done=False)
    except Exception as error:
        traceback.print_exc()
        channel.send(broken=_told(error))


def _work(bench: Bench, job: dict[str, Any], channel: Channel) -> bool:
    """Train one candidate, unless it is too slow, and write down what came of it.

    Gives whether this process may train another.

    Raises:
        Unwritable: the result cannot be written.
    """
    folder = TrialFolder(Path(job["folder"]))

    def report(epoch: Epoch) -> bool:
        channel.send(epoch=asdict(epoch))
        return bool(channel.receive()["stop"])

    try:
        architecture = bench.architecture(job["text"], job["identity"])
        if reason := bench.refusal(architecture, folder.latencies):
            write_result(folder.result, TrialResult(job["identity"], PRUNED, None, reason=reason))
            return True
        module, outcome = bench.train(architecture, report)
    except Unwritable:  # no fault of the candidate's
        raise
    except Exception as error:
        traceback.print_exc()
        write_result(folder.result, TrialResult(job["identity"], FAILED, None, reason=_told(error)))
        # Memory that is not given back, or a device that is lost, would fail the next one too.
        return isinstance(error, ArchError | Mistake)
    if outcome.failure:
        state = FAILED
    elif outcome.stopped:
        state = PRUNED
    else:
        state = COMPLETE
        save_file(module, folder.weights, {"identity": job["identity"], "score": repr(outcome.score)})
    score = None if state == FAILED else outcome.score
    result = TrialResult(job["identity"], state, score, outcome.epochs, outcome.failure, outcome.device)
    write_result(folder.result, result)
    return True


def _told(error: Exception) -> str:
    """An error in a sentence: ours as it is, others with their kind."""
    if isinstance(error, ArchError):
        return error.diagnostics[0].message
    words = str(error).strip().split("\n")[0]
    return words if isinstance(error, Mistake) else f"{type(error).__name__}: {words}"


def _private_output() -> IO[bytes]:
    """The pipe to the supervisor; whatever else prints, prints into the log."""
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return pipe


def _die_with(parent: int) -> None:
    """Linux kills this process when its parent dies, also while it computes; elsewhere the pipe tells."""
    if sys.platform != "linux":
        return
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before this
        os._exit(0)


if __name__ == "__main__":
    main()
