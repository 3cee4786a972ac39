"""How long plain gradient descent would need for what one solve does: whether slow training is a matter of conditioning or of patience."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.report import unscaled

TWICE = 2.0  # times the residual of the solve: near enough
HUNDREDTH = 0.01  # of the network's residual: far enough down
MOST = 1e18  # steps


def gradient_steps(refinement: Refinement, rank: int) -> float | None:
    """Steps at the rate 1/σ₁² on the linearised problem ‖f + G V c‖² in a subspace, counted from its singular values.

    They end at twice the residual of the solve at that rank, or at a hundredth of the network's, whichever comes first. A loss falls along
    singular direction i by (1 − σᵢ²/σ₁²)² a step (Nocedal & Wright 2006, § 3.3), so that the count takes no iteration. None without a
    direction, and where so many steps reach neither, as rounding keeps the solve from what the singular values promise.
    """
    solver = refinement.solutions.solver
    rank = min(rank, len(solver.triangle))
    if rank == 0:
        return None
    left, values, _ = torch.linalg.svd(unscaled(solver, refinement.subspace)[:rank, :rank])
    parts = (left.T @ solver.rhs[:rank]).square()
    base = solver.base_norm**2
    rest = max(0.0, base - float(parts.sum()))
    if not float(values[0]) > 0 or not base > 0:
        return None
    goal = max(TWICE**2 * refinement.sweep.residual_norm[rank] ** 2, HUNDREDTH**2 * base)
    return _count(1 - (values / values[0]).square(), parts, rest, goal)


def _count(factors: Tensor, parts: Tensor, rest: float, goal: float) -> float | None:
    """The smallest k with Σ factorᵢ^2k partᵢ + rest ≤ goal, to a thousandth, by bisection in its logarithm."""

    def left_after(steps: float) -> float:
        return float((torch.exp(2 * steps * torch.log(factors.clamp_min(1e-300))) * parts).sum()) + rest

    if left_after(1.0) <= goal:
        return 1.0
    if left_after(MOST) > goal:
        return None
    low, high = 0.0, math.log(MOST)
    while high - low > 1e-3:
        middle = (low + high) / 2
        low, high = (low, middle) if left_after(math.exp(middle)) <= goal else (middle, high)
    return math.exp(high)
