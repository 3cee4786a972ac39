"""Display points that form a grid, whole or with gaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsr_core.problems import grids

FEWEST = 3  # values along an axis that make a map
FILLED = 0.2  # of an even grid around a domain, that its points are at least


@dataclass(frozen=True)
class DisplayGrid:
    """Display points that form a rectangular grid: `order` sorts them so that values[order] is (ny, nx); -1 where it has a gap."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    order: NDArray[np.int64]

    def __call__(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values (n,) as (ny, nx); not a number in gaps."""
        found = values[self.order]
        if (self.order < 0).any():
            found = np.where(self.order < 0, np.nan, found)
        return found.reshape(len(self.y), len(self.x))


def find_grid(inputs: NDArray[np.float64]) -> DisplayGrid | None:
    """The points as a rectangular grid of three or more values along both axes, or None."""
    if inputs.ndim != 2 or inputs.shape[1] != 2:
        return None
    found = grids.find_grid(inputs)
    if found is None or min(found.shape) < FEWEST:
        return None
    x, y = found.axes
    return DisplayGrid(x, y, found.order.reshape(found.shape).T.ravel())


def find_lattice(inputs: NDArray[np.float64]) -> DisplayGrid | None:
    """Points of an even grid of which some are left out, as outside of a domain; None where too many are, or they are no such points."""
    if inputs.ndim != 2 or inputs.shape[1] != 2:
        return None
    x, y = (np.unique(column) for column in inputs.T)
    if min(len(x), len(y)) < FEWEST or len(inputs) < FILLED * len(x) * len(y):
        return None
    if any(np.ptp(steps := np.diff(axis)) > grids.UNEVEN * steps.mean() for axis in (x, y)):
        return None
    place = np.searchsorted(y, inputs[:, 1]) * len(x) + np.searchsorted(x, inputs[:, 0])
    order = np.full(len(x) * len(y), -1)
    order[place] = np.arange(len(inputs))
    return DisplayGrid(x, y, order)
