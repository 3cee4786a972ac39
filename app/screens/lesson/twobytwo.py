"""Four small fits, ill-conditioned or not, convex or not, and what helps each: other coordinates, other starts, or both. Knows no streamlit.

The model is Σⱼ aⱼ sin(ωⱼ x) + bⱼ cos(ωⱼ x) with two frequencies. With the frequencies known only a and b are free and the problem is convex;
with the frequencies free as well it has many valleys. Frequencies far apart make it well conditioned, frequencies close together do not.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
POINTS, STEPS, STARTS, SEED = 100, 1000, 20, 1
FAR, CLOSE = np.array([1.0, 3.0]), np.array([2.0, 2.02])
RANGE = (0.5, 6.0)  # of frequencies to start from
ARRIVED = 1e-6  # of the loss at zero: three digits of the curve
ENOUGH = 1e-14  # of it, where a run may end
CELLS = {
    "plain": (False, False),
    "ill": (True, False),
    "valleys": (False, True),
    "both": (True, True),
}  # (ill-conditioned, not convex)
_X: Floats = np.linspace(0, 2 * np.pi, POINTS)


@dataclass(frozen=True)
class Cell:
    """What became of one fit.

    Attributes:
        losses: best loss so far by step (STEPS + 1,), over the loss of a curve that is zero, by (whitened, of many starts).
        condition_number: of the linear problem, at the true frequencies.
    """

    losses: dict[tuple[bool, bool], Floats]
    condition_number: float
    seconds: float

    def arrives(self, whitened: bool, many: bool) -> bool:
        return bool(self.losses[whitened, many][-1] <= ARRIVED)


@dataclass(frozen=True)
class _Fit:
    """A fit to be made: frequencies that are true, values, and whether the frequencies are free."""

    true: Floats
    values: Floats
    free: bool

    def residual(self, theta: Floats) -> Floats:
        return _columns(theta[4:]) @ theta[:4] - self.values

    def jacobian(self, theta: Floats) -> Floats:
        parts = [_columns(theta[4:])]
        if self.free:
            a, b, omega = theta[0:4:2], theta[1:4:2], theta[4:]
            angles = np.outer(_X, omega)
            parts.append(_X[:, None] * (a * np.cos(angles) - b * np.sin(angles)) / np.sqrt(POINTS))
        return np.concatenate(parts, axis=1)

    def moved(self, theta: Floats, step: Floats) -> Floats:
        return theta + (step if self.free else np.concatenate([step, np.zeros(2)]))


def run(name: str) -> Cell:
    """Gradient steps at the rate 1/σ₁², from one start and from many, as the problem stands and in coordinates with κ = 1 (made anew at each
    step where the problem is not linear, with the damping of Levenberg and Marquardt)."""
    started = time.perf_counter()
    ill, valleys = CELLS[name]
    true = CLOSE if ill else FAR
    amplitudes = np.array([1.0, 0.5, -1.0, -0.5])
    fit = _Fit(true, _columns(true) @ amplitudes, valleys)
    size = float(fit.values @ fit.values)
    starts = _starts(fit)
    losses = {}
    for whitened in (False, True):
        curves = np.array([_descend(fit, theta, whitened, size) for theta in starts])
        losses[whitened, False] = curves[0]
        losses[whitened, True] = curves.min(axis=0)
    return Cell(losses, float(np.linalg.cond(_columns(true))), time.perf_counter() - started)


def _columns(omega: Floats) -> Floats:
    angles = np.outer(_X, omega)
    return np.stack([np.sin(angles), np.cos(angles)], axis=2).reshape(POINTS, -1) / np.sqrt(POINTS)


def _starts(fit: _Fit) -> list[Floats]:
    generator = np.random.default_rng(SEED)
    found = []
    for _ in range(STARTS):
        omega = generator.uniform(*RANGE, 2) if fit.free else fit.true
        found.append(np.concatenate([0.1 * generator.normal(size=4), omega]))
    return found


def _descend(fit: _Fit, theta: Floats, whitened: bool, size: float) -> Floats:
    """Smallest loss so far after each step."""
    losses, damping = np.full(STEPS + 1, np.inf), 1e-3
    residual = fit.residual(theta)
    losses[0] = residual @ residual / size
    for step in range(1, STEPS + 1):
        if losses[step - 1] <= ENOUGH:
            losses[step:] = losses[step - 1]
            break
        jacobian = fit.jacobian(theta)
        if whitened:
            theta, damping = _whitened(fit, theta, jacobian, residual, damping)
        else:
            theta = fit.moved(theta, -(jacobian.T @ residual) / np.linalg.norm(jacobian, 2) ** 2)
        residual = fit.residual(theta)
        losses[step] = min(losses[step - 1], residual @ residual / size)
    return losses


def _whitened(fit: _Fit, theta: Floats, jacobian: Floats, residual: Floats, damping: float) -> tuple[Floats, float]:
    """A gradient step in the coordinates in which the damped Jacobian has κ = 1; one that raises the loss is not taken."""
    left, sigma, right = np.linalg.svd(jacobian, full_matrices=False)
    while damping < 1e6:
        there = fit.moved(theta, -right.T @ (sigma / (sigma**2 + (damping * sigma[0]) ** 2) * (left.T @ residual)))
        after = fit.residual(there)
        if after @ after <= residual @ residual:
            return there, max(damping / 3, 1e-12)
        damping *= 4
    return theta, damping
