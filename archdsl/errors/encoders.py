"""Mistakes about encoders and their levels (E251 to E280)."""

from __future__ import annotations

from typing import TypeAlias

from archdsl.errors.base import Mistake, named, suggest


class NoSuchTap(Mistake):
    code = "E254"
    path: str
    encoder: str
    known: tuple[str, ...]

    def message(self) -> str:
        return f"`{self.encoder}` has no module path `{self.path}`"

    def label(self) -> str:
        near = suggest(self.path, self.known)
        return f"did you mean `{near}`?" if near else ""

    def help(self) -> str:
        return f"paths at its top: {named(self.known, 12)}"

    def blames(self) -> str:
        return "taps"


class NoLevels(Mistake):
    code = "E255"
    encoder: str

    def message(self) -> str:
        encoder = f"`{self.encoder}`" if self.encoder != "stage" else "this pipeline"
        return f"{encoder} gives no feature map to tap"

    def help(self) -> str:
        return "mark its levels with `tap`, or name them with taps=[...]"

    def blames(self) -> str:
        return "form"


class NoSuchDepth(Mistake):
    code = "E256"
    encoder: str
    depth: int
    levels: tuple[str, ...]

    def message(self) -> str:
        return f"`{self.encoder}` has no level at stride {2**self.depth}"

    def label(self) -> str:
        return f"depth {self.depth} is stride 2^{self.depth}"

    def blames(self) -> str:
        return "depth"


class NoOutputStride(Mistake):
    code = "E257"
    encoder: str

    def message(self) -> str:
        return f"`{self.encoder}` has no `output_stride`"

    def help(self) -> str:
        return "only encoders whose definition takes it can be dilated, such as resnet50"

    def blames(self) -> str:
        return "output_stride"


class OtherOutputStride(Mistake):
    code = "E260"
    encoder: str
    wanted: int
    strides: tuple[str, ...]
    """Those of its levels."""

    def message(self) -> str:
        return f"`{self.encoder}` has no level at stride {self.wanted} to end at"

    def label(self) -> str:
        return f"with this its levels are {' '.join(self.strides)}"

    def help(self) -> str:
        return "the strides of a dilated encoder are powers of 2, 8 and 16 the usual ones"

    def blames(self) -> str:
        return "output_stride"


class NoSuchOutputStride(Mistake):
    """A stride that timm can't dilate a model of its to."""

    code = "E275"
    encoder: str
    got: int
    known: tuple[int, ...]

    def message(self) -> str:
        return f"`{self.encoder}` can't keep to stride {self.got}"

    def help(self) -> str:
        return f"its output strides: {', '.join(map(str, self.known))}"

    def blames(self) -> str:
        return "output_stride"


class NoFeatures(Mistake):
    """A model of timm that gives no maps."""

    code = "E276"
    encoder: str
    reason: str

    def message(self) -> str:
        return f"`{self.encoder}` is no backbone: timm gives no feature maps of it"

    def help(self) -> str:
        return f"timm tells: {self.reason}"


class NoTapsInside(Mistake):
    """`taps=` of an encoder of timm that has one map of each stride."""

    code = "E277"
    encoder: str

    def message(self) -> str:
        return f"`{self.encoder}` has no module paths to tap: timm builds it"

    def help(self) -> str:
        return "it gives timm's levels; `depth=` says how many, `levels [...]` takes some"

    def blames(self) -> str:
        return "taps"


class NoToken(Mistake):
    """`class_token=true` or `mean_token=true` of an encoder that has none."""

    code = "E280"
    encoder: str
    option: str
    registers: bool

    def message(self) -> str:
        return f"timm gives no class token of `{self.encoder}`"

    def help(self) -> str:
        if self.registers:
            return "it has registers: `mean_token=true` gives each pixel their mean"
        return f"transformers such as `timm:vit_base_patch16_224` have one; else leave `{self.option}=` out"

    def blames(self) -> str:
        return self.option


class TooDeep(Mistake):
    code = "E251"
    stage: str
    depth: int
    levels: tuple[str, ...]

    def message(self) -> str:
        return f"{self.stage} depth {self.depth} is deeper than the encoder"

    def label(self) -> str:
        return f"needs {self.depth + 1} levels, there are {len(self.levels)}"

    def help(self) -> str:
        return f"depth d needs d+1 levels: depth={max(1, len(self.levels) - 1)} or less"

    def blames(self) -> str:
        return "depth"


class NoSuchLevel(Mistake):
    code = "E252"
    level: int
    levels: tuple[str, ...]

    def message(self) -> str:
        return f"there is no level {self.level}"

    def label(self) -> str:
        return f"the pyramid has levels 0 to {len(self.levels) - 1}: {' '.join(self.levels)}"


class SingleLevel(Mistake):
    code = "E264"
    stage: str
    levels: tuple[str, ...]
    folds: bool = False
    """Whether the input is a volume, and the level a map."""
    encoder: str = ""
    blocks: tuple[str, ...] = ()
    """Module paths in the encoder whose maps have the size of this level: a transformer's blocks."""

    def message(self) -> str:
        return f"`{self.stage}` needs a pyramid of at least two levels"

    def label(self) -> str:
        return "there is only one"

    def help(self) -> str:
        if self.folds:
            return "the input is a volume, this level a map: such a network classifies, `head linear out=N`"
        if not self.blocks:
            return ""
        # Four at even distances, the last block the last of them, as DPT is built.
        step = max(1, len(self.blocks) // 4)
        chosen = ", ".join(self.blocks[step - 1 :: step][:4])
        decoder = f"`encoder {self.encoder} taps=[{chosen}] | dpt as decoder`"
        return f"a transformer's blocks have maps of one size; a decoder of four of them is {decoder}"


class LevelsInDisorder(Mistake):
    """A pyramid whose maps don't get coarser from one to the next."""

    code = "E269"
    stage: str
    levels: tuple[str, ...]

    def message(self) -> str:
        return f"`{self.stage}` needs levels that get coarser, the finest first"

    def help(self) -> str:
        if len(set(self.levels)) == 1:
            return f"all are {self.levels[0]}, as a transformer's are: `dpt as decoder` reads such levels"
        return f"these are {' '.join(self.levels)}: put them in order, one of each stride"


# Mistakes about levels, which are shown at the encoder that makes them.
LevelMistake: TypeAlias = TooDeep | NoSuchDepth | SingleLevel | LevelsInDisorder
