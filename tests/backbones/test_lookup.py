"""What is told of backbones of timm where the table doesn't help, or timm doesn't.

`ARCHDSL_GOLDEN=write pytest tests/backbones` writes tests/golden/backbones anew; read it before you commit
it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import timm

import archdsl
from archdsl.backbones import building, lookup
from archdsl.backbones.table import lines
from archdsl.errors import ArchError

LINE = "encoder timm:test_resnet | skip plain | up nearest | head 1x1 out=2"


@pytest.fixture
def short_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table from before timm had `test_resnet`."""
    rows = {name: line for name, line in lines().items() if name != "test_resnet"}
    monkeypatch.setattr(lookup, "lines", lambda: rows)
    lookup.backbone.cache_clear()
    yield
    lookup.backbone.cache_clear()


@pytest.fixture
def no_timm(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "timm"]:
        monkeypatch.setitem(sys.modules, name, None)


def assert_golden(name: str, text: str) -> None:
    path = Path(__file__).parents[1] / "golden" / "backbones" / f"{name}.txt"
    if os.environ.get("ARCHDSL_GOLDEN") == "write":
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")


def told(spec: str) -> str:
    return "\n".join(map(str, archdsl.check(spec))) + "\n"


def test_a_model_that_the_table_lacks_is_measured_and_that_is_told(short_table: None) -> None:
    assert_golden("W020_asked_timm", told(LINE))


def test_a_model_that_was_measured_now_is_the_one_of_the_table(short_table: None) -> None:
    fresh = archdsl.load(LINE)
    lookup.backbone.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lookup, "lines", lines)
        known = archdsl.load(LINE)
    assert fresh.identity == known.identity
    assert fresh.params == known.params


def test_without_timm_a_name_that_the_table_lacks_is_a_mistake_with_the_extra(
    short_table: None, no_timm: None
) -> None:
    assert_golden("E135_nobody_to_ask", told(LINE.replace("test_resnet", "quite_new")))


def test_a_model_without_maps_is_a_mistake(short_table: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str, **settings: object) -> None:
        raise RuntimeError("features_only not implemented")

    monkeypatch.setattr(timm, "create_model", refuse)
    assert_golden("E276_no_maps", told(LINE))


def compiled() -> str:
    with pytest.raises(ArchError) as caught:
        archdsl.compile(LINE)
    return f"{caught.value}\n"


def test_compiling_without_timm_is_a_mistake_with_the_extra(no_timm: None) -> None:
    assert archdsl.load(LINE).params
    assert_golden("E478_no_timm", compiled())


def test_a_timm_without_the_model_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timm, "__version__", "0.1")
    monkeypatch.setattr(timm, "is_model", lambda name: False)
    assert_golden("E479_no_such_model", compiled())


def test_a_timm_that_builds_otherwise_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timm, "__version__", "9.0")
    made = timm.create_model

    def wider(name: str, **settings: object) -> object:
        return made("test_convnext", features_only=True)

    monkeypatch.setattr(timm, "create_model", wider)
    monkeypatch.setattr(building, "features", lambda name, levels, **settings: wider(name))
    assert_golden("E479_other_channels", compiled())
