"""Networks that stand side by side, joined into one chain: the same function, with zeros between them.

Sub-networks for each output as in DeepXDE's PFNN, and several last layers that see the same hidden values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

_PLACE = re.compile(r"(.*?)(\d+)(?:\.(\d+))?\.(weight|bias)")


def joined(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, list[str]]] | None:
    """One chain in place of layers side by side, and which foreign tensors each of its own was made of; None where there are none such.

    The layers of a place `i` are `PREFIX.i`, or `PREFIX.i.j` for each of the sub-networks j.
    """
    found = _by_place(tensors)
    if found is not None and any(len(parts) > 1 for parts in found):
        return _columns(tensors, found)
    return _heads(tensors)


def _by_place(tensors: Mapping[str, Tensor]) -> list[list[str]] | None:
    """Stems of the layers of each place, `PREFIX.i.` or `PREFIX.i.j.`."""
    places: dict[int, dict[int, str]] = {}
    prefixes = set()
    for name in tensors:
        match = _PLACE.fullmatch(name)
        if match is None:
            return None
        prefixes.add(match[1])
        places.setdefault(int(match[2]), {})[int(match[3] or 0)] = name.removesuffix(match[4])
    if len(prefixes) != 1 or not places:
        return None
    return [[parts[j] for j in sorted(parts)] for _, parts in sorted(places.items())]


def _columns(
    tensors: Mapping[str, Tensor], places: Sequence[Sequence[str]]
) -> tuple[dict[str, Tensor], dict[str, list[str]]] | None:
    made: dict[str, Tensor] = {}
    of: dict[str, list[str]] = {}
    for place, stems in enumerate(places):
        weights = [tensors.get(f"{stem}weight") for stem in stems]
        biases = [tensors.get(f"{stem}bias") for stem in stems]
        if any(part is None or part.ndim != 2 for part in weights) or any(part is None for part in biases):
            return None
        before = 0 if place == 0 else len(made[f"joined.{place - 1}.weight"])
        widths = [part.shape[1] for part in weights if part is not None]
        shared = place == 0 or len(stems) == 1 or set(widths) == {before}  # all see everything that is before them
        if (shared and len(set(widths)) > 1) or (not shared and sum(widths) != before):
            return None
        own = torch.cat(weights) if shared else torch.block_diag(*weights)  # type: ignore[arg-type]
        made |= {f"joined.{place}.weight": own, f"joined.{place}.bias": torch.cat(biases)}  # type: ignore[arg-type]
        for part in ("weight", "bias"):
            of[f"joined.{place}.{part}"] = [f"{stem}{part}" for stem in stems]
    return made, of


def _heads(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, list[str]]] | None:
    """Several last layers on the same hidden values: the last matrices of the file with one width of inputs, of which none follows another."""
    weights = [name for name, tensor in tensors.items() if tensor.ndim == 2 and name.endswith("weight")]
    last = (
        [name for name in reversed(weights) if tensors[name].shape[1] == tensors[weights[-1]].shape[1]]
        if weights
        else []
    )
    width = tensors[weights[-1]].shape[1] if weights else 0
    heads: list[str] = []
    for name in reversed(weights):
        if name not in last or len(tensors[name]) == width:
            break
        heads.insert(0, name)
    biases = [name.removesuffix("weight") + "bias" for name in heads]
    if len(heads) < 2 or len(heads) == len(weights) or any(name not in tensors for name in biases):
        return None
    kept = {name: tensor for name, tensor in tensors.items() if name not in (*heads, *biases)}
    made = {
        "joined.weight": torch.cat([tensors[name] for name in heads]),
        "joined.bias": torch.cat([tensors[name] for name in biases]),
    }
    return kept | made, {"joined.weight": heads, "joined.bias": biases}
