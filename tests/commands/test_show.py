"""`archdsl show`: every value between text and module can be printed."""

from __future__ import annotations

SMALL = "conv 3x3 8 as stem | relu\n| add(conv 3x3 8, id)\n"


def test_the_tree_has_a_line_for_every_node_with_its_place(archdsl):
    ended = archdsl("show", "-", "--stage=tree", stdin=SMALL)
    assert ended.code == 0
    words = [line.split()[:3] for line in ended.out.splitlines()]
    assert words[0][:2] == ["1:1", "Pipeline"]
    assert ["1:1", "Marked", "optional=False"] in words
    assert ["1:6", "Dimensions", "value=3x3"] in words
    assert ["1:22", "Word", "name='relu'"] in words
    assert any(word[:2] == ["2:3", "Join"] for word in words)


def test_a_spec_that_can_only_be_parsed_has_a_tree(archdsl):
    assert archdsl("show", "-", "--stage=tree", stdin="nonsense 3 | up\n").code == 0


def test_the_graph_has_a_line_for_every_operation(archdsl):
    ended = archdsl("show", "-", "--input=3x8x8", stdin=SMALL)
    lines = ended.out.splitlines()
    assert lines[0] == "%0 = image  3x8x8"
    assert lines[1] == "%1 = conv kernel=3x3 out=8 (%0)  8x8x8  stem"
    assert [line.split()[2] for line in lines[1:-1]] == ["conv", "relu", "conv", "id", "add"]
    assert lines[5].startswith("%5 = add (%3, %4)")
    assert lines[-1] == "out = %5  8x8x8"


def test_a_wrong_spec_ends_with_1(archdsl):
    assert archdsl("show", "-", stdin="conv 3x3 8 |\n").code == 1
