"""What a worker does with one candidate: it trains that one, and writes down what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open
from torch import nn

from archdsl import api
from archdsl.data import load
from archdsl.errors.commands import Unwritable
from archdsl.source import Source
from archdsl.studies import worker
from archdsl.studies.folder import TrialFolder
from archdsl.studies.results import read_latencies, read_result
from archdsl.studies.trials import COMPLETE, FAILED, PRUNED
from archdsl.studies.worker import Bench
from archdsl.training import Recipe, train
from tests.data.folders import segmentation

TEXT = "conv 3x3 4 | relu | dropout 0.5 | conv 1x1 3\n"
SHAPE = (1, 8, 8)


class Wire:
    """A supervisor that answers what the test says."""

    def __init__(self, stop_after: int = 99) -> None:
        self.sent: list[dict[str, Any]] = []
        self._stop_after = stop_after

    def send(self, **message: Any) -> None:
        self.sent.append(message)

    def receive(self) -> dict[str, Any]:
        return {"stop": len(self.sent) >= self._stop_after}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    recipe = Recipe(epochs=3, size=8, batch=2, threads=1, learning_rate=0.1)
    return Bench(load(segmentation(tmp_path / "data"), 8), recipe, "cpu")


@pytest.fixture
def folder(tmp_path: Path) -> TrialFolder:
    folder = TrialFolder(tmp_path / "trials" / "0")
    folder.begin(TEXT)
    return folder


def job(folder: TrialFolder, text: str = TEXT, identity: str | None = None) -> dict[str, Any]:
    made = api.load(Source("candidate", text), input=SHAPE)
    return {"text": text, "identity": identity or made.identity, "folder": str(folder.path)}


def result_of(wanted: dict[str, Any], folder: TrialFolder) -> Any:
    result = read_result(folder.result, wanted["identity"])
    assert result is not None
    return result


def test_a_candidate_is_trained_as_the_train_command_trains_it(bench: Bench, folder: TrialFolder) -> None:
    wire, wanted = Wire(), job(folder)
    assert worker._work(bench, wanted, wire)
    result = result_of(wanted, folder)
    made = api.load(Source("a", TEXT), input=SHAPE)
    module, outcome = train(lambda: api.built(made), bench.data, bench.recipe, "cpu")
    assert (result.state, result.score, len(result.epochs)) == (COMPLETE, outcome.score, 3)
    assert [message["epoch"]["score"] for message in wire.sent] == [epoch.score for epoch in outcome.epochs]
    with safe_open(folder.weights, framework="pt") as file:
        assert file.metadata()["identity"] == wanted["identity"]
        assert all(file.get_tensor(name).equal(tensor) for name, tensor in module.state_dict().items())


def test_a_training_that_is_stopped_leaves_no_weights(bench: Bench, folder: TrialFolder) -> None:
    wanted = job(folder)
    assert worker._work(bench, wanted, Wire(stop_after=2))
    result = result_of(wanted, folder)
    assert (result.state, len(result.epochs), result.score) == (PRUNED, 2, result.epochs[-1].score)
    assert not folder.weights.exists()


def test_a_network_that_does_not_fit_the_data_fails_and_the_worker_goes_on(
    bench: Bench, folder: TrialFolder
) -> None:
    wanted = job(folder, "conv 1x1 7\n")
    assert worker._work(bench, wanted, Wire())
    result = result_of(wanted, folder)
    assert (result.state, result.score) == (FAILED, None)
    assert result.reason == "the data have 3 classes, the network answers with 7 channels"


def test_a_network_that_diverges_fails(bench: Bench, folder: TrialFolder) -> None:
    wild = Bench(bench.data, Recipe(epochs=9, size=8, batch=2, threads=1, learning_rate=1e30), "cpu")
    wanted = job(folder)
    assert worker._work(wild, wanted, Wire())
    result = result_of(wanted, folder)
    assert (result.state, result.score) == (FAILED, None)
    assert "diverged" in result.reason


def test_a_candidate_whose_text_is_another_network_is_not_trained(bench: Bench, folder: TrialFolder) -> None:
    wanted = job(folder, identity="another")
    assert not worker._work(bench, wanted, Wire())
    result = result_of(wanted, folder)
    assert result.state == FAILED
    assert "another network" in result.reason


def test_an_error_of_ours_ends_the_candidate_and_the_worker(
    bench: Bench, folder: TrialFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: object) -> None:
        raise RuntimeError("CUDA error: an illegal memory access\nmore of it")

    monkeypatch.setattr(worker, "train", explode)
    wanted = job(folder)
    assert not worker._work(bench, wanted, Wire())
    assert result_of(wanted, folder).reason == "RuntimeError: CUDA error: an illegal memory access"


def test_a_result_that_cannot_be_written_is_nobody_s_failure(
    bench: Bench, folder: TrialFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, content: bytes) -> None:
        raise Unwritable(str(path), "No space left on device")

    monkeypatch.setattr("archdsl.studies.results.write_atomically", refuse)
    with pytest.raises(Unwritable):
        worker._work(bench, job(folder), Wire())
    assert not folder.result.exists()


def test_a_candidate_uses_what_its_space_uses(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "blocks.arch").write_text("def unit(width) = conv 3x3 width | relu\n")
    space = tmp_path / "space.arch"
    space.write_text('use "blocks.arch"\nunit {4, 8} | conv 1x1 3\n')
    found = api.load(space, input=SHAPE)
    assert isinstance(found, api.Space)
    member = found.sample(0)
    using = Bench(bench.data, bench.recipe, "cpu", str(space))
    _, outcome = using.train(using.architecture(member.to_text(), member.identity), lambda epoch: False)
    assert len(outcome.epochs) == 3


# ---- what is measured before a training ------------------------------------------------------------


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """What was asked of the clock; every network takes 7.5 ms."""
    asked: list[tuple[object, ...]] = []

    def latency(module: nn.Module, *rest: object) -> float:
        asked.append((sum(parameter.numel() for parameter in module.parameters()), *map(str, rest)))
        return 7.5

    monkeypatch.setattr(worker, "latency", latency)
    return asked


def test_a_candidate_that_is_too_slow_is_not_trained(
    bench: Bench, folder: TrialFolder, measured: list[tuple[object, ...]]
) -> None:
    wire, wanted = Wire(), job(folder, f"require params < 1M and latency < 5\n\n{TEXT}")
    assert worker._work(bench, wanted, wire)
    result = result_of(wanted, folder)
    assert (result.state, result.score, result.epochs) == (PRUNED, None, ())
    assert result.reason == "latency = 7.5, not latency < 5"
    assert not wire.sent
    assert not folder.weights.exists()
    # 9*4 + 4 and 4*3 + 3 parameters, an image of the recipe's size, the device, the threads
    assert measured == [(55, "1x8x8", "cpu", "1")]


def test_a_network_is_measured_once_a_study(
    bench: Bench, folder: TrialFolder, measured: list[tuple[object, ...]]
) -> None:
    wanted = job(folder, f"require latency < 8\n\n{TEXT}")
    again = TrialFolder(folder.path.parent / "1")
    again.begin(wanted["text"])
    for place in (folder, again):
        assert worker._work(bench, {**wanted, "folder": str(place.path)}, Wire())
        assert result_of(wanted, place).state == COMPLETE
    assert len(measured) == 1
    assert read_latencies(folder.path.parents[1] / "latency.json") == {f"{wanted['identity']} cpu": 7.5}
    folder.latencies.write_text("torn")
    assert worker._work(bench, wanted, Wire())
    assert len(measured) == 2


def test_what_requires_no_latency_is_not_measured(
    bench: Bench, folder: TrialFolder, measured: list[tuple[object, ...]]
) -> None:
    assert worker._work(bench, job(folder, f"require params < 1M\n\n{TEXT}"), Wire())
    assert not measured
    assert not folder.latencies.exists()


def test_measuring_changes_no_bit_of_the_training(bench: Bench, folder: TrialFolder) -> None:
    plain, wanted = job(folder), job(folder, f"require latency < 1e6\n\n{TEXT}")
    scores = []
    for number, asked in enumerate((plain, wanted)):
        place = TrialFolder(folder.path.parent / str(number))
        place.begin(asked["text"])
        assert worker._work(bench, {**asked, "folder": str(place.path)}, Wire())
        scores.append([epoch.loss for epoch in result_of(asked, place).epochs])
    assert scores[0] == scores[1]


def test_a_disk_that_is_full_when_latency_is_noted_fails_no_candidate(
    bench: Bench, folder: TrialFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> None:
        raise Unwritable(str(path), "No space left on device")

    monkeypatch.setattr(worker, "write_atomically", full)
    with pytest.raises(Unwritable):
        worker._work(bench, job(folder, f"require latency < 8000\n\n{TEXT}"), Wire())
    assert not folder.result.exists()
