"""Quantiles of the errors of any number of samples, in memory that does not grow with them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lsr_core.refinement.results import Floats

EXACT = 2**20  # values kept as they are
BITS = 10  # buckets per octave: 2**BITS
TOLERANCE = 2.0 ** -(BITS + 1)  # largest relative error of a quantile beyond EXACT values
_SHIFT = 52 - BITS


class QuantileSketch:
    """Quantiles of non-negative values that arrive in blocks, by NumPy's linear interpolation between order statistics.

    Up to 2**20 values are kept, so their quantiles are exact. Beyond that values are counted in logarithmic buckets, 1,024 to an octave
    (the idea of Masson, Rim & Lee 2019, DDSketch): every quantile is then right to a relative 2**-11, or 0.05 %. The smallest and the
    largest value are exact always.
    """

    def __init__(self, exact: int = EXACT) -> None:
        self.count = 0
        self.finite = True
        self._exact = exact
        self._kept: list[Floats] = []
        self._waiting = 0  # values in it
        self._buckets: NDArray[np.int64] | None = None
        self._counts = np.zeros(0, dtype=np.int64)
        self._smallest, self._largest = np.inf, 0.0

    def add(self, values: Floats) -> None:
        """Take a block of values (b,); one that is not finite leaves the whole without quantiles, `finite` is then False."""
        if len(values) == 0:
            return
        self.finite = self.finite and bool(np.isfinite(values).all())
        if not self.finite:
            return
        self.count += len(values)
        self._smallest = min(self._smallest, float(values.min()))
        self._largest = max(self._largest, float(values.max()))
        self._kept.append(values)
        self._waiting += len(values)
        if self._waiting > self._exact:
            self._fold()

    def quantiles(self, levels: Floats) -> Floats:
        """Values (k,) at the levels (k,) between 0 and 1.

        Raises:
            ValueError: there is no value, or one that is not finite.
        """
        if self.count == 0 or not self.finite:
            raise ValueError(
                "no quantiles of no values or of values that are not finite; look at count and finite first"
            )
        if self._buckets is None:
            return np.quantile(np.concatenate(self._kept), levels)
        if self._kept:
            self._fold()
        place = np.asarray(levels) * (self.count - 1)
        below, above = np.floor(place), np.ceil(place)
        low, high = self._ordered(below), self._ordered(above)
        return low + (place - below) * (high - low)

    def _fold(self) -> None:
        """Count what is kept in buckets: the leading bits of a positive float64 grow with it, as its logarithm does."""
        fresh = np.concatenate(self._kept).astype(np.float64).view(np.int64) >> _SHIFT
        self._kept, self._waiting = [], 0
        known = np.zeros(0, dtype=np.int64) if self._buckets is None else self._buckets
        found, counts = np.unique(fresh, return_counts=True)
        self._buckets, place = np.unique(np.concatenate([known, found]), return_inverse=True)
        merged = np.zeros(len(self._buckets), dtype=np.int64)
        np.add.at(merged, place, np.concatenate([self._counts, counts]))
        self._counts = merged

    def _ordered(self, place: Floats) -> Floats:
        """Order statistics (k,) at the places (k,), counted from 0: the middle of their bucket."""
        assert self._buckets is not None
        bucket = self._buckets[np.searchsorted(np.cumsum(self._counts), place, side="right")]
        edges = [(bucket + step << _SHIFT).view(np.float64) for step in (0, 1)]
        middle = np.where(bucket > 0, 0.5 * (edges[0] + edges[1]), 0.0)
        middle = np.where(place == 0, self._smallest, np.where(place == self.count - 1, self._largest, middle))
        return np.clip(middle, self._smallest, self._largest)
