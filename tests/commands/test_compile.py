"""`archdsl compile`: modules, drawings, weights, in any order of words."""

from __future__ import annotations

import pytest
from safetensors.torch import load_file

LINE = "encoder effnet_b0 | skip nested depth=4 | up transpose | head 1x1 out=2\n"
SMALL = "encoder plain widths=[4, 8] | skip plain | up transpose | head 1x1 out=2\n"
SPACE = "encoder plain widths=[4, 8] | skip plain | up {transpose, bilinear} | head 1x1 out={1, 2}\n"


@pytest.fixture
def small(tmp_path):
    (tmp_path / "a.arch").write_text(SMALL)
    return tmp_path / "a.arch"


def test_without_options_it_tells_outputs_and_parameters(archdsl, small):
    ended = archdsl("compile", "a.arch", "--input", "1x64x48")
    assert ended.code == 0
    # Convolutions of the encoder (1-4-4, 4-8-8) and of the decoder (8-4 up, 8-4-4), batch norms, the head.
    encoder = 9 * (1 * 4 + 4 * 4 + 4 * 8 + 8 * 8) + 2 * (4 + 4 + 8 + 8)
    decoder = (8 * 16 * 4 + 16) + 9 * (20 * 16 + 16 * 16) + 2 * (16 + 16)
    head = 16 * 2 + 2
    assert f"a: {encoder + decoder + head:,} parameters" in ended.out
    assert "input  1x64x48" in ended.out
    assert "out  2x64x48" in ended.out


def test_outputs_that_exist_in_training_only_are_told_with_their_weight(archdsl):
    spec = SMALL.replace("[4, 8]", "[4, 8, 16]").replace("out=2", "out=2 supervise=deep")
    ended = archdsl("compile", "-", stdin=spec)
    assert "head1  2x224x224  in training, with loss weight" in ended.out


@pytest.mark.parametrize(
    ("arguments", "written"),
    [
        (["a.arch", "--render"], "a.svg"),
        (["--render", "a.arch"], "a.svg"),
        (["a.arch", "--render", "out.svg"], "out.svg"),
        (["--render", "out.svg", "a.arch"], "out.svg"),
        (["--render", "a.arch", "out.svg"], "out.svg"),
        (["--render=out.svg", "a.arch"], "out.svg"),
        (["--render", "--level=full", "a.arch"], "a.svg"),
        (["unetpp_effnet_b0", "--render", "out.svg"], "out.svg"),
        (["--render", "unetpp_effnet_b0"], "unetpp_effnet_b0.svg"),
    ],
)
def test_render_and_the_spec_stand_in_any_order(archdsl, small, arguments, written):
    ended = archdsl("compile", *arguments)
    assert (ended.code, ended.out) == (0, f"drawing: {written}\n")
    assert "<svg" in (small.parent / written).read_text()


def test_a_drawing_of_the_standard_input_has_a_name_too(archdsl, tmp_path):
    assert archdsl("compile", "--render", "-", stdin=SMALL).out == "drawing: stdin.svg\n"


@pytest.mark.parametrize(
    ("ending", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF"), ("dot", b"digraph")]
)
def test_the_ending_says_the_format(archdsl, small, ending, start):
    archdsl("compile", "a.arch", "--render", f"out.{ending}")
    assert (small.parent / f"out.{ending}").read_bytes().startswith(start)


def test_another_ending_is_answered_with_those_there_are(archdsl, small):
    ended = archdsl("compile", "a.arch", "--render", "out.jpeg")
    assert ended.code == 2
    assert ".svg, .png, .pdf, .dot" in ended.err


def test_a_drawing_in_no_folder_is_told(archdsl, small):
    ended = archdsl("compile", "a.arch", "--render", "none/out.svg")
    assert ended.code == 2
    assert "`none/out.svg` cannot be written: No such file or directory" in ended.err


def test_the_full_level_draws_more_than_the_recipe(archdsl, small):
    for level in ("recipe", "full"):
        archdsl("compile", "a.arch", "--render", f"{level}.dot", "--level", level)
    recipe, full = ((small.parent / f"{level}.dot").read_text() for level in ("recipe", "full"))
    assert full.count("->") > recipe.count("->")


def test_two_specs_are_one_too_many(archdsl, small):
    ended = archdsl("compile", "a.arch", "--render", "b.arch")
    assert ended.code == 2
    assert "two specs: 'a.arch' and 'b.arch'" in ended.err


@pytest.mark.parametrize("arguments", [[], ["--render"], ["--render", "out.png"]])
def test_a_spec_is_wanted(archdsl, arguments):
    ended = archdsl("compile", *arguments)
    assert ended.code == 2
    assert "Missing argument 'SPEC'" in ended.err


def test_weights_are_saved_under_the_names_of_the_module(archdsl, small):
    ended = archdsl("compile", "a.arch", "-o", "a.safetensors")
    assert ended.code == 0
    names = load_file(small.parent / "a.safetensors")
    assert {name.split(".")[0] for name in names} == {"encoder", "decoder", "head"}


def test_saved_weights_can_be_loaded_again(archdsl, small):
    archdsl("compile", "a.arch", "-o", "a.safetensors")
    archdsl("compile", "a.arch", "--weights", "a.safetensors", "-o", "b.safetensors")
    tensors = [(small.parent / f"{name}.safetensors").read_bytes() for name in "ab"]
    assert tensors[0] == tensors[1]


@pytest.mark.parametrize("command", [("compile", "a.arch"), ("train", "a.arch", "--data", "none")])
@pytest.mark.parametrize("output", ["a.pt", "a", "."])
def test_weights_are_not_saved_under_the_ending_of_something_else(archdsl, small, command, output):
    ended = archdsl(*command, "-o", output)
    assert (ended.code, ended.out) == (2, "")
    assert f"E425]: the ending of `{output}`" in ended.err
    assert "endings: .safetensors" in ended.err
    assert [path.name for path in small.parent.iterdir()] == ["a.arch"]


def test_weights_of_another_network_are_told(archdsl, small):
    archdsl("compile", "a.arch", "-o", "a.safetensors")
    ended = archdsl("compile", "-", "--weights", "a.safetensors", stdin=LINE)
    assert ended.code == 2
    assert "`a.safetensors`" in ended.err


def test_missing_weights_are_told(archdsl, small):
    ended = archdsl("compile", "a.arch", "--weights", "none.safetensors")
    assert ended.code == 2
    assert "none.safetensors" in ended.err


def test_open_choices_are_an_error_that_names_them(archdsl):
    ended = archdsl("compile", "-", stdin=SPACE)
    assert ended.code == 1
    assert "2 choices are still open" in ended.err
    assert "--set" in ended.err


def test_set_closes_choices(archdsl):
    ended = archdsl("compile", "-", "--set", "up=bilinear", "--set", "head.out=1", stdin=SPACE)
    assert ended.code == 0
    assert "out  1x224x224" in ended.out


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("up=nearest", "has no option `nearest`"),
        ("upp=bilinear", "did you mean `up`?"),
        ("up", "'up' is not NAME=VALUE"),
        ("=bilinear", "is not NAME=VALUE"),
    ],
)
def test_a_wrong_setting_is_told(archdsl, setting, told):
    ended = archdsl("compile", "-", "--set", setting, stdin=SPACE)
    assert ended.code == 2
    assert told in ended.err


def test_a_setting_may_not_be_given_twice(archdsl):
    ended = archdsl("compile", "-", "--set", "up=bilinear", "--set", "up=transpose", stdin=SPACE)
    assert ended.code == 2
    assert "'up' is given twice" in ended.err


@pytest.mark.parametrize("shape", ["512", "3x512", "3x0x512", "axbxc", "3x-1x5", "3x٣x5"])
def test_a_wrong_shape_is_a_wrong_call(archdsl, small, shape):
    ended = archdsl("compile", "a.arch", f"--input={shape}")
    assert ended.code == 2
    assert f"'{shape}'" in ended.err


def test_a_wrong_spec_ends_with_1(archdsl):
    ended = archdsl("compile", "-", stdin="encoder efnet_b0 | skip plain | up transpose | head 1x1 out=2\n")
    assert ended.code == 1
    assert "did you mean `effnet_b0`?" in ended.err
