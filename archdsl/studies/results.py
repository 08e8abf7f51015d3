"""What came of one candidate, as its worker writes it down before it tells anyone."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from archdsl.files import write_atomically
from archdsl.training import Epoch


@dataclass(frozen=True)
class TrialResult:
    """The end of one training.

    Attributes:
        identity: of the architecture, so that a result is never taken for another candidate's.
        state: `complete`, `pruned` (stopped by the study, or too slow to be trained) or `fail`.
        score: of the last epoch; None where it failed or was not trained.
        epochs: as the training reported them.
        reason: why it failed or was not trained, in one sentence.
        device: where it was trained.
    """

    identity: str
    state: str
    score: float | None
    epochs: tuple[Epoch, ...] = ()
    reason: str = ""
    device: str = ""

    @property
    def seconds(self) -> float:
        return sum(epoch.seconds for epoch in self.epochs)

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1, ensure_ascii=False)


def write_result(path: Path, result: TrialResult) -> None:
    """Whole or not at all, and on the disk when this returns.

    Raises:
        Unwritable: the operating system refused, as it does when the disk is full.
    """
    write_atomically(path, result.to_json().encode())


def read_result(path: Path, identity: str) -> TrialResult | None:
    """The result of a candidate; None where there is none, or what is there is torn or another's."""
    try:
        fields: dict[str, Any] = json.loads(path.read_bytes())
        epochs = tuple(Epoch(**epoch) for epoch in fields.pop("epochs"))
        result = TrialResult(epochs=epochs, **fields)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return result if result.identity == identity else None


def read_latencies(path: Path) -> dict[str, float]:
    """Milliseconds by network and device, as a study measured them; none where the file is torn."""
    try:
        return {str(key): float(value) for key, value in json.loads(path.read_bytes()).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
