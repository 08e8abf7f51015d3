"""The winner of a study: a closed spec that tells where it comes from, and its weights beside it."""

from __future__ import annotations

import shutil
from importlib import metadata

from archdsl.files import atomic_path, write_atomically
from archdsl.formatter import format_spec
from archdsl.source import Source
from archdsl.studies.folder import StudyFolder
from archdsl.studies.results import TrialResult, read_result
from archdsl.studies.study import Study
from archdsl.studies.trials import Trial


def write_winner(study: Study, folder: StudyFolder, trial: Trial) -> None:
    """Write winner.arch and winner.safetensors.

    Raises:
        Unwritable: the operating system refused.
    """
    place = folder.trial(trial.number)
    result = read_result(place.result, trial.candidate.identity)
    text = winner_text(study, trial, result)
    write_atomically(folder.winner, text.encode())
    if place.weights.exists():
        with atomic_path(folder.winner_weights) as temporary:
            shutil.copyfile(place.weights, temporary)


def winner_text(study: Study, trial: Trial, result: TrialResult | None) -> str:
    """The candidate's text under comments that say what found it and how to train it again."""
    comments = "".join(f"# {' '.join(line.split())}\n" for line in _provenance(study, trial, result))
    return format_spec(Source("winner.arch", f"{comments}\n{trial.candidate.text}"))


def _provenance(study: Study, trial: Trial, result: TrialResult | None) -> list[str]:
    device = result.device if result else study.device
    return [
        f"The winner of the study {study.name}: trial {trial.number} of {study.trials}.",
        *([study.question] if study.question else []),
        f"score: {trial.score!r} on the validation images",
        f"data: {study.data}",
        f"seed: {study.seed}, epochs: {study.epochs}, size: {study.size}, batch: {study.batch}, "
        f"learning rate: {study.learning_rate!r}, threads: {study.threads}, device: {device}",
        f"versions: archdsl {_version('archdsl')}, torch {_version('torch')}",
        "On the same machine's CPU this trains it again to the same score:",
        f"archdsl train winner.arch --data DIR {train_options(study, device)}",
    ]


def train_options(study: Study, device: str) -> str:
    """The recipe of the study as options of `archdsl train`."""
    return (
        f"--epochs {study.epochs} --size {study.size} --batch {study.batch} --seed {study.seed} "
        f"--learning-rate {study.learning_rate!r} --threads {study.threads} --device {device}"
    )


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:  # a clone on the path alone
        return "(not installed)"
