"""Weights in a safetensors file, with words about them; written whole or not at all.

A file also keeps the normalisation that its weights expect of images, where there is one.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from archdsl.emitters.torch_module import Model
from archdsl.errors.commands import NoSuchFile, Unreadable
from archdsl.errors.weights import NotSafetensors
from archdsl.files import write_atomically
from archdsl.weights.fetching import Normalisation
from archdsl.weights.fitting import State, load_state

_NORMALISATION = "normalisation"


def save_file(module: nn.Module, path: Path, facts: Mapping[str, str]) -> None:
    """Writes a module's state, its normalisation and some facts; the same ones give the same bytes.

    Raises:
        Unwritable: the operating system refused, as on a full disk; what was at `path` is still there.
    """
    state = {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in module.state_dict().items()
    }
    facts = dict(facts)
    normalisation = getattr(module, "normalisation", None)
    if normalisation is not None:
        mean, std = normalisation
        facts[_NORMALISATION] = json.dumps({"mean": mean, "std": std})
    write_atomically(path, _in_order(save(state, facts)))


def load_file(module: Model, path: Path) -> dict[str, str]:
    """Gives a module all its weights from a file, and its normalisation; returns the file's facts.

    What the module has no place for is named in the log. Only safetensors are read, never a pickle.

    Raises:
        NoSuchFile: there is no file at `path`.
        NotSafetensors: it is of another kind, or cut short.
        Unreadable: the operating system refused, or the normalisation in it is none.
        WeightsDoNotFit: a tensor is missing or of another shape; the module is as it was.
    """
    state, facts = _read(path)
    normalisation = _normalisation(path, facts)
    load_state(module, str(path), state)
    module.normalisation = normalisation
    return facts


def _normalisation(path: Path, facts: Mapping[str, str]) -> Normalisation | None:
    if _NORMALISATION not in facts:
        return None
    try:
        stated = json.loads(facts[_NORMALISATION])
        return Normalisation(*(tuple(map(float, stated[name])) for name in Normalisation._fields))
    except (ValueError, TypeError, KeyError):
        raise Unreadable(str(path), "its normalisation is no mean and std with a number a channel") from None


def _read(path: Path) -> tuple[State, dict[str, str]]:
    if not path.exists():
        raise NoSuchFile(str(path))
    try:
        with safe_open(path, framework="pt") as file:
            names = file.keys()
            return {name: file.get_tensor(name) for name in names}, dict(file.metadata() or {})
    except SafetensorError as error:
        raise NotSafetensors(str(path), str(error)) from None
    except OSError as error:
        raise Unreadable(str(path), error.strerror or str(error)) from None


def _in_order(content: bytes) -> bytes:
    """The same file with its facts sorted: the library writes them in an order that changes by the run."""
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header.get("__metadata__", {}).items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # tensors begin at a multiple of eight
    return struct.pack("<Q", len(text)) + text + content[8 + length :]
