"""Drawings of the library's models: what is drawn leads from an entry to an exit."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

import archdsl
from archdsl.emitters.drawing import draw
from tests.emitters.pictures import Picture, read, texts
from tests.emitters.recipes import MODELS

NAMES = sorted(path.stem for path in MODELS.glob("*.arch"))


def drawn(model: str) -> Picture:
    found = archdsl.load(MODELS / f"{model}.arch")
    assert isinstance(found, archdsl.Architecture)
    return read(draw(found.network))


# ---- paths through a drawing --------------------------------------------------------------------


def flow(graph: Picture) -> set[tuple[str, str]]:
    """What leads where, the way that arrows point; from where a row breaks off to where it goes on."""
    seen = [line for line in graph.edges if line.attributes.get("style") != "invis"]
    pairs = {
        (line.target, line.source) if line.attributes.get("dir") == "back" else (line.source, line.target)
        for line in seen
    }
    marks = [name.removeprefix("to ") for name in graph.nodes if name.startswith("to ")]
    return pairs | {(f"to {mark}", f"from {mark}") for mark in marks}


def reached(starts: Iterable[str], pairs: set[tuple[str, str]]) -> set[str]:
    found: set[str] = set()
    waiting = set(starts)
    while waiting:
        found |= waiting
        waiting = {head for tail, head in pairs if tail in waiting} - found
    return found


def strays(graph: Picture) -> set[str]:
    """What is drawn, and lies on no path from an entry to an exit."""
    kinds = {name: node["class"].split()[0] for name, node in graph.nodes.items() if node["class"]}
    labels = {name: graph.nodes[name]["label"] for name, kind in kinds.items() if kind == "end"}
    outs = {name for name, label in labels.items() if label.startswith("y")}
    ins = labels.keys() - outs | {name for name, kind in kinds.items() if kind == "input"}
    last = {"output"} if "output" in kinds.values() else {"head", "aux"}
    outs |= {name for name, kind in kinds.items() if kind in last}
    pairs = flow(graph)
    backwards = {(head, tail) for tail, head in pairs}
    drawn = {name for name, kind in kinds.items() if kind not in ("caption", "legend")}
    return drawn - (reached(ins, pairs) & reached(outs, backwards))


@pytest.mark.parametrize("name", NAMES)
def test_all_that_a_models_drawing_shows_leads_from_an_entry_to_an_exit(name: str):
    graph = drawn(name)
    assert len(graph.nodes) > 2
    assert strays(graph) == set()


def test_a_box_that_leads_nowhere_is_a_stray():
    text = """digraph {
        input [class="input"]; a [class="stage"]; b [class="stage"]; c [class="stage"]; d [class="stage"];
        "output out" [class="output"]; input -> a -> "output out"; a -> b; c -> a; d -> a [style="invis"];
    }"""
    assert strays(read(text)) == {"b", "c", "d"}


# ---- what joins several maps ---------------------------------------------------------------------


def named(graph: Picture, name: str) -> str:
    return " ".join(texts(graph.nodes[name].get("label", "")))


def into(graph: Picture, label: str) -> list[tuple[str, str]]:
    """What leads into each box of a label: the label there, and the style of the line."""
    return sorted(
        (named(graph, line.source) or line.source.split()[0], line.attributes.get("style") or "solid")
        for line in graph.edges
        if named(graph, line.target) == label and line.attributes.get("style") != "invis"
    )


def test_each_map_of_a_pyramid_enters_and_leaves_its_unit():
    """HRNet's last stage has four branches, each fused from all (figure 3 of its paper)."""
    graph = drawn("hrnet_w18")
    for number in range(4):
        assert [tail for tail, _ in into(graph, f"y{number}")] == [f"fuse_layers.{number}"]
        assert {tail for tail, _ in into(graph, f"fuse_layers.{number}")} == {
            f"branches.{branch}" for branch in range(4)
        }
        assert [tail for tail, _ in into(graph, f"branches.{number}")] == [f"x{number}"]


@pytest.mark.parametrize(("model", "blocks"), [("dla34", ["+", "+"]), ("dla60", ["tree1", "tree2"])])
def test_the_root_of_a_tree_joins_its_blocks_and_what_is_passed_down(model: str, blocks: list[str]):
    """Deep layer aggregation (figure 3 of its paper): some roots join earlier trees as well."""
    graph = drawn(model)
    joined = into(graph, "cat")
    assert [tail for tail, style in joined if style == "solid"] == blocks
    assert [tail for tail, style in joined if style == "dashed"] == ["earlier", "fork"]
    (frame,) = (part for part in graph.parts if part.name == "cluster_block")
    assert texts(frame.attributes["label"])[-1].endswith("dashed: in some only")


def test_a_value_with_a_name_comes_from_what_made_it():
    """DLA's levels start from the one before, and from that pooled."""
    graph = drawn("dla34")
    titles = {name: texts(node["label"])[0] for name, node in graph.nodes.items() if "part" in name}
    level5 = next(name for name, title in titles.items() if title == "level5")
    tails = {line.source: texts(line.attributes["label"]) for line in graph.edges if line.target == level5}
    assert {titles[tail]: shapes for tail, shapes in tails.items()} == {
        "level4": ["256×14²"],
        "max 2×2, /2": ["256×7²"],
    }


@pytest.mark.parametrize("model", ["dla34", "dla60"])
def test_levels_of_one_kind_are_drawn_alike(model: str):
    """DLA's second and fifth level are trees of one level each (table 1 of its paper)."""
    told = [texts(node["label"]) for node in drawn(model).nodes.values() if node["class"] == "stage"]
    boxes = {lines[0]: lines[1:] for lines in told}
    assert [title for title in boxes if title.startswith("level")] == [f"level{n}" for n in range(6)]
    steps = {"dla34": ["3×3, {0}, /2", "3×3, {0}  ×3"], "dla60": ["tree1", "tree2"]}[model]
    for title, width in (("level2", 64), ("level5", 512)):
        out = width * (2 if model == "dla60" else 1)
        lines = ["max 2×2, /2", f"1×1, {out}", *(step.format(out) for step in steps), f"1×1, {out}"]
        assert boxes[title] == lines


def test_a_first_block_that_lacks_operations_is_no_turn_of_a_repetition():
    """Xception's middle flow is eight times three separable convolutions; block 3 has two and a pooling."""
    graph = drawn("legacy_xception")
    boxes = {
        told[0]: told[1:] for told in (texts(node.get("label", "")) for node in graph.nodes.values()) if told
    }
    assert boxes["block4–11"] == ["×8", *["dw 3×3", "1×1, 728"] * 3]
    assert boxes["block3"] == ["1×1, 728, /2", *["dw 3×3", "1×1, 728"] * 2, "max 3×3, /2"]


# ---- the block, and the row -----------------------------------------------------------------------


def firsts(graph: Picture, kind: str) -> list[str]:
    """The first words in each box of a kind."""
    nodes = (node for node in graph.nodes.values() if node["class"] == kind)
    return sorted(texts(node["label"])[0] for node in nodes)


def test_modules_that_stand_each_for_itself_in_the_row_are_drawn_once():
    """GoogLeNet's nine modules differ in six widths (table 1 of its paper)."""
    boxes = firsts(drawn("googlenet"), "operation")
    assert boxes == ["1×1, w1", "1×1, w2", "1×1, w4", "1×1, w6", "3×3, w3", "3×3, w5", "max 3×3"]


def test_the_unit_that_repeats_after_another_is_drawn_once():
    """ShuffleNet V2's stages begin with another unit (figure 3 c and d of its paper)."""
    graph = drawn("shufflenet_v2_x1_0")
    assert firsts(graph, "operation")[:3] == ["1×1, w", "1×1, w", "chunk, index 0, of 2"]
    assert [tail for tail, _ in into(graph, "cat")] == ["1×1, w bn, relu", "chunk, index 0, of 2"]


def test_what_blocks_pool_differently_says_both():
    assert "avg or max 3×3" in firsts(drawn("bninception"), "operation")


def test_branches_side_by_side_are_no_repetition():
    """Inception-v3's module before the last reduction has 192 channels in all branches."""
    stages = [
        texts(node["label"]) for node in drawn("inception_v3").nodes.values() if node["class"] == "stage"
    ]
    assert next(told for told in stages if told[0] == "Mixed_6e")[1] == "1×1, 192  ×2"


def test_no_two_parts_of_a_row_have_one_title():
    graph = drawn("dpt_vit_base_patch16_224")
    assert [node["class"] for node in graph.nodes.values() if "<b>head<" in node.get("label", "")] == [
        "stage"
    ]
