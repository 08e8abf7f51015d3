"""The block that a network repeats, drawn once below the row of parts."""

from __future__ import annotations

import pytest

import archdsl
from archdsl.emitters.drawing import draw
from archdsl.network import Network
from archdsl.tensors import Shape
from tests.emitters.networks import Draft, densenet, efficientnet, lenet, mobilenet, op, resnet50
from tests.emitters.pictures import Picture, read, texts
from tests.emitters.recipes import MODELS


def block(network: Network) -> Picture:
    graph = read(draw(network))
    inside = next(part.nodes for part in graph.parts if part.name == "cluster_block")
    return Picture(
        {name: node for name, node in graph.nodes.items() if name in inside},
        [line for line in graph.edges if {line.source, line.target} & inside],
        graph.parts,
    )


def caption(network: Network) -> str:
    frame = next(part for part in block(network).parts if part.name == "cluster_block")
    return " ".join(texts(frame.attributes["label"]))


def test_the_block_that_repeats_is_drawn_once_with_widths_as_multiples():
    inside = [" ".join(texts(node["label"])) for node in block(resnet50()).nodes.values() if "label" in node]
    assert sorted(inside) == [
        "+",
        "1×1, 4w bn",
        "1×1, 4w, /2* bn or identity",
        "1×1, w bn, relu",
        "3×3, w, /2* bn, relu",
    ]
    assert caption(resnet50()).startswith("bottleneck (w)")


def test_what_only_the_first_block_of_a_stage_has_is_dashed():
    dashed = [node for node in block(resnet50()).nodes.values() if "dashed" in node.get("style", "")]
    assert [texts(node["label"])[0] for node in dashed] == ["1×1, 4w, /2*"]
    assert "* and dashed: in the first of a stage" in caption(resnet50())


def test_a_sum_that_the_first_block_lacks_is_dashed():
    dashed = [node for node in block(efficientnet()).nodes.values() if "dashed" in node.get("style", "")]
    assert [node["label"] for node in dashed] == ["+"]
    assert "dashed: not in the first of a stage" in caption(efficientnet())


def test_the_shortcut_leads_past_the_body_to_the_sum():
    picture = block(resnet50())
    shortcut = [line for line in picture.edges if line.attributes["class"] == "shortcut"]
    names = {name: texts(node.get("label", "")) for name, node in picture.nodes.items()}
    assert [names[line.target] for line in shortcut] == [["1×1, 4w, /2*", "bn", "or identity"], ["+"]]


def test_a_gate_inside_a_block_is_one_box():
    folded = [node["label"] for node in block(efficientnet()).nodes.values() if node["class"] == "folded"]
    assert folded == ["se"]


def test_a_scope_that_is_most_of_a_block_is_not_hidden():
    inside = [
        texts(node["label"])[0] for node in block(mobilenet()).nodes.values() if node["class"] == "operation"
    ]
    assert inside == ["1×1, w1", "dw 3×3, /2*", "1×1, w2"]


def test_widths_inside_a_gate_do_not_count():
    draft = Draft(Shape(8, 16, 16))
    value = 0
    with draft.scope("stage"):
        for number in range(2):
            with draft.scope(str(number), "block"):
                value = draft.chain(
                    value, conv1=op("conv", 3, 8), conv2=op("conv", 3, 32), conv3=op("conv", 3, 8)
                )
                with draft.scope("se"):
                    gate = draft.chain(value, gap=op("gap"), fc1=op("conv", 1, 2), fc2=op("conv", 1, 8))
                    value = draft.add("", op("mul"), value, gate)
    nodes = block(draft.network(value)).nodes.values()
    assert [texts(node["label"])[0] for node in nodes if node["class"] == "operation"] == [
        "3×3, w",
        "3×3, 4w",
        "3×3, w",
    ]


def drawn_block(model: str) -> tuple[list[str], str]:
    """What stands in the boxes of the block of a model of the library, and its caption."""
    found = archdsl.load(MODELS / f"{model}.arch")
    assert isinstance(found, archdsl.Architecture)
    nodes = block(found.network).nodes.values()
    return [texts(node["label"])[0] for node in nodes if node["class"] == "operation"], caption(found.network)


def test_groups_that_blocks_differ_in_are_a_letter_and_those_that_all_have_a_number():
    boxes, words = drawn_block("regnet_y_800mf")
    assert "3×3, w, /2*, g groups" in boxes
    assert words.startswith("block (w, g)")
    assert "3×3, w, /2*, 32 groups" in drawn_block("resnext50_32x4d")[0]


def test_windows_and_widths_that_blocks_differ_in_are_letters():
    boxes, words = drawn_block("efficientnet_b0")
    assert boxes == ["1×1, w1", "dw k×k, /2*", "1×1, w2"]
    assert words.startswith("mbconv6 (w1, w2, k)")


def test_a_scope_with_a_number_is_called_by_its_definition():
    found = archdsl.load(MODELS / "mobilenet_v3_small.arch")
    assert isinstance(found, archdsl.Architecture)
    nodes = block(found.network).nodes.values()
    assert [node["label"] for node in nodes if node["class"] == "folded"] == ["se"]


def dashed(model: str) -> list[str]:
    """What stands in the boxes and circles of a model's block that only some blocks have."""
    found = archdsl.load(MODELS / f"{model}.arch")
    assert isinstance(found, archdsl.Architecture)
    nodes = block(found.network).nodes.values()
    return sorted(" ".join(texts(node["label"])) for node in nodes if "dashed" in node.get("style", ""))


@pytest.mark.parametrize("model", ["mobilenet_v3_small", "mobilenet_v3_large", "lraspp_mobilenet_v3_large"])
def test_a_gate_that_only_some_blocks_have_is_dashed_and_the_convolution_behind_it_is_not(model: str):
    """Howard et al. 2019, tables 1 and 2: SE in some rows, a 1x1 convolution behind it in all."""
    assert dashed(model) == ["+", "se"]


def test_activations_that_blocks_differ_in_are_all_told():
    found = archdsl.load(MODELS / "mobilenet_v3_large.arch")
    assert isinstance(found, archdsl.Architecture)
    labels = [texts(node["label"]) for node in block(found.network).nodes.values() if "label" in node]
    assert ["1×1, w1", "bn, relu or hswish"] in labels


def test_of_equal_branches_the_last_is_what_smaller_blocks_lack():
    """HRNet's third stage has three branches, its fourth four."""
    assert dashed("hrnet_w18") == ["branches.3", "fuse_layers.3"]


def test_what_is_pooled_in_the_first_block_alone_is_not_what_others_pass_on():
    """ShuffleNet (Zhang et al. 2018, figure 2): an average pooling on the shortcut of strided units alone."""
    assert dashed("shufflenet_v1_g3") == ["avg 3×3, /2 or identity"]


def test_joins_and_groups_that_blocks_differ_in_say_both():
    """ShuffleNet (Zhang et al. 2018, figure 2): strided units concatenate; the first has no groups."""
    found = archdsl.load(MODELS / "shufflenet_v1_g3.arch")
    assert isinstance(found, archdsl.Architecture)
    labels = [texts(node["label"])[0] for node in block(found.network).nodes.values() if "label" in node]
    assert "cat or +" in labels
    assert "1×1, w1, g groups" in labels


def test_operations_that_one_definition_names_alike_are_one_whatever_they_are():
    draft = Draft(Shape(8, 16, 16))
    value = 0
    with draft.scope("stage"):
        for number, (kind, *width) in enumerate([("conv", 8), ("dwconv",)]):
            with draft.scope(str(number), "block"):
                value = draft.chain(
                    value, conv1=op("conv", 3, 8), conv2=op(kind, 3, *width), conv3=op("conv", 3, 8)
                )
    nodes = [node for node in block(draft.network(value)).nodes.values() if node["class"] == "operation"]
    assert len(nodes) == 3
    assert not [node for node in nodes if "dashed" in node.get("style", "")]


def test_the_pooling_in_a_shortcut_that_only_strided_blocks_have_is_drawn():
    assert "avg 2×2, /2" in drawn_block("resnet50d")[0]


def test_a_dense_layer_is_drawn_with_the_concat_behind_it():
    picture = block(densenet())
    assert "cat" in [node.get("label") for node in picture.nodes.values()]
    assert [line.attributes["class"] for line in picture.edges].count("shortcut") == 1


def test_the_block_stands_below_the_row():
    graph = read(draw(resnet50()))
    (rank,) = (
        part.nodes for part in graph.parts if part.attributes.get("rank") == "same" and "input" in part.nodes
    )
    (tie,) = (line for line in graph.edges if {line.source, line.target} == rank)
    assert tie.source == "input"
    assert tie.attributes["style"] == "invis"


def test_a_network_without_repetition_has_no_block():
    assert not [part for part in read(draw(lenet())).parts if part.name == "cluster_block"]
