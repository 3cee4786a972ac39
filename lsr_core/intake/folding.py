"""Layers beside linear ones that leave no trace when they are multiplied into them: the network is the same function.

Weight norm (Salimans & Kingma 2016), spectral norm (Miyato et al. 2018), batch norm in evaluation (Ioffe & Szegedy 2015), normalisation of
inputs and outputs by stored constants, and layers without a bias.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from lsr_core.errors import InputError

EPSILON = 1e-5  # of batch norm, unless it was changed
_CENTRE, _SPREAD = r"(mean|mu|shift|offset|center|loc|avg)", r"(std|sigma|scale|stdev|sd)"
_LOW, _HIGH, _VARIANCE = (
    r"(min|lower|low|lb|lower_bound|data_min)",
    r"(max|upper|high|ub|upper_bound|data_max)",
    r"(var|variance)",
)
_SIDES = {
    "input": r"(x|in|input|inputs|feature|features|coord|coords)",
    "output": r"(y|u|out|output|outputs|target|targets)",
}


@dataclass
class Folded:
    """Tensors of plain linear layers, and what became of the others.

    Attributes:
        tensors: in the order in which the file has them.
        notes: by foreign name of what was folded away, a few words.
    """

    tensors: dict[str, Tensor]
    notes: dict[str, str] = field(default_factory=dict)


def reparametrised(tensors: Mapping[str, Tensor]) -> Folded:
    """Weight norm W = g v/‖v‖, spectral norm W/σ with σ = uᵀ W v, and pruned weights, each as the weight itself."""
    found = Folded({})
    for name, tensor in tensors.items():
        if name in found.notes:
            continue
        parts = _norm_parts(name, tensors)
        if parts is None:
            found.tensors[name] = tensor
            continue
        own, others, weight, word = parts
        found.tensors[own] = weight.to(tensor.dtype)
        found.notes |= dict.fromkeys(others, word)
    for name in found.notes:
        found.tensors.pop(name, None)
    return found


def _norm_parts(name: str, tensors: Mapping[str, Tensor]) -> tuple[str, list[str], Tensor, str] | None:
    """Of a tensor that belongs to a norm: the weight's own name, the tensors it is made of, and the weight."""
    new = re.fullmatch(r"(.*?)parametrizations\.(\w+)\.(original\d?|0\.(_u|_v))", name)
    old = re.fullmatch(r"(.*?)(\w+?)_(g|v|u|orig|mask)", name)
    if new:
        own, stem = f"{new[1]}{new[2]}", f"{new[1]}parametrizations.{new[2]}."
        g, v, w, left, right = (stem + end for end in ("original0", "original1", "original", "0._u", "0._v"))
    elif old:
        own = f"{old[1]}{old[2]}"
        g, v, w, left, right = (own + end for end in ("_g", "_v", "_orig", "_u", "_v"))
    else:
        return None
    if w in tensors and left in tensors:
        matrix = tensors[w].double()
        flat, u = matrix.flatten(1), tensors[left].double()
        if u.shape != (len(flat),):
            return None
        along = tensors[right].double() if right in tensors else torch.nn.functional.normalize(flat.T @ u, dim=0)
        used = [part for part in (w, left, right) if part in tensors]
        return own, used, matrix / (u @ flat @ along), "spectral norm, divided out"
    if old and w in tensors and (mask := f"{own}_mask") in tensors and tensors[mask].shape == tensors[w].shape:
        return own, [w, mask], tensors[w].double() * tensors[mask].double(), "pruned, zeros put in"
    if g in tensors and v in tensors and tensors[g].ndim in (0, tensors[v].ndim):
        size, direction = tensors[g].double(), tensors[v].double()
        dims = [dim for dim, length in enumerate(size.shape) if length == 1] or list(range(size.ndim))
        if size.ndim == 0 or size.numel() == len(direction) == 1:
            dims = list(range(direction.ndim))
        return own, [g, v], direction * (size / direction.norm(dim=dims, keepdim=True)), "weight norm, multiplied in"
    return None


@dataclass
class Affine:
    """z ↦ scale · z + shift, and the tensors that say so."""

    scale: Tensor
    shift: Tensor
    names: list[str]
    word: str


def batch_norms(tensors: Mapping[str, Tensor]) -> dict[str, Affine]:
    """Batch norm in evaluation by the first part of its names: γ (z − mean)/√(var + ε) + β."""
    found = {}
    for name in tensors:
        if not name.endswith("running_var"):
            continue
        stem = name.removesuffix("running_var")
        mean, weight, bias = (tensors.get(f"{stem}{part}") for part in ("running_mean", "weight", "bias"))
        variance = tensors[name].double()
        if mean is None or mean.shape != variance.shape:
            raise InputError("has a variance but no mean beside it", key=name[:80])
        scale = (torch.ones_like(variance) if weight is None else weight.double()) / (variance + EPSILON).sqrt()
        shift = (torch.zeros_like(variance) if bias is None else bias.double()) - scale * mean.double()
        names = [
            f"{stem}{part}" for part in ("weight", "bias", "running_mean", "running_var") if f"{stem}{part}" in tensors
        ]
        found[stem] = Affine(scale, shift, names, "batch norm")
    return found


def normalisations(tensors: Mapping[str, Tensor], side: str) -> list[Affine]:
    """Constants of `input` or `output` that are kept as vectors of their own, in every way in which they may be meant, the usual one first.

    A mean and a deviation or variance, a shift and a scale, the smallest and the largest value; names say which these are, and only
    predictions tell for sure.
    """
    flat = {
        name: tensor for name, tensor in tensors.items() if tensor.ndim <= 2 and (tensor.ndim < 2 or 1 in tensor.shape)
    }
    for kinds, readings in ((_SPREAD, _by_deviation), (_VARIANCE, _by_variance)):
        if pair := _pair(flat, side, _CENTRE, kinds):
            return readings(side, flat[pair[0]].double().flatten(), flat[pair[1]].double().flatten(), pair)
    if pair := _pair(flat, side, _LOW, _HIGH):
        return _by_bounds(side, flat[pair[0]].double().flatten(), flat[pair[1]].double().flatten(), pair)
    return []


def _pair(flat: Mapping[str, Tensor], side: str, first: str, second: str) -> list[str]:
    """Two names that differ in these words alone."""
    for one in flat:
        word = _part(one, side, first)
        other = next(
            (name for name in flat if name != one and word is not None and _part(name, side, second) == word), None
        )
        if other is not None:
            return [one, other]
    return []


def _by_deviation(side: str, mean: Tensor, std: Tensor, names: list[str]) -> list[Affine]:
    apart = Affine(1 / std, -mean / std, names, "(x − mean)/std" if side == "input" else "(y − mean)/std")
    together = Affine(std, mean, names, "x · std + mean" if side == "input" else "y · std + mean")
    return [apart, together] if side == "input" else [together, apart]


def _by_variance(side: str, mean: Tensor, variance: Tensor, names: list[str]) -> list[Affine]:
    return _by_deviation(side, mean, variance.sqrt(), names)


def _by_bounds(side: str, low: Tensor, high: Tensor, names: list[str]) -> list[Affine]:
    width = high - low
    if side == "input":
        return [
            Affine(2 / width, -(high + low) / width, names, "bounds to [−1, 1]"),
            Affine(1 / width, -low / width, names, "bounds to [0, 1]"),
        ]
    return [
        Affine(width, low, names, "[0, 1] to bounds"),
        Affine(width / 2, (high + low) / 2, names, "[−1, 1] to bounds"),
    ]


def _part(name: str, side: str, kind: str) -> str | None:
    """What is left of a name without mean or std, if it is such a constant of this side."""
    whole = name.lower().replace(".", "_").rstrip("_")
    match = re.search(rf"(^|_){_SIDES[side]}(_?(norm|normalizer|normaliser|scaler|stats|encoder))?_?{kind}$", whole)
    if match is None and side == "input":
        alone = name.rpartition(".")[2].lower().rstrip("_") if kind in (_LOW, _HIGH) else whole
        match = re.fullmatch(rf"((norm|normalizer|normaliser|scaler)_)?{kind}", alone)
    return re.sub(rf"{kind}$", "", whole) if match else None


def into_next(weight: Tensor, bias: Tensor, affine: Affine) -> tuple[Tensor, Tensor]:
    """W (s·z + t) + b as a layer that takes z."""
    wide = weight.double()
    scale, shift = affine.scale.expand(wide.shape[1]), affine.shift.expand(wide.shape[1])
    return (wide * scale).to(weight.dtype), (bias.double() + wide @ shift).to(bias.dtype)


def into_last(weight: Tensor, bias: Tensor, affine: Affine) -> tuple[Tensor, Tensor]:
    """s·(W z + b) + t as one layer."""
    scale, shift = affine.scale.expand(len(weight)), affine.shift.expand(len(weight))
    return (scale[:, None] * weight.double()).to(weight.dtype), (scale * bias.double() + shift).to(bias.dtype)
