"""Weights in a safetensors file, with words about them; written whole or not at all."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from archdsl.errors.commands import NoSuchFile, Unreadable
from archdsl.errors.data import WeightsDoNotFit
from archdsl.files import write_atomically


def save_weights(module: nn.Module, path: Path, metadata: Mapping[str, str]) -> None:
    """Write a module's state to `path`; the same state and metadata give the same bytes.

    Raises:
        Unwritable: the operating system refused, as on a full disk; what was at `path` is still there.
    """
    state = {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in module.state_dict().items()
    }
    write_atomically(path, _in_order(save(state, dict(metadata))))


def load_weights(module: nn.Module, path: Path) -> dict[str, str]:
    """Load a module's state from `path`, every tensor by its name; gives the file's metadata.

    Raises:
        NoSuchFile: there is no file at `path`.
        Unreadable: it is no safetensors file, or cut short.
        WeightsDoNotFit: a tensor is missing, left over or of another shape; the module is as it was.
    """
    state, metadata = _read(path)
    wanted = module.state_dict()
    missing = tuple(name for name in wanted if name not in state)
    left_over = tuple(name for name in state if name not in wanted)
    reshaped = tuple(name for name in wanted if name in state and state[name].shape != wanted[name].shape)
    if missing or left_over or reshaped:
        raise WeightsDoNotFit(str(path), missing, left_over, reshaped)
    module.load_state_dict(state)
    return metadata


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    if not path.exists():
        raise NoSuchFile(str(path))
    try:
        with safe_open(path, framework="pt") as file:
            names = file.keys()
            return {name: file.get_tensor(name) for name in names}, dict(file.metadata() or {})
    except SafetensorError as error:
        raise Unreadable(str(path), f"it is no whole safetensors file ({error})") from None
    except OSError as error:
        raise Unreadable(str(path), error.strerror or str(error)) from None


def _in_order(content: bytes) -> bytes:
    """The same file with its metadata sorted: the library writes them in an order that changes by the run."""
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header.get("__metadata__", {}).items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # tensors begin at a multiple of eight
    return struct.pack("<Q", len(text)) + text + content[8 + length :]
