"""The torch emitter on networks built by hand."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses import FakeTensorMode
from torch.optim.swa_utils import AveragedModel

import archdsl
from archdsl.emitters.torch_module import Model, build
from archdsl.errors.expansion import NetworkTooLarge
from archdsl.network import Network, Operation, Output
from archdsl.op import Op
from archdsl.ops import OPERATIONS
from archdsl.source import Source
from archdsl.tensors import Shape

HERE = Source("test", "").span(0, 0)
Operations = list[Operation]


@pytest.fixture(autouse=True)
def one_thread_and_a_seed() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


class Wiring:
    """Adds operations one after the other; values are numbers, 0 is the image."""

    def __init__(self, *shape: int):
        self.input = Shape(*shape)
        self.operations: Operations = []

    def shape(self, value: int) -> Shape:
        return self.operations[value - 1].shape if value else self.input

    def add(self, path: str, op: Op, *inputs: int) -> int:
        shape = op.shape(tuple(self.shape(value) for value in inputs))
        self.operations.append(Operation(op, inputs, shape, None, path, HERE))
        return len(self.operations)

    def double(self, path: str, width: int, x: int) -> int:
        """(conv 3x3 | bn | relu) * 2"""
        for first in (0, 3):
            conv = op("conv", kernel=3, out=width, bias=False, init="kaiming_out")
            x = self.add(f"{path}.{first}", conv, x)
            x = self.add(f"{path}.{first + 1}", op("bn"), x)
            x = self.add(f"{path}.{first + 2}", op("relu"), x)
        return x

    def network(self, *outputs: Output, returns_list: bool = False) -> Network:
        return Network(self.input, tuple(self.operations), outputs, returns_list=returns_list)


def op(word: str, **arguments: object) -> Op:
    return OPERATIONS[word](**arguments)


def unet(*, deep: bool = False, same: bool = False, drop: float = 0.0) -> Network:
    """A U-Net of three levels, its input halved once more below them; `deep` adds a head in training."""
    net = Wiring(3, 32, 32)
    x, levels = 0, []
    for level, width in enumerate((8, 16, 24)):
        x = net.double(f"encoder.{level}", width, x)
        levels.append(x)
        if same:
            stride = op("conv", kernel=3, out=width, stride=2, pad="same")
            x = net.add(f"encoder.down{level}", stride, x)
        else:
            x = net.add(f"encoder.down{level}", op("pool", kind="max", size=2), x)
    coarse = x
    for row in (2, 1, 0):
        width = (8, 16, 24)[row]
        node = f"decoder.x{row}"
        up = net.add(f"{node}.up", op("transpose_conv", kernel=2, out=width, stride=2), x)
        up = net.add("", op("align"), up, levels[row])
        x = net.add("", op("concat"), up, levels[row])
        x = net.double(f"{node}.block", width, x)
        if drop:
            x = net.add(f"{node}.drop", op("drop_path", rate=drop), x)
        coarse = x if row == 1 else coarse
    outputs = [Output("out", net.add("head", op("conv", kernel=1, out=2), x))]
    if deep:
        x = net.add("aux.0", op("conv", kernel=3, out=4), coarse)
        x = net.add("aux.1", op("relu"), x)
        x = net.add("aux.2", op("conv", kernel=1, out=2), x)
        x = net.add("aux.3", op("interpolate"), x, 0)
        outputs.append(Output("aux", x, training_only=True, weight=0.3))
    return net.network(*outputs)


def classifier() -> Network:
    net = Wiring(3, 24, 24)
    x = net.add("features.0", op("conv", kernel=3, out=8, stride=2), 0)
    x = net.add("features.1", op("relu"), x)
    x = net.add("avgpool", op("gap"), x)
    x = net.add("head.0.0", op("flatten"), x)
    x = net.add("head.0.1", op("dropout", rate=0.5), x)
    x = net.add("head.1", op("linear", out=5), x)
    return net.network(Output("out", x))


IMAGES = torch.randn(2, 3, 32, 32)


# ---- what the module is ------------------------------------------------------------------------


def test_state_dict_keys_are_the_paths_of_operations() -> None:
    assert set(build(classifier()).state_dict()) == {
        "features.0.weight", "features.0.bias", "head.1.weight", "head.1.bias",
    }  # fmt: skip
    keys = set(build(unet(deep=True)).state_dict())
    assert {"encoder.0.0.weight", "encoder.2.4.running_mean", "decoder.x1.up.bias", "head.bias"} <= keys
    assert {key.partition(".")[0] for key in keys} == {"encoder", "decoder", "head", "aux"}


def test_the_parts_of_a_network_are_submodules() -> None:
    model = build(unet())
    for part in (model.encoder, model.decoder, model.head):
        assert isinstance(part, nn.Module)
    assert sum(p.numel() for p in model.parameters()) == sum(
        p.numel() for part in (model.encoder, model.decoder, model.head) for p in part.parameters()
    )


def test_a_learned_tensor_has_its_own_path_as_key() -> None:
    net = Wiring(3, 8, 8)
    x = net.add("a.scale", op("gain", init=0.5, channels=True), 0)
    x = net.add("b", op("gain", init=2.0), x)
    model = build(net.network(Output("out", x)))
    state = model.state_dict()
    assert set(state) == {"a.scale", "b"}
    assert torch.equal(state["a.scale"], torch.full((3, 1, 1), 0.5))
    assert torch.equal(state["b"], torch.tensor(2.0))
    state["a.scale"] *= torch.arange(3.0)[:, None, None]
    x = torch.randn(2, 3, 8, 8)
    for made in (model, copy.deepcopy(model)):
        assert torch.equal(made(x), x * torch.arange(3.0)[:, None, None])


def test_operations_of_one_path_share_one_module() -> None:
    net = Wiring(4, 8, 8)
    first = net.add("a", op("conv", kernel=3, out=4), 0)
    second = net.add("a", op("conv", kernel=3, out=4), first)
    model = build(net.network(Output("out", second)))
    assert len(list(model.parameters())) == 2
    x = torch.randn(1, 4, 8, 8)
    assert torch.equal(model(x), model.a(model.a(x)))


def test_an_operation_reads_its_inputs_in_order() -> None:
    net = Wiring(2, 4, 4)
    doubled = net.add("", op("add"), 0, 0)
    joined = net.add("", op("concat"), doubled, 0)
    model = build(net.network(Output("out", joined)))
    x = torch.randn(1, 2, 4, 4)
    assert torch.equal(model(x), torch.cat([2 * x, x], 1))


def test_joins_take_any_number_of_maps() -> None:
    net = Wiring(2, 4, 4)
    summed = net.add("", op("add"), 0, 0, 0)
    model = build(net.network(Output("out", net.add("", op("mul"), summed, 0, 0))))
    x = torch.randn(1, 2, 4, 4)
    torch.testing.assert_close(model(x), 3 * x**3)


def test_a_pyramid_comes_out_as_a_list() -> None:
    net = Wiring(3, 16, 16)
    fine = net.add("a", op("conv", kernel=3, out=4), 0)
    coarse = net.add("b", op("conv", kernel=3, out=8, stride=2), fine)
    model = build(net.network(Output("out0", fine), Output("out1", coarse), returns_list=True))
    maps = model(torch.randn(2, 3, 16, 16))
    assert [tuple(m.shape) for m in maps] == [(2, 4, 16, 16), (2, 8, 8, 8)]


def test_inference_returns_what_flows_and_training_all_outputs() -> None:
    model = build(unet(deep=True))
    outputs = model.train()(IMAGES)
    assert list(outputs) == ["out", "aux"]
    assert all(tuple(made.shape) == (2, 2, 32, 32) for made in outputs.values())
    assert model.loss_weights == {"out": 1.0, "aux": 0.3}
    assert isinstance(model.eval()(IMAGES), Tensor)


def test_without_outputs_of_training_both_modes_return_a_tensor() -> None:
    model = build(unet())
    assert isinstance(model.train()(IMAGES), Tensor)
    assert isinstance(model.eval()(IMAGES), Tensor)
    assert model.loss_weights == {"out": 1.0}


def test_training_only_operations_do_not_run_in_inference() -> None:
    model = build(unet(deep=True)).eval()
    ran: list[str] = []
    for name, module in model.named_modules():
        module.register_forward_hook(lambda *_, name=name: ran.append(name))
    model(IMAGES)
    assert "head" in ran
    assert not any(name.startswith("aux") for name in ran)


def test_a_module_for_inference_has_no_parts_of_training() -> None:
    model = build(unet(deep=True), inference=True)
    assert not hasattr(model, "aux")
    assert model.loss_weights == {"out": 1.0}
    assert isinstance(model.train()(IMAGES), Tensor)


def test_every_parameter_gets_a_gradient() -> None:
    model = build(unet(deep=True)).train()
    sum(made.sum() for made in model(IMAGES).values()).backward()
    assert all(p.grad is not None for p in model.parameters())


def test_it_equals_the_same_network_written_in_torch() -> None:
    net = Wiring(3, 9, 11)
    x = net.add("stem", op("conv", kernel=3, out=8, stride=2, dilation=2, groups=1), 0)
    y = net.add("up", op("transpose_conv", kernel=4, out=3, stride=2), x)
    y = net.add("", op("align"), y, 0)
    y = net.add("", op("add"), y, 0)
    model = build(net.network(Output("out", y)))
    stem = nn.Conv2d(3, 8, 3, stride=2, padding=2, dilation=2)
    up = nn.ConvTranspose2d(8, 3, 4, stride=2, padding=1)
    stem.load_state_dict(model.stem.state_dict())
    up.load_state_dict(model.up.state_dict())
    image = torch.randn(2, 3, 9, 11)
    assert torch.equal(model(image), up(stem(image))[..., :9, :11] + image)


# ---- copies ------------------------------------------------------------------------------------


def saved_and_loaded(model: Model) -> Model:
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


def averaged(model: Model) -> nn.Module:
    return AveragedModel(model).module


COPIES = [copy.deepcopy, saved_and_loaded, averaged]


@pytest.mark.parametrize("copied", COPIES)
def test_copies_keep_the_outputs_of_training(copied: Callable[[Model], Model]) -> None:
    model = build(unet(deep=True))
    twin = copied(model)
    assert list(twin.state_dict()) == list(model.state_dict())
    assert twin.loss_weights == model.loss_weights
    expected, made = model.train()(IMAGES), twin.train()(IMAGES)
    assert list(made) == ["out", "aux"]
    assert all(torch.equal(made[name], expected[name]) for name in made)
    model.load_state_dict(twin.state_dict())
    assert torch.equal(twin.eval()(IMAGES), model.eval()(IMAGES))


@pytest.mark.parametrize("copied", COPIES)
def test_a_copy_has_weights_of_its_own(copied: Callable[[Model], Model]) -> None:
    model = build(unet()).eval()
    expected = model(IMAGES)
    twin = copied(model).eval()
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.zero_()
    assert torch.equal(model(IMAGES), expected)
    assert not twin(IMAGES).any()


def test_networks_of_thousands_of_operations_can_be_saved() -> None:
    net = Wiring(1, 2, 2)
    x = 0
    for number in range(3000):
        x = net.add(f"a.{number}", op("add"), x, x) if number < 10 else net.add("", op("mul"), x, 0)
    with torch.device("meta"):
        model = saved_and_loaded(build(net.network(Output("out", x))))
    assert model(torch.ones(1, 1, 2, 2)).unique().item() == 2**10


# ---- heads -------------------------------------------------------------------------------------


@pytest.mark.parametrize("copied", [lambda model: model, *COPIES])
def test_a_replaced_head_is_used(copied: Callable[[Model], Model]) -> None:
    model = copied(build(unet(deep=True)))
    model.head = nn.Conv2d(8, 7, 1)
    assert tuple(model.train()(IMAGES)["out"].shape) == (2, 7, 32, 32)
    assert tuple(copied(model).eval()(IMAGES).shape) == (2, 7, 32, 32)
    assert "head.weight" in model.state_dict()


def test_a_head_of_several_operations_is_replaced_as_one() -> None:
    model = build(classifier())
    assert isinstance(model.head, nn.Sequential)
    model.head = nn.Sequential(nn.Flatten(), nn.Linear(8, 3))
    assert tuple(model(torch.randn(2, 3, 24, 24)).shape) == (2, 3)


def test_a_head_keeps_its_size_when_it_is_replaced() -> None:
    """The resizing to the image's size, and what follows it, is not a part of it."""
    net = Wiring(3, 16, 16)
    x = net.add("encoder", op("conv", kernel=3, out=4, stride=2), 0)
    x = net.add("head.0", op("dropout"), x)
    x = net.add("head.1", op("conv", kernel=1, out=2), x)
    x = net.add("head.2", op("interpolate"), x, 0)
    x = net.add("head.3", op("softmax"), x)
    model = build(net.network(Output("out", x)))
    assert set(model.state_dict()) == {"encoder.weight", "encoder.bias", "head.1.weight", "head.1.bias"}
    model.head = nn.Conv2d(4, 5, 1)
    made = model(torch.randn(2, 3, 16, 16))
    assert tuple(made.shape) == (2, 5, 16, 16)
    torch.testing.assert_close(made.sum(1), torch.ones(2, 16, 16))


def test_a_part_with_branches_is_no_sequence() -> None:
    net = Wiring(4, 8, 8)
    x = net.add("block.0", op("conv", kernel=3, out=4), 0)
    y = net.add("block.1", op("conv", kernel=3, out=4), x)
    model = build(net.network(Output("out", net.add("", op("add"), x, y))))
    image = torch.randn(1, 4, 8, 8)
    inner = model.block.get_submodule("0")(image)
    assert torch.equal(model(image), inner + model.block.get_submodule("1")(inner))


def test_a_part_that_is_entered_twice_is_no_sequence() -> None:
    net = Wiring(4, 8, 8)
    x = net.add("block.a.0", op("conv", kernel=1, out=4), 0)
    x = net.add("block.b", op("conv", kernel=1, out=4), x)
    x = net.add("block.a.1", op("conv", kernel=1, out=4), x)
    model = build(net.network(Output("out", x)))
    image = torch.randn(1, 4, 8, 8)
    first, last = model.block.a.get_submodule("0"), model.block.a.get_submodule("1")
    assert torch.equal(model(image), last(model.block.b(first(image))))


# ---- compilers, exporters, devices ---------------------------------------------------------------


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("same", [False, True])
def test_it_compiles_whole(training: bool, same: bool) -> None:
    torch._dynamo.reset()
    model = build(unet(deep=True, same=same, drop=0.0 if training else 0.5)).train(training)
    compiled = torch.compile(copy.deepcopy(model), fullgraph=True, backend="aot_eager")
    made, expected = compiled(IMAGES), model(IMAGES)
    torch.testing.assert_close(made, expected)


@pytest.mark.parametrize("same", [False, True])
def test_it_exports_with_dynamic_batch_height_and_width(same: bool) -> None:
    model = build(unet(deep=True, same=same)).eval()
    batch, height, width = (torch.export.Dim(name, min=low) for name, low in (("b", 1), ("h", 16), ("w", 16)))
    exported = torch.export.export(
        model, (IMAGES,), dynamic_shapes=({0: batch, 2: height, 3: width},)
    ).module()
    for size in ((1, 16, 32), (3, 64, 48), (2, 97, 131)):
        image = torch.randn(size[0], 3, *size[1:])
        torch.testing.assert_close(exported(image), model(image))


def test_drop_path_compiles_whole() -> None:
    torch._dynamo.reset()
    model = build(unet(drop=0.5)).train()
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    assert compiled(IMAGES).isfinite().all()


def test_crops_and_resizing_export_with_dynamic_sizes() -> None:
    net = Wiring(3, 40, 40)
    inner = net.add("a", op("conv", kernel=5, out=3, stride=2, pad=0), 0)
    x = net.add("", op("interpolate", mode="bilinear"), inner, 0)
    x = net.add("", op("add"), x, 0)
    x = net.add("", op("crop"), x, inner)
    x = net.add("", op("add"), x, inner)
    model = build(net.network(Output("out", x))).eval()
    sides = {2: torch.export.Dim("h", min=16), 3: torch.export.Dim("w", min=16)}
    exported = torch.export.export(model, (torch.randn(1, 3, 40, 40),), dynamic_shapes=(sides,)).module()
    for size in ((16, 32), (64, 48), (97, 131)):
        image = torch.randn(1, 3, *size)
        torch.testing.assert_close(exported(image), model(image))


def test_all_tensors_are_on_the_device_on_which_it_is_built() -> None:
    with FakeTensorMode(), torch.device("cuda"):
        model = build(unet(deep=True, same=True, drop=0.1))
        outputs = model.train()(torch.randn(2, 3, 97, 131))
        assert {made.device.type for made in outputs.values()} == {"cuda"}
        assert {tuple(made.shape) for made in outputs.values()} == {(2, 2, 97, 131)}


def test_it_can_be_built_without_memory_and_given_weights() -> None:
    weights = build(unet()).eval()
    with torch.device("meta"):
        model = build(unet()).eval()
    assert all(p.is_meta for p in model.parameters())
    model.load_state_dict(weights.state_dict(), assign=True)
    assert torch.equal(model(IMAGES), weights(IMAGES))


def test_a_network_that_memory_does_not_hold_is_told() -> None:
    made = archdsl.load("conv 3 99999999999")
    assert isinstance(made, archdsl.Architecture)
    with pytest.raises(NetworkTooLarge) as raised:
        made.to_torch()
    # 3*3*3 weights and a bias for each of the channels.
    assert raised.value.parameters == 28 * 99_999_999_999
