"""Gates and context modules of the library against timm, torchvision, smp, or their papers' formulas."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import segmentation_models_pytorch as smp
import torch
import torch.nn.functional as F
from segmentation_models_pytorch.decoders.deeplabv3.decoder import ASPP as SmpASPP
from segmentation_models_pytorch.decoders.pspnet.decoder import PSPModule
from timm.layers import EcaModule, NonLocalAttn
from timm.layers.cbam import CbamModule
from torch import Tensor, nn
from torchvision.models.segmentation.deeplabv3 import ASPP

import archdsl
from tests.specs.references import difference, disagreement, ours, randomised

TOLERANCE = 1e-5


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def on(channels: int, stage: str) -> str:
    """A spec that is one stage on a map."""
    return f"input {channels}x12x10\n\n{stage}"


def a_map(channels: int) -> Tensor:
    return torch.randn(2, channels, 12, 10, generator=torch.Generator().manual_seed(1))


# ---- parameters ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stage", "channels", "parameters"),
    [
        ("eca", 64, 3),
        ("eca", 256, 5),
        ("cbam", 64, 612),
        ("cbam", 256, 8_292),
        ("pixel_attention", 64, 64 * 64 + 64),
        ("aspp", 2048, 15_535_104),
        ("aspp", 512, 4_131_840),
        ("aspp separable=true", 2048, 3_007_488),
        ("ppm", 2048, 4_198_400),
        ("ppm single=false", 2048, 4_197_888),
        ("ppm", 512, 263_168),
        ("ppm single=false", 512, 263_040),
        ("strip", 64, 28_992),
        ("strip", 128, 115_328),
        ("strip", 256, 460_032),
        ("strip", 512, 1_837_568),
        ("emau", 512, 525_824),
        ("criss_cross_attention", 64, 2 * (64 * 8 + 8) + 64 * 64 + 64 + 1),
        ("mixed", 1024, 4_397_568),
        ("mixed", 512, 1_101_056),
        ("mixed", 256, 276_096),
        ("nonlocal", 64, 8_352),
        ("nonlocal", 512, 525_568),
        ("nonlocal round_to(@in/8, 8) norm=true", 64, 2_264),
    ],
)
def test_a_gate_or_context_has_the_published_parameters(stage: str, channels: int, parameters: int) -> None:
    assert archdsl.load(on(channels, stage)).params == parameters


# ---- the same tensors, weight for weight ------------------------------------------------------------

TIMMS_NONLOCAL = "nonlocal round_to(@in/8, 8) factor=1/sqrt(@in) norm=true"

# What the reference calls a module that has another name here.
RENAMED = {"t": "theta", "p": "phi", "z": "conv_out"}

REFERENCES: dict[str, tuple[int, Callable[[], nn.Module]]] = {
    "eca": (64, lambda: EcaModule(64)),
    "cbam": (64, lambda: CbamModule(64)),
    "aspp": (64, lambda: ASPP(64, [12, 24, 36])),
    "aspp 32 rates=[1, 2, 3]": (64, lambda: SmpASPP(64, 32, [1, 2, 3], separable=False, dropout=0.5)),
    "aspp 32 separable=true": (64, lambda: SmpASPP(64, 32, [12, 24, 36], separable=True, dropout=0.5)),
    "ppm single=false": (64, lambda: PSPModule(64)),
    TIMMS_NONLOCAL: (64, lambda: NonLocalAttn(64)),
}


@pytest.mark.parametrize("stage", REFERENCES)
def test_a_gate_or_context_with_the_references_weights_gives_its_output(stage: str) -> None:
    channels, make = REFERENCES[stage]
    theirs = randomised(make().eval())
    module = ours(on(channels, stage))
    named = {
        ".".join(RENAMED.get(part, part) for part in name.split(".")): tensor
        for name, tensor in theirs.state_dict().items()
    }
    # A 1-D convolution over the channels is a 2-D one over a column here.
    wanted = {
        name: tensor.reshape(module.state_dict()[name].shape) if name == "conv.weight" else tensor
        for name, tensor in named.items()
    }
    module.load_state_dict(wanted, strict=True, assign=True)
    assert difference(module, theirs, a_map(channels)) <= TOLERANCE


@pytest.mark.parametrize("channels", [8, 24, 96, 200, 320, 1024, 2048])
def test_the_kernel_of_eca_grows_with_the_channels_as_timms_does(channels: int) -> None:
    assert archdsl.load(on(channels, "eca")).params == EcaModule(channels).conv.weight.numel()


def test_scse_is_smps() -> None:
    theirs = smp.base.modules.SCSEModule(64)
    module = archdsl.compile(on(64, "scse"))
    module.load_state_dict(dict(zip(module.state_dict(), theirs.state_dict().values(), strict=True)))
    x = a_map(64)
    assert torch.allclose(module(x), theirs(x), atol=1e-6)


# ---- the papers' formulas ---------------------------------------------------------------------------


def pixels(x: Tensor) -> Tensor:
    return x.flatten(2)


def nonlocal_block(m: nn.Module, x: Tensor) -> Tensor:
    """Wang et al. 2017, equations 1, 2 and 6; scaled by the root of the embedding's width."""
    query, key, value = (pixels(m.get_submodule(name)(x)) for name in ("theta", "phi", "g"))
    alike = torch.einsum("bci,bcj->bij", query, key) / query.shape[1] ** 0.5
    seen = torch.einsum("bij,bcj->bci", alike.softmax(2), value)
    return x + m.get_submodule("conv_out")(seen.reshape(len(x), -1, *x.shape[2:]))


def position_attention(m: nn.Module, x: Tensor) -> Tensor:
    """Fu et al. 2018, equations 1 and 2."""
    query, key, value = (pixels(m.get_submodule(f"{name}_conv")(x)) for name in ("query", "key", "value"))
    share = torch.einsum("bcj,bci->bji", query, key).softmax(2)
    return x + m.gamma * torch.einsum("bji,bci->bcj", share, value).reshape(x.shape)


def channel_attention(m: nn.Module, x: Tensor) -> Tensor:
    """Fu et al. 2018, equations 3 and 4, the energy negated as in the authors' code."""
    energy = torch.einsum("bjn,bin->bji", pixels(x), pixels(x))
    share = (energy.amax(2, keepdim=True) - energy).softmax(2)
    return x + m.gamma * torch.einsum("bji,bin->bjn", share, pixels(x)).reshape(x.shape)


def strip_pooling(m: nn.Module, x: Tensor) -> Tensor:
    """Hou et al. 2020, section 3.1."""
    rows = m.bn1(m.conv1(x.mean(3, keepdim=True))).expand(x.shape)
    columns = m.bn2(m.conv2(x.mean(2, keepdim=True))).expand(x.shape)
    return x * m.conv3(F.relu(rows + columns)).sigmoid()


def mixed_pooling(m: nn.Module, x: Tensor) -> Tensor:
    """Hou et al. 2020, section 3.2, with the authors' pools of 20 and 12 pixels."""

    def resized(y: Tensor) -> Tensor:
        return F.interpolate(y, x.shape[2:], mode="bilinear", align_corners=True)

    def run(name: str, y: Tensor) -> Tensor:
        for layer in m.get_submodule(name).children():
            y = layer(y)
        return y

    near, far = run("conv1_1", x), run("conv1_2", x)
    grids = [
        resized(run(f"conv2_{i}", F.adaptive_avg_pool2d(near, side))) for i, side in enumerate((20, 12), 1)
    ]
    strips = run("conv2_3", far.mean(2, keepdim=True)) + run("conv2_4", far.mean(3, keepdim=True))
    near = run("conv2_5", F.relu(run("conv2_0", near) + sum(grids)))
    far = run("conv2_6", F.relu(strips))
    return F.relu(x + run("conv3", torch.cat([near, far], 1)))


def pixel_attention(m: nn.Module, x: Tensor) -> Tensor:
    """Zhao et al. 2020, equation 3."""
    return x * m.conv(x).sigmoid()


def criss_cross(m: nn.Module, x: Tensor) -> Tensor:
    """Huang et al. 2018, section 3: affinity and aggregation over a pixel's row and column, twice."""
    layers, (height, width) = m.cca, x.shape[2:]
    for _ in range(2):
        query, key, value = (layers.get_submodule(f"{name}_conv")(x) for name in ("query", "key", "value"))
        made = torch.empty_like(x)
        for i in range(height):
            for j in range(width):
                cross = [(k, j) for k in range(height) if k != i] + [(i, k) for k in range(width)]
                keys = torch.stack([key[:, :, a, b] for a, b in cross], 2)
                values = torch.stack([value[:, :, a, b] for a, b in cross], 2)
                share = torch.einsum("bc,bcn->bn", query[:, :, i, j], keys).softmax(1)
                made[:, :, i, j] = torch.einsum("bn,bcn->bc", share, values)
        x = x + layers.gamma * made
    return x


def expectation_maximisation(m: nn.Module, x: Tensor) -> Tensor:
    """Li et al. 2019, equations 10 to 13 with lambda 1, each base kept at length 1; then section 3.4."""
    pixels = m.conv1(x).flatten(2)
    bases = m.em.mu[0].repeat(len(x), 1, 1)
    for _ in range(3):
        share = torch.einsum("bcn,bck->bnk", pixels, bases).exp()
        share = share / share.sum(2, keepdim=True)
        bases = torch.einsum("bnk,bcn->bck", share, pixels) / share.sum(1)[:, None]
        bases = bases / bases.square().sum(1, keepdim=True).sqrt()
    made = torch.einsum("bnk,bck->bcn", share, bases).reshape(x.shape)
    conv, norm = m.conv2.children()
    return F.relu(x + norm(conv(F.relu(made))))


FORMULAS: dict[str, Callable[[nn.Module, Tensor], Tensor]] = {
    "nonlocal": nonlocal_block,
    "self_attention": position_attention,
    "channel_self_attention": channel_attention,
    "criss_cross_attention": criss_cross,
    "emau": expectation_maximisation,
    "strip": strip_pooling,
    "mixed": mixed_pooling,
    "pixel_attention": pixel_attention,
}


@pytest.mark.parametrize("stage", FORMULAS)
def test_a_context_is_its_papers_formula(stage: str) -> None:
    module = randomised(ours(on(64, stage)))
    x = a_map(64)
    with torch.inference_mode():
        assert disagreement(module(x), FORMULAS[stage](module, x)) <= TOLERANCE


# ---- in networks ------------------------------------------------------------------------------------

CONTEXTS = (
    "aspp 32", "aspp 32 separable=true", "ppm", "ppm single=false", "strip", "mixed", "nonlocal",
    "nonlocal norm=true", "self_attention", "channel_self_attention",
    "criss_cross_attention", "emau 4", "dilated", "dilated 64",
)  # fmt: skip


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_context_gives_back_the_images_size_and_trains_all_its_parameters(context: str) -> None:
    module = archdsl.compile(
        f"encoder plain widths=[4, 8] | context {context} | skip plain | up bilinear | head 1x1 out=2"
    ).train()
    made = module(torch.randn(2, 3, 29, 38))
    made.square().sum().backward()
    assert made.shape == (2, 2, 29, 38)
    assert all(parameter.grad is not None for parameter in module.parameters())


def test_a_nonlocal_block_with_one_projection_is_another_network() -> None:
    shared = """
conv 1x1 32 as theta | swap as keys
| @theta | matmul @keys | scale (1/sqrt(32)) | softmax | matmul @theta
| conv 1x1 64 init=zero | add(@input, id)
"""
    separate = archdsl.load("input 64x16x16\n\nnonlocal")
    assert separate.identity != archdsl.load(f"input 64x16x16\n{shared}").identity
    assert separate.identity == archdsl.load("input 64x16x16\n\nnonlocal 32").identity


def test_the_bases_of_a_map_of_low_rank_follow_training_and_rest_in_use() -> None:
    module = archdsl.compile(on(8, "emau 4"))
    names = dict(module.named_buffers())
    assert names["em.mu"].shape == (1, 8, 4)
    torch.testing.assert_close(names["em.mu"].norm(dim=1), torch.ones(1, 4), atol=1e-4, rtol=0)
    before = names["em.mu"].clone()
    module.eval()(a_map(8))
    assert torch.equal(names["em.mu"], before)
    module.train()(a_map(8))
    assert not torch.equal(names["em.mu"], before)


def test_an_input_of_another_size_has_attention_of_that_size() -> None:
    module = archdsl.compile("input 8x6x6\n\nnonlocal").eval()
    x = torch.randn(1, 8, 9, 5)
    assert torch.allclose(module(x), nonlocal_block(module, x), atol=1e-6)
