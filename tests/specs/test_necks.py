"""Necks against what torchvision has, and what any pyramid makes of them."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone

import archdsl
from tests.specs.references import disagreement, images, ours, randomised

TOLERANCE = 1e-4
FPN = "encoder resnet50 | levels [1, 2, 3, 4] | neck fpn channels=256"


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def torchvisions() -> nn.Module:
    with torch.device("meta"):
        made = resnet_fpn_backbone(backbone_name="resnet50", weights=None, norm_layer=nn.BatchNorm2d)
    return randomised(made.eval())


def test_a_feature_pyramid_has_torchvisions_parameters() -> None:
    """1x1 of 256, 512, 1024 and 2048 channels to 256, and four 3x3 of 256, all with biases."""
    neck = (256 + 512 + 1024 + 2048) * 256 + 4 * 256 + 4 * (256 * 256 * 9 + 256)
    assert neck == 3_344_384
    assert archdsl.load(FPN).params == 23_508_032 + neck
    assert archdsl.load(f"{FPN} smooth=false").params == 23_508_032 + neck - 4 * (256 * 256 * 9 + 256)


@pytest.mark.parametrize("size", [(64, 96), (97, 131)])
def test_a_feature_pyramid_is_torchvisions(torchvisions: nn.Module, size: tuple[int, int]) -> None:
    module = ours(FPN)
    state = torchvisions.state_dict().items()
    named = {name.replace("body.", "encoder.").replace("fpn.", "neck."): value for name, value in state}
    module.load_state_dict(named, strict=True, assign=True)
    x = images(*size, batch=1)
    with torch.inference_mode():
        made, wanted = module(x), torchvisions(x)
    assert list(wanted) == ["0", "1", "2", "3", "pool"]
    assert len(made) == 4
    for got, expected in zip(made, wanted.values(), strict=False):
        assert disagreement(got, expected) <= TOLERANCE


@pytest.mark.parametrize("levels", ["[1, 2]", "[0, 1, 2, 3, 4]"])
@pytest.mark.parametrize(
    "rest",
    [
        "skip add | up nearest | head 3x3 out=2",
        "skip nested | up transpose | head 1x1 out=2 supervise=deep",
        "skip gated | up transpose | head 1x1 out=2",
        "skip full channels=8 | up bilinear | head 1x1 out=2",
        "head fpn out=2",
        "head (fpn_head width=64) out=2 dropout=0.5",
    ],
)
def test_any_levels_pass_a_neck_and_what_reads_them_trains_all_it_has(levels: str, rest: str) -> None:
    module = ours(f"encoder mobilenet_v2 | levels {levels} | neck fpn channels=16 | {rest}").train()
    made = module(torch.empty(2, 3, 97, 131, device="meta"))
    outputs = list(made.values()) if isinstance(made, dict) else [made]
    assert {tuple(output.shape) for output in outputs} == {(2, 2, 97, 131)}
    sum(output.sum() for output in outputs).backward()
    assert [name for name, parameter in module.named_parameters() if parameter.grad is None] == []


def test_a_neck_may_be_a_pipeline_and_more_than_one() -> None:
    """Detectors add a level: the deepest, halved."""
    more = "def more = pyramid(each i in 0..len(@in)-1 (level i), level (len(@in)-1) | pool max 1 stride=2)"
    found = archdsl.load(f"{more}\nencoder resnet18 | neck fpn channels=32 | neck more as more")
    assert isinstance(found, archdsl.Architecture)
    network = found.network
    assert [str(network.shape_of(output.value)) for output in network.outputs] == [
        f"32x{side}x{side}" for side in (112, 56, 28, 14, 7, 4)
    ]
