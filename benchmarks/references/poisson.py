"""Linear equations on boxes with holes, steady and in time."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import diags
from scipy.sparse.linalg import cg, splu
from skfem import Basis, BilinearForm, ElementTetP2, ElementTriP2, ElementTriP4, FacetBasis, LinearForm, condense, solve
from skfem.helpers import dot, grad

from benchmarks.references.meshes import Box, Holes, punched

BOLTZMANN: tuple[Box, Holes] = (
    ((-1.0, 1.0), (-1.0, 1.0)),
    (((0.5, 0.5), 0.2), ((0.4, -0.4), 0.4), ((-0.2, -0.7), 0.1), ((-0.6, 0.5), 0.3)),
)
BALLS: tuple[Box, Holes] = (
    ((0.0, 1.0), (0.0, 1.0), (0.0, 1.0)),
    (((0.4, 0.3, 0.6), 0.2), ((0.6, 0.7, 0.6), 0.2), ((0.2, 0.8, 0.7), 0.1), ((0.6, 0.2, 0.3), 0.1)),
)
PIPES: tuple[Box, Holes] = (
    ((-8.0, 8.0), (-12.0, 12.0)),
    (
        *(((x, y), 1.0) for x in (-4.0, 4.0) for y in (-9.0, -3.0, 3.0, 9.0)),
        *(((0.0, y), 1.0) for y in (-6.0, 0.0, 6.0)),
        *(((x, y), 0.4) for x in (-3.2, 3.2) for y in (-6.0, 0.0, 6.0)),
    ),
)
IMPLICIT = 1 - np.sqrt(
    0.5
)  # diagonal of the two implicit stages of second order that forget the start (Alexander 1977)


def boltzmann(size: float) -> tuple[Any, Any]:
    """−Δu + 64 u = 10 (17 + x² + y²) sin πx sin 4πy, u = 0.2 on the square and 1 on the disks: basis and coefficients."""
    basis = Basis(punched(*BOLTZMANN, size), ElementTriP4(), intorder=10)
    left = BilinearForm(lambda u, v, w: dot(grad(u), grad(v)) + 64 * u * v)
    right = LinearForm(
        lambda v, w: 10 * (17 + w.x[0] ** 2 + w.x[1] ** 2) * np.sin(np.pi * w.x[0]) * np.sin(4 * np.pi * w.x[1]) * v
    )
    given = np.where(np.abs(np.abs(basis.doflocs).max(axis=0) - 1) < 1e-9, 0.2, 1.0)
    matrix, rest = left.assemble(basis), right.assemble(basis)
    return basis, solve(*condense(matrix, rest, x=given, D=basis.get_dofs()))


def balls(size: float) -> tuple[Any, Any]:
    """−Δu + k² u = f in a cube without balls, k = 8 below the middle and 10 above, no flux: basis and coefficients."""
    basis = Basis(punched(*BALLS, size, cut=0.5), ElementTetP2(), intorder=5)
    above = basis.mesh.p[:, basis.mesh.t].mean(axis=1)[2] > 0.5
    squares = np.where(above, 100.0, 64.0)[:, None]
    left = BilinearForm(lambda u, v, w: dot(grad(u), grad(v)) + squares * u * v)
    matrix, rest = left.assemble(basis), LinearForm(lambda v, w: _forcing(*w.x) * v).assemble(basis)
    found, failed = cg(matrix, rest, rtol=1e-10, M=diags(1 / matrix.diagonal()), maxiter=5000)
    if failed:
        raise RuntimeError("conjugate gradients have not ended")
    return basis, found


def _forcing(x: Any, y: Any, z: Any) -> Any:
    waves = np.sin(np.pi * x), np.sin(10 * np.pi * y), np.sin(5 * np.pi * z)
    square = x**2 + y**2 + z**2
    return 20 * np.exp(sum(waves)) * (square - 1) / (square + 1) + 100 * waves[0] * waves[1] * waves[2]


def pipes(size: float, times: Any, first: float, each: int) -> tuple[Any, Any]:
    """u_t = Δu on a rectangle without 17 disks, u = 0 at first, ∂u/∂n = g − u: basis and coefficients at rising times (T, n).

    Args:
        size: of an element.
        times: after 0 that are kept; every step divides them.
        first: step at the start, times the smallest power of two that `times` leave.
        each: steps before a step is doubled, up to the distance of the times.
    """
    mesh = punched(*PIPES, size)
    basis = Basis(mesh, ElementTriP2(), intorder=6)
    edge = FacetBasis(mesh, ElementTriP2(), intorder=8)
    stiff = BilinearForm(lambda u, v, w: dot(grad(u), grad(v))).assemble(basis)
    mass = BilinearForm(lambda u, v, w: u * v).assemble(basis)
    robin = BilinearForm(lambda u, v, w: u * v).assemble(edge)
    drive = LinearForm(lambda v, w: _surroundings(*w.x) * v).assemble(edge)
    matrix = (stiff + robin).tocsc()
    value, kept, now = np.zeros(basis.N), [], 0.0
    step, left, factor = first, each, splu((mass + IMPLICIT * first * matrix).tocsc())
    for goal in times:
        while now < goal - 1e-9:
            if left == 0 and _divides(2 * step, now, goal):
                step, left = 2 * step, each
                factor = splu((mass + IMPLICIT * step * matrix).tocsc())
            one = factor.solve(drive - matrix @ value)
            two = factor.solve(drive - matrix @ (value + (1 - IMPLICIT) * step * one))
            value, now, left = value + step * ((1 - IMPLICIT) * one + IMPLICIT * two), now + step, max(left - 1, 0)
        kept.append(value)
    return basis, np.array(kept)


def _divides(step: float, now: float, goal: float) -> bool:
    return abs((goal - now) / step - round((goal - now) / step)) < 1e-6 and goal - now > step * 0.999


def _surroundings(x: Any, y: Any) -> Any:
    found = np.full_like(x, 0.1)
    for (a, b), radius in PIPES[1]:
        near = np.hypot(x - a, y - b) < radius * 1.05
        found = np.where(near, 5.0 if radius == 1.0 else 1.0, found)
    return found
