"""timm's models as backbones: the one place that asks timm to build."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from archdsl.errors.weights import BackboneDiffers, BackboneMissing

if TYPE_CHECKING:
    from torch import nn


def features(
    name: str,
    levels: Sequence[int] | None = None,
    class_token: bool = False,
    mean_token: bool = False,
    **settings: Any,
) -> nn.Module:
    """timm's model of a name, whose forward gives a list of maps; parts that no level needs are left out.

    Args:
        name: as timm calls it, perhaps with a tag of its weights behind a dot.
        levels: timm's numbers of the levels (`out_indices`); None for those that timm takes.
        class_token: whether each pixel gets its map's class token beside its own channels.
        mean_token: whether it gets the mean of all its map's prefix tokens.
        settings: what else timm shall know, such as `in_chans` and `output_stride`.
    """
    import timm

    if levels is not None:
        settings["out_indices"] = tuple(levels)
    if class_token or mean_token:
        from archdsl.backbones.tokens import WithTokens

        settings["feature_cls"] = WithTokens
    model: Any = timm.create_model(name, features_only=True, **settings)
    if class_token or mean_token:
        model.class_token, model.mean_token = class_token, mean_token
    # timm cuts its other models itself; these run all of `blocks` and keep the maps of some.
    stages = getattr(model, "_stage_out_idx", None)
    if stages:
        del model.blocks[max(stages) :]
    built: nn.Module = model
    return built


def levels_of(model: nn.Module) -> Any:
    """What timm states of a model's levels."""
    return model.feature_info


def checked(name: str, levels: Sequence[int], channels: Sequence[int], **settings: Any) -> nn.Module:
    """The same for a network that was planned by the table.

    Raises:
        BackboneMissing: timm is not installed.
        BackboneDiffers: the timm that is installed has no such model, or another of this name.
    """
    try:
        import timm
    except ImportError:
        raise BackboneMissing(f"timm:{name}") from None
    if not timm.is_model(name):
        raise BackboneDiffers(f"timm:{name}", timm.__version__)
    model = features(name, levels, **settings)
    stated = tuple(levels_of(model).channels())
    if stated != tuple(channels):
        raise BackboneDiffers(f"timm:{name}", timm.__version__, stated)
    return model


def is_channels_last(model: nn.Module) -> bool:
    """Whether the maps of a model are B×H×W×C."""
    return str(getattr(model, "output_fmt", "")).endswith("NHWC")


def maps(model: nn.Module, image: Any) -> list[Any]:
    """The levels of a model for a batch of images, channels first, finest first."""
    found = list(model(image))
    return [level.permute(0, 3, 1, 2) for level in found] if is_channels_last(model) else found
