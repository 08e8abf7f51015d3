"""Writes docs/zoo.md: every model of the library beside its reference.

`python -m tests.specs.zoo` measures all of them, which takes a quarter of an hour; with names it measures
those, and keeps the rows of the others. What a model is compared with stands in `references.py` and
`torch_classics.py` (classifiers) and `segmenters.py`; a new entry there is all that a row needs.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

import archdsl
from archdsl.api import collection
from tests.specs.references import (
    PYTORCHCV,
    TIMM,
    TORCHVISION,
    difference,
    images,
    named,
    ours,
    randomised,
    reference,
)
from tests.specs.segmenters import SEGMENTERS, built, compared
from tests.specs.test_parity import SIZES
from tests.specs.torch_classics import REBUILT, rebuilt
from tests.specs.torch_classics import differs as rebuild_differs

PAGE = Path(__file__).parents[2] / "docs" / "zoo.md"
HEAD = """# The library beside its references

Every model of `specs/models/`, its paper, and the network that it is compared with: trainable parameters here
and there (those of training, auxiliary heads included; some references carry layers that nothing reads), and
the largest difference between the two outputs with the same random weights, as a share of the largest number
of the output. What no library has is "rebuilt": the tests have it in torch, written by hand from its paper or
the code named. `make zoo` measures all of it again.

| name | paper | year | task | parameters | parameters there | reference | largest difference |
| --- | --- | --- | --- | ---: | ---: | --- | ---: |
"""
LIBRARIES = {"torchvision": TORCHVISION, "timm": TIMM, "pytorchcv": PYTORCHCV}

UNETPP = "MrGiovanni/UNetPlusPlus, Keras"

# Whose code or figures a network of torch is rebuilt from, where it isn't the paper's.
SOURCES = {
    "attention_unet": "LeeJunHyun/Image_Segmentation",
    **{f"efficientunet_b{number}": "zhoudaxia233/EfficientUnet, Keras" for number in range(8)},
    "fcn16s_vgg16": "wkentaro/pytorch-fcn",
    "fcn32s_vgg16": "wkentaro/pytorch-fcn",
    "fcn8s_vgg16": "wkentaro/pytorch-fcn",
    "r2unet": "LeeJunHyun/Image_Segmentation",
    "spnet_resnet101": "Andrew-Qibin/SPNet",
    "spnet_resnet50": "Andrew-Qibin/SPNet",
    "ternausnet11": "ternaus/TernausNet",
    "ternausnet16": "ternaus/TernausNet",
    "unet": UNETPP,
    "unet3plus": "ZJUGiveLab/UNet-Version",
    "unetpp": UNETPP,
    "unetpp_effnet_b0": "the paper with timm's EfficientNet",
    "wide_unet": UNETPP,
}


class Row(NamedTuple):
    """What is told of one model, cell by cell."""

    name: str
    paper: str
    year: str
    task: str
    here: str
    there: str
    reference: str
    difference: str

    def __str__(self) -> str:
        return f"| `{self.name}` | {' | '.join(self[1:])} |"


def models() -> dict[str, Path]:
    """The model files by name, in the order of the page."""
    paths = [path for path in collection() if path.parent.name == "models"]
    return {path.stem: path for path in sorted(paths, key=lambda path: path.stem)}


def rows() -> dict[str, Row]:
    """The rows that the page has."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    lines = re.findall(r"^\| `(\w+)` \| (.*) \|$", text, re.MULTILINE)
    return {name: Row(name, *rest.split(" | ")) for name, rest in lines}


def measured(name: str) -> Row:
    """The row of a model, whose reference is built and run beside it."""
    found = archdsl.load(name)
    library, theirs = referenced(name)
    there = f"{sum(parameter.numel() for parameter in theirs.parameters()):,}"
    difference = f"{differs(name):.1e}".replace("0.0e+00", "0")
    about = [str(found.about[fact]) for fact in ("paper", "year", "task")]
    return Row(name, *about, f"{found.params:,}", there, library, difference)


def referenced(name: str) -> tuple[str, nn.Module]:
    """The library that has a network, with its version, and the network there, without memory."""
    if name in SEGMENTERS:
        library = SEGMENTERS[name].library
        source = f"{SOURCES.get(name, 'the paper')}, rebuilt"
        return source if library == "torch" else f"{library} {version(library)}", built(name)
    if name in REBUILT:
        return f"{REBUILT[name].source}, rebuilt", rebuilt(name)
    for library, names in LIBRARIES.items():
        if name in names:
            return f"{library} {version(library)}", reference(name)
    raise LookupError(f"{name} has nothing that it is compared with")


def differs(name: str) -> float:
    """The largest difference between a model's outputs and those of its reference, with the same weights."""
    if name in SEGMENTERS:
        return compared(name)
    if name in REBUILT:
        return rebuild_differs(name)
    theirs = randomised(reference(name))
    x = images(*SIZES.get(name, (224, 224) if name in PYTORCHCV else (64, 64)))
    return difference(named(theirs, ours(name)), theirs, x)


def main(names: Iterable[str]) -> None:
    """Measures models, all where none is named, and writes the page after each."""
    torch.set_num_threads(1)
    known, kept = models(), rows()
    for name in list(names) or list(known):
        kept[name] = measured(name)
        print(kept[name], flush=True)
        lines = [str(kept[name]) for name in known if name in kept]
        PAGE.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
