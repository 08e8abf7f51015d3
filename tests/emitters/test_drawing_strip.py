"""The drawing of networks without recipe cells: a row of parts, the repeated block below; every operation."""

from __future__ import annotations

import random
import re

import pytest

import archdsl
from archdsl.emitters.drawing import draw
from archdsl.network import Network, Output
from archdsl.ops import OPERATIONS
from archdsl.tensors import Shape
from tests.emitters.networks import (
    Draft,
    by_hand,
    densenet,
    efficientnet,
    lenet,
    mobilenet,
    op,
    resnet50,
    vgg16,
)
from tests.emitters.pictures import Picture, read, row, texts
from tests.emitters.recipes import MODELS, nested


def shapes(graph: Picture) -> list[str]:
    """What is written on the edges of the row."""
    ends = ("input", "part", "output")
    lines = [line for line in graph.edges if line.source.startswith(ends) and line.target.startswith(ends)]
    return [text for line in lines for text in texts(line.attributes["label"])]


def chain(length: int) -> Network:
    draft = Draft(Shape(4, 16, 16))
    value = 0
    for number in range(length):
        value = draft.chain(value, **{f"c{number}": op("conv", 3, 4), f"r{number}": op("relu")})
    return draft.network(value)


def tangle(length: int, seed: int) -> Network:
    """Convolutions and sums that read anything before them, without a scope."""
    draws = random.Random(seed)
    draft = Draft(Shape(4, 16, 16))
    for number in range(length):
        sources = [draws.randint(0, number) for _ in range(draws.randint(1, 3))]
        value = sources[0] if len(sources) == 1 else draft.add("", op("add"), *sources)
        draft.add(f"c{number}", op("conv", 3, 4), value)
    ends = set(range(1, len(draft.operations) + 1)) - {v for o in draft.operations for v in o.inputs}
    return draft.network(draft.add("", op("add"), *sorted(ends)))


# ---- the row -----------------------------------------------------------------------------------


def test_resnet_is_a_strip_of_six_boxes():
    assert row(read(draw(resnet50()))) == [
        ("stem", ["stem", "7×7, 64, /2", "max 3×3, /2"]),
        ("stage", ["layer1", "×3", "1×1, 64", "3×3, 64", "1×1, 256"]),
        ("stage", ["layer2", "×4", "1×1, 128", "3×3, 128, /2*", "1×1, 512"]),
        ("stage", ["layer3", "×6", "1×1, 256", "3×3, 256, /2*", "1×1, 1024"]),
        ("stage", ["layer4", "×3", "1×1, 512", "3×3, 512, /2*", "1×1, 2048"]),
        ("head", ["head", "global avg", "fc, 1000"]),
    ]


def test_units_that_pool_otherwise_are_not_told_as_one():
    """BN-Inception's last module has a maximum where the one before it has a mean (figure 5 of its paper)."""
    made = archdsl.load("bninception")
    assert isinstance(made, archdsl.Architecture)
    told = {texts[0]: texts[1:] for _, texts in row(read(made.draw()))}
    assert "avg 3×3" in told["stage3.unit2"]
    assert "max 3×3" in told["stage3.unit3"]


def test_shapes_stand_on_the_edges_of_the_strip():
    assert shapes(read(draw(resnet50()))) == [
        "3×224²", "64×56²", "256×56²", "512×28²", "1024×14²", "2048×7²", "1000"
    ]  # fmt: skip


def test_stages_are_darker_the_deeper_they_are():
    graph = read(draw(resnet50()))
    fills = [graph.nodes[f"part {number}"]["fillcolor"] for number in range(1, 5)]
    light = [sum(int(fill[at : at + 2], 16) for at in (1, 3, 5)) for fill in fills]
    assert light == sorted(light, reverse=True)
    assert len(set(light)) == 4


def test_a_long_chain_is_folded_where_its_resolution_changes():
    stages = row(read(draw(vgg16())))
    assert [lines[0] for _, lines in stages] == [
        "features.0–4", "features.5–9", "features.10–16", "features.17–23", "features.24–30", "classifier"
    ]  # fmt: skip
    assert stages[2][1][1:] == ["3×3, 256  ×3", "max 2×2, /2"]
    assert stages[-1] == ("head", ["classifier", "fc, 4096  ×2", "fc, 1000"])


def test_a_scope_whose_parts_differ_in_shape_is_opened():
    titles = [lines[0] for _, lines in row(read(draw(efficientnet())))]
    assert titles == ["stem", *(f"blocks.{number}" for number in range(7)), "head"]


def test_equal_blocks_side_by_side_are_one_box():
    stages = row(read(draw(mobilenet())))
    assert [lines[0] for _, lines in stages] == [
        "features.0", "features.1", "features.2–3", "features.4–6", "features.7–10", "features.11–13",
        "features.14–16", "features.17", "features.18", "global avg", "classifier",
    ]  # fmt: skip
    assert stages[3][1][1:] == ["×3", "1×1, 192*", "dw 3×3, /2*", "1×1, 32"]
    assert stages[-1][0] == "head"


def test_a_decoder_written_by_hand_is_opened_into_its_nodes():
    graph = read(draw(by_hand()))
    titles = [lines[0] for _, lines in row(graph)]
    assert titles == [*(f"x{i}_{j}" for j in range(4) for i in range(4 - j)), "head"]
    assert row(graph)[4][1] == ["x0_1", "up 2×2, 8, ×2", "3×3, 8  ×2"]
    names = {f"part {number}": title for number, title in enumerate(titles)}
    ends = [
        (line.target, line.source) if line.attributes.get("dir") == "back" else (line.source, line.target)
        for line in graph.edges
    ]
    into = {names[source] for source, target in ends if names.get(target) == "x0_3"}
    assert into == {"x0_0", "x0_1", "x0_2", "x1_2"}


def test_a_few_operations_with_branches_are_a_box_each():
    draft = Draft(Shape(4, 16, 16))
    value = 0
    for number in range(3):
        body = draft.chain(value, **{f"a{number}": op("conv", 3, 4), f"b{number}": op("conv", 1, 4)})
        value = draft.add("", op("add"), body, value)
    assert [lines for _, lines in row(read(draw(draft.network(value))))] == [
        lines for n in range(3) for lines in ([f"a{n}", "3×3, 4"], [f"b{n}", "1×1, 4"], ["add"])
    ]


def test_what_comes_first_is_no_part_of_the_first_scope():
    draft = Draft(Shape(3, 32, 32))
    value = draft.add("conv", op("conv", 3, 8), 0)
    for number in range(20):
        with draft.scope(str(number), "cell"):
            value = draft.chain(value, conv=op("conv", 3, 8), relu=op("relu"))
    assert row(read(draw(draft.network(value)))) == [
        ("stem", ["stem", "3×3, 8"]),
        ("stage", ["cell", "×20", "3×3, 8"]),
    ]


def test_a_chain_without_scopes_is_told_by_its_own_names():
    assert [lines[0] for _, lines in row(read(draw(lenet())))] == ["c1–s2", "c3–s4", "flatten–f7"]


@pytest.mark.parametrize("network", [tangle(40, 1), tangle(400, 2), chain(2000)], ids=["40", "400", "chain"])
def test_any_network_makes_a_small_picture_in_which_everything_hangs_together(network: Network):
    graph = read(draw(network))
    reached = {"input"}
    for line in sorted(graph.edges, key=lambda line: int(re.sub(r"\D", "", line.source) or -1)):
        if line.source in reached:
            reached.add(line.target)
    assert reached == set(graph.nodes)
    assert len(graph.nodes) <= 30


def test_what_stands_between_two_scopes_is_a_box_without_a_title():
    draft = Draft(Shape(3, 32, 32))
    value = 0
    for name in ("left", "right"):
        with draft.scope(name):
            value = draft.add("conv", op("conv", 3, 8), value)
        value = draft.add(f"{name}_act", op("relu"), draft.add(f"{name}_pool", op("pool", "max", 2), value))
    assert [lines for _, lines in row(read(draw(draft.network(value))))] == [
        ["left", "3×3, 8"], ["max 2×2, /2"], ["right", "3×3, 8"], ["head", "max 2×2, /2"]
    ]  # fmt: skip


def test_a_network_of_one_activation_is_one_box():
    draft = Draft(Shape(3, 32, 32))
    graph = read(draw(draft.network(draft.add("act", op("relu"), 0))))
    assert row(graph) == [("stage", ["relu"])]
    assert shapes(graph) == ["3×32²", "3×32²"]


def test_every_output_leaves_the_part_that_makes_it():
    draft = Draft()
    with draft.scope("left"):
        left = draft.add("conv", op("conv", 3, 8), 0)
    with draft.scope("right"):
        right = draft.add("conv", op("conv", 3, 4), left)
    network = draft.network(right)
    outputs = (*network.outputs, Output("aux1", left, training_only=True))
    graph = read(draw(Network(network.input, network.operations, outputs, network.scopes)))
    ends = {(line.source, line.target) for line in graph.edges if line.target.startswith("output")}
    assert ends == {("part 1", "output out"), ("part 0", "output aux1")}


@pytest.mark.parametrize("name", ["alexnet", "hybridsn"])
def test_the_classics_are_told_layer_by_layer(name: str):
    found = archdsl.load(MODELS / f"{name}.arch")
    assert isinstance(found, archdsl.Architecture)
    stages = row(read(draw(found.network)))
    assert not [line for _, lines in stages for line in lines if "more" in line]
    assert next(lines for role, lines in stages if role == "stage")[-1] in ("max 3×3, /2", "fc, 16")


def test_units_of_several_stages_with_one_name_are_told_apart():
    draft = Draft(Shape(3, 32, 32))
    value = 0
    for stage in ("a", "b"):
        with draft.scope(stage):
            for unit, width in (("one", 8), ("two", 12)):
                with draft.scope(unit):
                    convs = {f"c{number}": op("conv", 3, width + number) for number in range(5)}
                    value = draft.chain(value, **convs)
    titles = [lines[0] for _, lines in row(read(draw(draft.network(value))))]
    assert titles == ["a.one", "a.two", "b.one", "b.two"]


def test_where_some_units_are_told_with_their_stage_those_beside_them_are_too():
    """BN-Inception's second stage has five units, the first and the last have fewer."""
    found = archdsl.load(MODELS / "bninception.arch")
    assert isinstance(found, archdsl.Architecture)
    titles = [lines[0] for _, lines in row(read(draw(found.network)))]
    units = [
        f"stage{stage}.unit{unit}"
        for stage, count in ((1, 2), (2, 5), (3, 3))
        for unit in range(1, count + 1)
    ]
    assert titles == ["init_block", *units, "head"]


def test_parts_with_numbers_alone_are_called_by_their_definitions():
    """NAS-Bench-201 (Dong and Yang 2020, figure 1): five cells at each of three resolutions."""
    found = archdsl.load("input 3x32x32\nnasbench201\n")
    assert isinstance(found, archdsl.Architecture)
    told = [lines[:2] for _, lines in row(read(draw(found.network)))]
    assert [lines if lines[1][0] == "×" else lines[0] for lines in told] == [
        "stem",
        ["cell 2–6", "×5"],
        "reduction 7",
        ["cell 8–12", "×5"],
        "reduction 13",
        ["cell 14–18", "×5"],
        "head",
    ]


# ---- what is folded, what is merged -----------------------------------------------------------------


def test_only_equal_modules_are_folded():
    found = archdsl.load(MODELS / "googlenet.arch")
    assert isinstance(found, archdsl.Architecture)
    titles = [lines[0] for _, lines in row(read(draw(found.network)))]
    assert [title for title in titles if title.startswith("inception4")] == [
        f"inception4{letter}" for letter in "abcde"
    ]


def test_modules_of_which_some_are_equal_are_a_box_for_each_kind():
    draft = Draft(Shape(8, 16, 16))
    value = 0
    for number, width in enumerate((4, 12, 6, 6, 6)):
        with draft.scope(f"m{number}", "module"):
            value = draft.chain(value, a=op("conv", 1, width), b=op("conv", 3, width + 1), c=op("conv", 1, 8))
    stages = [lines for _, lines in row(read(draw(draft.network(value))))]
    assert stages == [
        ["m0", "1×1, 4", "3×3, 5", "1×1, 8"],
        ["m1", "1×1, 12", "3×3, 13", "1×1, 8"],
        ["m2–4", "×3", "1×1, 6", "3×3, 7", "1×1, 8"],
    ]


def test_a_map_that_gives_its_size_alone_leads_nowhere():
    draft = Draft(Shape(3, 32, 32))
    value = draft.chain(0, conv=op("conv", 3, 8, stride=2))
    value = draft.add("", op("interpolate"), value, 0)
    ends = [(line.source, line.target) for line in read(draw(draft.network(value))).edges]
    assert ends == [("input", "part 0"), ("part 0", "output out")]


def test_what_grows_a_map_belongs_to_the_unit_that_follows():
    found = archdsl.load(MODELS / "unet_original.arch")
    assert isinstance(found, archdsl.Architecture)
    stages = [lines for _, lines in row(read(draw(found.network)))]
    assert [lines[0] for lines in stages] == [
        *(f"down{number}" for number in range(1, 6)), *(f"up{number}" for number in (4, 3, 2, 1)), "head"
    ]  # fmt: skip
    assert stages[5] == ["up4", "up 2×2, 512, ×2", "crop", "3×3, 512  ×2"]


# ---- every operation ---------------------------------------------------------------------------


def full(network: Network) -> Picture:
    return read(draw(network, level="full"))


@pytest.mark.parametrize("network", [resnet50(), vgg16(), lenet()], ids=["resnet50", "vgg16", "lenet"])
def test_the_full_drawing_has_a_line_for_every_operation(network: Network):
    lines = [
        node["label"].count("<tr>") for node in full(network).nodes.values() if node["class"] == "operation"
    ]
    assert sum(lines) == len(network.operations)


def test_scopes_are_frames_in_the_full_drawing():
    frames = {texts(part.attributes["label"])[0]: part.nodes for part in full(resnet50()).parts}
    assert frames["layer1.0"] < frames["layer1"]
    assert frames["downsample"] < frames["layer4"]  # the last of that name


def test_the_full_drawing_tells_arguments_and_shapes():
    graph = full(resnet50())
    assert texts(graph.nodes["operation 0"]["label"])[:2] == ["conv1", "conv 7×7, 64, /2"]
    (line,) = (line for line in graph.edges if line.source == "operation 0")
    assert line.attributes["label"].strip() == "64×112²"


def test_both_edges_of_a_value_that_is_added_to_itself_are_drawn():
    draft = Draft(Shape(3, 8, 8))
    value = draft.add("conv", op("conv", 3, 4), 0)
    graph = full(draft.network(draft.add("", op("add"), value, value)))
    assert [line.source for line in graph.edges if line.target == "operation 1"] == ["operation 0"] * 2


@pytest.mark.parametrize(
    "network",
    [efficientnet(), densenet((6, 12, 48, 32)), chain(2000), tangle(600, 3)],
    ids=["efficientnet", "densenet201", "chain", "tangle"],
)
def test_a_full_drawing_never_has_more_than_150_boxes(network: Network):
    graph = full(network)
    assert (
        10 < len([node for node in graph.nodes.values() if node["class"] in ("operation", "folded")]) <= 150
    )
    assert len(graph.edges) <= 400
    reads = {line.target for line in graph.edges}
    assert all(name in reads for name in graph.nodes if name != "input")


def test_a_folded_scope_says_which_open_one_it_equals():
    graph = full(resnet50((3, 8, 36, 3)))
    folded = [texts(node["label"]) for node in graph.nodes.values() if node["class"] == "folded"]
    assert ["layer3.35 bottleneck", "as layer3.1"] in folded
    assert ["layer3.2 bottleneck", "as layer3.1"] in folded


# ---- all levels --------------------------------------------------------------------------------


@pytest.mark.parametrize("level", ["recipe", "full"])
@pytest.mark.parametrize("network", [resnet50, efficientnet, densenet], ids=lambda make: make.__name__)
def test_a_network_is_drawn_the_same_every_time(network, level: str):
    assert draw(network(), level=level) == draw(network(), level=level)


def test_every_operation_of_the_language_has_words():
    samples = {
        "conv": (3, 8), "dwconv": (3,), "deform_conv": (3, 8), "transpose_conv": (2, 8), "linear": (8,),
        "pool": ("max", 2), "chunk": (0, 2), "shuffle": (2,), "pad": (1,), "channel_pool": ("max",),
        "scale": (2,), "affinity": (1,),
    }  # fmt: skip
    from archdsl.emitters.drawing.phrases import described

    for word, kind in OPERATIONS.items():
        told = described(kind(*samples.get(word, ())), Shape(8, 4, 4))
        assert told == told.strip()
        assert told


def test_a_recipe_with_a_single_level_is_drawn_as_a_strip():
    network = nested(2)
    kept = tuple(cell for cell in network.cells if cell.name in ("input", "x2_0", "head"))
    graph = read(
        draw(Network(network.input, network.operations, network.outputs, network.scopes, kept, network.edges))
    )
    assert "part 0" in graph.nodes


# ---- recipes that are not whole -------------------------------------------------------------------


def test_a_decoder_that_is_a_definition_is_drawn_as_parts_and_one_of_recipe_stages_as_a_grid() -> None:
    spec = """
def decoder(width) = level 2 | conv 3x3 width | relu | interpolate like=@input

encoder plain widths=[4, 8, 12] | {} | head 1x1 out=2{}
"""
    parts = read(archdsl.load(spec.format("decoder 8", "")).draw())
    assert [node["class"] for node in parts.nodes.values() if node.get("class") == "head"] == ["head"]
    assert "x0_0" not in parts.nodes
    grid = read(archdsl.load(spec.format("skip plain | up bilinear", " | sigmoid")).draw())
    assert {"x0_0", "x0_2", "head"} <= set(grid.nodes)
