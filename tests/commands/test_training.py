"""`archdsl demo-data`, `train` and `search`, from a folder to a winner."""

from __future__ import annotations

import re

import pytest
from PIL import Image
from safetensors import safe_open

from archdsl.data.demonstration import generate
from tests.data.folders import save, segmentation, stripes

SMALL = "encoder plain widths=[4, 8] | skip plain | up transpose channels=[4] | head 1x1 out=3\n"
SPACE = """\
let classes = 2
encoder plain widths=[4, 8] | skip plain | up {transpose, bilinear} channels={[2], [4]} | head 1x1 out=classes
"""
FAST = ("--epochs=1", "--size=32", "--batch=4", "--threads=1", "--device=cpu")


@pytest.fixture(scope="session")
def cells(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "cells"
    generate(folder, counts={"train": 6, "val": 2, "test": 2}, side=48)
    return folder


@pytest.fixture
def small(tmp_path):
    (tmp_path / "a.arch").write_text(SMALL)
    return "a.arch"


def score(text: str) -> str:
    found = re.search(r"^score (\S+)", text, re.MULTILINE)
    assert found
    return found[1]


def test_demo_data_tells_what_it_wrote_and_writes_it_once(archdsl, tmp_path):
    first = archdsl("demo-data", "cells")
    assert first.code == 0
    image = next((tmp_path / "cells/train/images").glob("*.png"))
    assert Image.open(image).mode == "L"
    written = image.stat().st_mtime_ns
    assert archdsl("demo-data", "cells") == first
    assert image.stat().st_mtime_ns == written


def test_demo_data_takes_no_folder_that_holds_something_else(archdsl, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("mine")
    ended = archdsl("demo-data", "mine")
    assert ended.code == 2
    assert "`mine` is there already and holds something else" in ended.err


@pytest.mark.parametrize("output", ["none/a.safetensors", "cells.safetensors"])
def test_training_does_not_begin_where_its_weights_cannot_be_written(archdsl, small, cells, tmp_path, output):
    (tmp_path / "cells.safetensors").mkdir()
    ended = archdsl("train", small, "--data", cells, *FAST, "-o", output)
    assert (ended.code, ended.out) == (2, "")
    assert f"`{output}` cannot be written" in ended.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.arch", "cells.safetensors"]


@pytest.mark.parametrize("call", [("train", "-o", "none/a.safetensors"), ("search",)])
def test_a_class_that_is_never_shown_is_told_before_training(archdsl, tmp_path, call):
    command, *more = call
    (tmp_path / "closed.arch").write_text("let classes = 2\nconv 3x3 4 | relu | head 1x1 out=classes\n")
    folder = segmentation(tmp_path / "set")
    for mask in (folder / "train" / "masks").iterdir():
        save(mask, stripes(0, 0, 0, 0, 1, 1, 1, 1))
    ended = archdsl(command, "closed.arch", "--data", folder, *FAST, *more)
    assert ended.code == 2
    assert ended.err.startswith("advice[W092]: no mask for training in")


def test_training_tells_each_epoch_and_saves_the_weights(archdsl, small, cells, tmp_path):
    ended = archdsl("train", small, "--data", cells, *FAST, "--epochs=2")
    assert ended.code == 0, ended.err
    epochs = [line.split()[1] for line in ended.out.splitlines() if line.startswith("epoch")]
    assert epochs == ["1", "2"]
    assert 0 <= float(score(ended.out)) <= 1
    with safe_open(tmp_path / "a.safetensors", framework="pt") as file:
        assert file.metadata()["score"] == score(ended.out)
        assert (file.metadata()["seed"], file.metadata()["epochs"]) == ("0", "2")


def test_training_again_gives_the_same_bits_and_another_seed_others(archdsl, small, cells, tmp_path):
    weights = {}
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        archdsl("train", small, "--data", cells, *FAST, f"--seed={seed}", "-o", f"{name}.safetensors")
        weights[name] = (tmp_path / f"{name}.safetensors").read_bytes()
    assert weights["a"] == weights["b"] != weights["c"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--data=none"], "none"),
        (["--data=a.arch"], "it is a file, a folder of images is wanted"),
        (["--data=."], "not laid out as a data set"),
        (["--epochs=0"], "epochs"),
        (["--batch=1"], "batch"),
        (["--size=0"], "size"),
        (["--threads=0"], "threads"),
        (["--learning-rate=0"], "learning_rate"),
        (["--device=toaster"], "there is no device `toaster`"),
        (["--device=cuda:77"], "there is no device `cuda:77`"),
        (["-o", "none/a.safetensors"], "`none/a.safetensors` cannot be written"),
    ],
)
def test_a_wrong_call_of_train_is_told(archdsl, small, cells, arguments, told):
    ended = archdsl("train", small, "--data", cells, *FAST, *arguments)
    assert ended.code == 2
    assert told in ended.err


def test_train_wants_data(archdsl, small):
    ended = archdsl("train", small)
    assert ended.code == 2
    assert "--data" in ended.err


def test_the_classes_of_the_data_replace_those_of_the_spec(archdsl, tmp_path, cells):
    (tmp_path / "b.arch").write_text("let classes = 2\n" + SMALL.replace("out=3", "out=classes"))
    assert archdsl("train", "b.arch", "--data", cells, *FAST).code == 0


@pytest.mark.parametrize(
    "spec", [SMALL.replace("out=3", "out=2"), "input 3x64x64\n" + SMALL], ids=["classes", "channels"]
)
def test_a_spec_that_contradicts_the_data_ends_with_1(archdsl, tmp_path, cells, spec):
    (tmp_path / "b.arch").write_text(spec)
    ended = archdsl("train", "b.arch", "--data", cells, *FAST)
    assert ended.code == 1
    assert "--> b.arch" in ended.err


def test_a_study_runs_to_its_winner_and_the_winner_trains_again_to_the_same_score(archdsl, tmp_path, cells):
    (tmp_path / "space.arch").write_text(SPACE)
    ended = archdsl("search", "space.arch", "--data", cells, "--trials=2", *FAST, "--name=tour")
    assert ended.code == 0, ended.err
    winner = tmp_path / "runs/tour/winner.arch"
    assert str(winner.relative_to(tmp_path)) in ended.out
    text = winner.read_text()
    told = re.search(r"^# score: (\S+)", text, re.MULTILINE)
    call = re.search(r"^# archdsl (train winner\.arch .*)", text, re.MULTILINE)
    assert told
    assert call
    arguments = call[1].replace("winner.arch", str(winner)).replace("DIR", str(cells)).split()
    assert score(archdsl(*arguments).out) == told[1]
    assert archdsl("check", winner).code == 0


def test_a_study_that_has_ended_tells_its_winner_again(archdsl, tmp_path, cells):
    (tmp_path / "space.arch").write_text(SPACE)
    call = ["search", "space.arch", "--data", cells, "--trials=1", *FAST]
    first, again = archdsl(*call), archdsl(*call)
    assert (first.code, again.code) == (0, 0)
    assert first.out == again.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["none.toml"], "none.toml"),
        (["none.arch", "--data=."], "none.arch"),
        (["space.arch"], "--data"),
        (["space.arch", "--data=none"], "none"),
        (["space.arch", "--data=.", "--trials=0"], "trials"),
        (["space.arch", "--data=.", "--name=../x"], "name"),
    ],
)
def test_a_wrong_call_of_search_is_told(archdsl, tmp_path, arguments, told):
    (tmp_path / "space.arch").write_text(SPACE)
    ended = archdsl("search", *arguments)
    assert ended.code == 2
    assert told in ended.err
    assert not (tmp_path / "runs").exists()


def test_a_spec_without_choices_is_no_space(archdsl, small, cells):
    ended = archdsl("search", small, "--data", cells, "--trials=1", *FAST)
    assert ended.code == 2
    assert "leaves nothing open" in ended.err
