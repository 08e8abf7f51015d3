"""`archdsl specs`."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import termios

import pytest

import archdsl as package
from archdsl import resources
from tests.commands.test_group import HEAVY, loaded_by

KEYS = {"name", "path", "task", "family", "input", "parameters", "macs", "year", "paper"}


def listed(archdsl, *words):
    ended = archdsl("specs", "--json", *words)
    assert ended.code == 0
    return {facts["name"]: facts for facts in json.loads(ended.out)}


def test_every_model_and_space_is_listed(archdsl):
    names = {
        path.stem for folder in ("models", "spaces") for path in resources.specs().glob(f"{folder}/*.arch")
    }
    found = listed(archdsl)
    assert found.keys() == names
    extra = {"weights", "members", "smallest", "largest", "parameters_inference"}
    assert all(facts.keys() - extra == KEYS for facts in found.values())


def test_a_model_is_listed_with_the_figures_that_torchvision_states(archdsl):
    """25,557,032 parameters and 4.089 G multiply-adds."""
    facts = listed(archdsl, "resnet50")["resnet50"]
    assert facts == {
        "name": "resnet50",
        "path": str(resources.specs() / "models" / "resnet50.arch"),
        "task": "classification",
        "family": "resnet",
        "input": "3x224x224",
        "parameters": 25_557_032,
        "macs": pytest.approx(4.089e9, rel=1e-3),
        "year": 2015,
        "paper": "arXiv:1512.03385",
        "weights": "torchvision:resnet50.IMAGENET1K_V1",
    }


def test_a_space_has_members_in_place_of_figures(archdsl):
    """Its choices: w (2), the encoder's block (2), skip (2), up (2), its block (3), se (2), supervise (2)."""
    facts = listed(archdsl, "first")["first"]
    assert (facts["parameters"], facts["macs"], facts["members"]) == (None, None, 2 * 2 * 2 * 2 * 3 * 2 * 2)


def test_a_space_has_its_smallest_and_its_largest_member(archdsl):
    """Of the 15,625 networks that NAS-Bench-201 trained the table has these figures."""
    facts = listed(archdsl, "nasbench201")["nasbench201"]
    assert (facts["parameters"], facts["macs"]) == (None, None)
    assert facts["smallest"] == {"parameters": 73_306, "macs": 7_783_040}
    assert facts["largest"] == {"parameters": 1_531_546, "macs": 220_119_680}


def test_multiply_adds_are_unknown_where_timm_builds_a_part(archdsl):
    found = listed(archdsl, "--task=segmentation")
    assert [name for name, facts in found.items() if facts["macs"] is None and "members" not in facts] == [
        "dpt_vit_base_patch16_224"
    ]


def test_words_choose_by_name_family_and_paper(archdsl):
    assert listed(archdsl, "vgg", "_BN", "--task=classification").keys() == {
        f"vgg{depth}_bn" for depth in (11, 13, 16, 19)
    }
    assert "resnext50_32x4d" in listed(archdsl, "1611.05431")
    assert "tf_efficientnetv2_s" in listed(archdsl, "efficientnet_v2")


def test_a_task_chooses(archdsl):
    found = listed(archdsl, "--task=segmentation", "unet")
    assert "unet" in found
    assert {facts["task"] for facts in found.values()} == {"segmentation"}


def test_what_is_listed_is_understood_by_its_name(archdsl):
    """A space is told to be open, by name as by path."""
    assert archdsl("check", "nasbench201").out == "1 spec checked, nothing to say\n"
    assert package.load("nasbench201").count() == 15_625
    assert "error[E301]: 6 choices are still open" in archdsl("summary", "nasbench201").err
    assert "did you mean the library's `nasbench201`?" in archdsl("check", "nasbench20l").out


def test_a_task_is_a_word_too(archdsl):
    assert listed(archdsl, "segmentation", "unet") == listed(archdsl, "--task=segmentation", "unet")


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["resnet5O"], "Did you mean 'resnet50'?"),
        (["--task=segmentatoin"], "Did you mean 'segmentation'?"),
        (["--task=poetry"], "Tasks: classification, segmentation."),
    ],
)
def test_what_there_is_not_is_a_wrong_call(archdsl, words, meant):
    ended = archdsl("specs", *words)
    assert (ended.code, ended.out) == (2, "")
    assert meant in ended.err


def test_people_get_a_table_by_task_with_numbers_in_order(archdsl):
    lines = archdsl("specs", "1512.03385").out.splitlines()
    assert lines[0].split() == [
        "name",
        "family",
        "input",
        "parameters",
        "multiply-adds",
        "year",
        "paper",
        "weights",
    ]
    assert [line.split()[0] for line in lines[2:]] == [
        "classification", "resnet18", "resnet34", "resnet50", "resnet101", "resnet152",
    ]  # fmt: skip
    assert lines[5].split()[1:] == [
        "resnet", "3x224x224", "25,557,032", "4.09G", "2015", "arXiv:1512.03385", "torchvision",
    ]  # fmt: skip


@pytest.mark.parametrize("width", [50, 80, 200])
def test_a_terminal_gets_no_line_that_it_must_break(width):
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, width))
    call = [sys.executable, "-m", "archdsl", "specs", "resnet", "--task=classification"]
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    ended = subprocess.run(
        call, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, check=True, env=environment
    )
    assert ended.stderr == b""
    lines = os.read(ours, 1 << 16).decode().splitlines()
    assert max(map(len, lines)) <= width
    assert all(any(word in line for line in lines) for word in ("resnet50", "25,557,032", "torchvision"))
    assert any("arXiv" in line for line in lines) == (width > 50)


def test_listing_waits_for_nothing_heavy():
    assert not loaded_by("specs", "resnet") & HEAVY - {"lark"}
