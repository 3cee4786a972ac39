"""Flows by Taylor-Hood triangles of fourth and third degree, whose sides shrink towards corners, and Newton's method."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import bmat
from scipy.sparse.linalg import splu
from skfem import Basis, BilinearForm, ElementTriP3, ElementTriP4, ElementVector, LinearForm
from skfem.helpers import ddot, div, grad

NU, STEPS, SMALL = 0.01, 12, 1e-10
Given = Callable[
    [Any], tuple[Any, Any]
]  # places (2, n) at the edge to whether each component is given there (2, n), and its value (2, n)


def towards(low: float, high: float, count: int, *, at_low: bool, at_high: bool, ratio: float = 2.0) -> Any:
    """Nodes of an axis whose gaps shrink by a ratio, at most eight times, towards one end or both."""
    rising = np.concatenate([[0.0], np.cumsum(ratio ** np.minimum(np.arange(count), 8))])
    unit = rising / rising[-1]
    if at_low and at_high:
        unit = np.concatenate([unit / 2, 1 - unit[-2::-1] / 2])
    elif at_high:
        unit = 1 - unit[::-1]
    return low + (high - low) * unit


class Flow:
    """Velocity and pressure on a mesh.

    Attributes:
        u: basis of the velocity.
        p: basis of the pressure.
        fixed: unknowns that are given, of both together.
        free: the others.
        given: the conditions.
    """

    def __init__(self, mesh: Any, given: Given, *, level: bool) -> None:
        """`level`: whether one value of the pressure is given, where no condition does it."""
        self.u = Basis(mesh, ElementVector(ElementTriP4()), intorder=11)
        self.p = self.u.with_element(ElementTriP3())
        edge = np.asarray(self.u.get_dofs().all())
        second = np.zeros(self.u.N, dtype=int)
        second[self.u.split_indices()[1]] = 1
        self._edge, self._part, self.given, self._level = edge, second[edge], given, level
        fixed, _ = self.values()
        self.fixed = fixed
        self.free = np.setdiff1d(np.arange(self.u.N + self.p.N), fixed)

    def values(self) -> tuple[Any, Any]:
        """Unknowns that are given, and their values."""
        mask, values = self.given(self.u.doflocs[:, self._edge])
        rows = np.arange(len(self._edge))
        kept = mask[self._part, rows]
        fixed, found = self._edge[kept], values[self._part, rows][kept]
        return (np.append(fixed, self.u.N), np.append(found, 0.0)) if self._level else (fixed, found)

    def steady(self) -> Any:
        """Coefficients of both, by Newton's method from the flow without inertia.

        Raises:
            RuntimeError: the steps do not end.
        """
        whole = np.zeros(self.u.N + self.p.N)
        fixed, values = self.values()
        for step in range(STEPS):
            matrix, rest = self._system(whole if step else None)
            goal = whole.copy()
            goal[fixed] = values
            change = np.zeros_like(whole)
            change[fixed] = goal[fixed] - whole[fixed]
            right = -(rest + matrix @ change)
            change[self.free] = splu(matrix[self.free][:, self.free].tocsc()).solve(right[self.free])
            whole = whole + change
            if step and np.abs(change).max() < SMALL * max(np.abs(whole).max(), 1.0):
                return whole
        raise RuntimeError("Newton's method has not ended")

    def _system(self, whole: Any) -> tuple[Any, Any]:
        """Matrix of the linear model and the residual; without inertia if nothing is given."""
        divergence = _divergence.assemble(self.u, self.p)
        stiff = _stiff.assemble(self.u)
        size = self.u.N + self.p.N
        linear = bmat([[stiff, -divergence.T], [-divergence, None]], format="csr")
        if whole is None:
            return linear, np.zeros(size)
        seen = self.u.interpolate(whole[: self.u.N])
        turning = bmat([[_convected.assemble(self.u, w=seen), None], [None, 0 * _mass.assemble(self.p)]], format="csr")
        inertia = np.concatenate([_convection.assemble(self.u, w=seen), np.zeros(self.p.N)])
        return linear + turning, linear @ whole + inertia


@BilinearForm
def _stiff(u: Any, v: Any, w: Any) -> Any:
    return NU * ddot(grad(u), grad(v))


@BilinearForm
def _divergence(u: Any, q: Any, w: Any) -> Any:
    return div(u) * q


@BilinearForm
def _mass(p: Any, q: Any, w: Any) -> Any:
    return p * q


@BilinearForm
def _convected(u: Any, v: Any, w: Any) -> Any:
    flow, slope = w["w"], w["w"].grad
    return np.einsum("ij...,j...,i...", grad(u), flow, v) + np.einsum("ij...,j...,i...", slope, u, v)


@LinearForm
def _convection(v: Any, w: Any) -> Any:
    return np.einsum("ij...,j...,i...", w["w"].grad, w["w"], v)
