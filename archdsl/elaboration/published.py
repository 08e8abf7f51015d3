"""Where published weights are: `about weights="LIBRARY:MODEL.TAG"` in the library's models says it.

A spec says `weights=imagenet` for the tag that stands there, or another of the model's tags.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from archdsl import resources
from archdsl.backbones.tags import Tags, listed, of_library
from archdsl.errors.weights import NoPublishedWeights, UnknownTag
from archdsl.parser import parse
from archdsl.source import Source
from archdsl.syntax import About, Text

DEFAULT_TAG = "imagenet"


class Published(NamedTuple):
    """Weights that a library has."""

    library: str
    model: str
    tag: str

    def __str__(self) -> str:
        return f"{self.library}:{self.model}.{self.tag}"


def find(names: Iterable[str], tag: str) -> Published:
    """The published weights of an encoder; `names` are its word and the words that it is short for.

    Raises:
        NoPublishedWeights: no model of these names states any.
    """
    names = tuple(names)
    models = resources.specs() / "models"
    for name in names:
        found = _stated(models / f"{name}.arch")
        if found is not None:
            return found if tag == DEFAULT_TAG else found._replace(tag=tag)
    known = tuple(path.stem for path in sorted(models.glob("*.arch")) if _stated(path))
    raise NoPublishedWeights(names[0], known)


def check(published: Published) -> None:
    """Does nothing if a table of tags has the weights, or the library which is installed: it may be newer.

    Raises:
        NoPublishedWeights: the model has none.
        UnknownTag: it has others.
    """
    library, model, _ = published
    tags = listed().get(f"{library}:{model}", ())
    if tagged(published, tags):
        return
    with suppress(ImportError):
        tags = of_library(library, model)
    if not tags:
        raise NoPublishedWeights(f"{library}:{model}", tuple(listed()))
    if not tagged(published, tags):
        raise unknown(published, tags)


def tagged(published: Published, tags: Tags) -> str | None:
    """Which of a model's tags, its own first, is meant; None if it is none of them."""
    if published.tag in tags:
        return published.tag
    return tags[0] if tags and published.tag == DEFAULT_TAG else None


def unknown(published: Published, tags: Iterable[str]) -> UnknownTag:
    """The mistake about a tag that is none of the model's."""
    source = f"{published.library}:{published.model}"
    return UnknownTag(source, published.tag, (DEFAULT_TAG, *sorted(tags)))


@cache
def _stated(path: Path) -> Published | None:
    """What a model says of its weights; None where there is no such model, or it says nothing."""
    if not path.is_file():
        return None
    for statement in parse(Source(path.name, path.read_text(encoding="utf-8"))).statements:
        for keyword in statement.keywords if isinstance(statement, About) else ():
            if keyword.name == "weights" and isinstance(keyword.value, Text):
                library, _, name = keyword.value.value.partition(":")
                return Published(library, *name.split(".", 1))
    return None
