"""Mistakes about published and saved weights (E470 to E479)."""

from __future__ import annotations

from archdsl.errors.base import Mistake, named, suggest


class NoPublishedWeights(Mistake):
    code = "E470"
    encoder: str
    known: tuple[str, ...]
    """Encoders that have some."""

    def message(self) -> str:
        return f"neither timm nor torchvision publishes weights of `{self.encoder}` that load by name"

    def help(self) -> str:
        near = suggest(self.encoder, self.known)
        return f"`{near}` has some" if near else "`archdsl specs` tells which models have some"

    def blames(self) -> str:
        return "weights"


class UnknownTag(Mistake):
    code = "E471"
    source: str
    tag: str
    known: tuple[str, ...]

    def message(self) -> str:
        return f"`{self.source}` has no weights called `{self.tag}`"

    def help(self) -> str:
        near = suggest(self.tag, self.known)
        return f"did you mean `{near}`?" if near else f"weights: {named(self.known)}"

    def blames(self) -> str:
        return "weights"


class LibraryMissing(Mistake):
    code = "E472"
    source: str
    library: str

    def message(self) -> str:
        return f"the weights `{self.source}` come with {self.library}, which is not installed"

    def help(self) -> str:
        return 'pip install "archdsl[weights]"'


class NotFetched(Mistake):
    code = "E473"
    source: str
    reason: str

    def message(self) -> str:
        return f"the weights `{self.source}` could not be fetched: {self.reason}"

    def help(self) -> str:
        return "they are downloaded once and kept; until then leave `weights=` out or load a file of your own"


class BackboneMissing(Mistake):
    code = "E478"
    encoder: str

    def message(self) -> str:
        return f"`{self.encoder}` is built by timm, which is not installed"

    def help(self) -> str:
        return 'pip install "archdsl[weights]"'


class BackboneDiffers(Mistake):
    """A model that the timm which is installed has not, or has otherwise than the table says."""

    code = "E479"
    encoder: str
    version: str
    channels: tuple[int, ...] = ()

    def message(self) -> str:
        if not self.channels:
            return f"timm {self.version} has no model for `{self.encoder}`"
        told = ", ".join(map(str, self.channels))
        return f"timm {self.version} builds `{self.encoder}` with other channels: {told}"

    def help(self) -> str:
        return "install the release of timm that `archdsl/backbones/timm.txt` names"


class WeightsDoNotFit(Mistake):
    code = "E474"
    source: str
    missing: tuple[str, ...] = ()
    left_over: tuple[str, ...] = ()
    reshaped: tuple[str, ...] = ()

    def message(self) -> str:
        return f"the weights `{self.source}` are those of another network"

    def help(self) -> str:
        kinds = {"missing": self.missing, "left over": self.left_over, "of another shape": self.reshaped}
        return "; ".join(f"{kind}: {named(names, 3)}" for kind, names in kinds.items() if names)


class NotSafetensors(Mistake):
    code = "E475"
    path: str
    reason: str

    def message(self) -> str:
        return f"`{self.path}` is no whole safetensors file ({self.reason})"

    def help(self) -> str:
        return (
            "a pickle (.pt, .pth) is never read, it could run code; "
            "`safetensors.torch.save_file(state_dict, PATH)` writes what is read"
        )
