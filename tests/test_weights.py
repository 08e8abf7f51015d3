"""Published weights by name, through stand-ins for the libraries; files of one's own.

`ARCHDSL_GOLDEN=write pytest tests/test_weights.py` writes tests/golden/weights anew; read it before you
commit it.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import timm
import torch
import torchvision
from safetensors import safe_open
from safetensors.torch import save_file as write
from torch import Tensor, nn

import archdsl
from archdsl import resources
from archdsl.elaboration.published import Published, _stated, find
from archdsl.emitters.torch_module import Model
from archdsl.errors.commands import NoSuchFile, Unreadable, Unwritable, without_place
from archdsl.errors.weights import NoPublishedWeights, NotSafetensors, WeightsDoNotFit
from archdsl.weights.files import load_file, save_file
from tests.specs.references import randomised, reference

# What stands in for timm's downloads is asked once the hub has answered.
pytestmark = pytest.mark.usefixtures("empty_hub")

TAIL = "| skip plain | up nearest | head 1x1 out=2"
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@pytest.fixture
def torchvision_resnet18(monkeypatch: pytest.MonkeyPatch) -> dict[str, Tensor]:
    """What torchvision's server would give for ResNet-18."""
    state = randomised(reference("resnet18")).state_dict()
    asked_for(monkeypatch, lambda url: state)
    return state


def asked_for(monkeypatch: pytest.MonkeyPatch, answer: Callable[[str], Any]) -> None:
    """Puts a stand-in where torchvision downloads; it refuses to unpickle code."""

    def download(url: str, *, weights_only: bool, check_hash: bool, **rest: object) -> Any:
        assert weights_only
        assert check_hash
        return answer(url)

    monkeypatch.setattr(torchvision.models._api, "load_state_dict_from_url", download)


@pytest.fixture
def timm_efficientnet(monkeypatch: pytest.MonkeyPatch) -> nn.Module:
    """What timm would give for EfficientNet-B0, whatever the tag."""
    model = randomised(timm.create_model("efficientnet_b0"))
    made = timm.create_model

    def create(name: str, pretrained: bool = False, **options: object) -> nn.Module:
        assert name.startswith("efficientnet_b0.")
        assert pretrained
        model.pretrained_cfg = made(name).pretrained_cfg
        return model

    monkeypatch.setattr(timm, "create_model", create)
    return model


def encoder_of(module: nn.Module) -> dict[str, Tensor]:
    prefix = "encoder."
    state = module.state_dict()
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}


def mistake(spec: str) -> str:
    """How what compiling a spec raises is shown."""
    with pytest.raises(archdsl.ArchError) as caught:
        archdsl.compile(spec)
    return f"{caught.value}\n"


def assert_golden(name: str, text: str) -> None:
    path = Path(__file__).parent / "golden" / "weights" / f"{name}.txt"
    if os.environ.get("ARCHDSL_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")


# ---- published weights -----------------------------------------------------------------------------


def test_an_encoder_gets_torchvisions_weights_by_name(torchvision_resnet18: dict[str, Tensor]) -> None:
    module = archdsl.compile(f"encoder resnet18 weights=imagenet {TAIL}")
    for name, tensor in encoder_of(module).items():
        assert torch.equal(tensor, torchvision_resnet18[name]), name


def test_a_member_of_a_space_gets_the_weights_that_its_spec_asks_for(
    torchvision_resnet18: dict[str, Tensor],
) -> None:
    space = archdsl.load(f"encoder {{resnet18, resnet34}} weights=imagenet {TAIL}")
    assert isinstance(space, archdsl.Space)
    for module in (
        archdsl.compile(space.close({"encoder": "resnet18"})),
        archdsl.compile(space, set={"encoder": "resnet18"}),
    ):
        for name, tensor in encoder_of(module).items():
            assert torch.equal(tensor, torchvision_resnet18[name]), name


def test_an_encoder_gets_timms_weights_by_name(timm_efficientnet: nn.Module) -> None:
    module = archdsl.compile(f"encoder effnet_b0 weights=imagenet {TAIL}")
    theirs = timm_efficientnet.state_dict()
    for name, tensor in encoder_of(module).items():
        assert torch.equal(tensor, theirs[name]), name


def test_learned_tensors_of_levels_that_are_not_built_stay_unused(monkeypatch: pytest.MonkeyPatch) -> None:
    state = randomised(reference("convnext_tiny")).state_dict()
    asked_for(monkeypatch, lambda url: state)
    module = archdsl.compile("encoder convnext_tiny depth=3 weights=imagenet")
    scale = module.state_dict()["encoder.features.3.2.layer_scale"]
    assert torch.equal(scale, state["features.3.2.layer_scale"])
    assert not any(name.startswith("encoder.features.5") for name in module.state_dict())


def test_the_decoder_keeps_its_own_initial_weights(torchvision_resnet18: dict[str, Tensor]) -> None:
    torch.manual_seed(0)
    fresh = archdsl.compile(f"encoder resnet18 {TAIL}").state_dict()
    torch.manual_seed(0)
    loaded = archdsl.compile(f"encoder resnet18 weights=imagenet {TAIL}").state_dict()
    decoder = [name for name in fresh if not name.startswith("encoder.")]
    assert decoder
    assert all(torch.equal(fresh[name], loaded[name]) for name in decoder)


def test_the_normalisation_is_the_one_that_the_weights_were_trained_with(
    timm_efficientnet: nn.Module,
) -> None:
    line = "encoder effnet_b0 weights={} | skip plain | up nearest | head 1x1 out=2"
    assert archdsl.compile(line.format("imagenet")).normalisation == IMAGENET
    halves = ((0.5,) * 3, (0.5,) * 3)
    assert archdsl.compile(line.format("ra4_e3600_r224_in1k")).normalisation == halves
    assert (
        archdsl.compile("encoder effnet_b0 | skip plain | up nearest | head 1x1 out=2").normalisation is None
    )


def test_googlenet_gets_images_as_torchvisions_makes_them_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Torchvision's GoogLeNet rescales what its preset gives, where it has published weights."""
    with torch.device("meta"):
        theirs = torchvision.models.GoogLeNet(transform_input=True, init_weights=False).eval()
    state = randomised(theirs).state_dict()
    asked_for(monkeypatch, lambda url: state)
    module = archdsl.compile("encoder googlenet weights=imagenet").eval()
    x = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    preset, given = (scaled(x, *numbers) for numbers in (IMAGENET, module.normalisation))
    with torch.inference_mode():
        wanted = theirs.inception3b(theirs.inception3a(theirs.maxpool2(stem(theirs, preset))))
        torch.testing.assert_close(module(given)[2], wanted)


def scaled(x: Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    return (x - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)


def stem(theirs: nn.Module, x: Tensor) -> Tensor:
    return theirs.conv3(theirs.conv2(theirs.maxpool1(theirs.conv1(theirs._transform_input(x)))))


def test_a_tag_chooses_among_a_models_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    urls = []

    def answer(url: str) -> dict[str, Tensor]:
        urls.append(url)
        return state

    state = randomised(reference("resnet50")).state_dict()
    asked_for(monkeypatch, answer)
    for tag in ("imagenet", "IMAGENET1K_V2"):
        archdsl.compile(f"encoder resnet50 weights={tag} {TAIL}")
    known = torchvision.models.ResNet50_Weights
    assert urls == [known.IMAGENET1K_V1.url, known.IMAGENET1K_V2.url]


def test_weights_of_parts_that_are_not_built_are_told(
    torchvision_resnet18: dict[str, Tensor], caplog: pytest.LogCaptureFixture
) -> None:
    archdsl.compile(f"encoder resnet18 depth=4 weights=imagenet {TAIL}")
    (record,) = caplog.records
    assert record.getMessage().endswith("no such part: layer4, fc")


def test_files_of_old_without_batch_counters_load(
    torchvision_resnet18: dict[str, Tensor],
) -> None:
    for name in [name for name in torchvision_resnet18 if name.endswith("num_batches_tracked")]:
        del torchvision_resnet18[name]
    module = archdsl.compile(f"encoder resnet18 weights=imagenet {TAIL}")
    assert torch.equal(encoder_of(module)["conv1.weight"], torchvision_resnet18["conv1.weight"])


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_the_first_convolution_is_adapted_as_timm_does(
    torchvision_resnet18: dict[str, Tensor], channels: int
) -> None:
    module = archdsl.compile(f"encoder resnet18 weights=imagenet {TAIL}", input=(channels, 64, 64))
    wanted = timm.models.adapt_input_conv(channels, torchvision_resnet18["conv1.weight"])
    assert torch.allclose(encoder_of(module)["conv1.weight"], wanted)
    assert [len(numbers) for numbers in module.normalisation] == [channels, channels]


# A network of each family with published weights, and the convolution of its reference that reads the image.
STEMS = {
    "alexnet": "features.0",
    "convnext_tiny": "features.0.0",
    "densenet121": "features.conv0",
    "dla34": "base_layer.0",
    "efficientnet_b0": "conv_stem",
    "googlenet": "conv1.conv",
    "hrnet_w18": "conv1",
    "inception_v3": "Conv2d_1a_3x3.conv",
    "legacy_seresnet50": "layer0.conv1",
    "legacy_xception": "conv1",
    "mnasnet1_0": "layers.0",
    "mobilenet_v1": "conv_stem",
    "mobilenet_v2": "features.0.0",
    "mobilenet_v3_small": "features.0.0",
    "regnet_y_400mf": "stem.0",
    "resnet50d": "conv1.0",
    "shufflenet_v2_x0_5": "conv1.0",
    "squeezenet1_1": "features.0",
    "tf_efficientnet_b0": "conv_stem",
    "tf_efficientnetv2_b0": "conv_stem",
    "vgg11": "features.0",
}


@pytest.mark.parametrize("name", STEMS)
def test_the_convolution_that_reads_the_image_is_adapted_in_every_family(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    colours = torch.randn(reference(name).get_submodule(STEMS[name]).weight.shape)
    published_as_a_file(monkeypatch, tmp_path / "published.pth", name, colours)
    module = archdsl.compile(f"encoder {name} depth=2 weights=imagenet", input=(4, 97, 131))
    wanted = timm.models.adapt_input_conv(4, colours)
    assert torch.allclose(encoder_of(module)[f"{STEMS[name]}.weight"], wanted)
    assert [len(numbers) for numbers in module.normalisation] == [4, 4]


def test_levels_of_an_image_that_the_whole_network_is_too_large_for_get_published_weights(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    colours = torch.randn(64, 3, 3, 3)
    published_as_a_file(monkeypatch, tmp_path / "published.pth", "vgg11", colours)
    module = archdsl.compile("encoder vgg11 depth=2 weights=imagenet", input=(3, 12, 12))
    assert torch.equal(encoder_of(module)["features.0.weight"], colours)


def published_as_a_file(monkeypatch: pytest.MonkeyPatch, path: Path, name: str, stem: Tensor) -> None:
    """Puts a file of weights, all zero but the stem's, where the libraries would download one."""
    model = reference(name)
    state = {key: torch.zeros((), dtype=t.dtype).expand(t.shape) for key, t in model.state_dict().items()}
    torch.save({**state, f"{STEMS[name]}.weight": stem}, path)

    def create(name: str, pretrained: bool) -> nn.Module:
        model.load_state_dict(torch.load(path, weights_only=True), assign=True)
        model.pretrained_cfg = dict(zip(("mean", "std"), IMAGENET, strict=True))
        return model

    asked_for(monkeypatch, lambda url: torch.load(path, weights_only=True))
    monkeypatch.setattr(timm, "create_model", create)


def test_a_grey_image_is_normalised_with_the_mean_of_the_colours(
    torchvision_resnet18: dict[str, Tensor],
) -> None:
    module = archdsl.compile(f"encoder resnet18 weights=imagenet {TAIL}", input=(1, 64, 64))
    (mean,), (std,) = module.normalisation
    assert mean == pytest.approx((0.485 + 0.456 + 0.406) / 3)
    assert std == pytest.approx((0.229 + 0.224 + 0.225) / 3)


# ---- what is wrong with published weights ----------------------------------------------------------


def test_an_encoder_without_published_weights_is_a_mistake() -> None:
    line = f"encoder plain weights=imagenet {TAIL}"
    assert_golden("no_published_weights", mistake(line))
    assert [diagnostic.code for diagnostic in archdsl.check(line)] == ["E470"]


def test_an_encoder_that_is_near_and_has_weights_is_named() -> None:
    with pytest.raises(NoPublishedWeights) as caught:
        find(("resnet181", "resnet"), "imagenet")
    assert caught.value.help() == "`resnet18` has some"


def test_a_tag_that_is_none_is_a_mistake_that_names_the_others() -> None:
    assert_golden("a_tag_that_is_near", mistake(f"encoder resnet50 weights=imagnet {TAIL}"))
    told = mistake(f"encoder effnet_b0 weights=best {TAIL}")
    assert "has no weights called `best`" in told
    assert "weights: imagenet, " in told
    assert "ra_in1k" in told


def test_without_network_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(url: str) -> None:
        raise URLError("Name or service not known")

    asked_for(monkeypatch, fail)
    assert_golden("no_network", mistake(f"encoder resnet18 weights=imagenet {TAIL}"))


@pytest.mark.parametrize(("encoder", "library"), [("resnet18", "torchvision"), ("effnet_b0", "timm")])
def test_a_missing_library_is_told_with_the_extra_that_brings_it(
    monkeypatch: pytest.MonkeyPatch, encoder: str, library: str
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == library]:
        monkeypatch.setitem(sys.modules, name, None)
    assert_golden(f"no_{library}", mistake(f"encoder {encoder} weights=imagenet {TAIL}"))


def test_weights_that_a_definition_of_the_library_passes_on_are_told_at_its_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    assert_golden("passed_on", mistake('efficientunet tf_efficientnet_b0 weights="imagenet"'))


def test_a_tensor_that_the_file_lacks_is_a_mistake(torchvision_resnet18: dict[str, Tensor]) -> None:
    del torchvision_resnet18["layer2.0.conv1.weight"]
    assert_golden("a_missing_tensor", mistake(f"encoder resnet18 weights=imagenet {TAIL}"))


def test_a_tensor_of_another_shape_is_a_mistake(torchvision_resnet18: dict[str, Tensor]) -> None:
    torchvision_resnet18["layer2.0.conv1.weight"] = torch.zeros(128, 64, 1, 1)
    told = mistake(f"encoder resnet18 weights=imagenet {TAIL}")
    assert told.endswith("of another shape: layer2.0.conv1.weight\n")


@pytest.mark.parametrize("stranger", ["layer1.0.se.fc1.weight", "layer1.0.conv1.bias"])
def test_a_left_over_tensor_of_a_built_part_is_a_mistake(
    torchvision_resnet18: dict[str, Tensor], stranger: str
) -> None:
    torchvision_resnet18[stranger] = torch.zeros(1)
    told = mistake(f"encoder resnet18 weights=imagenet {TAIL}")
    assert told.endswith(f"left over: {stranger}\n")


def test_only_the_encoders_own_name_finds_its_weights() -> None:
    assert find(("mine", "effnet_b0", "efficientnet_b0", "efficientnet"), "imagenet") == Published(
        "timm", "efficientnet_b0", "ra_in1k"
    )


def test_every_source_that_a_model_states_exists_in_its_library() -> None:
    stated = [_stated(path) for path in (resources.specs() / "models").glob("*.arch")]
    assert None in stated  # U-Nets have none
    for found in filter(None, stated):
        if found.library == "timm":
            assert timm.is_model_pretrained(f"{found.model}.{found.tag}")
        else:
            assert found.tag in torchvision.models.get_model_weights(found.model).__members__


def test_to_know_where_weights_are_needs_neither_torch_nor_the_libraries() -> None:
    script = (
        f"import sys, archdsl; archdsl.load('encoder resnet50 weights=imagenet {TAIL}');"
        "assert not {'torch', 'torchvision', 'timm'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_weights_may_be_a_choice(torchvision_resnet18: dict[str, Tensor]) -> None:
    space = archdsl.load(f"encoder resnet18 weights={{none, imagenet}} {TAIL}")
    assert [choice.options for choice in space.choices] == [("none", "imagenet")]
    line = f"encoder resnet18 weights={{none, imagenet}} {TAIL}"
    without = archdsl.compile(line, set={"encoder.weights": "none"})
    loaded = archdsl.compile(line, set={"encoder.weights": "imagenet"})
    assert without.normalisation is None
    assert loaded.normalisation == IMAGENET


# ---- a file of one's own ---------------------------------------------------------------------------


def network(width: int = 4) -> Model:
    module = archdsl.compile(f"input 1x8x8\n\nconv 3x3 {width} as a | bn as b")
    assert isinstance(module, Model)
    return module


def test_what_is_saved_is_loaded_with_its_normalisation_and_facts(tmp_path: Path) -> None:
    saved, loaded = network(), network()
    randomised(saved)
    saved.normalisation = ((0.25,), (0.5,))
    save_file(saved, tmp_path / "a.safetensors", {"score": "0.5"})
    facts = load_file(loaded, tmp_path / "a.safetensors")
    assert facts["score"] == "0.5"
    assert loaded.normalisation == saved.normalisation
    state = loaded.state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in saved.state_dict().items())


def test_the_same_weights_and_facts_are_the_same_bytes(tmp_path: Path) -> None:
    module = randomised(network())
    facts = {f"key{number}": str(number) for number in range(8)}
    paths = [tmp_path / f"{number}.safetensors" for number in range(4)]
    for path in paths:
        save_file(module, path, facts)
        facts = dict(reversed(facts.items()))
    assert len({path.read_bytes() for path in paths}) == 1


def test_compile_loads_a_file_instead_of_published_weights(tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    saved = randomised(archdsl.compile(f"encoder resnet18 {TAIL}"))
    save_file(saved, path, {})
    module = archdsl.compile(f"encoder resnet18 weights=imagenet {TAIL}", weights=path)
    assert torch.equal(module.state_dict()["head.0.weight"], saved.state_dict()["head.0.weight"])


def test_a_missing_file_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(NoSuchFile):
        load_file(network(), tmp_path / "nothing.safetensors")


def test_a_pickle_is_never_read(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    torch.save(network().state_dict(), path)
    with pytest.raises(NotSafetensors) as caught:
        load_file(network(), path)
    text = str(without_place(NotSafetensors("weights.pt", "header too large")))
    assert_golden("a_pickle", f"{text}\n")
    assert caught.value.help() in text


def test_a_broken_file_is_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file(network(), path, {})
    for content in (b"", b"no weights", path.read_bytes()[:-4]):
        path.write_bytes(content)
        with pytest.raises(NotSafetensors):
            load_file(network(), path)
    with pytest.raises(Unreadable):
        load_file(network(), tmp_path)


def test_one_tensor_with_two_names_is_saved_under_both(tmp_path: Path) -> None:
    line = "input 1x8x8\n\nconv 3x3 4 as a | conv 3x3 4 as b | conv 3x3 4 as c"
    tied, fresh = archdsl.compile(line), archdsl.compile(line)
    tied.c.weight = tied.b.weight
    save_file(tied, tmp_path / "a.safetensors", {})
    load_file(fresh, tmp_path / "a.safetensors")
    assert torch.equal(fresh.c.weight, tied.b.weight)


def test_the_file_is_one_that_others_read(tmp_path: Path) -> None:
    module = network().to(memory_format=torch.channels_last)
    save_file(module, tmp_path / "a.safetensors", {"b": "ü", "a": "2"})
    with safe_open(tmp_path / "a.safetensors", framework="np") as file:
        assert file.metadata() == {"a": "2", "b": "ü"}
        assert (file.get_tensor("a.weight") == module.state_dict()["a.weight"].numpy()).all()


def test_a_full_disk_keeps_the_old_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.safetensors"
    save_file(network(), path, {})
    before = path.read_bytes()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unwritable, match="cannot be written: No space left on device"):
        save_file(network(), path, {})
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("a.safetensors", before)]


def test_a_file_of_another_network_is_a_mistake_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    state = network(width=5).state_dict()
    del state["b.bias"]
    write(state, path)
    module = network()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    with pytest.raises(WeightsDoNotFit) as caught:
        load_file(module, path)
    assert caught.value.missing == ("b.bias",)
    assert "a.weight" in caught.value.reshaped
    assert all(torch.equal(before[name], tensor) for name, tensor in module.state_dict().items())


def test_tensors_without_a_place_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.safetensors"
    write({**network().state_dict(), "head.0.weight": torch.zeros(1), "head.0.bias": torch.zeros(1)}, path)
    with caplog.at_level(logging.WARNING):
        load_file(network(), path)
    assert caplog.messages == [f"weights `{path}`: not used, as the network has no such part: head"]


@pytest.mark.parametrize(
    "broken", [{"mean": [1]}, {"mean": 1, "std": 1}, {"mean": ["a"], "std": [1]}, [], None]
)
def test_a_broken_normalisation_is_a_mistake(tmp_path: Path, broken: object) -> None:
    path = tmp_path / "a.safetensors"
    write(network().state_dict(), path, {"normalisation": json.dumps(broken)})
    with pytest.raises(Unreadable):
        load_file(network(), path)


# ---- another depth ---------------------------------------------------------------------------------

NESTED = "encoder resnet18 | skip nested depth={} | up transpose | head 1x1 out=2 {}"


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_shallower_network_takes_its_part_of_a_deeper_ones_weights(tmp_path: Path, depth: int) -> None:
    deep = randomised(archdsl.compile(NESTED.format(4, "supervise=deep"))).train()
    path = tmp_path / "deep.safetensors"
    save_file(deep, path, {})
    shallow = archdsl.compile(NESTED.format(depth, ""), weights=path).eval()
    x = torch.randn(2, 3, 64, 64)
    for part in deep.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.eval()
    with torch.inference_mode():
        assert torch.equal(shallow(x), deep(x)[f"head{depth}"])
