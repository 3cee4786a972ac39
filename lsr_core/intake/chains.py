"""A chain of linear layers in a foreign state dict, with what stands between them folded in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.intake import folding
from lsr_core.intake.folding import Affine

MAX_STEPS = 10_000
_KEPT = {"input_mean", "input_std"}  # of the registered network itself
NO_CHOICE: Mapping[str, int] = {}


@dataclass
class ChainOfLayers:
    """Own names by foreign ones, widths, and the tensors after folding.

    Attributes:
        names: foreign name by own name.
        tensors: of the layers as they are to be loaded.
        uses: what became of every foreign tensor, in words or as an own name.
        notes: sentences for a person, about what had to be taken on trust.
        readings: of constants for inputs and outputs, by side, in words: what they may mean, the one that was taken among them.
        forwards: whether a batch norm stands behind an activation and went into the layer that follows.
    """

    names: dict[str, str]
    widths: list[int]
    normalised: bool
    tensors: dict[str, Tensor]
    uses: dict[str, str]
    notes: list[str]
    readings: dict[str, list[str]] = field(default_factory=dict)
    forwards: bool = False


def chain(
    tensors: Mapping[str, Tensor], own: str, what: str = "the network", *, readings: Mapping[str, int] = NO_CHOICE
) -> ChainOfLayers:
    """All tensors as one chain of linear layers.

    Args:
        readings: which of the readings of its constants to take, by side, `input` or `output`; the first where nothing is said.

    Raises:
        InputError: layers that do not follow one another, or tensors that have no place; they are named.
    """
    plain = folding.reparametrised(tensors)
    left = dict(plain.tensors)
    norms = folding.batch_norms(left)
    constants = {
        "input": [] if set(left) >= _KEPT else folding.normalisations(left, "input"),
        "output": folding.normalisations(left, "output"),
    }
    affine = [*norms.values(), *(part for parts in constants.values() for part in parts[:1])]
    aside = {name for part in affine for name in part.names}
    weights = [
        name for name, tensor in left.items() if tensor.ndim == 2 and name not in aside and 0 not in tensor.shape
    ]
    if not weights:
        raise InputError(
            f"no layers are known among {few(sorted(tensors))}; write a bundle with the registered architecture instead", key=what
        )  # fmt: skip
    if mixed := next((name for name in weights if left[name].is_complex()), None):
        raise InputError(
            "is complex, and a chain of layers has real weights here; refine it from a Python file that makes it",
            key=mixed[:80],
        )
    order = ordered(weights, {name: tuple(left[name].shape) for name in weights})
    if order is None:
        sizes = ", ".join(f"{name} {tuple(left[name].shape)}" for name in weights[:4])
        raise InputError(
            f"the layers do not follow one another: {sizes[:300]}; a network of another form is refined from a Python file that makes it, "
            "`lsr refine my_problem.py`", key=what,
        )  # fmt: skip
    found = ChainOfLayers(
        {}, [left[order[0]].shape[1], *(len(left[name]) for name in order)], False, {}, dict(plain.notes), []
    )
    layers = [_layer(name, left, found, f"{own}{place}") for place, name in enumerate(order)]
    for stem, norm in norms.items():
        _fold_norm(stem, norm, layers, list(left), found)
    for side, parts in constants.items():
        if parts:
            found.readings[side] = [part.word for part in parts]
            _fold_constants(side, parts[readings.get(side, 0)], layers, found)
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
    norms: list[bool] = field(default_factory=list)  # for each that was folded in, whether it came behind

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
    width = len(norm.scale)
    before, later = _beside(stem, layers, file, width)
    if before is not None and (later is None or not _apart(before.name, stem)):
        layer, behind = before, True
        before.after(norm)
    elif later is not None:
        layer, behind, found.forwards = later, False, True
        later.before(norm)
    else:
        raise InputError(
            f"is a batch norm of {width} values, and no layer beside it has as many", key=stem.rstrip(".")[:80]
        )
    if behind in layer.norms:
        raise InputError(
            f"is a second batch norm at {layer.name}; their names and their order do not say where each stands", key=stem.rstrip(".")[:80]
        )  # fmt: skip
    layer.norms.append(behind)
    where = f"batch norm, folded into {layer.name}"
    found.uses |= dict.fromkeys(norm.names, where)
    found.notes.append(f"{stem.rstrip('.')}: {where}, with ε = {folding.EPSILON:g}.")


def _beside(stem: str, layers: list[_Linear], file: list[str], width: int) -> tuple[_Linear | None, _Linear | None]:
    """The layers before and behind a norm that have its width: the one of its own number (fc1, bn1), else those beside it in the file."""
    numbered = [layer for layer in layers if _numbers(layer.name) and _numbers(layer.name) == _numbers(stem)]
    if len(numbered) == 1:
        return (numbered[0], None) if len(numbered[0].weight) == width else (None, None)
    here = next(place for place, name in enumerate(file) if name.startswith(stem))
    earlier = [layer for layer in layers if file.index(layer.name) < here]
    before = earlier[-1] if earlier and len(earlier[-1].weight) == width else None
    later = layers[len(earlier)] if len(earlier) < len(layers) else None
    return before, later if later is not None and later.weight.shape[1] == width else None


def _numbers(name: str) -> list[str]:
    return re.findall(r"\d+", name)


def _apart(linear: str, norm: str) -> bool:
    """Whether numbers in a sequence say that something stands between a layer and the norm behind it."""
    one, other = _numbers(linear), _numbers(norm)
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
