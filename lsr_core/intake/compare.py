"""A network that was loaded, against predictions of the network that was saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lsr_core.errors import InputError
from lsr_core.intake.guess import convert
from lsr_core.intake.guessed import Guess
from lsr_core.networks.activations import ACTIVATIONS
from lsr_core.networks.functions import as_pairs
from lsr_core.storage.weights import load_network

AGREES = (
    1e-5  # largest difference by the size of the predictions; they may come from single precision on another machine
)
ROUNDED = 4  # times what rounding a weight to its type may change it by, where that is coarser
MAX_COMPARED = 256
FEW_VALUES = 20  # which may be short numbers by themselves
MAX_SEEN = 10_000  # values of a tensor
MAX_TRIED = 1000  # networks, of a few milliseconds each


def network(architecture: str, arguments: Mapping[str, Any], guess: Guess, tensors: Mapping[str, Tensor]) -> nn.Module:
    """The registered network with the foreign weights, in their dtype.

    Raises:
        InputError: as `guess.convert`.
    """
    state = convert(architecture, arguments, guess.tensors or tensors, guess.names)
    dtype = next(value.dtype for value in state.values() if value.is_floating_point())
    return load_network(architecture, arguments, state, dtype, "weights")


def agrees_up_to(tensors: Mapping[str, Tensor]) -> float:
    """The largest difference, by the size of the predictions, of one network from itself.

    Weights that were saved in bfloat16 or float16 are known only as far as these have digits, in whatever type they come now.
    """
    values = torch.cat(
        [torch.zeros(0), *(as_pairs(tensor).float().reshape(-1)[:MAX_SEEN] for tensor in tensors.values())]
    )
    if len(values.unique()) < FEW_VALUES:
        return AGREES
    rounded = (dtype for dtype in (torch.bfloat16, torch.float16) if torch.equal(values.to(dtype).float(), values))
    return next((ROUNDED * torch.finfo(dtype).eps for dtype in rounded), AGREES)


def difference(model: nn.Module, inputs: np.ndarray, predictions: np.ndarray) -> float:
    """max |q(x) − p| / max |p| over the first rows.

    Args:
        inputs: (n, d).
        predictions: (k, o) with k ≤ n: of the first k rows.

    Raises:
        InputError: shapes that do not fit.
    """
    count = min(len(predictions), MAX_COMPARED)
    if count == 0 or len(predictions) > len(inputs):
        raise InputError(f"{len(predictions):,} predictions for {len(inputs):,} rows of inputs", key="predictions")
    dtype = next(model.parameters()).dtype.to_real()
    try:
        with torch.no_grad():
            answer = model(torch.from_numpy(np.ascontiguousarray(inputs[:count])).to(dtype)).double().numpy()
    except (RuntimeError, ValueError, IndexError) as error:
        raise InputError(
            f"the network does not take rows of {inputs.shape[1]} inputs; check the arguments and the columns",
            key="inputs",
        ) from error
    wanted = np.asarray(predictions[:count], dtype=np.float64).reshape(count, -1)
    if answer.shape != wanted.shape:
        raise InputError(
            f"one row has {wanted.shape[1]} values, the network gives {answer.shape[1]}", key="predictions"
        )
    if not np.isfinite(wanted).all():
        raise InputError("hold NaN or infinite values", key="predictions")
    return float(np.abs(answer - wanted).max() / max(np.abs(wanted).max(), np.finfo(float).tiny))


def by_activation(
    guess: Guess,
    arguments: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    inputs: np.ndarray,
    predictions: np.ndarray,
) -> dict[str, float]:
    """The difference with every activation, smallest first.

    Raises:
        InputError: as `difference`.
    """
    found = {}
    for name in ACTIVATIONS if "activation" in guess.open else (arguments["activation"],):
        model = network(guess.architecture, {**arguments, "activation": name}, guess, tensors)
        found[name] = difference(model, inputs, predictions)
    return dict(sorted(found.items(), key=lambda item: item[1]))


@dataclass(frozen=True)
class Nearest:
    """Of all that the tensors may be, what comes nearest."""

    guess: Guess
    activation: str
    difference: float


def best(
    guess: Guess, tensors: Mapping[str, Tensor], inputs: np.ndarray, wanted: np.ndarray, *, predictions: bool = True
) -> Nearest:
    """The form and the activation that come nearest to what is known, in the order in which they are likely; the first form that agrees is taken.

    Args:
        wanted: what the network gives for the first inputs, or what it was trained to give.
        predictions: it is the former; forms that no name speaks for are tried only then.

    Raises:
        InputError: as `difference`, of the first form, where none can be compared.
    """
    likely = sorted(guess.all, key=lambda one: not one.likely)
    sure = agrees_up_to(tensors) <= AGREES  # else all are tried
    found: list[Nearest] = []
    refused: list[InputError] = []
    for one in likely[: MAX_TRIED // len(ACTIVATIONS)]:
        if not (one.likely or predictions):
            continue
        try:
            tried = by_activation(one, one.arguments, tensors, inputs, wanted)
        except InputError as error:
            refused.append(error)
            continue
        found.append(Nearest(one, *next(iter(tried.items()))))
        if predictions and sure and found[-1].difference <= AGREES:
            break
    if not found:
        raise (
            refused[0] if refused else InputError("can only be told apart by predictions; give some", key="predictions")
        )
    return min(found, key=lambda one: one.difference)
