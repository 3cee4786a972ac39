"""Levenberg-Marquardt on all weights: damped Gauss-Newton steps by Cholesky of the normal equations (Levenberg 1944; Marquardt 1963).

The damping follows the ratio of true to predicted decrease (Nielsen 1999).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lsr_core.problems.residual import NormalEquations
from lsr_core.training.objective import LeastSquares
from lsr_core.training.records import Journal, OnStep, Training

REDRAW_EVERY = 12
TRIES = 12  # dampings in a row that may fail
SMALLEST = 1e-15  # damping, relative to the largest entry of the diagonal


def levenberg_marquardt(
    objective: LeastSquares,
    theta: Tensor | None = None,
    *,
    steps: int = 60,
    seconds: float | None = None,
    redraw_every: int | None = REDRAW_EVERY,
    damping: float = 1e-3,
    generator: torch.Generator | None = None,
    on_step: OnStep | None = None,
) -> Training:
    """Minimise ‖f(θ)‖² by steps −(GᵀG + λ I)⁻¹ Gᵀf.

    Args:
        objective: rows and their normal equations.
        theta: where to begin; by default where the objective is.
        steps: at most.
        seconds: deadline, looked at between steps.
        redraw_every: steps between draws of new points, the first before the first step; None = the points stay.
        damping: λ at the start, relative to the mean of the diagonal of GᵀG.
        generator: for the points; needed where they are redrawn.
        on_step: told about every step.

    Raises:
        InputError: a loss that is not finite at the start.
    """
    at = (objective.theta0 if theta is None else theta).detach().clone()
    draw = generator if generator is not None else torch.Generator().manual_seed(0)
    if redraw_every is not None:
        objective.redraw(at, draw)
    journal = Journal(on_step, seconds, _loss(objective, at))
    level, moved = _Damping(damping), True
    for index in range(steps):
        if journal.late:
            return journal.end(at, "deadline", NAME)
        redrawn = redraw_every is not None and index > 0 and (index % redraw_every == 0 or not moved)
        if redrawn:
            objective.redraw(at, draw)
        system = objective.normal_equations(at)
        if journal.lost(system.loss):
            return journal.end(at, "diverged", NAME)
        scale = float(system.matrix.diagonal().mean())
        if scale == 0 or float(system.gradient.norm()) <= 1e-15 * math.sqrt(scale * system.loss):
            return journal.end(at, "converged", NAME)
        found = level.step(objective, system, at, scale)
        moved = found is not None
        at, loss = found or (at, system.loss)
        journal.add(loss, accepted=moved, damping=level.value, redrawn=redrawn)
        if not moved and redraw_every is None:
            return journal.end(at, "stalled", NAME)
        if not moved:
            level = _Damping(damping)
    return journal.end(at, "steps", NAME)


NAME = "Levenberg-Marquardt"


class _Damping:
    """λ relative to the mean of the diagonal, lowered after good steps and raised ever faster while steps fail."""

    def __init__(self, value: float) -> None:
        self.value, self._growth = value, 2.0

    def step(
        self, objective: LeastSquares, system: NormalEquations, at: Tensor, scale: float
    ) -> tuple[Tensor, float] | None:
        """Lower weights and their loss; None where no damping that is tried lowers it."""
        for _ in range(TRIES):
            step = _step(system, self.value * scale)
            if step is not None:
                loss = _loss(objective, at + step)
                predicted = -float(step @ (2 * system.gradient + system.matrix @ step))
                if math.isfinite(loss) and loss < system.loss and predicted > 0:
                    ratio = (system.loss - loss) / predicted
                    self.value = max(SMALLEST, self.value * max(1 / 5, 1 - (2 * ratio - 1) ** 3))
                    self._growth = 2.0
                    return at + step, loss
            self.value, self._growth = max(self.value, SMALLEST) * self._growth, self._growth * 2
        return None


def _loss(objective: LeastSquares, theta: Tensor) -> float:
    with torch.no_grad():
        return float(objective.loss(theta))


def _step(system: NormalEquations, damping: float) -> Tensor | None:
    """None where the damped matrix is not positive definite to rounding."""
    matrix = system.matrix.clone()
    matrix.diagonal().add_(damping)
    factor, info = torch.linalg.cholesky_ex(matrix)
    if int(info) != 0:
        return None
    return -torch.cholesky_solve(system.gradient[:, None], factor)[:, 0]
