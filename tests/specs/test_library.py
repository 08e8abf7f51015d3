"""The library as text, its small parts, and how its networks start."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import timm
import torch
import torchvision
from torch import nn

import archdsl
from archdsl import resources
from archdsl.emitters.layers import DropPath
from archdsl.formatter import format_spec
from archdsl.source import Source
from tests.specs.references import CLASSIFIERS, ours
from tests.specs.segmenters import SEGMENTERS
from tests.specs.torch_classics import REBUILT

SPECS = sorted(resources.specs().rglob("*.arch"))
DEFINITIONS = [path for path in SPECS if path.parent.name in ("encoders", "blocks")]
MODELS = [path for path in SPECS if path.parent.name == "models"]

# Words of building that are nobody's paper; so are the words of one file alone, which start with `_`.
OWN = {"project"}

PAPER = r"arXiv:\d{4}\.\d{4,5}|doi:10\.\d{4,}/\S+[^\s,.;:]"


def name(path: Path) -> str:
    return path.stem


# ---- the text --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SPECS, ids=name)
def test_a_spec_of_the_library_is_its_own_formatting(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert format_spec(Source(path.name, text)) == text


@pytest.mark.parametrize("path", SPECS, ids=name)
def test_nothing_can_be_said_against_a_spec_of_the_library(path: Path) -> None:
    assert archdsl.check(path) == ()


@pytest.mark.parametrize("path", DEFINITIONS, ids=name)
def test_each_definition_stands_under_its_paper_and_year(path: Path) -> None:
    told = dict(paragraphs(path.read_text(encoding="utf-8")))
    assert told
    for word, comment in told.items():
        paper = re.search(rf"(19|20)\d\d, ({PAPER})", comment)
        assert word in OWN or word.startswith("_") or paper, word


def paragraphs(text: str) -> Iterator[tuple[str, str]]:
    """Each definition's word with the comment above its paragraph."""
    for paragraph in text.split("\n\n"):
        comment = " ".join(line for line in paragraph.splitlines() if line.startswith("#"))
        for word in re.findall(r"^def (\w+)", paragraph, re.MULTILINE):
            yield word, comment


ENCODERS = [path for path in DEFINITIONS if path.parent.name == "encoders"]


@pytest.mark.parametrize("path", ENCODERS, ids=name)
def test_no_encoder_is_longer_than_sixty_lines(path: Path) -> None:
    """With the definitions of its file that it is made of, and their comments: a file may hold a family."""
    lines = written(path)
    lengths = {word: sum(len(lines[each]) for each in made_of(word, lines)) for word in lines}
    assert {word: length for word, length in lengths.items() if length > 60} == {}


def written(path: Path) -> dict[str, list[str]]:
    """The lines of each definition, those of the comment above it first."""
    found: dict[str, list[str]] = {}
    above: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if definition := re.match(r"def (\w+)", line):
            current = found[definition[1]] = [*above, line]
            above = []
        elif line.startswith(" "):
            current.append(line)
        else:
            above = [*above, line] if line.startswith("#") else []
    return found


def made_of(word: str, lines: dict[str, list[str]]) -> set[str]:
    """A definition and those that it names, directly or not."""
    found: set[str] = set()
    todo = {word}
    while todo:
        found |= todo
        code = " ".join(line for one in todo for line in lines[one] if not line.startswith("#"))
        todo = set(re.findall(r"\w+", code)) & lines.keys() - found
    return found


@pytest.mark.parametrize("path", MODELS, ids=name)
def test_a_model_states_its_paper_year_task_and_family(path: Path) -> None:
    about = archdsl.load(path.stem).about
    assert re.fullmatch(PAPER, about["paper"])
    if about["paper"].startswith("arXiv"):
        assert about["year"] - 2000 == int(about["paper"][6:8])
    classifies = path.stem in {*CLASSIFIERS, *REBUILT}
    assert about["task"] == ("classification" if classifies else "segmentation")
    assert re.fullmatch(r"[a-z][a-z0-9_]*", about["family"])


def test_every_reference_is_that_of_a_model() -> None:
    assert {*CLASSIFIERS, *REBUILT, *SEGMENTERS} <= {path.stem for path in MODELS}


@pytest.mark.parametrize(
    "classifier", ["efficientnet_b0", "mobilenet_v2", "resnet18", "seresnet18", "tf_efficientnet_b0", "vgg11"]
)
def test_a_classifier_takes_the_classes_of_its_data(classifier: str) -> None:
    network = archdsl.load(classifier, classes=7).network
    assert [network.shape_of(output.value) for output in network.outputs] == [(7,)]


@pytest.mark.parametrize("number", [0, 7])
def test_effnet_is_short_for_efficientnet(number: int) -> None:
    short, long = (archdsl.load(f"encoder {word}_b{number}") for word in ("effnet", "efficientnet"))
    assert short.identity == long.identity


# ---- squeeze-and-excitation ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gate", "channels", "parameters"),
    [
        ("se_linear", 64, 512),
        ("se (@in//16)", 64, 580),
        ("se", 64, 1_096),
        ("scse", 64, 645),
        ("se_linear", 256, 8_192),
        ("se (@in//16)", 256, 8_464),
        ("se", 256, 8_464),
        ("scse", 256, 8_721),
    ],
)
def test_the_flavours_of_squeeze_and_excitation_differ_as_published(
    gate: str, channels: int, parameters: int
) -> None:
    assert archdsl.load(f"input {channels}x8x8\n\n{gate}").params == parameters


@pytest.mark.parametrize("channels", [24, 64, 200])
def test_se_is_timms(channels: int) -> None:
    theirs = timm.layers.SEModule(channels, rd_ratio=1 / 16)
    module = archdsl.compile(f"input {channels}x8x8\n\nse")
    x = torch.randn(2, channels, 8, 8)
    module.load_state_dict(theirs.state_dict())
    assert torch.allclose(module(x), theirs(x), atol=1e-6)


# Hu et al. 2017, figure 5, on a branch that doubles.
PLACED = {
    "none": "x + f(x)",
    "standard": "x + g(f(x))",
    "pre": "x + f(g(x))",
    "post": "g(x + f(x))",
    "identity": "g(x) + f(x)",
}


@pytest.mark.parametrize("place", PLACED)
def test_se_stands_where_its_place_says(place: str) -> None:
    spec = f"def block(se) = residual(conv 3x3 8 as f, se=se)\n\ninput 8x6x6\n\nblock {place} as block"
    module = archdsl.compile(spec).eval()
    block = module.get_submodule("block")
    gate = archdsl.compile("input 8x6x6\n\nse")
    if place != "none":
        gate.load_state_dict(block.se.state_dict())
    x = torch.randn(2, 8, 6, 6)
    wanted = eval(PLACED[place], {"x": x, "f": block.f, "g": gate})
    assert torch.allclose(module(x), wanted, atol=1e-6)


# ---- initial weights -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "layer", "deviation"),
    [
        ("efficientnet_b0", "blocks.5.1.conv_dw", math.sqrt(2 / 25)),  # 5x5, each channel by itself
        ("efficientnet_b0", "conv_head", math.sqrt(2 / 1280)),
        ("efficientnet_b0", "blocks.5.1.se.conv_expand", math.sqrt(2 / 1152)),
        ("efficientnet_b0", "classifier", 1 / math.sqrt(1000 * 3)),
        ("resnet50", "layer3.1.conv2", math.sqrt(2 / (256 * 9))),
        ("resnet50", "fc", 1 / math.sqrt(2048 * 3)),
        ("vgg11", "features.18", math.sqrt(2 / (512 * 9))),
        ("vgg11", "classifier.6", 0.01),
        (
            "mobilenet_v2",
            "features.14.conv.1.0",
            math.sqrt(2 / (576 * 9)),
        ),  # torchvision's fan of a depthwise
        ("mobilenet_v2", "classifier.1", 0.01),
        ("convnext_tiny", "features.1.0.block.3", 0.02),
    ],
)
def test_initial_weights_have_the_references_deviation(model: str, layer: str, deviation: float) -> None:
    torch.manual_seed(0)
    weight = archdsl.compile(model).get_submodule(layer).weight
    assert weight.std().item() == pytest.approx(deviation, rel=0.05)


def test_branches_start_silent_where_timm_has_them_so() -> None:
    for model, last in (("seresnet18", "bn2"), ("resnet50d", "bn3")):
        assert not archdsl.compile(model).get_submodule(f"layer2.1.{last}").weight.any()
    assert archdsl.compile("resnet18").get_submodule("layer2.1.bn2").weight.all()


# ---- stochastic depth ------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["efficientnet_b0", "efficientnet_b1", "tf_efficientnet_b3"])
def test_stochastic_depth_has_timms_rates(model: str) -> None:
    with torch.device("meta"):
        theirs = timm.create_model(model, drop_path_rate=0.2)
    wanted = {
        path: module.drop_prob for path, module in theirs.named_modules() if hasattr(module, "drop_prob")
    }
    summed = {path.removesuffix(".drop_path"): rate for path, rate in wanted.items()}
    assert rates(ours(model)) == {
        path: rate for path, rate in summed.items() if theirs.get_submodule(path).has_skip
    }


def test_stochastic_depth_of_convnext_grows_to_its_last_block() -> None:
    with torch.device("meta"):
        theirs = torchvision.models.convnext_tiny()
    wanted = {
        path.rpartition(".")[0]: module.p for path, module in theirs.named_modules() if hasattr(module, "p")
    }
    assert rates(ours("convnext_tiny")) == pytest.approx({path: p for path, p in wanted.items() if p})


def rates(module: nn.Module) -> dict[str, float]:
    """The rate of each block that is ever left out."""
    found = {
        path.rpartition(".")[0]: part.rate
        for path, part in module.named_modules()
        if isinstance(part, DropPath)
    }
    return {path: rate for path, rate in found.items() if rate}
