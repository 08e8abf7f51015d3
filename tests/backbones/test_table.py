"""The table of timm's models against the timm that is installed."""

from __future__ import annotations

import pytest
import timm

from archdsl.backbones.measuring import Unfit, measured
from archdsl.backbones.table import TABLE, lines, parsed

# Odd sizes, dilation, channels last, fixed sizes, sides that 32 divides, levels that timm numbers otherwise.
MEASURED = (
    "test_resnet",
    "mobilenetv3_small_050",
    "inception_v3",
    "densenet121",
    "swin_tiny_patch4_window7_224",
    "hrnet_w18_small",
    "vit_tiny_patch16_224",
)


@pytest.mark.parametrize("name", MEASURED)
def test_a_row_is_what_timm_builds(name: str) -> None:
    assert str(measured(name)) == lines()[name]


def test_rows_are_read_as_they_are_written_and_stand_in_order() -> None:
    rows = lines()
    assert [str(parsed(line)) for line in rows.values()] == list(rows.values())
    assert list(rows) == sorted(rows)


def test_a_row_belongs_to_a_model_of_timm() -> None:
    assert set(lines()) <= set(timm.list_models())


def test_the_table_says_which_timm_was_measured() -> None:
    head = TABLE.read_text("utf-8").splitlines()[0]
    assert head.startswith("# timm 1.")


def test_levels_get_coarser_and_need_more_and_more() -> None:
    for line in lines().values():
        levels = parsed(line).levels
        assert [level.stride for level in levels] == sorted({level.stride for level in levels}), line
        assert [level.params for level in levels] == sorted(level.params for level in levels), line


def test_a_model_without_maps_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str, **settings: object) -> None:
        raise RuntimeError("features_only not implemented")

    monkeypatch.setattr(timm, "create_model", refuse)
    with pytest.raises(Unfit, match="features_only not implemented"):
        measured("test_resnet")


def test_a_model_that_timm_does_not_have_is_not_measured() -> None:
    with pytest.raises(LookupError):
        measured("resnet5o")
