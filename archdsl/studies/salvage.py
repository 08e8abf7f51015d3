"""Results whose history was lost, taken again instead of trained again."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from itertools import count
from pathlib import Path

from archdsl.errors.commands import outside
from archdsl.files import atomic_path
from archdsl.studies.folder import StudyFolder, TrialFolder
from archdsl.studies.results import TrialResult, read_result, write_result
from archdsl.studies.trials import Trial


class Salvage:
    """The trials of a history that is gone, in `trials.lost` beside those that are run now.

    The same seed proposes the same candidates again; the number of a trial may be another.
    """

    def __init__(self, folder: StudyFolder) -> None:
        self._places = {
            identity: TrialFolder(path.parent)
            for path in sorted(folder.path.glob("trials.lost*/*/result.json"))
            if (identity := _identity(path))
        }

    def restore(self, trial: Trial, place: TrialFolder) -> TrialResult | None:
        """The result that the trial's candidate once had, copied to where its trial has it; None without one.

        Raises:
            Unwritable: the operating system refused.
        """
        identity = trial.candidate.identity
        source = self._places.get(identity)
        result = read_result(source.result, identity) if source else None
        if source is None or result is None:
            return None
        if source.weights.exists():
            with atomic_path(place.weights) as temporary:
                shutil.copyfile(source.weights, temporary)
        write_result(place.result, result)
        return result


def set_aside(folder: StudyFolder) -> None:
    """Move the trials that no history knows to where nothing overwrites them.

    Raises:
        Unwritable: the operating system refused.
    """
    if not any(folder.trials.glob("*/result.json")):
        return
    names = ("trials.lost" + (f".{number}" if number > 1 else "") for number in count(1))
    free = next(path for name in names if not (path := folder.path / name).exists())
    try:
        folder.trials.rename(free)
    except OSError as error:
        raise outside(error) from None


def _identity(path: Path) -> str:
    """Whose result a file is; empty where that can't be read."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        return str(json.loads(path.read_bytes())["identity"])
    return ""
