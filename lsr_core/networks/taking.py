"""What a network is given: arrays of any floating type, in the one that its weights have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lsr_core.errors import InputError

ArrayLike = Any  # a tensor, a NumPy array, or nested lists of numbers


def as_tensor(values: ArrayLike, key: str) -> Tensor:
    """A tensor as it is; an array or nested lists of numbers as one, in their own precision, Python's floats as float64; tensors in a list stacked.

    Raises:
        InputError: anything else, and what holds fewer values than it seems to: sparse tensors, masked values.
    """
    if isinstance(values, Tensor):
        if values.layout != torch.strided:
            raise InputError("is a sparse tensor; give all its values, `values.to_dense()`", key=key)
        return values
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise InputError(
            f"{int(np.ma.getmaskarray(values).sum())} of {values.size} values are masked; leave those rows out of inputs and targets", key=key
        )  # fmt: skip
    try:
        if isinstance(values, Sequence):
            if values and all(isinstance(part, Tensor) for part in values):
                return torch.stack(tuple(values))
            return torch.as_tensor(values, dtype=torch.float64 if _has_floats(values) else None)
        array = np.asarray(values)
        own = np.require(array, dtype=array.dtype.newbyteorder("="), requirements=["C", "W"])  # what torch can share
        return torch.from_numpy(own)
    except (TypeError, ValueError, RuntimeError) as error:
        kind = f"of type {type(values).__name__}"
        if isinstance(values, np.ndarray):
            kind = f"an array of {'text' if values.dtype.kind in 'US' else values.dtype}"
        raise InputError(
            f"is {kind}; a tensor, a NumPy array or lists of numbers of equal lengths are taken, `array.astype(float)` makes numbers of "
            "what can be read as such",
            key=key,
        ) from error


def in_precision(inputs: Tensor, dtype: torch.dtype) -> Tensor:
    """Floating-point inputs in `dtype`, complex ones in its complex twin; integers stay so, for they are looked up by."""
    if inputs.is_complex():
        return inputs.to(dtype.to_complex())
    return inputs.to(dtype) if inputs.is_floating_point() else inputs


def _has_floats(values: object) -> bool:
    if isinstance(values, Sequence) and not isinstance(values, str | bytes):
        return any(_has_floats(part) for part in values)
    return isinstance(values, float)
