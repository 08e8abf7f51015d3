"""The table of timm's models against the timm that is installed."""

from __future__ import annotations

import pytest
import timm

from archdsl.backbones.measuring import Unfit, measured
from archdsl.backbones.table import CLASS_TOKEN, TABLE, Level, lines, parsed

# Odd sizes, dilation, channels last, fixed sizes, sides that 32 divides, levels that timm numbers otherwise,
# blocks with a class token and without (where timm stumbles), parts of a block that stand elsewhere.
MEASURED = (
    "test_resnet",
    "mobilenetv3_small_050",
    "inception_v3",
    "densenet121",
    "swin_tiny_patch4_window7_224",
    "hrnet_w18_small",
    "vit_tiny_patch16_224",
    "test_vit2",
    "test_vit_relpos",
    "convit_tiny",
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
        strides = [level.stride for level in levels]
        assert len(set(strides)) == 1 if levels[0].path else strides == sorted(set(strides)), line
        assert [level.params for level in levels] == sorted(level.params for level in levels), line


def test_blocks_that_are_alike_stand_as_one() -> None:
    """ViT-B/16: a block has 4·768² + 4·768 of attention, 8·768² + 5·768 of its MLP, 4·768 of two norms."""
    block = 12 * 768**2 + 13 * 768
    before = 768 * (16 * 16 * 3 + 1) + 768 * (14 * 14 + 1) + 768  # patches, positions, the class token
    found = parsed(lines()["vit_base_patch16_224"])
    assert found.levels == tuple(
        Level(n, 768, 16, 0, before + (n + 1) * block, f"blocks.{n}") for n in range(12)
    )
    assert CLASS_TOKEN in found.traits


def test_a_model_without_maps_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str, **settings: object) -> None:
        raise RuntimeError("features_only not implemented")

    monkeypatch.setattr(timm, "create_model", refuse)
    with pytest.raises(Unfit, match="features_only not implemented"):
        measured("test_resnet")


def test_a_model_that_timm_does_not_have_is_not_measured() -> None:
    with pytest.raises(LookupError):
        measured("resnet5o")
