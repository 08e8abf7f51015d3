"""Long rows of parts: broken into several, or a U where a network comes up again by skips."""

from __future__ import annotations

import pytest

import archdsl
from archdsl.emitters.drawing import draw
from archdsl.emitters.drawing.rows import breaks
from archdsl.network import Network
from tests.emitters.networks import by_hand, mobilenet, resnet50
from tests.emitters.pictures import Rectangle, laid_out, read, texts
from tests.emitters.recipes import MODELS


def model(name: str) -> Network:
    found = archdsl.load(MODELS / f"{name}.arch")
    assert isinstance(found, archdsl.Architecture)
    return found.network


def places(network: Network) -> dict[str, Rectangle]:
    """Where the parts of the row are drawn, by their titles."""
    text = draw(network)
    spots, graph = laid_out(text), read(text)
    return {
        texts(graph.nodes[name]["label"])[0]: spot for name, spot in spots.items() if name.startswith("part ")
    }


def middle(spot: Rectangle) -> tuple[int, int]:
    return round((spot.left + spot.right) / 2), round((spot.bottom + spot.top) / 2)


# ---- the U ---------------------------------------------------------------------------------------


def test_the_original_unet_is_a_u() -> None:
    spots = places(model("unet_original"))
    down = [middle(spots[f"down{number}"]) for number in range(1, 6)]
    up = [middle(spots[f"up{number}"]) for number in range(1, 5)]
    assert [y for _, y in down[:4]] == [y for _, y in up]
    assert [y for _, y in down] == sorted((y for _, y in down), reverse=True)
    assert max(x for x, _ in down[:4]) < min(x for x, _ in up)
    assert middle(spots["head"])[1] == up[0][1]
    assert middle(spots["head"])[0] > up[0][0]


def test_skips_of_a_fully_convolutional_network_lie_level_and_its_block_stands_beside() -> None:
    spots = places(model("fcn8s_vgg16"))
    assert middle(spots["features.17–23"])[1] == middle(spots["up1"])[1]
    assert middle(spots["features.10–16"])[1] == middle(spots["up2"])[1]
    drawn = laid_out(draw(model("pan_resnet34")))
    assert drawn["caption"].top < drawn["y"].top + 1
    assert drawn["y"].left > max(spot.right for name, spot in drawn.items() if name.startswith("part "))


def test_arrows_of_a_u_point_as_the_maps_flow() -> None:
    graph = read(draw(model("unet_original")))
    titles = {n: texts(node["label"])[0] for n, node in graph.nodes.items() if n.startswith("part ")}
    ends = {(titles.get(e.source), titles.get(e.target), e.attributes.get("dir", "")) for e in graph.edges}
    assert {
        ("down1", "down2", ""),
        ("down4", "up4", ""),
        ("up4", "down5", "back"),
        ("up1", "up2", "back"),
    } < ends


@pytest.mark.parametrize("network", [resnet50(), mobilenet(), model("pspnet_resnet34")])
def test_what_has_no_way_up_with_skips_is_a_row(network: Network) -> None:
    assert 'rankdir="LR"' in draw(network)


# ---- rows ----------------------------------------------------------------------------------------


def test_a_long_row_goes_on_below_at_a_mark() -> None:
    graph, spots = read(draw(mobilenet())), laid_out(draw(mobilenet()))
    (start,) = (name.removeprefix("to ") for name in graph.nodes if name.startswith("to "))
    number = int(start)
    ends = {(edge.source, edge.target) for edge in graph.edges}
    assert {(f"part {number - 1}", f"to {start}"), (f"from {start}", f"part {number}")} < ends
    assert (f"part {number - 1}", f"part {number}") not in ends
    assert graph.nodes[f"to {start}"]["label"] == graph.nodes[f"from {start}"]["label"] == "A"
    assert spots[f"part {number}"].top < spots[f"part {number - 1}"].bottom
    assert spots["y"].top < spots[f"part {number}"].bottom


@pytest.mark.parametrize("name", ["googlenet", "squeezenet1_0", "unet_original", "manet_resnet34"])
def test_a_drawing_fits_a_page(name: str) -> None:
    """At a third of its size at the least: a text of 10 points is then one of 3.4 on a page of 500."""
    spots = laid_out(draw(model(name))).values()
    assert max(spot.right for spot in spots) < 1470


def test_a_row_is_broken_where_one_part_alone_feeds_the_next() -> None:
    chain = [(number - 1, number) for number in range(13)]
    assert breaks(chain[:8], 8) == []
    assert breaks(chain[:12], 12) == [6]
    assert breaks([*chain[:12], (4, 6)], 12) == [5]  # 4 feeds 5 and 6
    assert breaks([*chain[:12], (3, 8)], 12) == [4]
    assert breaks([*chain[:12], (4, 12)], 12) == [6]  # an output
    assert breaks([*chain[:12], (0, 11)], 12) == []


def test_a_nest_by_hand_climbs() -> None:
    spots = places(by_hand())
    assert [middle(spots[f"x{row}_0"])[1] for row in range(4)] == sorted(
        (middle(spots[f"x{row}_0"])[1] for row in range(4)), reverse=True
    )
    assert len({middle(spots[f"x0_{column}"])[1] for column in range(4)}) == 1
