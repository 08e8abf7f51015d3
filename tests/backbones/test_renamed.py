"""Old names of timm's models: the table against timm, and what is told of them."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import pytest
import timm
from timm.models import _registry

import archdsl
from archdsl.backbones import lookup, renamed
from archdsl.backbones.table import lines

TAIL = "| skip plain | up nearest | head 1x1 out=2"


def told(name: str) -> Any:
    (found,) = archdsl.check(f"encoder timm:{name} {TAIL}")
    return found


def test_the_table_is_timms() -> None:
    theirs = _registry._deprecated_models
    assert renamed.listed().keys() == theirs.keys()
    for old, now in renamed.listed().items():
        assert theirs[old] in (now, f"{now}.sam")  # two had a tag that was renamed in its turn
        assert now in timm.list_pretrained() or "." not in now
        assert now.partition(".")[0] in lines()


@pytest.mark.parametrize(
    ("old", "now", "tag"),
    [
        ("gluon_resnet50_v1b", "resnet50", "gluon_in1k"),
        ("tf_efficientnet_b0_ns", "tf_efficientnet_b0", "ns_jft_in1k"),
        ("xception", "legacy_xception", ""),
    ],
)
def test_an_old_name_is_told_with_that_of_today_and_its_weights(
    old: str, now: str, tag: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "timm"]:
        monkeypatch.setitem(sys.modules, name, None)  # the table alone knows
    lookup.backbone.cache_clear()
    found = told(old)
    assert found.code == "E135"
    assert f"`{now}`" in str(found)
    assert (f"`weights={tag}`" in str(found)) == bool(tag)
    assert "weights=" in str(found) or not tag
    weights = f"weights={tag} " if tag else ""
    assert archdsl.check(f"encoder timm:{now} {weights}{TAIL}") == ()


def test_one_that_timm_gave_up_after_the_table_was_made_is_told_without_timms_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = dict(renamed.listed())
    del known["gluon_resnet50_v1b"]
    monkeypatch.setattr(renamed, "listed", lambda: known)
    lookup.backbone.cache_clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = told("gluon_resnet50_v1b")
    assert found.code == "E135"
    assert "weights=gluon_in1k" in str(found)
