"""What a spec means, by the rules of docs/language.md: small specs and the network that each stands for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import archdsl
from tests.elaboration.specs import architecture, modules, names, shapes, space

SMALL = "input 3x32x32\n"
PLAIN = f"{SMALL}encoder plain widths=[4, 8, 16]"

# Two spellings of one network.
SAME = [
    # ---- repeats and loops
    ("(conv 3 8 | relu) * 3", "conv 3 8 | relu | conv 3 8 | relu | conv 3 8 | relu"),
    ("(conv 3 8) * 0 | relu", "relu"),
    ("for d in [1, 2] (conv 3 8 dilation=d)", "conv 3 8 dilation=1 | conv 3 8 dilation=2"),
    ("for i in 1..3 (conv 1 (8*i))", "conv 1 8 | conv 1 16 | conv 1 24"),
    ("for i in 3..1 (conv 1 8) | relu", "relu"),
    ("for i in 1..2, w in [4, 6], k in 3 (conv k (w*i))", "conv 3 4 | conv 3 12"),
    ("for (k, s) in [[3, 1], [5, 2]] (conv k 8 stride=s)", "conv 3 8 stride=1 | conv 5 8 stride=2"),
    ("concat(id, each r in [1, 2] (conv 3 8 dilation=r))", "concat(id, conv 3 8, conv 3 8 dilation=2)"),
    # ---- joins
    ("dense(conv 3 8) * 2", "concat(id, conv 3 8) | concat(id, conv 3 8)"),
    ("residual(conv 3 3)", "add(conv 3 3, id)"),
    (
        "residual(conv 3 8 stride=2)",
        "add(conv 3 8 stride=2, conv 1 8 stride=2 bias=false | bn)",
    ),
    ("residual(conv 3 8, shortcut=none)", "conv 3 8"),
    ("residual(conv 3 8, shortcut=(conv 3 8))", "add(conv 3 8, conv 3 8)"),
    # ---- conditions and names
    ("conv 3 8 | if @in == 3 (relu) else (bn)", "conv 3 8 | relu"),
    ("if 1 > 2 (relu)", "id"),
    ("conv 3 8 as a | relu | bn | concat(id, @a)", "conv 3 8 | concat(relu | bn, id)"),
    ("conv 3 8 as a | relu | @a", "conv 3 8"),
    ("relu | conv 1 (@input*2)", "relu | conv 1 6"),
    ("def f(x) = concat(id, @x)\nconv 3 8 as a | relu | f @a", "conv 3 8 as a | relu | concat(id, @a)"),
    # ---- values
    ("let w = [4] + [8] * 2\nfor c in w (conv 1 c)", "conv 1 4 | conv 1 8 | conv 1 8"),
    ("conv 1 (at([4, 5, 6], 1))", "conv 1 5"),
    ("for c in take(reversed([4, 5, 6]), 2) (conv 1 c)", "conv 1 6 | conv 1 5"),
    ("conv 1 (7 // 2 + 7 % 4)", "conv 1 6"),
    ("conv 1 ((0.1 + 0.2) * 10)", "conv 1 3"),
    ("conv 1 round8(11.2)", "conv 1 16"),
    ("conv 1 round_to(11.2, 8)", "conv 1 8"),
    ("conv 1 (max(2, pow(2, 3)))", "conv 1 8"),
    ("conv 3 (8 if 1 < 2 else 4)", "conv 3 8"),
    ("default conv bias=false\nconv 3 8 | conv 1 4 bias=true", "conv 3 8 bias=false | conv 1 4"),
    ("def f(s) = conv 3 8 | s\nf (relu | bn)", "conv 3 8 | relu | bn"),
    ("def f(w, d=1) = conv 3 w dilation=d\ndef g(s) = s d=2\ng (f 8)", "conv 3 8 dilation=2"),
    ("def relu = bn\nrelu", "bn"),
]


@pytest.mark.parametrize(("text", "plainly"), SAME, ids=[text for text, _ in SAME])
def test_a_spec_means_what_it_says_at_greater_length(text: str, plainly: str) -> None:
    assert architecture(SMALL + text).identity == architecture(SMALL + plainly).identity


# ---- what flows ----------------------------------------------------------------------------------------


def test_the_image_is_3x224x224_where_nothing_is_said() -> None:
    assert shapes("relu") == ["3x224x224"]


def test_a_pyramid_where_a_map_is_wanted_is_its_deepest_map() -> None:
    assert shapes(f"{PLAIN} | conv 1 5")[-1] == "5x8x8"


def test_a_pyramid_is_returned_as_a_list_finest_first() -> None:
    network = architecture(PLAIN).network
    assert network.returns_list
    assert [str(network.shape_of(output.value)) for output in network.outputs] == [
        "4x32x32",
        "8x16x16",
        "16x8x8",
    ]


def test_of_several_maps_at_one_stride_the_last_is_the_level() -> None:
    text = (
        f"{SMALL}def body = conv 3 4 | tap | conv 3 6 | tap | conv 3 8 stride=2 | tap\nencoder body | level 0"
    )
    assert shapes(text)[-1] == "6x32x32"


# ---- recipes ---------------------------------------------------------------------------------------------


def test_widths_of_a_decoder_belong_to_strides() -> None:
    """/16 256, /8 128, /4 64, /2 32, /1 16."""
    text = "input 3x64x64\nencoder plain widths=[4, 4, 4, 4, 4, 4] | skip plain | up transpose"
    made = architecture(text).network
    assert [str(o.shape) for o in made.operations if o.path.endswith(".up")] == [
        "256x4x4",
        "128x8x8",
        "64x16x16",
        "32x32x32",
        "16x64x64",
    ]


def test_a_level_joins_what_climbs_with_its_skip_in_this_order() -> None:
    network = architecture(f"{PLAIN} | skip plain | up nearest").network
    first = next(o for o in network.operations if o.op.name == "concat")
    assert [str(network.shape_of(value)) for value in first.inputs] == ["16x16x16", "8x16x16"]


def test_depth_is_how_many_levels_a_decoder_climbs() -> None:
    assert [m for m in modules(f"{PLAIN} | skip plain depth=1 | up nearest") if "encoder.x2" in m] == []
    assert {m.split(".")[1] for m in modules(f"{PLAIN} | skip nested | up nearest") if m[0] == "d"} == {
        "x0_1",
        "x1_1",
        "x0_2",
    }


@pytest.mark.parametrize(("schedule", "widths"), [("[7, 5]", (7, 5)), ("[9, 7, 5]", (7, 5)), ("6", (6, 6))])
def test_a_schedule_of_up_is_aligned_at_the_finest_level(schedule: str, widths: tuple[int, int]) -> None:
    made = shapes(f"{PLAIN} | skip plain | up nearest channels={schedule}")
    assert [text for text in made if "x16x16" in text][-1] == f"{widths[0]}x16x16"
    assert made[-1] == f"{widths[1]}x32x32"


def test_a_head_per_pixel_answers_at_the_size_of_the_image() -> None:
    assert shapes(f"{PLAIN} | head 1x1 out=2")[-1] == "2x32x32"
    assert shapes(f"{PLAIN} | head 1x1 out=2 size=own")[-1] == "2x8x8"
    assert shapes(f"{PLAIN} | head linear out=7")[-1] == "7"


@pytest.mark.parametrize("form", ["1x1 out=2", "(conv 1x1 2)"])
def test_a_head_activates_before_it_resizes(form: str) -> None:
    made = architecture(f"{PLAIN} | head {form} activation=sigmoid")
    assert [operation.op.name for operation in made.network.operations[-3:]] == [
        "conv",
        "sigmoid",
        "interpolate",
    ]


def test_a_decoder_gives_back_an_odd_size() -> None:
    made = architecture(
        "input 3x37x45\nencoder plain widths=[4, 8, 16] | skip plain | up transpose | head 1x1 out=2"
    )
    assert [str(o.shape) for o in made.network.operations if o.path.endswith(".up")] == [
        "32x18x22",
        "16x36x44",
    ]
    assert made.network.operations[-1].shape == (2, 37, 45)


def test_an_auxiliary_head_passes_what_flows_and_exists_in_training_only() -> None:
    network = architecture("conv 3 8 as a | aux (conv 1 2) weight=0.3 as side | relu").network
    told = [(o.name, o.training_only, o.weight, str(network.shape_of(o.value))) for o in network.outputs]
    assert told == [("out", False, 1.0, "8x224x224"), ("side", True, 0.3, "2x224x224")]


# ---- files -----------------------------------------------------------------------------------------------


def test_a_word_means_what_this_file_says_then_what_it_uses_then_what_is_built_in(tmp_path: Path) -> None:
    (tmp_path / "blocks.arch").write_text("def relu = bn")
    main = tmp_path / "main.arch"
    main.write_text('use "blocks.arch"\nrelu')
    assert [o.op.name for o in archdsl.load(main).network.operations] == ["bn"]  # type: ignore[union-attr]
    main.write_text('use "blocks.arch"\ndef relu = tanh\nrelu')
    assert [o.op.name for o in archdsl.load(main).network.operations] == ["tanh"]  # type: ignore[union-attr]


def test_names_with_an_underscore_stay_in_their_file(tmp_path: Path) -> None:
    (tmp_path / "blocks.arch").write_text("def _secret = bn\ndef open = _secret | relu")
    main = tmp_path / "main.arch"
    main.write_text('use "blocks.arch"\nopen')
    assert [o.op.name for o in archdsl.load(main).network.operations] == ["bn", "relu"]  # type: ignore[union-attr]
    main.write_text('use "blocks.arch"\n_secret')
    assert [found.code for found in archdsl.check(main)] == ["E101"]


def test_facts_are_those_of_the_files_pipeline() -> None:
    assert architecture('about paper="arXiv:1512.03385" year=2015 task=classification\nrelu').about == {
        "paper": "arXiv:1512.03385",
        "year": 2015,
        "task": "classification",
    }


# ---- spaces ----------------------------------------------------------------------------------------------


def test_a_choice_in_an_option_exists_where_that_option_is_taken() -> None:
    found = space("{conv {3x3, 5x5} 8, relu}")
    assert names("{conv {3x3, 5x5} 8, relu}") == ["choice", "choice.conv.kernel"]
    assert found.count() == 3


def test_a_stage_with_a_question_mark_is_there_or_not() -> None:
    assert [[o.op.name for o in member.network.operations] for member in space("relu ? | bn")] == [
        ["relu", "bn"],
        ["bn"],
    ]


@pytest.mark.parametrize(
    ("choice", "options"),
    [("2..5", (2, 3, 4, 5)), ("16..64:16", (16, 32, 48, 64)), ("{3, 8}", (3, 8))],
)
def test_a_choice_of_whole_numbers_has_these_members(choice: str, options: tuple[int, ...]) -> None:
    made = [member.network.operations[0].shape.channels for member in space(f"conv 1 {choice}")]
    assert tuple(made) == options


def test_a_choice_in_a_repeat_is_made_once_a_turn_and_an_argument_once() -> None:
    assert space("(conv {3x3, 5x5} 8) * 3").count() == 8
    assert space("def f(k) = (conv k 8) * 3\nf {3x3, 5x5}").count() == 2


@pytest.mark.parametrize(
    ("requirement", "feasible"),
    [
        ("params < 30", False),
        ("params < 33", True),
        ("macs < 1K or depth == 1", True),
        ("not gridding_free", False),
    ],
)
def test_a_requirement_is_decided_without_tensors(requirement: str, feasible: bool) -> None:
    """A 1x1 convolution from 3 to 8 channels has 24 weights and 8 biases."""
    found = space(f"input 3x8x8\nrequire {requirement}\nconv 1x1 {{8, 16}}")
    assert found.feasible(next(iter(found))) == feasible


def test_what_a_definition_makes_and_nothing_reads_is_not_built() -> None:
    made = architecture("def f = conv 3x3 8 as a | conv 3x3 9 as b | @a | relu\nf | f")
    assert [o.path for o in made.network.operations] == ["0.a", "0.2", "1.a", "1.2"]
    assert sum(p.numel() for p in made.to_torch().parameters()) == made.params


@pytest.mark.parametrize("shape", [(3, 0, 64), (0, 64, 64), (3, 64, -1), (3, 64.0, 64)])
def test_the_sides_of_an_input_are_whole_numbers(shape: Any) -> None:
    with pytest.raises(ValueError, match="the sides of input are whole numbers above 0"):
        archdsl.load("conv 3x3 8", input=shape)


@pytest.mark.parametrize("shape", [(64, 64), "3x64x64", (1, 3, 8, 64, 64)])
def test_an_input_is_the_shape_of_one_image(shape: Any) -> None:
    with pytest.raises(ValueError, match="input is the shape of one image"):
        archdsl.load("conv 3x3 8", input=shape)


# ---- what was loaded -------------------------------------------------------------------------------


def test_an_architecture_is_compiled_as_its_spec_is() -> None:
    """A 3x3 convolution from 1 to 8 channels has 72 weights and 8 biases."""
    made = archdsl.load("conv 3x3 8 | relu", input=(1, 8, 8))
    module = archdsl.compile(made)
    assert sum(p.numel() for p in module.parameters()) == 80
    assert module(torch.zeros(1, 1, 8, 8)).shape == (1, 8, 8, 8)


def test_a_space_is_compiled_once_its_choices_are_closed() -> None:
    found = space("conv {1x1, 3x3} 8 | conv {1x1, 3x3} 8\nrequire params < 700")
    half = found.close({"conv.kernel": "3x3"})
    module = archdsl.compile(half, set={"conv#2.kernel": "1x1"})
    assert sum(p.numel() for p in module.parameters()) == 9 * 3 * 8 + 8 + 8 * 8 + 8
    for options, code in (({}, "E301"), ({"conv#2.kernel": "3x3"}, "E307"), ({"up": "nearest"}, "E302")):
        with pytest.raises(archdsl.ArchError) as raised:
            archdsl.compile(half, set=options)
        assert [diagnostic.code for diagnostic in raised.value.diagnostics] == [code]


def test_what_was_loaded_has_its_input() -> None:
    with pytest.raises(TypeError, match=r"loaded for 3x224x224: give `input` to `archdsl\.load`"):
        archdsl.compile(archdsl.load("conv 3x3 8"), input=(1, 8, 8))


@pytest.mark.parametrize("read", [archdsl.load, archdsl.check])
def test_what_was_loaded_is_no_spec(read: Any) -> None:
    with pytest.raises(TypeError, match=r"not Architecture\(.*\); it is loaded already"):
        read(archdsl.load("conv 3x3 8"))


@pytest.mark.parametrize("read", [archdsl.load, archdsl.check, archdsl.compile])
def test_a_spec_is_a_path_a_text_or_a_name(read: Any) -> None:
    with pytest.raises(TypeError, match="a spec is a path, a text, or a name of the library, not 3"):
        read(3)
