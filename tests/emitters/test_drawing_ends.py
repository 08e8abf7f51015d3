"""What a recipe has beyond its grid: auxiliary heads, stages behind the decoder and behind the head."""

from __future__ import annotations

from itertools import pairwise

import pytest

import archdsl
from archdsl.emitters.drawing import draw
from tests.emitters.pictures import center, edges, parsed, read, words
from tests.emitters.recipes import HEAD, RESNET, written


def test_an_auxiliary_head_stands_dashed_beside_the_level_that_it_reads():
    graph = parsed(written("fcn"))
    assert graph.nodes["side"]["class"].split()[0] == "aux"
    assert "dashed" in graph.nodes["side"]["style"]
    assert {("x0_0", "side"), ("x1_0", "head")} < edges(graph, "flow")
    assert center(graph, "side").y == center(graph, "x0_0").y
    assert center(graph, "side").x > center(graph, "x0_0").x
    assert "dashed box: in training only" in words(graph)


def test_an_auxiliary_head_in_a_decoder_stands_at_the_end_of_its_row():
    graph = parsed(written("aux in a U"))
    assert ("x2_0", "side") in edges(graph, "flow")
    assert center(graph, "side").y == center(graph, "x2_2").y
    assert center(graph, "side").x > center(graph, "x2_2").x


def test_stages_behind_the_head_are_cells_with_their_words():
    graph = parsed(written("crf"))
    assert graph.nodes["crf"]["class"].split()[0] == "stage"
    assert ">crf<" in graph.nodes["crf"]["label"]
    assert {("head", "crf"), ("input", "crf")} < edges(graph, "flow")
    assert center(graph, "crf").x > center(graph, "head").x


def test_stages_between_the_decoder_and_the_head_are_cells_in_a_row():
    graph = parsed(written("behind"))
    chain = ["top1", "se", "dropout", "head", "sigmoid"]
    assert set(pairwise(chain)) < edges(graph, "flow")
    roles = [graph.nodes[name]["class"].split()[0] for name in chain]
    assert roles == ["top", "stage", "stage", "head", "stage"]
    assert len({center(graph, name).y for name in chain}) == 1


@pytest.mark.parametrize(
    "spec",
    [
        f"conv 3x3 4 | encoder resnet18 | skip plain | up bilinear {HEAD}",
        f"pad 9 | encoder resnet18 | skip plain | up bilinear {HEAD}",
        f"{RESNET} | skip plain | up bilinear {HEAD} | concat(id, conv 3x3 4, conv 5x5 4)",
        f"{RESNET} | skip plain | up bilinear {HEAD} | conv 3x3 4 | relu | conv 3x3 4 | relu | conv 3x3 4",
    ],
)
def test_what_no_cell_shows_makes_a_row_of_parts_instead_of_a_grid_without_it(spec: str):
    found = archdsl.load(spec)
    assert isinstance(found, archdsl.Architecture)
    assert "x1_0" not in read(draw(found.network)).nodes
