"""Weights that timm keeps on the Hugging Face hub, where it answers and where it doesn't."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import timm
import torch
from huggingface_hub import constants
from safetensors.torch import save_file

import archdsl
from tests.hub import CLOSED, use

SPEC = "input 3x64x64\n\nencoder timm:test_resnet weights=imagenet | levels [0, 1]"
CODE = "E473"


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[float]:
    """The seconds that are waited, without waiting; the hub's cache is empty."""
    made: list[float] = []
    monkeypatch.setattr(time, "sleep", made.append)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    return made


def told() -> archdsl.Diagnostic:
    with pytest.raises(archdsl.ArchError) as caught:
        archdsl.compile(SPEC)
    (found,) = caught.value.diagnostics
    return found


def test_without_network_it_is_told_within_seconds(
    monkeypatch: pytest.MonkeyPatch, pauses: list[float]
) -> None:
    use(monkeypatch, CLOSED)
    found = told()
    assert found.code == CODE
    assert "timm:test_resnet" in found.message
    assert "refused" in found.message
    assert 0 < sum(pauses) <= 3  # seconds; a request that was dropped is made again


def test_a_hub_that_answers_is_asked_for_the_file(empty_hub: list[str]) -> None:
    assert told().code == CODE
    assert "/timm/test_resnet.r160_in1k/resolve/main/model.safetensors" in empty_hub


def test_weights_that_were_downloaded_once_need_no_network(
    monkeypatch: pytest.MonkeyPatch, pauses: list[float], tmp_path: Path
) -> None:
    use(monkeypatch, CLOSED)
    folder = tmp_path / "models--timm--test_resnet.r160_in1k"
    for part in ("refs", "snapshots/abc"):
        (folder / part).mkdir(parents=True)
    (folder / "refs" / "main").write_text("abc")
    model = timm.create_model("test_resnet")
    save_file(model.state_dict(), folder / "snapshots" / "abc" / "model.safetensors")
    state = archdsl.compile(SPEC).state_dict()
    assert torch.equal(state["encoder.conv1.0.weight"], model.state_dict()["conv1.0.weight"])
    assert not pauses
