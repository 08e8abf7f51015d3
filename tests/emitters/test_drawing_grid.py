"""The recipe drawing of encoders with decoders: cells in their places, edges around them, a legend."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations

import matplotlib
import pytest
from PIL import ImageFont

import archdsl
from archdsl.emitters.drawing import draw, theme
from archdsl.network import Edge, Network
from archdsl.tensors import Shape
from tests.emitters.pictures import Rectangle, boxes, center, curve, edges, parsed, read, rectangle, words
from tests.emitters.recipes import WRITTEN, nested, plain, with_aux, written

NESTED = [
    nested(depth, tops, supervise)
    for depth in range(1, 6)
    for tops in (0, 1, 2)
    for supervise in (False, True)
]
PLAIN = [
    plain(),
    plain(1),
    plain(3, "add"),
    plain(4, ""),
    plain(5, "concat", 2),
    plain(4, "concat", 1, "aspp"),
    with_aux(plain(4, "concat", 1, "aspp"), "context", "aux1"),
    with_aux(with_aux(plain(3, "add", 1), "x1_2", "aux1"), "x0_3", "aux2"),
    with_aux(nested(3, 1, supervise=True), "x3_0", "a_head_with_a_long_name"),
    replace(
        plain(3, "concat", 1), edges=(*plain(3, "concat", 1).edges, Edge("input", "top1", "long", "concat"))
    ),
]

PLAIN += [written(name) for name in WRITTEN]


# ---- places ------------------------------------------------------------------------------------


def test_the_nodes_of_a_nested_decoder_form_the_triangle_of_the_paper():
    graph = parsed(nested(4))
    triangle = {
        (row, column): center(graph, f"x{row}_{column}") for row in range(5) for column in range(5 - row)
    }
    for (row, column), spot in triangle.items():
        assert spot.y == triangle[row, 0].y
        assert spot.x == triangle[0, column].x
    assert [triangle[row, 0].y for row in range(5)] == sorted(
        (triangle[row, 0].y for row in range(5)), reverse=True
    )
    assert [triangle[0, column].x for column in range(5)] == sorted(
        triangle[0, column].x for column in range(5)
    )


def test_a_row_is_a_rank():
    graph = parsed(nested(3))
    assert [part.nodes for part in graph.parts if part.attributes.get("rank") == "same"] == [
        {"input", "x0_0", "x0_1", "x0_2", "x0_3", "top1", "head"},
        {"x1_0", "x1_1", "x1_2"},
        {"x2_0", "x2_1"},
        {"x3_0"},
    ]


@pytest.mark.parametrize(
    "network", [nested(4, supervise=True), plain(4, "add", 1, "aspp")], ids=["nested", "plain"]
)
def test_every_cell_has_its_role_row_and_column(network: Network):
    graph = parsed(network)
    for cell in network.cells:
        classes = graph.nodes[cell.name]["class"].split()
        assert classes == [cell.role, f"row{cell.row}", f"column{cell.column}"]


def test_the_encoder_is_framed_under_its_name():
    (frame,) = (part for part in parsed(nested(3)).parts if part.name == "cluster_encoder")
    assert frame.nodes == {"x0_0", "x1_0", "x2_0", "x3_0"}
    assert "encoder" in frame.attributes["label"]
    assert "effnet_b0" in frame.attributes["label"]


def test_a_unet_is_two_columns_side_by_side():
    graph = parsed(plain(4))
    down = [center(graph, f"x{row}_0") for row in range(5)]
    up = [center(graph, f"x{row}_{4 - row}") for row in range(4)]
    assert len({spot.x for spot in down}) == len({spot.x for spot in up}) == 1
    assert [spot.y for spot in up] == [spot.y for spot in down[:4]]
    assert up[0].x > down[0].x


def test_heads_of_lower_depths_stand_above_the_node_that_they_score():
    graph = parsed(nested(4, 2, supervise=True))
    for j in (1, 2, 3):
        column = [center(graph, name) for name in (f"x0_{j}", f"top1_{j}", f"top2_{j}", f"head{j}")]
        assert len({spot.x for spot in column}) == 1
        assert [spot.y for spot in column] == sorted(spot.y for spot in column)


def test_the_output_leaves_to_the_right_of_the_finest_row():
    graph = parsed(nested(3, 2, supervise=True))
    row = [center(graph, name) for name in ("x0_3", "top1", "top2", "head")]
    assert len({spot.y for spot in row}) == 1
    assert [spot.x for spot in row] == sorted(spot.x for spot in row)


def test_the_context_stands_below_the_deepest_level_and_carries_its_name():
    graph = parsed(plain(3, context="aspp"))
    assert center(graph, "context").x == center(graph, "x3_0").x
    assert center(graph, "context").y < center(graph, "x3_0").y
    assert "aspp" in graph.nodes["context"]["label"]


def test_what_exists_in_training_only_is_dashed():
    graph = parsed(nested(3, supervise=True))
    dashed = {name for name, node in graph.nodes.items() if "dashed" in node.get("style", "")}
    assert dashed == {"top1_1", "top1_2", "head1", "head2"}
    assert "dashed box: in training only" in words(graph)


def test_each_of_two_contexts_has_a_cell_and_parts_carry_the_names_of_the_spec():
    graph = parsed(written("two contexts"))
    below = ["x4_0", "context", "more"]
    assert len({center(graph, name).x for name in below}) == 1
    assert {("x4_0", "context"), ("context", "more")} < edges(graph, "flow")
    assert "aspp" in graph.nodes["context"]["label"]
    assert "ppm" in graph.nodes["more"]["label"]
    (frame,) = (part for part in graph.parts if part.name == "cluster_encoder")
    assert "backbone" in frame.attributes["label"]
    assert "resnet18" in frame.attributes["label"]
    assert ">score<" in graph.nodes["head"]["label"]


def test_the_name_of_an_encoder_over_a_context_stays_inside_the_drawing():
    graph = parsed(written("context"))
    (frame,) = (part for part in graph.parts if part.name == "cluster_encoder")
    middle = float(frame.attributes["lp"].split(",")[0])
    half = theme.width_of("mobilenet_v3_small", 12) / 2
    left = float(frame.attributes["bb"].split(",")[0])
    assert min(box.left for box in boxes(written("context"), graph).values()) <= middle - half
    assert middle + half < left


# ---- nothing in the way of anything ------------------------------------------------------------


@pytest.mark.parametrize("network", NESTED + PLAIN)
def test_no_two_boxes_overlap(network: Network):
    graph = parsed(network)
    for one, other in combinations(boxes(network, graph).values(), 2):
        assert not one.overlaps(other)


@pytest.mark.parametrize("network", NESTED + PLAIN)
def test_no_edge_passes_through_a_box(network: Network):
    graph = parsed(network)
    there = boxes(network, graph)
    for edge in graph.edges:
        others = {name: box for name, box in there.items() if name not in (edge.source, edge.target)}
        for point in curve(edge):
            assert not [name for name, box in others.items() if box.holds(point)], edge


@pytest.mark.parametrize("network", NESTED + PLAIN)
def test_edges_start_and_end_at_the_rim_of_their_boxes(network: Network):
    graph = parsed(network)
    there = boxes(network, graph)
    for edge in graph.edges:
        points = list(curve(edge))
        for name, point in zip((edge.source, edge.target), (points[0], points[-1]), strict=True):
            left, bottom, right, top = there[name]
            assert Rectangle(left - 1, bottom - 1, right + 1, top + 1).holds(point)
            assert not Rectangle(left + 4, bottom + 4, right - 4, top - 4).holds(point)


@pytest.mark.parametrize("network", NESTED + PLAIN)
def test_the_legend_lies_beside_everything(network: Network):
    graph = parsed(network)
    x, y = center(graph, "legend")
    lines = words(graph)
    width = 20 + max(theme.width_of(line, 9) for line in lines)
    legend = Rectangle(x - width / 2, y - 8 * len(lines), x + width / 2, y + 8 * len(lines))
    assert not any(legend.overlaps(box) for box in boxes(network, graph).values())
    assert not any(legend.holds(point) for edge in graph.edges for point in curve(edge))


def font(face: str, size: float) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, the widest font that stands in for Helvetica."""
    return ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/{face}.ttf", size)


@pytest.mark.parametrize(
    "text", ["1024×128×128×96", "32×112²", "transposed conv", "WWWW mmmm", "self_attention", "fillet"]
)
def test_there_is_room_for_every_text(text: str):
    assert theme.width_of(text, 100) >= 0.97 * font("DejaVuSans", 100).getlength(text)
    assert theme.width_of(text, 100, bold=True) >= 0.97 * font("DejaVuSans-Bold", 100).getlength(text)


@pytest.mark.parametrize("name", ["aux1", "a_head_with_a_long_name", "W" * 40])
def test_the_name_of_a_head_stays_inside_its_box(name: str):
    graph = parsed(with_aux(nested(2), "x2_0", name))
    label = graph.nodes[name]["label"]
    size = float(re.findall(r'point-size="([\d.]+)"', label)[0])
    assert font("DejaVuSans-Bold", size).getlength(name) < float(graph.nodes[name]["width"]) * 72


def test_a_large_shape_widens_all_boxes():
    large = replace(nested(2), input=Shape(1, 1024, 2048, 1024))
    graph = parsed(large)
    widths = {graph.nodes[cell.name]["width"] for cell in large.cells}
    assert len(widths) == 1
    assert float(widths.pop()) * 72 > theme.width_of("1×1024×2048×1024", 9)


# ---- kinds of edges ----------------------------------------------------------------------------


@pytest.mark.parametrize("network", [nested(4, supervise=True), plain(4, "add", 1, "aspp"), plain(3, "")])
def test_every_edge_of_the_recipe_is_drawn_with_its_kind(network: Network):
    drawn = sorted((edge.source, edge.target, edge.attributes["class"]) for edge in parsed(network).edges)
    assert drawn == sorted((edge.source, edge.target, edge.kind) for edge in network.edges)


def test_neighbour_skips_are_solid_and_long_ones_dashed_arcs_above_their_row():
    graph = parsed(nested(4))
    for edge in graph.edges:
        if edge.attributes["class"] == "skip":
            assert edge.attributes["style"] == "solid"
            assert len({round(point.y) for point in curve(edge)}) == 1
        if edge.attributes["class"] == "long":
            assert edge.attributes["style"] == "dashed"
            assert max(point.y for point in curve(edge)) > rectangle(graph, edge.source).top + 10


def test_up_edges_climb_and_down_edges_fall():
    graph = parsed(nested(4, 0))
    for edge in graph.edges:
        rise = center(graph, edge.target).y - center(graph, edge.source).y
        if edge.attributes["class"] in ("up", "down"):
            assert (rise > 0) == (edge.attributes["class"] == "up")


def test_the_legend_tells_the_kinds_that_occur_in_the_words_of_the_edges():
    assert words(parsed(nested(3))) == [
        "stride-2 stage",
        "up ×2, transposed conv",
        "skip (concat)",
        "dense skip (concat)",
    ]
    assert words(parsed(plain(3, "add", up="up ×2, bilinear"))) == [
        "stride-2 stage",
        "up ×2, bilinear",
        "skip (add)",
    ]
    assert words(parsed(plain(3, ""))) == ["stride-2 stage", "up ×2, transposed conv"]


def test_a_long_skip_of_a_unet_is_not_called_dense():
    network = plain(3, "concat", 1)
    joined = replace(network, edges=(*network.edges, Edge("input", "top1", "long", "concat")))
    assert "long skip (concat)" in words(parsed(joined))


def test_an_edge_to_a_cell_that_is_gone_is_left_out():
    network = nested(2)
    extra = replace(network, edges=(*network.edges, Edge("x0_0", "x9_9", "up")))
    assert draw(extra) == draw(network)


# ---- necks, heads on pyramids, levels that are picked ---------------------------------------------------


def test_a_neck_is_a_column_whose_levels_are_fed_from_the_side_and_from_below():
    graph = parsed(written("neck and head"))
    levels = [f"p{level}_1" for level in (2, 3, 4, 5)]
    assert edges(graph, "lateral") == {(f"x{row}_0", level) for row, level in enumerate(levels, 1)}
    assert edges(graph, "exchange") == set(zip(levels[1:], levels[:-1], strict=True))
    assert {(level, "head") for level in levels} | {("input", "x1_0")} == edges(graph, "flow")
    assert {center(graph, level).x for level in levels} == {center(graph, "p2_1").x}
    assert center(graph, "p2_1").y == center(graph, "head").y == center(graph, "x1_0").y
    assert "neck (fpn)" in words(graph)


def test_a_level_that_nothing_reads_is_passed_over():
    graph = parsed(written("levels"))
    assert "x0_0" not in graph.nodes
    assert ("input", "x1_0") in edges(graph, "flow")
    assert ("x1_0", "x3_0") in edges(graph, "down")


def test_a_decoder_that_reads_all_levels_is_a_staircase_with_full_scale_skips():
    graph = parsed(written("full"))
    assert edges(graph, "skip") == {(f"x{row}_0", f"x{row}_{4 - row}") for row in range(4)}
    finer = {(f"x{level}_0", f"x{row}_{4 - row}") for row in range(4) for level in range(row)}
    coarser = {
        (f"x{level}_{4 - level}", f"x{row}_{4 - row}") for row in range(4) for level in range(row + 2, 5)
    }
    assert edges(graph, "long") == finer | coarser
    spots = [center(graph, f"x{row}_{4 - row}") for row in range(4)]
    assert [spot.x for spot in spots] == sorted((spot.x for spot in spots), reverse=True)
    assert "full-scale skip (concat)" in words(graph)


def test_gated_skips_are_told_from_others():
    assert "skip (gated)" in words(parsed(written("gated")))


def test_the_places_that_an_unpooling_reads_come_from_the_level_that_was_pooled():
    """SegNet (Badrinarayanan et al. 2015, figure 2): pooling indices from each encoder to its decoder."""
    graph = parsed(written("unpool"))
    assert edges(graph, "indices") == {(f"x{row}_0", f"x{row}_{5 - row}") for row in range(5)}
    assert edges(graph, "up") == {(f"x{row + 1}_{4 - row}", f"x{row}_{5 - row}") for row in range(5)}
    assert {e.attributes["style"] for e in graph.edges if e.attributes["class"] == "indices"} == {"dashed"}
    assert "pooling indices" in words(graph)


def test_a_skip_beside_an_unpooling_is_one_line():
    found = archdsl.load("encoder vgg11 | skip plain | up unpool | head 1x1 out=2")
    assert isinstance(found, archdsl.Architecture)
    graph = read(draw(found.network))
    assert len(edges(graph, "skip")) == 5
    assert not edges(graph, "indices")


def test_a_decoder_that_is_a_definition_is_no_grid():
    found = archdsl.load("encoder resnet18 | levels [1, 4] | deeplabv3plus as decoder | head 1x1 out=2")
    assert isinstance(found, archdsl.Architecture)
    assert "x1_0" not in read(draw(found.network)).nodes
