"""`archdsl summary`."""

from __future__ import annotations

import json

SMALL = "encoder plain widths=[4, 8] | skip plain | up transpose | head 1x1 out=2\n"


def test_people_get_a_table_with_a_total(archdsl):
    ended = archdsl("summary", "-", "--input=1x32x32", stdin=SMALL)
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert lines[0] == "<stdin>: 1x32x32 → 2x32x32"
    stages = [line.split()[0] for line in lines[4:] if line and not line.startswith((" ", "─"))]
    assert stages == ["encoder", "decoder", "head", "total"]


def test_programs_get_the_same_figures(archdsl):
    told = json.loads(archdsl("summary", "-", "--json", "--input=1x32x32", stdin=SMALL).out)
    assert told["input"] == [1, 32, 32]
    assert told["outputs"] == {"out": [2, 32, 32]}
    outermost = [stage for stage in told["stages"] if stage["level"] == 0]
    assert sum(stage["params"] for stage in outermost) == told["params"]
    assert sum(stage["macs"] for stage in outermost) == told["macs"]
    assert {"activations", "depth", "receptive_field", "identity"} <= told.keys()


def test_a_shape_with_its_channels_last_is_advised_of(archdsl):
    ended = archdsl("summary", "-", "--input=32x32x1", stdin="conv 3x3 8 | relu")
    assert ended.code == 0
    assert ended.err.splitlines()[0] == "advice[W018]: `32x32x1` is an image of 32 channels"


def test_depth_says_how_far_stages_are_opened(archdsl):
    told = json.loads(archdsl("summary", "-", "--json", "--depth=1", stdin=SMALL).out)
    assert [stage["path"] for stage in told["stages"]] == ["encoder", "decoder", "head"]


def test_the_table_agrees_with_torch(archdsl, tmp_path):
    import archdsl as package

    told = json.loads(archdsl("summary", "unetpp_effnet_b0", "--json").out)
    module = package.load("unetpp_effnet_b0").to_torch()
    for stage in told["stages"]:
        part = module.get_submodule(stage["path"])
        assert stage["params"] == sum(parameter.numel() for parameter in part.parameters())
