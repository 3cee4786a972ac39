"""Points that form a grid, in whatever order they come."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FEWEST = 4  # points along an axis of a regular grid
UNEVEN = 1e-6  # of a spacing


@dataclass(frozen=True, eq=False)
class Grid:
    """Values (n, …) at the points, as `grid(values)` in the shape of the grid, the first coordinate along the first axis.

    Attributes:
        axes: rising coordinates along each axis.
        order: sorts the points (n,), the last coordinate fastest.
    """

    axes: tuple[Floats, ...]
    order: NDArray[np.int64]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(len(axis) for axis in self.axes)

    def __call__(self, values: Floats) -> Floats:
        return values[self.order].reshape(self.shape + values.shape[1:])


def find_grid(points: Floats) -> Grid | None:
    """The rectangular grid that points (n, d) fill; None if they fill none."""
    axes = tuple(np.unique(column) for column in points.T)
    if not axes or prod(len(axis) for axis in axes) != len(points):
        return None
    order = np.lexsort(points.T[::-1])
    expected = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(len(points), -1)
    return Grid(axes, order) if np.array_equal(points[order], expected) else None


def regular_grid(points: Floats) -> Grid | None:
    """The same of values that are equally spaced along every axis, four or more, as spectra need it."""
    grid = find_grid(points)
    if grid is None or min(grid.shape) < FEWEST:
        return None
    steps = [np.diff(axis) for axis in grid.axes]
    return grid if all(np.ptp(along) <= UNEVEN * along.mean() for along in steps) else None
