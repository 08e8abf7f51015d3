"""Weights into a module, every tensor by its name."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeAlias

import torch
from torch import Tensor

from archdsl.elaboration.published import Published
from archdsl.emitters.torch_module import Model
from archdsl.errors.weights import WeightsDoNotFit
from archdsl.weights.fetching import Normalisation, fetch, fetch_backbone

State: TypeAlias = Mapping[str, Tensor]

_log = logging.getLogger(__name__)


def load_published(
    module: Model, path: str, published: Published, parts: Collection[str], channels: int
) -> None:
    """Gives an encoder published weights, and `module.normalisation` what its images have to be.

    Weights for three channels are adapted to another number as timm does: summed for one, else repeated and
    scaled. Weights of parts that the network doesn't build stay unused; a line of the log names them.

    Args:
        path: the encoder's module path.
        published: where the weights are.
        parts: paths, below `path`, of everything with weights in the whole encoder, built or not.
        channels: of the image.

    Raises:
        UnknownTag, LibraryMissing, NotFetched: there are no such weights, or they can't be had.
        WeightsDoNotFit: they are not those of this encoder; the module is as it was.
    """
    fetched = fetch(published)
    encoder = module.get_submodule(path)
    wanted = encoder.state_dict()
    state = _with_counters(_in_channels(fetched.state, wanted), wanted)
    built = {_owner(name) for name in wanted}
    strangers = tuple(
        name
        for name in state
        if name not in wanted and name not in parts and (_owner(name) in built or _owner(name) not in parts)
    )
    _check(str(published), state, wanted, strangers)
    encoder.load_state_dict({name: state[name] for name in wanted})
    module.normalisation = _of_channels(fetched.normalisation, channels)
    _tell_unused(str(published), state, wanted)


def load_backbone(
    module: Model, path: str, published: Published, settings: Mapping[str, Any], channels: int
) -> None:
    """The same for an encoder that timm builds: it adapts the first convolution, and cuts, itself.

    Args:
        settings: those with which it was built.

    Raises:
        NoPublishedWeights, UnknownTag, NotFetched: there are no such weights, or they can't be had.
        WeightsDoNotFit: they are not those of this encoder; the module is as it was.
    """
    fetched = fetch_backbone(published, settings)
    encoder = module.get_submodule(path)
    _check(str(published), fetched.state, encoder.state_dict())
    encoder.load_state_dict(fetched.state)
    module.normalisation = _of_channels(fetched.normalisation, channels)


def load_state(module: Model, source: str, state: State) -> None:
    """Gives a module all its weights; those that it has no place for are named in the log.

    A network of depth j takes those of a deeper nested decoder that was trained with `supervise=deep`: its
    head is `head{j}` there.

    Raises:
        WeightsDoNotFit: a tensor is missing or of another shape; the module is as it was.
    """
    wanted = module.state_dict()
    state = _of_depth(state, wanted)
    _check(source, state, wanted)
    module.load_state_dict({name: state[name] for name in wanted})
    _tell_unused(source, state, wanted)


def _check(source: str, state: State, wanted: State, strangers: tuple[str, ...] = ()) -> None:
    missing = tuple(name for name in wanted if name not in state)
    reshaped = tuple(name for name in wanted if name in state and state[name].shape != wanted[name].shape)
    if missing or strangers or reshaped:
        raise WeightsDoNotFit(source, missing, strangers, reshaped)


def _owner(name: str) -> str:
    """The module path of a tensor."""
    return name.rpartition(".")[0]


def _tell_unused(source: str, state: State, wanted: State) -> None:
    """Names what was left over, by the highest parts of which nothing is built."""
    scopes = {prefix for name in wanted for prefix in _prefixes(name)}
    parts = dict.fromkeys(
        next((prefix for prefix in _prefixes(name) if prefix not in scopes), name)
        for name in state
        if name not in wanted
    )
    if parts:
        _log.warning("weights `%s`: not used, as the network has no such part: %s", source, ", ".join(parts))


def _prefixes(name: str) -> Iterable[str]:
    """The module paths that a tensor lies below, outermost first."""
    parts = name.split(".")
    return (".".join(parts[:count]) for count in range(1, len(parts)))


def _with_counters(state: State, wanted: State) -> State:
    """With the counters of batch normalisation, which old files don't have and nothing here reads."""
    counters = {name: tensor for name, tensor in wanted.items() if name.endswith(".num_batches_tracked")}
    return {**counters, **state}


# ---- another number of channels ------------------------------------------------------------------


def _in_channels(state: State, wanted: State) -> State:
    """With the convolution that reads three channels of the image reading as many as the module's."""
    changed = {}
    for name, tensor in state.items():
        ours = wanted[name].shape if name in wanted else tensor.shape
        if tensor.ndim == 4 and tensor.shape[1] == 3 != ours[1] and tensor.shape[2:] == ours[2:]:
            changed[name] = _spread(tensor, ours[1])
    return {**state, **changed}


def _spread(weight: Tensor, channels: int) -> Tensor:
    """Weights (out×3×k×k) for another number of channels: a grey image gives what it gave in colour."""
    if channels == 1:
        return weight.sum(dim=1, keepdim=True)
    return torch.cat([weight] * -(-channels // 3), dim=1)[:, :channels] * (3 / channels)


def _of_channels(normalisation: Normalisation, channels: int) -> Normalisation:
    """The means for one channel, the three repeated for more."""
    if channels == 1:
        return Normalisation(*((sum(values) / len(values),) for values in normalisation))
    return Normalisation(*((values * channels)[:channels] for values in normalisation))


# ---- another depth -------------------------------------------------------------------------------

_END = re.compile(
    r"(head|decoder\.top\d+)(?:_?(\d+))?\.(.+)"
)  # head.*, head2.*, decoder.top1.*, decoder.top1_2.*


def _of_depth(state: State, wanted: State) -> State:
    """The weights of a deeper nested decoder under the names that they have in one of the module's depth."""
    depth = _depth(wanted)
    if not 0 < depth < _depth(state) or not any(name.startswith(f"head{depth}.") for name in state):
        return state
    found = {}
    for name, tensor in state.items():
        end = _END.match(name)
        if end is None or end[2] not in (None, str(depth)):
            found[name] = tensor
        elif end[2] is not None:
            found[f"{end[1]}.{end[3]}"] = tensor
    return found


def _depth(names: Iterable[str]) -> int:
    """The last column of the finest row of a decoder; 0 without one."""
    found = (re.match(r"decoder\.x0_(\d+)\.", name) for name in names)
    return max((int(match[1]) for match in found if match), default=0)
