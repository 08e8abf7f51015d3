"""Classic classifiers that no library has, by hand or by rebuilding what one has; heads of training."""

from __future__ import annotations

import pytest
import segmentation_models_pytorch as smp
import torch
from torch import nn

import archdsl
from tests.specs.references import disagreement, images, named, ours, randomised, reference
from tests.specs.torch_classics import DENSE_BLOCKS, MODULES, REBUILT, differs


def outputs_of(spec: str) -> list[tuple[int, ...]]:
    """Shapes of all that a spec computes, in order."""
    found = archdsl.load(spec)
    assert isinstance(found, archdsl.Architecture)
    return [tuple(operation.shape) for operation in found.network.operations]


@pytest.mark.parametrize("name", REBUILT)
def test_a_classifier_with_its_rebuilds_weights_gives_its_rebuilds_output(name: str) -> None:
    assert differs(name) <= 1e-4


# ---- LeNet-5, AlexNet --------------------------------------------------------------------------------


def test_lenet5_has_the_maps_and_weights_of_its_figure() -> None:
    """C1 6@28x28, S2 6@14x14, C3 16@10x10, S4 16@5x5, 120, 84, 10 (LeCun et al. 1998, figure 2)."""
    maps = [(6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5), (120,), (84,), (10,)]
    assert [shape for shape in dict.fromkeys(outputs_of("lenet5")) if shape != (400,)] == maps
    weights = [6 * 25 + 6, 16 * 6 * 25 + 16, 120 * 400 + 120, 84 * 120 + 84, 10 * 84 + 10]
    assert archdsl.load("lenet5").params == sum(weights) == 61_706


def test_the_classics_have_the_weights_of_their_papers() -> None:
    assert archdsl.load("alexnet_2012").params == 60_965_224
    assert archdsl.load("googlenet_2014").params == 13_378_280


# ---- the Inceptions ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("googlenet", 6_624_904), ("googlenet_2014", 6_998_552), ("inception_v3", 23_834_568)],
)
def test_auxiliary_heads_exist_in_training_only(name: str, parameters: int) -> None:
    found = archdsl.load(name)
    assert isinstance(found, archdsl.Architecture)
    with torch.device("meta"):
        module = found.to_torch(inference=True)
    assert sum(parameter.numel() for parameter in module.parameters()) == parameters


# Torchvision's names of its outputs, and ours; the weights of the losses are those of Szegedy et al. 2014,
# section 5, and of TensorFlow's training of Inception v3.
HEADS = {
    "googlenet": (224, {"logits": "out", "aux_logits1": "aux1", "aux_logits2": "aux2"}, 0.3),
    "inception_v3": (299, {"logits": "out", "aux_logits": "AuxLogits"}, 0.4),
}


@pytest.mark.parametrize("name", HEADS)
def test_in_training_auxiliary_heads_are_torchvisions(name: str) -> None:
    size, names, weight = HEADS[name]
    theirs = randomised(reference(name)).train()
    module = named(theirs, ours(name)).train()
    for part in (*theirs.modules(), *module.modules()):
        if isinstance(part, nn.BatchNorm2d | nn.Dropout):
            part.eval()  # chance and batches aside
    x = images(size, size, batch=1)
    with torch.inference_mode():
        wanted, got = theirs(x)._asdict(), module(x)
    assert names.keys() == wanted.keys()
    for theirs_name, our_name in names.items():
        assert disagreement(got[our_name], wanted[theirs_name]) <= 1e-4
    assert module.loss_weights == {n: 1.0 if n == "out" else weight for n in names.values()}


def test_se_inception_recalibrates_each_module() -> None:
    gates = sum(2 * c * (c // 16) + c // 16 + c for c in MODULES)
    assert archdsl.load("se_inception").params == 11_295_240 + gates == 11_941_638


# ---- DenseNet with squeeze-and-excitation --------------------------------------------------------------

# Parameters without gates.
DENSENETS = {121: 7_978_856, 169: 14_149_480, 201: 20_013_928}


@pytest.mark.parametrize("depth", DENSENETS)
@pytest.mark.parametrize(("form", "first"), [("", 3), ("_all", 0)])
def test_an_se_densenet_has_gates_sixteen_wide(depth: int, form: str, first: int) -> None:
    gates = sum(c * 16 + 16 + 16 * c + c for c in DENSE_BLOCKS[depth][first:])
    assert archdsl.load(f"se_densenet{depth}{form}").params == DENSENETS[depth] + gates


@pytest.mark.parametrize(("depth", "parameters"), [(121, 8_012_664), (169, 14_204_408), (201, 20_077_304)])
def test_one_gate_after_the_last_dense_block_costs_what_was_measured(depth: int, parameters: int) -> None:
    assert archdsl.load(f"se_densenet{depth}").params == parameters


def test_a_unet_on_densenet_is_smps_where_its_levels_are() -> None:
    """Smp's levels come after a transition's activation and before the last."""
    with torch.device("meta"):
        theirs = smp.encoders.get_encoder("densenet121", weights=None).eval()
    randomised(theirs)
    transitions = ", ".join(f"features.transition{number}.relu" for number in (1, 2, 3))
    module = ours(f"encoder densenet121 taps=[features.relu0, {transitions}, features.norm5]")
    state = {name.removeprefix("encoder."): name for name in module.state_dict()}
    module.load_state_dict({ours: theirs.state_dict()[name] for name, ours in state.items()}, assign=True)
    x = images(64, 96)
    with torch.inference_mode():
        for got, wanted in zip(module(x), theirs(x)[1:], strict=True):
            assert disagreement(got, wanted) <= 1e-4


# ---- HybridSN ------------------------------------------------------------------------------------------


def test_hybridsn_has_the_maps_of_its_table() -> None:
    """Roy et al. 2019, table 1."""
    volumes = [(8, 24, 23, 23), (16, 20, 21, 21), (32, 18, 19, 19)]
    maps = [*volumes, (576, 19, 19), (64, 17, 17), (18_496,), (256,), (128,), (16,)]
    assert list(dict.fromkeys(outputs_of("hybridsn"))) == maps


# The authors' notebook; a pair of numbers for each channel of a batch norm; C to C/16 to C without biases.
NORMS = 2 * (8 + 16 + 32 + 64)
GATES = 2 * (576 * 36 + 64 * 4)


@pytest.mark.parametrize(
    ("form", "parameters", "sum_of_parts"),
    [
        ("", 5_122_176, 5_122_176),
        ("_bn", 5_122_416, 5_122_176 + NORMS),
        ("_se", 5_164_160, 5_122_176 + GATES),
        ("_bn_se", 5_164_400, 5_122_176 + NORMS + GATES),
    ],
)
def test_each_form_of_hybridsn_has_its_parameters(form: str, parameters: int, sum_of_parts: int) -> None:
    assert archdsl.load(f"hybridsn{form}").params == parameters == sum_of_parts


def test_hybridsn_recalibrates_what_it_merges_and_what_its_batch_norm_gives() -> None:
    found = archdsl.load("hybridsn_bn_se")
    assert isinstance(found, archdsl.Architecture)
    paths = [operation.path for operation in found.network.operations]
    places = [next(i for i, path in enumerate(paths) if path.startswith(part)) for part in PARTS]
    assert places == sorted(places)


PARTS = ("conv1", "bn1", "conv2", "bn2", "conv3", "bn3", "se3", "conv4", "bn4", "se4", "fc1", "fc2", "fc3")
