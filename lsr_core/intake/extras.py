"""What stands beside a chain of linear layers and does not fold into it: Fourier features, layer norm, trained slopes, numbers of an equation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.intake import folding
from lsr_core.intake.chained import PLAIN, composed
from lsr_core.intake.chains import ChainOfLayers, chain, few
from lsr_core.intake.guessed import Guess

FACTORS = (1.0, 5.0, 10.0, 20.0)  # n of σ(n a z) in the papers on such slopes
_NUMBER = re.compile(
    r"(^|[._])(lambda|lamb|lam|nu|mu|kappa|coef\w*|param\w*|log_?vars?|log_?sigmas?)(_?\d+)?$", re.IGNORECASE
)
_PRELU = re.compile(r"prelu|(^|[._])(act\w*[._])?weight$", re.IGNORECASE)


@dataclass(frozen=True)
class Extras:
    """Tensors of a file that are no part of the chain, by foreign name.

    Attributes:
        frequencies: the matrix B of Fourier features, or empty.
        norms: stems of layer norms, in the order of the file.
        slopes: what may be slopes of activations, in the order of the file.
        numbers: what takes no part in the network.
    """

    frequencies: str = ""
    norms: tuple[str, ...] = ()
    slopes: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()


def guesses(tensors: Mapping[str, Tensor]) -> Guess | None:
    """The chain with what stands beside it, in every form that the shapes allow, or None where there is nothing known beside it.

    Raises:
        InputError: as `chain`, of what is left without it.
    """
    beside = _found(tensors)
    aside = {
        beside.frequencies,
        *beside.slopes,
        *beside.numbers,
        *(f"{stem}{part}" for stem in beside.norms for part in ("weight", "bias")),
    }
    if not aside - {""}:
        return None
    found = _chain_without(
        {name: tensor for name, tensor in tensors.items() if name not in aside}, bool(beside.frequencies)
    )
    ways = [*_with_slopes(found, beside, tensors)] if beside.slopes else [*_with_norms(found, beside, tensors)]
    ways = [made for way in ways for made in _with_features(way, beside, tensors)]
    if not ways:
        return None
    noted = [_with_numbers(way, beside) for way in ways]
    first = next((way for way in noted if way.likely), noted[0])
    return replace(first, others=tuple(way for way in noted if way is not first))


def _found(tensors: Mapping[str, Tensor]) -> Extras:
    """By shapes alone, with names to tell a number of an equation from a slope."""
    plain = folding.reparametrised(tensors).tensors
    folded = {name for norm in folding.batch_norms(plain).values() for name in norm.names}
    for side in ("input", "output"):
        folded |= {name for part in folding.normalisations(plain, side) for name in part.names}
    matrices = [name for name, tensor in plain.items() if tensor.ndim == 2 and name not in folded]
    biases = {bias for name in matrices if (bias := _bias(name, plain))}
    small = [name for name, tensor in plain.items() if tensor.ndim < 2 and name not in biases | folded]
    norms = [name.removesuffix("weight") for name in small if _is_norm(name, small, plain)]
    single = [name for name in small if not any(name in (f"{stem}weight", f"{stem}bias") for stem in norms)]
    numbers = [name for name in single if _NUMBER.search(name)]
    return Extras(
        _frequencies(plain, matrices, biases),
        tuple(norms),
        tuple(name for name in single if name not in numbers),
        tuple(numbers),
    )


def _is_norm(name: str, small: list[str], tensors: Mapping[str, Tensor]) -> bool:
    """Whether it is the weight of a layer norm, with a bias as long."""
    bias = name.removesuffix("weight") + "bias"
    return (
        name.endswith("weight")
        and bias in small
        and tensors[name].ndim == 1
        and tensors[name].shape == tensors[bias].shape
    )


def _bias(weight: str, tensors: Mapping[str, Tensor]) -> str:
    names = (weight.replace("weight", "bias"), weight.replace("W", "b"), weight.removesuffix("weight") + "bias")
    return next(
        (
            name
            for name in names
            if name != weight and name in tensors and tensors[name].shape == tensors[weight].shape[:1]
        ),
        "",
    )


def _frequencies(tensors: Mapping[str, Tensor], matrices: list[str], biases: set[str]) -> str:
    """The matrix without a bias whose cos and sin are as many as what the first layer takes, with the inputs or without."""
    bare = [name for name in matrices if not _bias(name, tensors)]
    layers = [name for name in matrices if name not in bare] or matrices
    for name in bare:
        first = next((layer for layer in layers if layer != name), None)
        if first is None:
            continue
        width = tensors[first].shape[1]
        if any(
            width in (2 * count, 2 * count + inputs)
            for count, inputs in (tensors[name].shape, tensors[name].shape[::-1])
        ):
            return name
    return ""


def _chain_without(rest: Mapping[str, Tensor], features: bool) -> ChainOfLayers:
    if features and (constants := folding.normalisations(rest, "input")):
        raise InputError(
            "normalises the inputs before Fourier features, which is not known; apply the constants to the data",
            key=constants[0].names[0][:80],
        )
    found = chain(rest, "linears.")
    if features and found.normalised:
        raise InputError("Fourier features of normalised inputs are not known", key="the network")
    return found


def _with_features(given: Guess, beside: Extras, tensors: Mapping[str, Tensor]) -> list[Guess]:
    """Every order of cos, sin and the inputs, with 2π and without."""
    if not beside.frequencies:
        return [given]
    matrix, width = tensors[beside.frequencies], given.arguments["layers"][0]
    made = []
    for turned, turns in product((False, True), (True, False)):
        own = matrix.T.contiguous() if turned else matrix  # (inputs, frequencies)
        inputs, count = own.shape
        if width not in (2 * count, 2 * count + inputs) or (turned and inputs == count and matrix.equal(matrix.T)):
            continue
        orders = ("cos-sin", "sin-cos") if width == 2 * count else ("x-cos-sin", "x-sin-cos", "cos-sin-x", "sin-cos-x")
        for order in orders:
            arguments = {
                **given.arguments,
                "layers": [inputs, *given.arguments["layers"][1:]],
                "features": order,
                "frequencies": count,
                "turns": turns,
            }
            made.append(
                replace(
                    given, architecture="composed-mlp", arguments=arguments, names={**given.names, "frequencies": beside.frequencies},
                    tensors={**given.tensors, beside.frequencies: own}, uses={**given.uses, beside.frequencies: "frequencies"},
                    form=f"{given.form}, behind {order.replace('-', ', ')} of {'2π ' if turns else ''}x B",
                    notes=(*given.notes, f"{beside.frequencies}: frequencies of Fourier features, which stay as they are."),
                )
            )  # fmt: skip
    return made


def _with_norms(found: ChainOfLayers, beside: Extras, tensors: Mapping[str, Tensor]) -> list[Guess]:
    hidden = found.widths[1:-1]
    if not beside.norms:
        return [composed(found, PLAIN, likely=True)]
    if [len(tensors[f"{stem}weight"]) for stem in beside.norms] != hidden:
        names = few([f"{stem}{part}" for stem in beside.norms for part in ("bias", "weight")])
        raise InputError(
            f"besides linear layers there are {names}, for which no registered network has a place: layer norm is known behind each hidden layer",
            key="the network",
        )
    made = []
    for where in ("before", "after"):
        way = composed(found, f"layer norm {where} each activation", likely=True, norms=where)
        own = {
            f"norms.{place}.{part}": f"{stem}{part}"
            for place, stem in enumerate(beside.norms)
            for part in ("weight", "bias")
        }
        made.append(_more(way, own, tensors))
    return made


def _with_slopes(found: ChainOfLayers, beside: Extras, tensors: Mapping[str, Tensor]) -> list[Guess]:
    if beside.norms:
        raise InputError(f"layer norm with trained slopes is not known ({few(beside.slopes)})", key="the network")
    slopes, shared = _slopes(beside.slopes, found.widths[1:-1], tensors)
    alone = all(tensors[name].numel() == 1 for name in beside.slopes)
    left = [_left_out(composed(found, PLAIN), beside.slopes)] if alone else []
    if not shared:
        return left
    prelu = all(_PRELU.search(name) for name in beside.slopes)
    kinds = [("prelu", 1.0, "PReLU"), *(("argument", factor, f"σ({factor:g} a z)") for factor in FACTORS)]
    made = []
    for kind, factor, words in kinds:
        way = composed(found, words, likely=prelu == (kind == "prelu"), slopes=kind, shared=shared, factor=factor)
        if kind == "prelu":
            way = replace(way, arguments={**way.arguments, "activation": "leaky-relu"}, open=())
        made.append(_more(way, {f"slopes.{place}": name for place, name in enumerate(slopes)}, {**tensors, **slopes}))
    return [*made, *left]


def _slopes(names: tuple[str, ...], hidden: list[int], tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], str]:
    """The slopes as tensors of their own, and what shares one: all, a layer, or a unit; nothing where their number does not fit."""
    sizes = [tensors[name].numel() for name in names]
    own = {name: tensors[name].reshape(-1) for name in names}
    if sizes == [1] * len(hidden):
        return own, "layer"
    if sizes == hidden:
        return own, "unit"
    if sizes == [1]:
        return own, "all"
    if sizes == [len(hidden)]:
        return {f"{names[0]}[{place}]": own[names[0]][place : place + 1] for place in range(len(hidden))}, "layer"
    return {}, ""


def _more(way: Guess, own: Mapping[str, str], tensors: Mapping[str, Tensor]) -> Guess:
    """With further tensors, foreign name by own name."""
    uses = {foreign.partition("[")[0]: name for name, foreign in own.items()}
    return replace(
        way, names={**way.names, **own}, uses={**way.uses, **uses},
        tensors={**way.tensors, **{name: torch.as_tensor(tensors[name]) for name in own.values()}},
    )  # fmt: skip


def _left_out(way: Guess, names: tuple[str, ...]) -> Guess:
    note = f"{', '.join(names)[:200]}: left out, as a number that takes no part in the network, such as an unknown of an equation."
    form = f"{way.form}, without {', '.join(names)[:80]}"
    return replace(way, form=form, uses={**way.uses, **dict.fromkeys(names, "left out")}, notes=(*way.notes, note))


def _with_numbers(way: Guess, beside: Extras) -> Guess:
    return _left_out(way, beside.numbers) if beside.numbers else way
