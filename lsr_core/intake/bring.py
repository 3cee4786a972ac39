"""Weights and data in files to a problem, as they are guessed and with what is said otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.intake import branches, compare, guess, mapping, problem, state_dicts, suggest, tables
from lsr_core.intake.arrays import ArrayInfo
from lsr_core.intake.compare import Nearest
from lsr_core.intake.guessed import Guess
from lsr_core.intake.mapping import DataMapping, Mapped, SplitArrays
from lsr_core.intake.subnetworks import SeveralNetworks
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.networks.activations import ACTIVATIONS
from lsr_core.problems.splits import Architecture


@dataclass(frozen=True)
class Wishes:
    """What is not left to the guess; empty = as guessed.

    Attributes:
        network: which one, where the file of weights holds several.
        points: the array with the points of an operator's trunk.
    """

    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    predictions: tuple[str, ...] = ()
    network: str = ""
    activation: str = ""
    points: str = ""
    fractions: tuple[float, float] = (0.15, 0.15)
    seed: int = 0
    drop: bool = False


@dataclass(frozen=True)
class FromFiles:
    """What was understood, and how well it fits.

    Attributes:
        found: the form that was taken, and the activation.
        nearest: what comes nearest of all that could be.
        allowed: largest difference from predictions that says nothing against the network; None where none are given.
        passed_over: what of the data cannot be used.
    """

    problem: SupervisedProblem
    found: Nearest
    nearest: Nearest
    allowed: float | None
    pair: SplitArrays
    predictions: tuple[str, ...]
    mapped: Mapped
    tensors: Mapping[str, Tensor]
    passed_over: tuple[ArrayInfo, ...]

    @property
    def agrees(self) -> bool:
        """Whether nothing that is known speaks against it."""
        return self.allowed is None or self.found.difference <= self.allowed


def bring(weights: Path, data: Path, title: str, wishes: Wishes) -> FromFiles:
    """The problem of a network and its data.

    Raises:
        InputError: a file that cannot be read, weights that are no known network, or data that do not fit it.
    """
    try:
        tensors = state_dicts.read(weights, wishes.network)
    except SeveralNetworks as error:
        raise InputError(error.message, file=error.file, key="network") from None
    infos = tables.listing(data)
    found = guess.guess(tensors, suggest.grid(infos))
    pair, predictions = _chosen(infos, found, wishes)
    named = mapping.arrays_of([*pair.inputs, *pair.outputs, *predictions], infos)
    arrays = tables.read(data, named)
    passed_over = tuple(info for info in infos if info.unusable)
    possible = suggest.orders(infos, pair.inputs, pair.outputs)
    if len(possible) > 1 and not predictions:
        raise InputError(
            "has axes of the same length, so which is which cannot be seen from the file; give predictions of the network as well, which tell, "
            "or choose on the page Bring your own", key=pair.outputs[0][:80],
        )  # fmt: skip
    first: FromFiles | None = None
    for order in possible or [()]:
        over = replace(pair, order=order)
        mapped = mapping.make_splits(arrays, DataMapping(over, None, None, wishes.fractions, wishes.seed, wishes.drop))
        placed = _at_points(found, infos, data, wishes.points, mapped.outputs.shape[1])
        known = _known(arrays, mapped, over, predictions)
        nearest, taken = _nearest(placed, tensors, known, wishes.activation, bool(predictions))
        allowed = compare.agrees_up_to(tensors) if predictions else None
        made = _problem(title, taken, tensors, mapped)
        tried = FromFiles(made, taken, nearest, allowed, over, predictions, mapped, tensors, passed_over)
        if tried.agrees:
            return tried
        first = first or tried
    assert first is not None
    return first


def _nearest(
    found: Guess, tensors: Mapping[str, Tensor], known: tuple[np.ndarray, np.ndarray], activation: str, given: bool
) -> tuple[Nearest, Nearest]:
    """What comes nearest of all, and of what has the activation that is wanted."""
    nearest = compare.best(found, tensors, *known, predictions=given)
    if not activation:
        return nearest, nearest
    return nearest, compare.best(_with(found, activation), tensors, *known, predictions=given)


def _problem(title: str, taken: Nearest, tensors: Mapping[str, Tensor], mapped: Mapped) -> SupervisedProblem:
    one = taken.guess
    arguments = {**one.arguments, "activation": taken.activation}
    model = compare.network(one.architecture, arguments, one, tensors)
    return problem.of(title, model, Architecture(one.architecture, arguments), mapped)


def _chosen(infos: list[ArrayInfo], found: Guess, wishes: Wishes) -> tuple[SplitArrays, tuple[str, ...]]:
    """Inputs and outputs, and the predictions of the network."""
    inputs, outputs, predictions = suggest.columns(infos, *suggest.widths(found))
    pair = SplitArrays(wishes.inputs or tuple(inputs), wishes.outputs or tuple(outputs))
    for key, chosen in (("inputs", pair.inputs), ("outputs", pair.outputs)):
        if not chosen:
            offered = ", ".join(mapping.choices(infos))[:300]
            raise InputError(f"cannot be guessed from the names; name them among {offered}", key=key)
    return pair, wishes.predictions or tuple(predictions)


def _known(
    arrays: Mapping[str, np.ndarray], mapped: Mapped, pair: SplitArrays, predictions: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Inputs, and what the network gives for the first of them, or else what it was trained to give."""
    if predictions:
        return mapped.inputs, mapping.predictions(arrays, pair, predictions)
    return mapped.splits["train"].inputs.numpy(), mapped.splits["train"].targets.numpy()


def _at_points(found: Guess, infos: list[ArrayInfo], data: Path, wanted: str, width: int) -> Guess:
    """The guess with the points of its trunk, where it needs some.

    Args:
        wanted: the array that holds them, or empty.
        width: values of one row of outputs.
    """
    if found.architecture != "deeponet-points":
        if wanted:
            raise InputError(f"are asked for by no {found.architecture}; leave them out", key="points")
        return found
    count, coordinates = branches.places(found, width), found.arguments["trunk"][0]
    name = wanted or next(iter(suggest.trunks(infos, count, coordinates)), "")
    if not name:
        return branches.with_points(found, branches.regular(count, coordinates))
    array = np.asarray(tables.read(data, [name])[name], dtype=np.float64)
    if array.size != count * coordinates:
        raise InputError(f"has the shape {array.shape}; {count:,} points of {coordinates} are needed", key=name[:80])
    return branches.with_points(found, torch.from_numpy(array.reshape(count, coordinates)))


def _with(found: Guess, activation: str) -> Guess:
    """The forms that may have this activation.

    Raises:
        InputError: it is not known here, or no form has it.
    """
    if activation not in ACTIVATIONS:
        raise InputError(f"is not known here; known are {', '.join(ACTIVATIONS)}", key="activation")
    kept = [
        replace(one, arguments={**one.arguments, "activation": activation}, open=(), others=())
        for one in found.all
        if "activation" in one.open or one.arguments["activation"] == activation
    ]
    if not kept:
        raise InputError("is that of no form that these tensors may have; leave it out", key="activation")
    return replace(kept[0], others=tuple(kept[1:]))
