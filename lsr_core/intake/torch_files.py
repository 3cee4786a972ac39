"""Tensors out of a `.pt` file. Runs in the child, where torch may take its memory and time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.storage.weights import MAX_DIMENSIONS, MAX_NAME, MAX_TENSORS


def convert(source: Path, target: Path) -> int:
    """Write the tensors of a state dict as safetensors; returns their number.

    Raises:
        InputError: no tensors, or sparse, quantised or shared beyond what it says.
    """
    loaded = torch.load(source, map_location="cpu", weights_only=True, mmap=True)
    tensors: dict[str, Tensor] = {}
    for name, tensor in _tensors(loaded, "", 0):
        if tensor.ndim > MAX_DIMENSIONS or len(name) > MAX_NAME:
            raise InputError("has more dimensions, or a longer name, than weights have", key=name[:80])
        if tensor.layout != torch.strided or tensor.is_quantized:
            raise InputError("is sparse or quantised; save plain tensors", key=name[:80])
        if tensor.numel() * tensor.element_size() > max(2**20, 4 * source.stat().st_size):
            raise InputError("repeats its values to more than the file holds; save plain tensors", key=name[:80])
        tensors[name] = tensor.detach()
        if len(tensors) > MAX_TENSORS:
            raise InputError(f"holds more than {MAX_TENSORS:,} tensors")
    if not tensors:
        raise InputError("holds no tensors; save `model.state_dict()`")
    if sum(tensor.numel() * tensor.element_size() for tensor in tensors.values()) > 8 * source.stat().st_size + 2**20:
        raise InputError("its tensors repeat values to more than the file holds; save plain tensors")
    safetensors.torch.save_file({name: tensor.contiguous().clone() for name, tensor in tensors.items()}, target)
    return len(tensors)


def _tensors(value: Any, prefix: str, depth: int) -> Iterator[tuple[str, Tensor]]:
    """Tensors of nested dictionaries by dotted name; an optimiser's are left out."""
    if not isinstance(value, Mapping) or depth > 3:
        return
    for name, part in value.items():
        if isinstance(part, Tensor):
            yield f"{prefix}{name}", part
        elif "optim" not in str(name).lower() and "scheduler" not in str(name).lower():
            yield from _tensors(part, f"{prefix}{name}.", depth + 1)
