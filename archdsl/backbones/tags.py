"""Tags of the weights that timm and torchvision publish: `tags.txt` has those of a model in a line.

    python -m archdsl.backbones.tags

writes it, of the libraries that are installed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("tags.txt")
Tags = tuple[str, ...]


@cache
def listed() -> Mapping[str, Tags]:
    """The tags of the table by `LIBRARY:MODEL`; timm's first one is the model's own."""
    text = TABLE.read_text(encoding="utf-8")
    rows = (line.split() for line in text.splitlines() if not line.startswith("#"))
    return {model: tuple(tags) for model, *tags in rows}


def of_library(library: str, model: str) -> Tags:
    """The tags that the library which is installed has for a model, timm's own first.

    Raises:
        ImportError: it is not installed.
    """
    return _LIBRARIES[library](model)


def _of_timm(model: str) -> Tags:
    import timm

    known = [name.partition(".")[2] for name in timm.list_pretrained(f"{model}.*")]
    facts = timm.get_pretrained_cfg(model)
    return tuple(sorted(known, key=lambda tag: (facts is None or tag != facts.tag, tag)))


def _of_torchvision(model: str) -> Tags:
    from torchvision.models import get_model_weights, list_models

    return tuple(get_model_weights(model).__members__) if model in list_models() else ()


_LIBRARIES: Mapping[str, Callable[[str], Tags]] = {"timm": _of_timm, "torchvision": _of_torchvision}


def rows() -> Iterator[str]:
    """The table's lines, of all models that classify images and have weights."""
    import timm
    import torchvision

    yield f"# timm {timm.__version__}, torchvision {torchvision.__version__}: model tags"
    classifiers = torchvision.models.list_models(module=torchvision.models)
    models = {"timm": timm.list_models(pretrained=True), "torchvision": classifiers}
    for library, names in models.items():
        for name in sorted({name.partition(".")[0] for name in names}):
            yield " ".join((f"{library}:{name}", *of_library(library, name)))


if __name__ == "__main__":
    TABLE.write_text("".join(f"{row}\n" for row in rows()), encoding="utf-8")
