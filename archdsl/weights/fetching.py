"""Weights that others trained, from timm or torchvision, which download them once and keep them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any, NamedTuple, get_type_hints

from torch import Tensor

from archdsl.backbones.building import features
from archdsl.backbones.tags import of_library
from archdsl.elaboration.published import Published, tagged, unknown
from archdsl.errors.weights import LibraryMissing, NoPublishedWeights, NotFetched
from archdsl.weights.hub import reach


class Normalisation(NamedTuple):
    """Mean and standard deviation of each channel of the images that weights expect; white is 1."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


class Fetched(NamedTuple):
    """Weights by their reference's names, with the normalisation that they were trained with."""

    state: Mapping[str, Tensor]
    normalisation: Normalisation


def fetch(published: Published) -> Fetched:
    """The weights, from the library's cache or its servers.

    Raises:
        LibraryMissing: the library is not installed.
        UnknownTag: the model has no such weights.
        NotFetched: they are not in the cache, and the network or the server fails.
    """
    try:
        return _LIBRARIES[published.library](published)
    except ImportError:
        raise LibraryMissing(str(published), published.library) from None


def _from_torchvision(published: Published) -> Fetched:
    from torchvision.models import get_model_weights

    known = get_model_weights(published.model)
    if published.tag not in known.__members__:
        raise unknown(published, known.__members__)
    weights = known[published.tag]
    # `weights_only` reads tensors alone: nothing in the file can run.
    state = _downloaded(
        published, lambda: weights.get_state_dict(map_location="cpu", check_hash=True, weights_only=True)
    )
    return Fetched(state, _normalisation_of(published.model, weights.transforms()))


def _normalisation_of(model: str, preset: Any) -> Normalisation:
    """What weights of torchvision expect: the preset's, but of a network that turns it into another inside.

    Networks with a `transform_input` (GoogLeNet, Inception v3) bring such images to -1..1 where they have
    these weights; the mean and deviation of that are one half.
    """
    from torchvision.models import get_model_builder

    network = get_type_hints(get_model_builder(model))["return"]
    if "transform_input" in signature(network).parameters:
        half = (0.5,) * len(preset.mean)
        return Normalisation(half, half)
    return Normalisation(tuple(preset.mean), tuple(preset.std))


def _from_timm(published: Published) -> Fetched:
    import timm

    return _created(published, timm.create_model, {})


def fetch_backbone(published: Published, backbone: Mapping[str, Any]) -> Fetched:
    """The weights of a model that timm builds, under the names that it gives them as a backbone.

    Args:
        backbone: how timm built it (`building.features`).

    Raises:
        UnknownTag, NotFetched: as `fetch`.
    """
    return _created(published, features, {key: backbone[key] for key in backbone if key != "name"})


def _created(published: Published, create: Callable[..., Any], settings: Mapping[str, Any]) -> Fetched:
    """The weights of a model that timm creates with them."""
    name = _name_in_timm(published)

    def download() -> Any:
        reach(name)
        return create(name, pretrained=True, **settings)

    model = _downloaded(published, download)
    facts = model.pretrained_cfg
    return Fetched(model.state_dict(), Normalisation(tuple(facts["mean"]), tuple(facts["std"])))


def _name_in_timm(published: Published) -> str:
    """The model with the tag, which for a backbone of timm is by default that of the model itself."""
    known = of_library("timm", published.model)
    if not known:
        raise NoPublishedWeights(f"timm:{published.model}", ())
    tag = tagged(published, known)
    if tag is None:
        raise unknown(published, known)
    return f"{published.model}.{tag}"


_LIBRARIES = {"timm": _from_timm, "torchvision": _from_torchvision}


def _downloaded(published: Published, download: Callable[[], Any]) -> Any:
    try:
        return download()
    except ImportError:
        raise
    except Exception as error:  # each way of downloading has errors of its own
        told = str(getattr(error, "reason", "") or error)
        reason = told.strip().split("\n")[0] or type(error).__name__
        raise NotFetched(str(published), reason) from None
