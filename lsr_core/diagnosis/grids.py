"""Points that form a grid of equally spaced values along every coordinate."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FEWEST = 4  # points along an axis
UNEVEN = 1e-6  # of a spacing


@dataclass(frozen=True, eq=False)
class RegularGrid:
    """Values at the points, as `grid(values)` in the shape of the grid, the first coordinate along the first axis."""

    axes: tuple[Floats, ...]
    order: NDArray[np.int64]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(len(axis) for axis in self.axes)

    def __call__(self, values: Floats) -> Floats:
        return values[self.order].reshape(self.shape)


def regular_grid(points: Floats) -> RegularGrid | None:
    """The grid that points (n, d) form, in whatever order they come; None if they form none."""
    axes = tuple(np.unique(column) for column in points.T)
    if not axes or prod(len(axis) for axis in axes) != len(points) or min(len(axis) for axis in axes) < FEWEST:
        return None
    for axis in axes:
        steps = np.diff(axis)
        if np.ptp(steps) > UNEVEN * steps.mean():
            return None
    order = np.lexsort(points.T[::-1])
    expected = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(len(points), -1)
    return RegularGrid(axes, order) if np.array_equal(points[order], expected) else None
