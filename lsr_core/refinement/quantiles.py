"""Quantiles of the errors of any number of samples, in memory that does not grow with them."""

from __future__ import annotations

import math
import tempfile

import numpy as np

from lsr_core.refinement.results import Floats

HELD = 2**20  # values kept in memory


def room_for(count: int) -> Floats:
    """An array (count,); of many values in a temporary file mapped into memory, whose pages the system may drop."""
    if count <= HELD:
        return np.empty(count)
    with tempfile.TemporaryFile() as file:
        return np.memmap(file, dtype=np.float64, mode="w+", shape=(count,))


def quantiles(values: Floats, levels: Floats) -> list[float] | None:
    """Quantiles (k,) at levels between 0 and 1 of non-negative values (n,), whose order is lost; None if there are none, or not all are finite."""
    if len(values) == 0 or not math.isfinite(values.max()):
        return None
    found: list[float] = np.quantile(values, levels, overwrite_input=True).tolist()
    return found
