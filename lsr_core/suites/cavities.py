"""The flow in a square whose lid is drawn along, by Chebyshev collocation of the stream function."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lsr_core.problems.splits import Split

Floats = NDArray[np.float64]
STEPS, SMALL = 30, 1e-11


def cavity(nodes: int = 36, reynolds: float = 100.0, points: int = 61) -> Split:
    """ψ of the steady flow in the unit square whose lid at y = 1 moves with velocity 1, on an even grid.

    Newton's method on u·∇ω = Δω/Re with u = ψ_y, v = −ψ_x, ω = −Δψ. The lid's velocity jumps at both upper corners, which
    is what limits it: with 28 nodes the relative difference is 1e-4, with 20 it is 7e-4.

    Args:
        nodes: of the polynomials, in each direction.
        points: of the grid, in each direction.
    """
    x, d = chebyshev(nodes)
    eye = np.eye(nodes + 1)
    psi = _stream(np.kron(d, eye), np.kron(eye, d), np.kron(np.ones(nodes + 1), x), reynolds, nodes + 1)
    axis = np.linspace(0, 1, points)
    to = barycentric(x, axis)
    values = np.einsum("ai,bj,ij->ab", to, to, psi.reshape(nodes + 1, nodes + 1))
    grid = np.stack([part.ravel() for part in np.meshgrid(axis, axis, indexing="ij")], axis=1)
    return Split(torch.from_numpy(grid), torch.from_numpy(values.reshape(-1, 1)))


def _stream(dx: Floats, dy: Floats, at_y: Floats, reynolds: float, count: int) -> Floats:
    """ψ at all nodes."""
    lap = dx @ dx + dy @ dy
    fourth, lap_x, lap_y = lap @ lap, lap @ dx, lap @ dy
    i, j = np.divmod(np.arange(count**2), count)
    last = count - 1
    wall = (i == 0) | (i == last) | (j == 0) | (j == last)
    beside_x = ~wall & ((i == 1) | (i == last - 1))
    beside_y = ~wall & ~beside_x & ((j == 1) | (j == last - 1))
    psi = np.zeros(count**2)
    # next to a wall the row asks for the derivative across it, at the wall
    at_wall_x = np.where(i == 1, 0, last) * count + j
    at_wall_y = i * count + np.where(j == 1, 0, last)
    for _ in range(STEPS):
        rest = reynolds * ((dy @ psi) * (lap_x @ psi) - (dx @ psi) * (lap_y @ psi)) - fourth @ psi
        slope = reynolds * ((lap_x @ psi)[:, None] * dy + (dy @ psi)[:, None] * lap_x)
        slope -= reynolds * ((lap_y @ psi)[:, None] * dx + (dx @ psi)[:, None] * lap_y) + fourth
        slope[wall], rest[wall] = np.eye(count**2)[wall], psi[wall]
        slope[beside_x] = dx[at_wall_x[beside_x]]
        slope[beside_y] = dy[at_wall_y[beside_y]]
        rest[beside_x] = slope[beside_x] @ psi
        rest[beside_y] = slope[beside_y] @ psi - (at_y > 1 - 1e-9)[at_wall_y[beside_y]]
        step = np.linalg.solve(slope, -rest)
        psi = psi + step
        if np.abs(step).max() < SMALL:
            break
    return psi


def chebyshev(count: int) -> tuple[Any, Any]:
    """Nodes on [0, 1], rising, and the matrix of the derivative (Trefethen 2000)."""
    k = np.arange(count + 1)
    x = -np.cos(np.pi * k / count)
    c = np.where((k == 0) | (k == count), 2.0, 1.0) * (-1.0) ** k
    gaps = x[:, None] - x[None, :] + np.eye(count + 1)
    d = np.outer(c, 1 / c) / gaps
    d -= np.diag(d.sum(axis=1))
    return (x + 1) / 2, 2 * d


def barycentric(x: Floats, at: Floats) -> Floats:
    """Values at `at` of the polynomial through values at Chebyshev nodes (Berrut & Trefethen 2004)."""
    weights = (-1.0) ** np.arange(len(x))
    weights[[0, -1]] /= 2
    gaps = at[:, None] - x[None, :]
    exact = np.abs(gaps) < 1e-14
    parts = weights / np.where(exact, 1.0, gaps)
    found = parts / parts.sum(axis=1, keepdims=True)
    hit = exact.any(axis=1)
    found[hit] = exact[hit]
    return found
