"""`python -m benchmarks.references NAME`: a reference of the suite `pinnacle`, twice, and by how much the two differ; the finer one is written.

Needs the extra `references`. A table holds the axes of an even grid and values on it, (n₁, …, outputs), NaN where the grid leaves the domain.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from skfem import MeshTri

from benchmarks.references.flows import Flow, Given, towards
from benchmarks.references.meshes import masked, values
from benchmarks.references.poisson import BALLS, BOLTZMANN, PIPES, balls, boltzmann, pipes

TABLES = Path("lsr_core/suites/tables")
Grid = tuple[list[Any], Any]  # axes and values (n₁, …, outputs)


def on_grid(part: Any, counts: Any, read: Callable[[Any], Any]) -> Grid:
    """Values where a box has no holes; `read` takes points (n, d) to (n, …)."""
    axes, points, free = masked(*part, counts)
    found = read(points[free])
    whole = np.full((len(points), *found.shape[1:]), np.nan)
    whole[free] = found
    return axes, whole.reshape(*counts, *found.shape[1:])


def poisson_boltzmann(fine: bool) -> Grid:
    basis, found = boltzmann(0.02 if fine else 0.03)
    return on_grid(BOLTZMANN, (81, 81), lambda points: values(basis, found, points)[:, None])


def in_the_cube(fine: bool) -> Grid:
    basis, found = balls(0.055 if fine else 0.075)
    return on_grid(BALLS, (11, 13, 12), lambda points: values(basis, found, points)[:, None])


def between_pipes(fine: bool) -> Grid:
    """In √t, in which the field is smooth at the start."""
    roots = np.linspace(0, np.sqrt(3), 11)
    times = np.round(roots[1:] ** 2, 3)
    basis, found = pipes(0.4 if fine else 0.55, times, 5e-4 if fine else 1e-3, 40 if fine else 20)
    axes, table = on_grid(PIPES, (33, 49), lambda points: np.stack([values(basis, at, points) for at in found], axis=1))
    at_start = np.where(np.isnan(table[..., :1]), np.nan, 0.0)
    return [*axes, np.sqrt([0.0, *times])], np.concatenate([at_start, table], axis=2)[..., None]


def lid(fine: bool) -> Grid:
    def given(x: Any) -> Any:
        top = np.where(np.abs(x[1] - 1) < 1e-12, 4 * x[0] * (1 - x[0]), 0.0)
        return np.ones_like(x, dtype=bool), np.stack([top, 0 * top])

    axis = towards(0, 1, 9 if fine else 7, at_low=True, at_high=True)
    return flow(MeshTri.init_tensor(axis, axis), given, ((0, 1), (0, 1)), (40, 40), level=True)


def step(fine: bool) -> Grid:
    def given(x: Any) -> Any:
        inflow = np.where(x[0] < 1e-12, 4 * x[1] * (1 - x[1]), 0.0)
        wall = ~(np.abs(x[0] - 4) < 1e-12) | (x[1] < 1e-12) | (x[1] > 2 - 1e-12)
        return np.stack([wall, np.ones_like(wall)]), np.stack([inflow, 0 * inflow])

    part = 9 if fine else 8
    ends: dict[str, Any] = {"at_low": False, "at_high": True, "ratio": 1.6}
    x = np.concatenate([towards(0, 2, part, **ends), 4 - towards(0, 2, part, **ends)[-2::-1]])
    y = np.concatenate([towards(0, 1, part, **ends), 2 - towards(0, 1, part, **ends)[-2::-1]])
    mesh = MeshTri.init_tensor(x, y)
    centres = mesh.p[:, mesh.t].mean(axis=1)
    mesh = mesh.restrict(np.flatnonzero((centres[0] > 2) | (centres[1] < 1)))
    return flow(mesh, given, ((0, 4), (0, 2)), (64, 32), level=False, inside=lambda p: (p[:, 0] > 2) | (p[:, 1] < 1))


def flow(
    mesh: Any,
    given: Given,
    box: Any,
    counts: Any,
    *,
    level: bool,
    inside: Callable[[Any], Any] = lambda p: p[:, 0] > -1,
) -> Grid:
    """Velocity and pressure in the middles of even cells, where no corner with an infinite pressure lies; p(0, 0) = 0 if a level is free."""
    made = Flow(mesh, given, level=level)
    found = made.steady()
    axes, points = middles(box, counts)
    free = inside(points)
    whole = np.full((len(points), 3), np.nan)
    whole[free] = read(made, found, points[free])
    if level:
        whole[:, 2] -= read(made, found, np.zeros((1, 2)))[0, 2]
    return axes, whole.reshape(*counts, 3)


def middles(box: Any, counts: Any) -> tuple[list[Any], Any]:
    """Axes and points (n, d) in the middles of even cells."""
    axes = [low + (high - low) * (np.arange(n) + 0.5) / n for (low, high), n in zip(box, counts, strict=True)]
    return axes, np.stack([part.ravel() for part in np.meshgrid(*axes, indexing="ij")], axis=1)


def read(made: Flow, found: Any, points: Any) -> Any:
    """Velocity and pressure (n, 3) at points (n, 2)."""
    velocity = (made.u.probes(points.T) @ found[: made.u.N]).reshape(2, -1)
    return np.stack([*velocity, made.p.probes(points.T) @ found[made.u.N :]], axis=1)


MADE: dict[str, Callable[[bool], Grid]] = {
    "poisson-boltzmann": poisson_boltzmann,
    "balls": in_the_cube,
    "pipes": between_pipes,
    "lid": lid,
    "step": step,
}


def main(names: list[str]) -> None:
    """Make and write tables, all if none is named."""
    for name in names or list(MADE):
        began = time.process_time()
        (_, coarse), (axes, fine) = MADE[name](False), MADE[name](True)
        known = ~np.isnan(fine)
        apart = float(np.linalg.norm((fine - coarse)[known]) / np.linalg.norm(fine[known]))
        arrays = {f"axis{place}": axis for place, axis in enumerate(axes)}
        TABLES.mkdir(exist_ok=True)
        np.savez_compressed(TABLES / f"{name}.npz", values=fine, difference=apart, **arrays)
        print(f"{name}: two meshes differ by {apart:.1e}, {time.process_time() - began:.0f} s of a core", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
