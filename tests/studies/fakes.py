"""A space, its members and an executor whose trainings are written in the test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from archdsl.elaboration.choices import Answer, Choice, Decide
from archdsl.errors import ArchError
from archdsl.errors.commands import without_place
from archdsl.errors.spaces import EmptyRange
from archdsl.source import Source
from archdsl.studies.executor import Job, Report
from archdsl.studies.results import TrialResult, write_result
from archdsl.studies.trials import COMPLETE, FAILED, PRUNED
from archdsl.training import Epoch

NOWHERE = Source("fake.arch", " ").span(0, 1)


def categorical(name: str, *options: str) -> Choice:
    return Choice(name, "categorical", options, NOWHERE)


@dataclass(frozen=True)
class FakeArchitecture:
    """What was decided; `alias` makes members with other decisions the same network."""

    choices: Mapping[str, str]
    identity: str

    @property
    def weights(self) -> Mapping[str, str]:
        return {"encoder": self.choices["weights"]} if "weights" in self.choices else {}

    @property
    def params(self) -> int:
        return 1000 + 100 * len(self.identity)

    @property
    def macs(self) -> int:
        return 1_000_000 * (1 + sum(map(ord, self.identity)) % 97)

    def to_text(self) -> str:
        return f"conv 1x1 8  # {self.identity}\n"


@dataclass(frozen=True)
class FakeSpace:
    """Choices in order; `conditional` ones are asked where an option is taken.

    Attributes:
        broken: the requirements that decisions break.
        same: the identity of decisions; by default all of them make a difference.
        impossible: decisions that make no network.
    """

    choices: Sequence[Choice]
    conditional: Mapping[tuple[str, str], Sequence[Choice]] = field(default_factory=dict)
    broken: Callable[[Mapping[str, str]], tuple[str, ...]] = lambda decided: ()
    same: Callable[[Mapping[str, str]], str] = lambda decided: str(sorted(decided.items()))
    impossible: Callable[[Mapping[str, str]], bool] = lambda decided: False
    members: int | None = None

    def count(self) -> int:
        if self.members is not None:
            return self.members
        total = 1
        for choice in self.choices:
            total *= sum(
                max(1, sum(len(inner.options) for inner in self.conditional.get((choice.name, option), ())))
                for option in choice.options
            )
        return total

    def decide(self, decide: Decide) -> FakeArchitecture:
        decided: dict[str, str] = {}
        waiting = list(self.choices)
        while waiting:
            choice = waiting.pop(0)
            answer: Answer = decide(choice)
            decided[choice.name] = str(answer)
            waiting += self.conditional.get((choice.name, str(answer)), ())
        if self.impossible(decided):
            raise ArchError(without_place(EmptyRange("2", "1")))
        return FakeArchitecture(decided, self.same(decided))

    def violations(self, architecture: FakeArchitecture) -> tuple[str, ...]:
        return self.broken(architecture.choices)


Curve = Sequence[float]


class ScriptedExecutor:
    """Trains nothing: gives the epochs' scores that the test has written for a candidate.

    `script` may also raise what an executor may raise, give a sentence for a training that failed, or the
    result of a candidate that was not trained.
    """

    def __init__(self, script: Callable[[Job], Curve | str | TrialResult]) -> None:
        self._script = script
        self.trained: list[str] = []
        self.closed = False

    def train(self, job: Job, report: Report) -> TrialResult:
        self.trained.append(job.candidate.identity)
        script = self._script(job)
        if isinstance(script, str):
            script = TrialResult(job.candidate.identity, FAILED, None, reason=script)
        if isinstance(script, TrialResult):
            write_result(job.folder.result, script)
            return script
        epochs: list[Epoch] = []
        state = COMPLETE
        for number, score in enumerate(script, 1):
            epochs.append(Epoch(number, 1 - score, score, 0.5))
            if report(epochs[-1]) and number < len(script):
                state = PRUNED
                break
        if state == COMPLETE:
            job.folder.weights.write_bytes(b"weights of " + job.candidate.identity.encode())
        result = TrialResult(job.candidate.identity, state, epochs[-1].score, tuple(epochs), device="cpu")
        write_result(job.folder.result, result)
        return result

    def close(self) -> None:
        self.closed = True
