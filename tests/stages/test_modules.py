"""Recipes as torch modules: sizes, compilers, exporters, devices, training."""

from __future__ import annotations

import copy
import io

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.optim.swa_utils import AveragedModel

import archdsl

LINE = "encoder effnet_b0 | skip nested depth=4 | up transpose | head 1x1 out=2"
UNET = "encoder plain widths=[8, 16, 32, 64] | skip plain | up transpose | head 1x1 out=2"
DEEP = "encoder plain widths=[4, 8, 16] | skip nested | up transpose | head 1x1 out=2 supervise=deep"

FULL = "encoder plain widths=[4, 8, 16] | skip full channels=4 | up unpool | head 1x1 out=2"
# As UNet 3+, but narrow.
FIVE_SCALES = "encoder plain widths=[2, 4, 6, 8, 10] | skip full channels=4 | up bilinear | head 3x3 out=2"
MEANS = (
    "conv 3x3 8 | pool avg 3x3 stride=2 ceil=true | pool avg 2x2 ceil=true count_pad=false | head 1x1 out=2"
)
UNPOOLED = "encoder plain widths=[4, 8, 16] | skip plain | up unpool | head 1x1 out=2"

HEAD = "| head 1x1 out=2"

RECIPES = [
    LINE,
    UNET,
    DEEP,
    "encoder resnet18 | skip none | up nearest | head 3x3 out=2",
    f"encoder resnet18 depth=3 | skip plain attention=scse | up bilinear {HEAD}",
    f"encoder vgg11 | skip add | up pixelshuffle {HEAD}",
    f"encoder resnet18 depth=3 | skip add | up bilinear {HEAD} supervise=deep",
    f"encoder mobilenet_v2 | skip nested depth=2 order=newest | up bilinear inner=encoder {HEAD}",
    f"encoder resnet18 output_stride=8 | skip plain | up nearest dilation=2 {HEAD}",
    f"encoder resnet18 depth=3 | skip plain input=true | up transpose block=residual_block se=pre {HEAD}",
    f"encoder resnet18 depth=2 | skip plain | up transpose block=[mbconv, (bottleneck_block ratio=2)] {HEAD}",
    f"encoder resnet18 depth=3 | context (conv 3x3 8 | relu) | skip plain | up nearest attention=se {HEAD}",
    f"encoder resnet18 depth=3 | skip gated attention=scse | up transpose {HEAD}",
    f"encoder vgg11 depth=3 | skip gated gate=(attention_gate width=8) input=true | up bilinear {HEAD}",
    f"encoder resnet18 depth=4 | skip full | up bilinear {HEAD} supervise=deep",
    f"encoder resnet18 depth=3 | skip full channels=8 attention=[se, none] | up transpose se=post {HEAD}",
    f"encoder vgg11 depth=3 | skip full channels=8 block=sepconv_block input=true | up pixelshuffle {HEAD}",
    f"encoder plain widths=[4, 8, 16] | skip full channels=4 depth=1 | up unpool {HEAD}",
    f"encoder vgg11_bn depth=4 | skip none | up unpool {HEAD}",
    FULL,
    f"encoder plain widths=[4, 8, 16] | skip nested | up unpool attention=scse {HEAD} supervise=deep",
    f"encoder resnet18 depth=3 | skip add | up transpose channels=[8] {HEAD}",
    "def twice(width) = upsample 2 | conv 3x3 width | relu\n"
    f"encoder plain widths=[4, 8, 16, 32] | skip full channels=8 | up twice {HEAD}",
    "def twice(width) = upsample 2 | conv 3x3 width | relu\n"
    f"encoder plain widths=[4, 8, 16] | skip plain | up twice block=sepconv_block {HEAD} activation=sigmoid",
    f"encoder plain widths=[4, 8, 16] | skip plain | up nearest block=(dense_block growth=4 layers=2) {HEAD}",
]


@pytest.fixture(autouse=True)
def one_thread_and_a_seed() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


def outputs(made: torch.Tensor | dict[str, torch.Tensor]) -> list[torch.Tensor]:
    return list(made.values()) if isinstance(made, dict) else [made]


@pytest.mark.parametrize("text", RECIPES)
def test_the_output_has_the_inputs_own_size(text: str) -> None:
    module = archdsl.compile(text)
    module.eval()
    with torch.no_grad():
        for size in ((32, 32), (97, 131), (33, 224), (225, 64)):
            assert module(torch.randn(1, 3, *size)).shape == (1, 2, *size)
    module.train()
    for made in outputs(module(torch.randn(2, 3, 32, 45))):
        assert made.shape == (2, 2, 32, 45)


@pytest.mark.parametrize("text", RECIPES)
def test_every_parameter_gets_a_gradient_in_training(text: str) -> None:
    module = archdsl.compile(text).train()
    sum(made.square().mean() for made in outputs(module(torch.randn(2, 3, 64, 64)))).backward()
    assert [name for name, value in module.named_parameters() if value.grad is None] == []


@pytest.mark.parametrize("text", RECIPES)
def test_parameters_are_those_that_the_rules_count(text: str) -> None:
    found = archdsl.load(text)
    assert isinstance(found, archdsl.Architecture)
    assert sum(value.numel() for value in found.to_torch().parameters()) == found.params


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("text", [LINE, UNET, FULL])
def test_the_line_and_the_u_nets_compile_whole(text: str, training: bool) -> None:
    torch.compiler.reset()  # what other tests compiled counts towards its limit
    module = archdsl.compile(text).train(training)
    image = torch.randn(2, 3, 64, 64)
    whole = torch.compile(copy.deepcopy(module), fullgraph=True, backend="aot_eager")
    torch.manual_seed(1)  # paths are dropped by lot
    compiled = whole(image)
    torch.manual_seed(1)
    torch.testing.assert_close(compiled, module(image), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("text", "least"),
    [(LINE, 64), (UNET, 16), (UNPOOLED, 8), (FULL, 8), (FIVE_SCALES, 32), ("googlenet", 64), (MEANS, 8)],
)
def test_networks_export_with_dynamic_sizes(text: str, least: int) -> None:
    """Height and width from twice the deepest stride on."""
    module = archdsl.compile(text)
    for layer in module.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = 1.0
    module.train()(torch.randn(2, 3, 96, 80))  # so that normalisation leaves numbers of size 1
    module.eval()
    dynamic = {
        0: torch.export.Dim("batch", min=1),
        2: torch.export.Dim("height", min=least),
        3: torch.export.Dim("width", min=least),
    }
    exported = torch.export.export(module, (torch.randn(2, 3, 96, 80),), dynamic_shapes=(dynamic,)).module()
    for size in ((1, 64, 64), (2, 97, 131), (3, 128, 70)):
        image = torch.randn(size[0], 3, *size[1:])
        with torch.no_grad():
            made, wanted = exported(image), module(image)
        assert wanted.std() > 0.01
        torch.testing.assert_close(made, wanted, rtol=1e-4, atol=1e-5)


def saved_and_loaded(module: torch.nn.Module) -> torch.nn.Module:
    buffer = io.BytesIO()
    torch.save(module, buffer)
    buffer.seek(0)
    again = torch.load(buffer, weights_only=False)
    assert isinstance(again, torch.nn.Module)
    return again


def averaged(module: torch.nn.Module) -> torch.nn.Module:
    mean = AveragedModel(module)
    mean.update_parameters(module)
    return mean


@pytest.mark.parametrize("copied", [copy.deepcopy, saved_and_loaded, averaged])
def test_copies_keep_the_outputs_of_training(copied: object) -> None:
    module = archdsl.compile(DEEP).train()
    again = copied(module).train()  # type: ignore[operator]
    image = torch.randn(2, 3, 32, 32)
    assert list(again(image)) == list(module(image)) == ["out", "head1"]
    torch.testing.assert_close(again.eval()(image), module.eval()(image))


@pytest.mark.parametrize("text", RECIPES)
def test_every_stage_builds_and_runs_on_another_device(text: str) -> None:
    """Under fake tensors: a tensor that was left on the CPU would be refused."""
    with FakeTensorMode(allow_non_fake_inputs=False), torch.device("cuda"):
        module = archdsl.compile(text)
        for training in (True, False):
            for made in outputs(module.train(training)(torch.empty(2, 3, 64, 64))):
                assert made.device.type == "cuda"


def test_parts_have_stable_names_and_a_head_can_be_replaced() -> None:
    module = archdsl.compile(LINE).eval()
    assert {name for name, _ in module.named_children()} == {"encoder", "decoder", "head"}
    module.head = torch.nn.Conv2d(16, 5, 1)
    assert module(torch.randn(1, 3, 64, 64)).shape == (1, 5, 64, 64)


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_a_shallower_nested_network_is_a_part_of_a_deeper_one(depth: int) -> None:
    """Weights of the deep network fit: one training scores every depth."""
    nest = "encoder resnet18 | skip nested depth={} | up transpose | head 1x1 out=2"
    deep = archdsl.compile(nest.format(4) + " supervise=deep")
    shallow = archdsl.compile(nest.format(depth))
    known = deep.state_dict()
    for name, value in shallow.state_dict().items():
        if depth < 4:
            name = name.replace("head.", f"head{depth}.").replace("top1.", f"top1_{depth}.")
        assert known[name].shape == value.shape


def test_a_module_says_which_outputs_are_no_logits_any_more() -> None:
    text = "encoder plain widths=[4, 8] | skip plain | up transpose | head 1x1 out=2"
    assert archdsl.compile(text).activations == {}
    assert archdsl.compile(f"{text} activation=sigmoid").activations == {"out": "sigmoid"}
    assert archdsl.compile("encoder resnet18 | head 1x1 out=2 activation=softmax").activations == {
        "out": "softmax"
    }


def test_an_activation_stands_behind_a_head_of_any_form() -> None:
    text = "encoder plain widths=[4, 8] | neck fpn channels=8 | head fpn out=2"
    plain, probabilities = (archdsl.compile(f"{text}{more}") for more in ("", " activation=sigmoid"))
    assert probabilities.activations == {"out": "sigmoid"}
    assert plain.activations == {}
    assert plain.state_dict().keys() == probabilities.state_dict().keys()
