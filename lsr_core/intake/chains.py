"""A chain of linear layers in a foreign state dict, with what stands between them folded in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.intake import folding
from lsr_core.intake.folding import Affine

MAX_STEPS = 10_000
_KEPT = {"input_mean", "input_std"}  # of the registered network itself


@dataclass
class ChainOfLayers:
    """Own names by foreign ones, widths, and the tensors after folding.

    Attributes:
        names: foreign name by own name.
        tensors: of the layers as they are to be loaded.
        uses: what became of every foreign tensor, in words or as an own name.
        notes: sentences for a person, about what had to be taken on trust.
    """

    names: dict[str, str]
    widths: list[int]
    normalised: bool
    tensors: dict[str, Tensor]
    uses: dict[str, str]
    notes: list[str]


def chain(tensors: Mapping[str, Tensor], own: str, what: str = "the network") -> ChainOfLayers:
    """All tensors as one chain of linear layers.

    Raises:
        InputError: layers that do not follow one another, or tensors that have no place; they are named.
    """
    plain = folding.reparametrised(tensors)
    left = dict(plain.tensors)
    norms = folding.batch_norms(left)
    inputs = None if set(left) >= _KEPT else folding.normalisation(left, "input")
    outputs = folding.normalisation(left, "output")
    aside = {name for part in (*norms.values(), inputs, outputs) if part for name in part.names}
    weights = [
        name for name, tensor in left.items() if tensor.ndim == 2 and name not in aside and 0 not in tensor.shape
    ]
    if not weights:
        raise InputError(
            f"no layers are known among {few(sorted(tensors))}; write a bundle with the registered architecture instead", key=what
        )  # fmt: skip
    order = ordered(weights, {name: tuple(left[name].shape) for name in weights})
    if order is None:
        sizes = ", ".join(f"{name} {tuple(left[name].shape)}" for name in weights[:4])
        raise InputError(f"the layers do not follow one another: {sizes[:300]}", key=what)
    found = ChainOfLayers(
        {}, [left[order[0]].shape[1], *(len(left[name]) for name in order)], False, {}, dict(plain.notes), []
    )
    layers = [_layer(name, left, found, f"{own}{place}") for place, name in enumerate(order)]
    for stem, norm in norms.items():
        _fold_norm(stem, norm, layers, list(left), found)
    for side, part in (("input", inputs), ("output", outputs)):
        if part is not None:
            _fold_constants(side, part, layers, found)
    for place, layer in enumerate(layers):
        found.tensors |= {layer.name: layer.weight, found.names[f"{own}{place}.bias"]: layer.bias}
    _rest(left, found, what)
    return found


@dataclass
class _Linear:
    """One layer, into which others are folded."""

    name: str
    weight: Tensor
    bias: Tensor

    def before(self, affine: Affine) -> None:
        """The affine map comes before this layer."""
        self.weight, self.bias = folding.into_next(self.weight, self.bias, affine)

    def after(self, affine: Affine) -> None:
        """It comes after it, before the activation."""
        self.weight, self.bias = folding.into_last(self.weight, self.bias, affine)


def _layer(weight: str, left: Mapping[str, Tensor], found: ChainOfLayers, own: str) -> _Linear:
    stem = weight.removesuffix("weight")
    candidates = (f"{stem}bias", weight.replace("weight", "bias"), weight.replace("W", "b"))
    fits = (
        name for name in candidates if name in left and name != weight and left[name].shape == left[weight].shape[:1]
    )
    bias = next(fits, None)
    found.uses[weight] = f"{own}.weight"
    if bias is None:
        found.notes.append(f"{weight} comes without a bias and is given one of zeros, which is the same network.")
        bias, values = f"{weight}:bias", torch.zeros(len(left[weight]), dtype=left[weight].dtype)
    else:
        found.uses[bias], values = f"{own}.bias", left[bias]
    found.names |= {f"{own}.weight": weight, f"{own}.bias": bias}
    return _Linear(weight, left[weight], values)


def _fold_norm(stem: str, norm: Affine, layers: list[_Linear], file: list[str], found: ChainOfLayers) -> None:
    """Batch norm goes into the layer before it, or, where an activation stands between, into the one behind it."""
    here = file.index(norm.names[0])
    earlier = [layer for layer in layers if file.index(layer.name) < here]
    before = earlier[-1] if earlier else None
    later = layers[len(earlier)] if len(earlier) < len(layers) else None
    width = len(norm.scale)
    fits_before = before is not None and len(before.weight) == width
    fits_later = later is not None and later.weight.shape[1] == width
    if before is not None and fits_before and (not fits_later or not _apart(before.name, stem)):
        before.after(norm)
        where = f"batch norm, folded into {before.name}"
    elif later is not None and fits_later:
        later.before(norm)
        where = f"batch norm, folded into {later.name}"
    else:
        raise InputError(
            f"is a batch norm of {width} values, and no layer beside it has as many", key=stem.rstrip(".")[:80]
        )
    found.uses |= dict.fromkeys(norm.names, where)
    found.notes.append(f"{stem.rstrip('.')}: {where}, with ε = {folding.EPSILON:g}.")


def _apart(linear: str, norm: str) -> bool:
    """Whether numbers in a sequence say that something stands between a layer and the norm behind it."""
    one, other = (re.findall(r"\d+", name) for name in (linear, norm))
    return len(one) == len(other) > 0 and one[:-1] == other[:-1] and int(other[-1]) - int(one[-1]) > 1


def _fold_constants(side: str, part: Affine, layers: list[_Linear], found: ChainOfLayers) -> None:
    layer = layers[0] if side == "input" else layers[-1]
    width = layer.weight.shape[1] if side == "input" else len(layer.weight)
    if len(part.scale) not in (1, width):
        raise InputError(f"has {len(part.scale)} values for {width} {side}s", key=part.names[0][:80])
    if not torch.isfinite(part.scale).all():
        raise InputError("divides by zero; a constant column cannot be normalised", key=part.names[-1][:80])
    if side == "input":
        layer.before(part)
    else:
        layer.after(part)
    where = f"{part.word}, folded into {layer.name}"
    found.uses |= dict.fromkeys(part.names, where)
    found.notes.append(f"{' and '.join(part.names)}: taken as {where}.")


def _rest(left: Mapping[str, Tensor], found: ChainOfLayers, what: str) -> None:
    """Nothing may be left over but what the registered network keeps as it is."""
    others = [name for name in left if name not in found.uses]
    if set(others) == _KEPT:
        found.normalised = True
        found.names |= {name: name for name in others}
        found.uses |= {name: name for name in others}
        found.tensors |= {name: left[name] for name in others}
    elif others:
        raise InputError(
            f"besides linear layers there are {few(sorted(others))}, for which no registered network has a place", key=what
        )  # fmt: skip


def ordered(weights: list[str], shapes: Mapping[str, tuple[int, ...]]) -> list[str] | None:
    """All layers in an order in which each takes what the one before gives; in the order of the file if that will do."""
    steps = 0

    def follow(path: list[str], left: list[str]) -> list[str] | None:
        nonlocal steps
        steps += 1
        if not left or steps > MAX_STEPS:
            return path if not left else None
        for name in left:
            if not path or shapes[name][1] == shapes[path[-1]][0]:
                found = follow([*path, name], [other for other in left if other != name])
                if found is not None:
                    return found
        return None

    return None if len(weights) > 256 else follow([], weights)


def few(names: Sequence[str]) -> str:
    """The first names of many, in one line."""
    shown = ", ".join(name[:60] for name in names[:5])
    return shown + (f" and {len(names) - 5} more" if len(names) > 5 else "")
