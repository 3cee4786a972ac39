"""Tensors out of a `.pt` file. Runs in the child, where torch may take its memory and time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.intake import inert, pickles, subnetworks
from lsr_core.intake.inert import Inert
from lsr_core.storage.weights import MAX_DIMENSIONS, MAX_NAME, MAX_TENSORS

MAX_DEPTH = 12  # of modules in modules


def convert(source: Path, target: Path, network: str = "") -> dict[str, Any]:
    """Write the tensors of a checkpoint as safetensors, which does not keep their order.

    Args:
        network: the key of the one that is meant, where a dictionary holds state dicts of several.

    Returns:
        `order`, the names as the file has them, and `named`, whether `network` is a key of it; or `networks`, the keys that one is to be
        chosen from; then nothing is written.

    Raises:
        InputError: no tensors, or sparse, quantised or shared beyond what it says.
    """
    with torch.serialization.safe_globals(inert.stand_ins(pickles.check(source))):
        loaded = torch.load(source, map_location="cpu", weights_only=True, mmap=True)
    if isinstance(loaded, list | tuple) and loaded and all(map(_is_named, loaded)):
        loaded = dict(loaded)
    if isinstance(loaded, list | tuple):
        loaded = {str(place): part for place, part in enumerate(loaded)}
    found = _networks(loaded)
    if network in found:
        loaded = found[network]
    elif network and len(found) > 1:
        raise InputError(f"is not among its networks; these are {', '.join(found)[:300]}", key=network[:80])
    elif len(found) > 1 and not subnetworks.parts(found):
        return {"networks": [name[:MAX_NAME] for name in found]}
    elif len(found) > 1:
        loaded = found
    elif len(found) == 1 and isinstance(loaded, Mapping):
        (name,) = found
        beside = {
            key: part for key, part in loaded.items() if key == name or not isinstance(part, Tensor) or _is_weight(part)
        }
        loaded = beside if any(isinstance(part, Tensor) for part in beside.values()) else found[name]
    tensors = _checked(_tensors(loaded, "", 0), source.stat().st_size)
    safetensors.torch.save_file({name: tensor.contiguous().clone() for name, tensor in tensors.items()}, target)
    return {"order": list(tensors), "named": network in found or len(found) > 1}


def _checked(given: Iterator[tuple[str, Tensor]], held: int) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    for name, tensor in given:
        if tensor.ndim > MAX_DIMENSIONS or len(name) > MAX_NAME:
            raise InputError("has more dimensions, or a longer name, than weights have", key=name[:80])
        if tensor.layout != torch.strided or tensor.is_quantized:
            raise InputError("is sparse or quantised; save plain tensors", key=name[:80])
        if tensor.numel() * tensor.element_size() > max(2**20, 4 * held):
            raise InputError("repeats its values to more than the file holds; save plain tensors", key=name[:80])
        tensors[name] = tensor.detach()
        if len(tensors) > MAX_TENSORS:
            raise InputError(f"holds more than {MAX_TENSORS:,} tensors")
    if not tensors:
        raise InputError("holds no tensors; save `model.state_dict()`")
    if sum(tensor.numel() * tensor.element_size() for tensor in tensors.values()) > 8 * held + 2**20:
        raise InputError("its tensors repeat values to more than the file holds; save plain tensors")
    return tensors


def _networks(loaded: Any) -> dict[str, Any]:
    """Dictionaries and models inside a dictionary that hold matrices: the state dicts of networks, by key.

    None where there are several of one matrix each: these are the layers of a single network.
    """
    if not isinstance(loaded, Mapping) or len(loaded) > MAX_TENSORS:
        return {}
    found = {
        name: part
        for name, part in _listed(loaded)
        if isinstance(part, Mapping | Inert) and not _of_training(name, part) and _matrices(part)
    }
    return found if len(found) == 1 or any(_matrices(part) > 1 for part in found.values()) else {}


def _listed(loaded: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    """Its entries, those of a list of state dicts one by one."""
    for name, part in loaded.items():
        if isinstance(part, list | tuple) and part and all(isinstance(one, Mapping | Inert) for one in part):
            yield from ((f"{name}.{place}", one) for place, one in enumerate(part))
        else:
            yield str(name), part


def _matrices(part: Any) -> int:
    """How many matrices it holds, counted to two."""
    return len(list(islice((name for name, tensor in _tensors(part, "", 1) if tensor.ndim > 1), 2)))


def _is_weight(value: Any) -> bool:
    """Whether it is a tensor that a network may have; a loss, a counter and the state of a random generator are none."""
    return isinstance(value, Tensor) and value.ndim > 0 and (value.is_floating_point() or value.is_complex())


def _is_named(value: Any) -> bool:
    """Whether it is an entry of `list(model.named_parameters())`."""
    return isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], Tensor)


def _is_list(value: Any) -> bool:
    """Whether it is a list of tensors and nothing else."""
    return isinstance(value, list | tuple) and all(map(_is_weight, value))


def _of_training(name: object, part: Any = None) -> bool:
    state = isinstance(part, Mapping) and {"state", "param_groups"} <= set(part)  # of an optimiser
    return state or any(word in str(name).lower() for word in ("optim", "scheduler", "callback", "scaler"))


def _tensors(value: Any, prefix: str, depth: int) -> Iterator[tuple[str, Tensor]]:
    """Tensors of nested dictionaries and of modules by dotted name; an optimiser's are left out."""
    if depth > (MAX_DEPTH if isinstance(value, Inert) else 3):
        return
    if isinstance(value, Inert):
        for part in ("_parameters", "_buffers", "_modules"):
            inside = value.attributes.get(part)
            if isinstance(inside, Mapping):
                passing = value.attributes.get("_non_persistent_buffers_set")
                kept = {n: t for n, t in inside.items() if not (isinstance(passing, set) and n in passing)}
                yield from _entries(kept, prefix, depth)
    elif isinstance(value, Mapping):
        yield from _entries(value, prefix, depth)
    elif isinstance(value, list | tuple) and (_is_list(value) or all(map(_is_list, value))):
        yield from _entries({str(place): part for place, part in enumerate(value)}, prefix, depth)


def _entries(value: Mapping[Any, Any], prefix: str, depth: int) -> Iterator[tuple[str, Tensor]]:
    for name, part in value.items():
        if isinstance(part, Tensor):
            yield f"{prefix}{name}", part
        elif not _of_training(name, part):
            yield from _tensors(part, f"{prefix}{name}.", depth + 1)
