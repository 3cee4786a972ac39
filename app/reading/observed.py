"""What a problem's network was fitted to: its training data where they are few enough to draw, and the shape of one input."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lsr_core.storage.arrays import read_arrays

MOST = 2_000  # observations that are drawn one by one
MAX_BYTES = 2**27


@dataclass(frozen=True, eq=False)
class Observations:
    """Training inputs (n, d) and targets (n, o) as numbers, none where there are too many; `shape` is that of a single input."""

    inputs: NDArray[np.float64]
    targets: NDArray[np.float64]
    shape: tuple[int, ...]


def read(folder: Path) -> Observations | None:
    """From a bundle; None for a problem without training data.

    Raises:
        InputError: the data are damaged or too large to be looked at.
    """
    path = folder / "data.npz"
    if not path.is_file():
        return None
    arrays = read_arrays(path, max_bytes=MAX_BYTES)
    inputs, targets = arrays.get("train_inputs"), arrays.get("train_targets")
    if inputs is None or targets is None or inputs.ndim < 2 or len(inputs) != len(targets):
        return None
    kept = len(inputs) if len(inputs) <= MOST else 0
    flat_inputs, flat_targets = (part.reshape(len(part), -1)[:kept].astype(np.float64) for part in (inputs, targets))
    return Observations(flat_inputs, flat_targets, tuple(inputs.shape[1:]))
