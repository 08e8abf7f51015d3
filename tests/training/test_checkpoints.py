"""Weights that are saved and loaded again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from torch import nn

from archdsl.errors.commands import NoSuchFile, Unreadable, Unwritable
from archdsl.errors.data import WeightsDoNotFit
from archdsl.training import load_weights, save_weights
from tests.data.golden import assert_golden, shown


def network(width: int = 4) -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, width, 3), nn.BatchNorm2d(width))


def equal(one: nn.Module, other: nn.Module) -> bool:
    return all(map(torch.equal, one.state_dict().values(), other.state_dict().values()))


def test_weights_come_back_with_their_metadata(tmp_path: Path) -> None:
    saved, fresh = network(), network()
    assert not equal(saved, fresh)
    save_weights(saved, tmp_path / "a.safetensors", {"score": "0.5", "mean": "[0.1]"})
    assert load_weights(fresh, tmp_path / "a.safetensors") == {"score": "0.5", "mean": "[0.1]"}
    assert equal(saved, fresh)


def test_the_file_is_one_that_others_read(tmp_path: Path) -> None:
    module = network().to(memory_format=torch.channels_last)
    save_weights(module, tmp_path / "a.safetensors", {"b": "ü", "a": "2"})
    with safe_open(tmp_path / "a.safetensors", framework="np") as file:
        assert file.metadata() == {"a": "2", "b": "ü"}
        assert (file.get_tensor("0.weight") == module.state_dict()["0.weight"].numpy()).all()


def test_the_same_weights_give_the_same_bytes(tmp_path: Path) -> None:
    module, metadata = network(), {f"key{index}": str(index) for index in range(8)}
    paths = [tmp_path / f"{index}.safetensors" for index in range(4)]
    for path in paths:
        save_weights(module, path, metadata)
    assert len({path.read_bytes() for path in paths}) == 1


def test_one_tensor_with_two_names_is_saved_under_both(tmp_path: Path) -> None:
    module = nn.ModuleDict({"a": nn.Linear(2, 2), "b": nn.Linear(2, 2)})
    module["b"].weight = module["a"].weight
    save_weights(module, tmp_path / "a.safetensors", {})
    fresh = nn.ModuleDict({"a": nn.Linear(2, 2), "b": nn.Linear(2, 2)})
    load_weights(fresh, tmp_path / "a.safetensors")
    assert equal(module, fresh)


def test_a_full_disk_keeps_the_old_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.safetensors"
    save_weights(network(), path, {})
    before = path.read_bytes()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unwritable, match="cannot be written: No space left on device"):
        save_weights(network(), path, {})
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("a.safetensors", before)]


def test_weights_of_another_network_are_refused_and_nothing_is_loaded(tmp_path: Path) -> None:
    other = nn.Sequential(nn.Conv2d(1, 5, 3), nn.Identity(), nn.Linear(5, 2))
    save_weights(other, tmp_path / "a.safetensors", {})
    module = network()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    with pytest.raises(WeightsDoNotFit) as raised:
        load_weights(module, tmp_path / "a.safetensors")
    assert_golden("weights_of_another_network", shown(raised.value, tmp_path))
    assert all(tensor.equal(before[name]) for name, tensor in module.state_dict().items())


def test_a_missing_or_broken_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoSuchFile, match=r"there is no file `.*a\.safetensors`"):
        load_weights(network(), tmp_path / "a.safetensors")
    save_weights(network(), tmp_path / "a.safetensors", {})
    cut = (tmp_path / "a.safetensors").read_bytes()[:-4]
    for content in (b"", b"no weights", cut):
        (tmp_path / "a.safetensors").write_bytes(content)
        with pytest.raises(Unreadable, match="it is no whole safetensors file"):
            load_weights(network(), tmp_path / "a.safetensors")
    with pytest.raises(Unreadable):
        load_weights(network(), tmp_path)
