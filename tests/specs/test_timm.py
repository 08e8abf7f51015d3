"""`encoder timm:NAME` against timm's own features, and against the `tu-` encoders of smp."""

from __future__ import annotations

import copy
import io
import pickle
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest
import segmentation_models_pytorch as smp
import timm
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

import archdsl
from archdsl.emitters.torch_module import Model
from archdsl.errors import ArchError
from tests.specs.references import disagreement, images, ours, randomised

# What stands in for timm's downloads is asked once the hub has answered.
pytestmark = pytest.mark.usefixtures("empty_hub")

TAIL = "| skip plain | up nearest channels=[256, 128, 64, 32, 16] | head 3x3 out=1"
SMALL = "| skip plain | up nearest | head 1x1 out=2"
# Rounded up at each step, rounded down, without a level at stride 2, with valid convolutions, both ways.
ENCODERS = (
    "resnet34",
    "regnety_008",
    "convnext_atto",
    "mobilenetv3_small_050",
    "inception_v3",
    "densenet121",
)
SIZES = ((224, 224), (225, 225), (97, 131))


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def loaded(spec: str, **options: Any) -> archdsl.Architecture:
    found = archdsl.load(spec, **options)
    assert isinstance(found, archdsl.Architecture)
    return found


def parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def theirs(name: str, **settings: Any) -> nn.Module:
    with torch.device("meta"):
        made: nn.Module = timm.create_model(name, features_only=True, **settings).eval()
    return made


def with_weights_of(module: nn.Module, reference: nn.Module) -> nn.Module:
    """The reference with the encoder's weights, by name; what only the reference builds gets others."""
    randomised(reference, seed=3)
    state = module.state_dict()
    known = {name: state[f"encoder.{name}"] for name in reference.state_dict() if f"encoder.{name}" in state}
    assert len(known) == len([name for name in state if name.startswith("encoder.")])
    reference.load_state_dict(known, strict=False)
    return reference


# ---- the maps ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ENCODERS)
def test_levels_are_the_maps_that_timm_gives(name: str) -> None:
    module = randomised(ours(f"encoder timm:{name}"))
    reference = with_weights_of(module, theirs(name))
    for size in SIZES:
        shapes = level_shapes(name, size)
        image = images(*size, batch=1)
        with torch.inference_mode():
            got, wanted = module(image), reference(image)
        assert [tuple(level.shape[1:]) for level in got] == shapes
        for one, other in zip(got, wanted, strict=True):
            assert disagreement(one, other) <= 1e-6


def level_shapes(name: str, size: tuple[int, int]) -> list[tuple[int, ...]]:
    """The levels as they are known without timm."""
    network = loaded(f"encoder timm:{name}", input=(3, *size)).network
    return [tuple(network.shape_of(output.value)) for output in network.outputs]


@pytest.mark.parametrize("name", ["swin_tiny_patch4_window7_224", "hrnet_w18_small", "vit_tiny_patch16_224"])
def test_models_of_certain_sizes_have_their_maps_with_channels_first(name: str) -> None:
    found = ours(f"encoder timm:{name}")
    with torch.device("meta"):
        made = found(torch.zeros(1, 3, 224, 224))
    assert [tuple(level.shape[1:]) for level in made] == level_shapes(name, (224, 224))


@pytest.mark.parametrize("name", ENCODERS)
def test_channels_are_those_of_smps_encoder(name: str) -> None:
    with torch.device("meta"):
        wanted = smp.encoders.get_encoder(f"tu-{name}", weights=None).out_channels[1:]
    assert [shape[0] for shape in level_shapes(name, (224, 224))] == [width for width in wanted if width]


# ---- blocks --------------------------------------------------------------------------------------

# With a class token, with one and four registers behind it, with neither.
TRANSFORMERS = ("test_vit", "vit_small_patch14_reg4_dinov2", "samvit_base_patch16_224")


def blocks_of(module: nn.Module, name: str, size: tuple[int, int], **settings: Any) -> tuple[Any, Any]:
    """Maps of blocks 1 and 4 here, and there with timm's own words."""
    randomised(module, seed=3)
    with torch.device("meta"):
        reference = timm.create_model(name, **({} if name.startswith("sam") else {"dynamic_img_size": True}))
    randomised(reference.eval())
    state = {key.removeprefix("encoder.model."): tensor for key, tensor in module.state_dict().items()}
    assert set(state) <= set(reference.state_dict())
    reference.load_state_dict(state, strict=False)
    image = images(*size, batch=1)
    with torch.inference_mode():
        found = reference.forward_intermediates(image, indices=[1, 4], intermediates_only=True, **settings)
        return module(image), found


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_taps_are_the_maps_that_leave_timms_blocks(name: str) -> None:
    side = 14 * 14 if "14" in name else 224
    spec = f"input 3x{side}x{side}\nencoder timm:{name} taps=[blocks.1, blocks.4]"
    module = ours(spec)
    assert loaded(spec).params == parameters(module)
    got, wanted = blocks_of(module, name, (side, side))
    for one, other in zip(got, wanted, strict=True):
        assert disagreement(one, other) <= 1e-6


@pytest.mark.parametrize("name", TRANSFORMERS[:2])
def test_each_pixel_has_the_class_token_of_its_block_beside_it(name: str) -> None:
    patch = 14 if "14" in name else 16
    size = (5 * patch, 7 * patch)
    spec = f"encoder timm:{name} taps=[blocks.1, blocks.4] class_token=true"
    got, wanted = blocks_of(ours(spec, input=(3, *size)), name, size, return_prefix_tokens=True)
    network = loaded(spec, input=(3, *size)).network
    assert [tuple(network.shape_of(output.value)) for output in network.outputs] == [
        tuple(level.shape[1:]) for level in got
    ]
    for level, (pixels, tokens) in zip(got, wanted, strict=True):
        own, token = level.chunk(2, 1)
        assert disagreement(own, pixels) <= 1e-6
        assert disagreement(token, tokens[:, 0, :, None, None].expand_as(pixels)) <= 1e-6


def test_each_pixel_has_the_mean_of_all_prefix_tokens_beside_it_and_behind_the_class_token() -> None:
    name, size = "deit_tiny_distilled_patch16_224", (80, 112)
    for options, parts in (("mean_token=true", 2), ("class_token=true mean_token=true", 3)):
        spec = f"encoder timm:{name} taps=[blocks.1, blocks.4] {options}"
        got, wanted = blocks_of(ours(spec, input=(3, *size)), name, size, return_prefix_tokens=True)
        network = loaded(spec).network
        assert [network.shape_of(one.value).channels for one in network.outputs] == [parts * 192] * 2
        for level, (pixels, tokens) in zip(got, wanted, strict=True):
            own, *others = level.chunk(parts, 1)
            assert disagreement(own, pixels) <= 1e-6
            mean = (tokens[:, 0] + tokens[:, 1]) / 2
            told = [tokens[:, 0], mean][2 - len(others) :]
            assert disagreement(tokens[:, 0], mean) > 0.1
            for other, token in zip(others, told, strict=True):
                assert disagreement(other, token[:, :, None, None].expand_as(pixels)) <= 1e-6


def test_registers_have_a_mean_where_there_is_no_class_token() -> None:
    name, size = "vit_little_patch16_reg4_gap_256", (64, 96)
    spec = f"encoder timm:{name} taps=[blocks.1, blocks.4] mean_token=true"
    got, wanted = blocks_of(ours(spec, input=(3, *size)), name, size, return_prefix_tokens=True)
    for level, (pixels, tokens) in zip(got, wanted, strict=True):
        own, mean = level.chunk(2, 1)
        assert tokens.shape[1] == 4
        assert disagreement(own, pixels) <= 1e-6
        assert disagreement(mean, (tokens.sum(1) / 4)[:, :, None, None].expand_as(pixels)) <= 1e-6


@pytest.mark.parametrize("size", [(224, 224), (96, 160)])
def test_a_transformer_takes_images_that_its_patch_divides(size: tuple[int, int]) -> None:
    name = "vit_tiny_patch16_224"
    spec = f"encoder timm:{name} taps=[blocks.1, blocks.4]"
    got, wanted = blocks_of(ours(spec, input=(3, *size)), name, size)
    for one, other in zip(got, wanted, strict=True):
        assert disagreement(one, other) <= 1e-6


def test_a_model_that_needs_larger_images_is_told_with_the_smallest() -> None:
    spec = "encoder timm:inception_v4 | skip plain | up nearest | head 1x1 out=2"
    (found,) = archdsl.check(f"input 3x64x96\n\n{spec}")
    assert found.code == "E218"
    assert "75x75 or larger" in str(found)
    assert archdsl.check(f"input 3x75x75\n\n{spec}") == ()
    with torch.device("meta"):
        theirs = timm.create_model("inception_v4", features_only=True).eval()
        assert theirs(torch.zeros(1, 3, 75, 75))[-1].shape == (1, 1536, 1, 1)
        with pytest.raises(RuntimeError, match="Kernel size"):
            theirs(torch.zeros(1, 3, 74, 75))


def test_of_blocks_only_those_that_are_read_are_given() -> None:
    line = "encoder timm:test_vit taps={} class_token=true"
    one = loaded(line.format("[blocks.1, blocks.2, blocks.4]") + " | levels [0, 2]")
    other = loaded(line.format("[blocks.1, blocks.4]"))
    assert one.identity == other.identity
    assert one.params == other.params == parameters(one.to_torch())
    module = one.to_torch()
    assert module.encoder.feature_info.out_indices == (1, 4)
    assert [tuple(x.shape[1:]) for x in module(images(32, 32))] == [(128, 2, 2)] * 2


@pytest.mark.parametrize("name", ["test_resnet", "test_vit taps=[blocks.2, blocks.4]"])
def test_a_level_may_be_read_for_its_size_alone(name: str) -> None:
    decoder = "def f = level (len(@in)-1) as deep | @in | level 0 | conv 3x3 4 | interpolate like=@deep"
    module = ours(f"input 3x64x96\n{decoder}\nencoder timm:{name} | f")
    side = 16 if "vit" in name else 32
    assert module(torch.empty(1, 3, 64, 96, device="meta")).shape == (1, 4, 64 // side, 96 // side)


def test_weights_fit_with_the_class_token_and_without() -> None:
    spec = "encoder timm:test_vit"
    assert list(ours(f"{spec} class_token=true").state_dict()) == list(ours(spec).state_dict())


# ---- networks ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["resnet34", "regnety_008", "convnext_atto", "mobilenetv3_small_050"])
def test_a_unet_has_the_parameters_of_smps(name: str) -> None:
    with torch.device("meta"):
        wanted = parameters(smp.Unet(f"tu-{name}", encoder_weights=None, classes=1))
    found = loaded(f"encoder timm:{name} {TAIL}")
    assert found.params == wanted == parameters(ours(f"encoder timm:{name} {TAIL}"))


@pytest.mark.parametrize("name", ["resnet34", "convnext_atto"])
@pytest.mark.parametrize("size", SIZES)
def test_a_unet_gives_the_size_of_its_image(name: str, size: tuple[int, int]) -> None:
    module = ours(f"encoder timm:{name} {SMALL}")
    with torch.device("meta"):
        assert module(torch.zeros(2, 3, *size)).shape == (2, 2, *size)


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("name", ["resnet34", "tf_efficientnet_b0"])
def test_only_the_levels_that_are_read_are_built(name: str, depth: int) -> None:
    by_depth = f"encoder timm:{name} depth={depth + 1} | skip none | up nearest"
    by_skip = f"encoder timm:{name} | skip none depth={depth} | up nearest"
    for spec in (by_depth, by_skip):
        assert loaded(spec).params == parameters(ours(spec))
    assert loaded(by_depth).identity == loaded(by_skip).identity
    whole = loaded(f"encoder timm:{name} | skip none | up nearest")
    encoder = sum(row.params for row in loaded(by_skip).summary(1).rows if row.path == "encoder")
    wanted = theirs(name, out_indices=tuple(range(depth + 1)))
    if hasattr(wanted, "blocks"):  # timm builds all of them, and all are counted without what it doesn't run
        del wanted.blocks[depth + 1 + (depth > 2) :]
    assert encoder == parameters(wanted) < whole.params


@pytest.mark.parametrize("channels", [1, 4])
def test_another_number_of_channels_changes_the_first_convolution(channels: int) -> None:
    spec = f"input {channels}x64x64\nencoder timm:regnety_008 {SMALL}"
    module = ours(spec)
    assert loaded(spec).params == parameters(module)
    assert module.state_dict()["encoder.stem.conv.weight"].shape[1] == channels


@pytest.mark.parametrize("stride", [8, 16])
def test_a_dilated_encoder_is_timms(stride: int) -> None:
    spec = f"encoder timm:resnet34 output_stride={stride}"
    module = randomised(ours(spec))
    reference = with_weights_of(module, theirs("resnet34", output_stride=stride))
    image = images(97, 131, batch=1)
    with torch.inference_mode():
        got, wanted = module(image), reference(image)
    last = {step: number for number, step in enumerate(reference.feature_info.reduction())}
    assert len(got) == len(last)
    for one, number in zip(got, last.values(), strict=True):
        assert disagreement(one, wanted[number]) <= 1e-6
    network = loaded(spec, input=(3, 97, 131)).network
    assert [network.shape_of(output.value) for output in network.outputs] == [x.shape[1:] for x in got]


def test_a_dilated_encoder_that_is_read_above_its_dilation_is_the_ordinary_one() -> None:
    line = "encoder timm:resnet34 {} | levels [0, 1]"
    assert loaded(line.format("output_stride=8")).identity == loaded(line.format("")).identity


# ---- what a module can do ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def module() -> Model:
    torch.manual_seed(0)
    return archdsl.compile(f"input 3x64x64\nencoder timm:test_resnet {SMALL}").eval()


def again(made: nn.Module, how: str) -> nn.Module:
    if how == "deepcopy":
        return copy.deepcopy(made)
    if how == "pickle":
        return pickle.loads(pickle.dumps(made))
    if how == "save":
        file = io.BytesIO()
        torch.save(made, file)
        file.seek(0)
        return torch.load(file, weights_only=False)
    if how == "compile":
        return torch.compile(made, backend="eager", fullgraph=True)
    dynamic = {"image": {2: torch.export.Dim.AUTO, 3: torch.export.Dim.AUTO}}
    return torch.export.export(made, (images(64, 64),), dynamic_shapes=dynamic).module()


@pytest.mark.parametrize("how", ["deepcopy", "pickle", "save", "compile", "export"])
def test_a_module_is_copied_saved_compiled_and_exported(module: Model, how: str) -> None:
    image = images(97, 131) if how == "export" else images(64, 64)
    with torch.no_grad():
        torch.testing.assert_close(again(module, how)(image), module(image))


@pytest.mark.parametrize("how", ["deepcopy", "pickle", "save", "compile"])
def test_so_is_one_with_class_tokens(how: str) -> None:
    torch.manual_seed(0)
    made = archdsl.compile("input 3x64x64\nencoder timm:test_vit class_token=true | head linear out=2").eval()
    with torch.no_grad():
        torch.testing.assert_close(again(made, how)(images(64, 64)), made(images(64, 64)))


# timm reads numbers out of tensors to build the others.
@pytest.mark.parametrize(
    ("name", "rest"),
    [
        ("test_resnet", SMALL),
        ("convnext_tiny", SMALL),
        ("swin_tiny_patch4_window7_224", SMALL),
        ("vit_tiny_patch16_224", "| conv 1x1 2"),
    ],
)
def test_a_module_is_built_on_the_device_that_is_asked_for(name: str, rest: str) -> None:
    spec = f"encoder timm:{name} {rest}"
    with FakeTensorMode(allow_non_fake_inputs=False), torch.device("cuda"):
        made = archdsl.compile(spec)
        assert made(torch.zeros(2, 3, 224, 224)).device.type == "cuda"
        assert {tensor.device.type for tensor in made.state_dict().values()} == {"cuda"}
    assert [(name, tensor.shape) for name, tensor in made.state_dict().items()] == [
        (name, tensor.shape) for name, tensor in ours(spec).state_dict().items()
    ]


# ---- what is known without timm ------------------------------------------------------------------


def test_checking_loads_neither_torch_nor_timm() -> None:
    script = (
        "import sys, archdsl\n"
        f"assert archdsl.check('encoder timm:resnet50d {SMALL}') == ()\n"
        f"assert 'unknown' in str(archdsl.load('encoder timm:convnext_tiny {SMALL}').summary())\n"
        "assert not {'torch', 'timm', 'networkx'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_figures_that_nobody_counted_are_unknown() -> None:
    found = loaded(f"encoder timm:resnet34 {SMALL}")
    assert found.opaque
    assert (found.macs, found.activations, found.depth) == (None, None, None)
    assert (found.receptive_field, found.gridding_free) == (None, None)
    summary = found.summary()
    assert summary.as_dict()["macs"] is None
    rows: Mapping[str, Any] = {row.path: row for row in summary.rows}
    assert rows["encoder"].macs is None
    assert rows["decoder"].macs > 0
    assert "macs=unknown" in repr(found)


def test_a_head_in_training_alone_leaves_the_figures_of_inference_known() -> None:
    own = "conv 3x3 8 stride=2 | relu"
    aux = "aux (encoder timm:test_resnet | gap | flatten | linear 2) as aux1"
    found = loaded(f"input 3x64x64\n{own} | head 1x1 out=2")
    with_aux = loaded(f"input 3x64x64\n{aux} | {own} | head 1x1 out=2")
    assert with_aux.macs == found.macs
    assert with_aux.params > found.params


def test_the_graph_gives_the_network_back() -> None:
    found = loaded(f"encoder timm:resnet34 {SMALL}")
    made = archdsl.Architecture.from_graph(found.graph)
    assert (made.identity, made.params, made.macs) == (found.identity, found.params, None)
    assert list(made.to_torch().state_dict()) == list(found.to_torch().state_dict())


def test_models_and_settings_are_told_apart() -> None:
    specs = [
        "encoder timm:resnet34",
        "encoder timm:resnet50d",
        "encoder timm:resnet34 depth=4",
        "encoder timm:resnet34 output_stride=8",
        "encoder timm:resnet34 output_stride=16",
        "encoder resnet34",
        "encoder timm:test_vit",
        "encoder timm:test_vit class_token=true",
        "encoder timm:test_vit taps=[blocks.3]",
        "encoder timm:test_vit taps=[blocks.3, blocks.5]",
        "encoder timm:test_vit taps=[blocks.4, blocks.5]",
    ]
    assert len({loaded(spec).identity for spec in specs}) == len(specs)


def test_two_encoders_have_weights_of_their_own() -> None:
    spec = """
    encoder timm:test_resnet as one | level 0 as left
    | @input | encoder timm:test_resnet as two | level 0 | add(@left, id)
    """
    spec = " ".join(spec.split())
    found = loaded(f"input 3x64x64\n{spec}")
    assert found.params == parameters(found.to_torch())
    assert {name.split(".")[0] for name in found.to_torch().state_dict()} == {"one", "two"}


# ---- spaces --------------------------------------------------------------------------------------

SPACE = f"encoder {{effnet_b0, timm:regnety_008, timm:convnext_tiny}} {SMALL}\nrequire params < 32M"


def test_a_backbone_is_an_option_like_any_other() -> None:
    space = archdsl.load(SPACE)
    assert isinstance(space, archdsl.Space)
    assert space.count() == 3
    (choice,) = space.choices
    assert (choice.name, choice.options[1]) == ("encoder", "timm:regnety_008")
    for member in space:
        text = member.to_text()
        again = loaded(text)
        assert again.identity == member.identity
        assert again.to_text() == text
    assert [space.feasible(member) for member in space] == [True, True, True]


def test_an_option_takes_the_arguments_that_its_model_takes_outside() -> None:
    space = archdsl.load(
        f"encoder {{timm:resnet34 output_stride={{8, 16}}, timm:resnet34, resnet34}} {SMALL}"
    )
    assert isinstance(space, archdsl.Space)
    assert space.count() == 4
    alone = [f"timm:resnet34 output_stride={stride}" for stride in (8, 16)]
    wanted = [loaded(f"encoder {option} {SMALL}") for option in (*alone, "timm:resnet34", "resnet34")]
    assert [member.identity for member in space] == [member.identity for member in wanted]
    assert len({member.identity for member in space}) == 4
    for member in space:
        assert loaded(member.to_text()).identity == member.identity
    bracketed = loaded(f"encoder (timm:resnet34 output_stride=8) depth=3 {SMALL}")
    assert bracketed.identity == loaded(f"encoder timm:resnet34 output_stride=8 depth=3 {SMALL}").identity


def test_a_space_says_that_it_cannot_require_what_is_unknown() -> None:
    with pytest.raises(ArchError) as caught:
        archdsl.load(SPACE.replace("params < 32M", "params < 32M and macs < 9G"))
    (found,) = caught.value.diagnostics
    assert (found.code, found.span.text if found.span else "") == ("E315", "macs")


# ---- published weights ---------------------------------------------------------------------------


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Stands in for timm where it would download; remembers what was asked for."""
    made, asked = timm.create_model, {}

    def create(name: str, pretrained: bool = False, **settings: Any) -> nn.Module:
        if not pretrained:
            return made(name, **settings)
        asked.update(settings, name=name)
        torch.manual_seed(7)
        return made(name, **settings)

    monkeypatch.setattr(timm, "create_model", create)
    return asked


@pytest.mark.parametrize(
    ("tag", "wanted"), [("imagenet", "rb_in1k"), ("a1_in1k", "a1_in1k"), ("a2_in1k", "a2_in1k")]
)
def test_an_encoder_gets_the_weights_of_its_tag(published: dict[str, Any], tag: str, wanted: str) -> None:
    if tag == "imagenet":
        wanted = timm.get_pretrained_cfg("resnet34").tag or ""
    module = archdsl.compile(f"encoder timm:resnet34 depth=3 weights={tag} {SMALL}", input=(1, 64, 64))
    assert published["name"] == f"resnet34.{wanted}"
    torch.manual_seed(7)
    theirs = timm.create_model("resnet34", features_only=True, out_indices=(0, 1, 2), in_chans=1)
    state: dict[str, Tensor] = module.state_dict()
    for name, tensor in theirs.state_dict().items():
        assert torch.equal(state[f"encoder.{name}"], tensor), name
    assert [len(numbers) for numbers in module.normalisation] == [1, 1]


def test_blocks_with_their_class_token_get_published_weights(published: dict[str, Any]) -> None:
    spec = "encoder timm:vit_tiny_patch16_224 taps=[blocks.1] class_token=true weights=imagenet"
    module = archdsl.compile(spec, input=(3, 64, 96))
    assert published["out_indices"] == (1,)
    torch.manual_seed(7)
    theirs = timm.create_model("vit_tiny_patch16_224", features_only=True, out_indices=(1,))
    state = module.state_dict()
    for name, tensor in theirs.state_dict().items():
        assert torch.equal(state[f"encoder.{name}"], tensor), name


def test_a_tag_that_is_none_is_a_mistake_that_names_the_others(published: dict[str, Any]) -> None:
    with pytest.raises(ArchError, match="did you mean `a1_in1k`"):
        archdsl.compile(f"encoder timm:resnet34 weights=a1_in1 {SMALL}")


def test_a_model_without_published_weights_is_a_mistake(published: dict[str, Any]) -> None:
    bare = next(name for name in timm.list_models("resnet*") if not timm.list_pretrained(f"{name}.*"))
    with pytest.raises(ArchError, match="neither timm nor torchvision publishes weights"):
        archdsl.compile(f"encoder timm:{bare} weights=imagenet {SMALL}")


def test_weights_of_ones_own_come_from_a_file(tmp_path: Any) -> None:
    from archdsl.weights.files import save_file

    spec = f"input 3x64x64\nencoder timm:test_resnet {SMALL}"
    first = archdsl.compile(spec)
    save_file(first, tmp_path / "a.safetensors", {})
    second = archdsl.compile(spec, weights=tmp_path / "a.safetensors")
    assert all(torch.equal(x, second.state_dict()[name]) for name, x in first.state_dict().items())
