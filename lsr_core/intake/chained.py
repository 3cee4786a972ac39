"""Chains of linear layers in all the forms that one set of tensors may have: plain, with skips, with other constants or frequencies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from typing import Any, get_args

from torch import Tensor

from lsr_core.intake.chains import ChainOfLayers, chain
from lsr_core.intake.guessed import Guess
from lsr_core.networks.composed import Skips

PLAIN = "layer after layer"
OMEGA = 30.0  # of the first layer of SIREN
SKIPS = {
    "layer": "h + σ(A h)",
    "layer-inside": "σ(h + A h)",
    "pair": "h + B σ(A h)",
    "pair-inside": "σ(h + B σ(A h))",
    "pair-outside": "h + σ(B σ(A h))",
    "pair-before": "h + B σ(A σ(h))",
}
BEHIND = ("sigmoid", "tanh", "softplus", "relu")
_NAMED = re.compile(r"res|skip|shortcut|block", re.IGNORECASE)


def guesses(tensors: Mapping[str, Tensor]) -> Guess:
    """The chain as it is most likely meant, and what else it may be.

    Raises:
        InputError: as `chain`.
    """
    found = chain(tensors, "linears.")
    first = _plain(found, PLAIN)
    others = [*_readings(tensors, found), *_skips(found), *_frequencies(found), *_behind(found)]
    return replace(first, others=tuple(others))


def composed(found: ChainOfLayers, form: str, *, likely: bool = False, **arguments: Any) -> Guess:
    """The chain as a `composed-mlp` with these arguments beside widths and activation."""
    return _guessed("composed-mlp", found, form, arguments, likely=likely)


def _plain(found: ChainOfLayers, form: str, *, likely: bool = True) -> Guess:
    arguments: dict[str, Any] = {"normalise_inputs": True} if found.normalised else {}
    return _guessed("mlp", found, form, arguments, likely=likely)


def _guessed(name: str, found: ChainOfLayers, form: str, arguments: Mapping[str, Any], *, likely: bool) -> Guess:
    return Guess(
        name,
        {"layers": found.widths, "activation": "tanh", **arguments},
        found.names,
        tensors=found.tensors,
        uses=found.uses,
        notes=tuple(found.notes),
        form=form,
        likely=likely,
    )


def _readings(tensors: Mapping[str, Tensor], found: ChainOfLayers) -> list[Guess]:
    """Every other reading of stored constants."""
    sides = list(found.readings)
    ways = product(*(range(len(found.readings[side])) for side in sides))
    return [
        _plain(
            chain(tensors, "linears.", readings=dict(zip(sides, way, strict=True))),
            " and ".join(found.readings[side][place] for side, place in zip(sides, way, strict=True)),
            likely=False,
        )
        for way in ways if any(way)
    ]  # fmt: skip


def _skips(found: ChainOfLayers) -> list[Guess]:
    """Hidden layers of one width may be skipped; names like `block` make it likely, predictions make it sure."""
    middle = found.widths[1:-1]
    if len(middle) < 2 or len(set(middle)) > 1 or found.forwards or found.normalised:
        return []
    likely = any(_NAMED.search(name) for name in found.uses)
    forms = []
    for skips, first, last in product(get_args(Skips), (True, False), (False, True)):
        if skips == "none" or (skips.startswith("pair") and len(middle) % 2 == 0):
            continue
        ends = ("" if first else ", none behind the first layer") + (", one before the last" if last else "")
        forms.append(
            composed(found, SKIPS[skips] + ends, likely=likely, skips=skips, first_activated=first, last_activated=last)
        )
    return forms


def _frequencies(found: ChainOfLayers) -> list[Guess]:
    """SIREN with ω = 30 in the first layer and 1 in the others; the same ω in all is the activation `siren`."""
    if len(found.widths) < 3 or found.normalised:
        return []
    weight, bias = found.names["linears.0.weight"], found.names["linears.0.bias"]
    tensors = {**found.tensors, weight: OMEGA * found.tensors[weight], bias: OMEGA * found.tensors[bias]}
    notes = (*found.notes, f"{weight}: multiplied by ω = {OMEGA:g}.")
    form = f"ω = {OMEGA:g} in the first layer"
    return [replace(_plain(found, form, likely=False), tensors=tensors, notes=notes)]


def _behind(found: ChainOfLayers) -> list[Guess]:
    """An activation of the outputs leaves no tensor."""
    if found.normalised or "output" in found.readings:
        return []
    return [composed(found, f"{PLAIN}, {name} of the outputs", behind=name) for name in BEHIND]
