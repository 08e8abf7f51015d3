"""Tags of published weights: the table against the libraries, and what is told without them."""

from __future__ import annotations

import subprocess
import sys

import pytest

import archdsl
from archdsl.backbones.tags import TABLE, listed, of_library, rows
from archdsl.elaboration import published
from archdsl.errors import ArchError

TAIL = "| skip plain | up nearest | head 1x1 out=2"
UNKNOWN = f"encoder timm:test_resnet weights=r999 {TAIL}"


def codes(spec: str) -> list[str]:
    return [found.code for found in archdsl.check(spec)]


def known(monkeypatch: pytest.MonkeyPatch, **models: tuple[str, ...]) -> None:
    """A table of tags of another day."""
    table = {f"timm:{model}": tags for model, tags in models.items()}
    monkeypatch.setattr(published, "listed", lambda: table)


@pytest.fixture
def no_timm(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "timm"]:
        monkeypatch.setitem(sys.modules, name, None)


def test_the_table_is_what_the_libraries_say() -> None:
    head, *lines = TABLE.read_text("utf-8").splitlines()
    made, *wanted = rows()
    assert lines == wanted
    assert head.split("+")[0] == made.split("+")[0]


def test_timms_own_tag_comes_first_and_torchvisions_are_all_there() -> None:
    assert listed()["timm:efficientnet_b0"] == ("ra_in1k", "ra4_e3600_r224_in1k")
    assert listed()["torchvision:resnet50"] == ("IMAGENET1K_V1", "IMAGENET1K_V2", "DEFAULT")
    assert of_library("torchvision", "resnet51") == of_library("timm", "resnet51") == ()


@pytest.mark.parametrize("tag", ["imagenet", "r160_in1k"])
def test_a_tag_of_the_table_is_known_without_timm(tag: str, no_timm: None) -> None:
    assert codes(f"encoder timm:test_resnet weights={tag} {TAIL}") == []


def test_checking_weights_loads_no_library() -> None:
    script = (
        f"import sys, archdsl; assert archdsl.check('encoder timm:resnet34 weights=a1_in1k {TAIL}') == ();"
        f"assert archdsl.check('encoder resnet50 weights=IMAGENET1K_V2 {TAIL}') == ();"
        "assert not {'torch', 'torchvision', 'timm'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_tag_that_only_the_library_knows_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    known(monkeypatch, test_resnet=("r999",))
    assert codes(f"encoder timm:test_resnet weights=r160_in1k {TAIL}") == []
    known(monkeypatch)
    assert codes(f"encoder timm:test_resnet weights=imagenet {TAIL}") == []


def test_without_timm_the_table_has_the_last_word(no_timm: None) -> None:
    assert codes(UNKNOWN) == ["E471"]
    assert codes(f"encoder timm:seresnet34 weights=imagenet {TAIL}") == ["E470"]


def test_a_tag_that_the_library_has_no_more_is_told_where_it_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known(monkeypatch, test_resnet=("r999",))
    assert codes(UNKNOWN) == []
    with pytest.raises(ArchError, match="has no weights called `r999`"):
        archdsl.compile(UNKNOWN)


def test_a_model_that_has_no_weights_any_more_is_told_where_they_are_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = f"encoder timm:seresnet34 weights=imagenet {TAIL}"
    known(monkeypatch, seresnet34=("in1k",))
    assert codes(spec) == []
    with pytest.raises(ArchError, match="neither timm nor torchvision publishes weights"):
        archdsl.compile(spec)


def test_a_tag_of_one_option_is_told_with_it() -> None:
    (found,) = archdsl.check(f"encoder {{resnet50, efficientnet_b0}} weights=IMAGENET1K_V2 {TAIL}")
    assert found.code == "E471"
    assert found.message.endswith("with `encoder=efficientnet_b0`")
    assert found.span is not None
    assert found.span.text == "IMAGENET1K_V2"
