"""Decoders with gated, full-scale and unpooled ways up against networks written in torch."""

from __future__ import annotations

import pytest
import torch

import archdsl
from archdsl import resources
from tests.specs.references import carried, difference, disagreement, images, ours, randomised
from tests.specs.segmenters import SEGMENTERS, built, compared
from tests.specs.torch_skips import UNet3Plus

TOLERANCE = 1e-4


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def test_attention_unet_is_that_of_its_paper() -> None:
    assert archdsl.load("attention_unet").params == 34_878_573
    assert compared("attention_unet") <= TOLERANCE


# ---- UNet 3+ ---------------------------------------------------------------------------------------


DEEP = {f"others.{number}": f"head{number}" for number in range(4)}


def test_unet_3_plus_is_that_of_its_paper() -> None:
    """And with the heads of deep supervision, which its authors' code has at each of the five levels."""
    text = (resources.specs() / "models" / "unet3plus.arch").read_text("utf-8")
    deep = text.replace("out=classes", "out=classes supervise=deep")
    assert [archdsl.load(spec).params for spec in (text, deep)] == [26_971_777, 26_989_637]
    theirs = randomised(UNet3Plus(supervised=True)).eval()
    module = carried(theirs, ours(deep), {**SEGMENTERS["unet3plus"].nodes, **DEEP})
    module.training = True  # all outputs, while batch norms stay as they are
    x = images(48, 80, batch=1)
    with torch.inference_mode():
        made = module(x)
        wanted = theirs(x)
        assert made.keys() == wanted.keys()
        assert max(disagreement(made[name], wanted[name]) for name in wanted) <= TOLERANCE


# ---- SegNet ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("classes", "parameters"), [(11, 29_449_355), (21, 29_455_125)])
def test_segnet_has_the_parameters_of_its_paper(classes: int, parameters: int) -> None:
    assert archdsl.load("segnet", classes=classes).params == parameters


def test_segnet_unpools_as_torch_does_at_odd_sizes_too() -> None:
    theirs = randomised(built("segnet"))
    module = carried(theirs, ours("segnet"), SEGMENTERS["segnet"].nodes)
    assert difference(module, theirs, images(97, 131, batch=1)) <= TOLERANCE
