"""Gauss-Newton in a tangent space, stopped by gradient and residual: a step that gains little is no reason to stop, a zero gradient is."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from lsr_core.linalg.damped import damped_step, held_solution
from lsr_core.solver.allowance import FREE, Allowance
from lsr_core.solver.tangent import Tangent

Ending = Literal["small", "stationary", "rounding", "slow", "steps", "time", "not finite"]
HELD = (
    1e-14,
    1e-12,
    1e-10,
)  # penalties on coefficients, relative to column norms; which of them costs least is seen by the true residual
DAMPINGS = (1e-8, 1e-6, 1e-4, 1e-2, 1.0)  # of steps
SHORTER = tuple(0.5**power for power in range(1, 9))
AGREES = 4.0  # times the loss that the linear model promises, up to which nothing shorter is tried
FALLS = 0.1  # of the loss left: likewise
STATIONARY = 0.98  # of the loss that the linear model leaves: no slope is left to follow
SLOW, PATIENCE = 0.7, 3  # of the loss left, so many steps in a row


@dataclass(frozen=True, eq=False)
class NewtonResult:
    """Where the steps ended.

    Attributes:
        alpha: coefficients (R,).
        loss: Σ weight·mean(r²) at the fitted points.
        promised: what the linear model leaves of it there.
        steps: that were taken.
        ending: `small` as asked; `stationary` where no slope is left; `rounding` where no step lowers the residual; `slow` where they gain
            little although the model promises much; `steps` where there were no more; `time` where it was up.
    """

    alpha: Tensor
    loss: float
    promised: float
    steps: int
    ending: Ending


def newton(
    space: Tangent,
    alpha: Tensor,
    *,
    steps: int,
    small: Callable[[Tensor, bool], bool],
    allowance: Allowance = FREE,
) -> NewtonResult:
    """Minimise the true residual of u(θ0) + J V α over α.

    Each step is the minimum of the linear model where the true residual follows it, else the best of damped (Marquardt) and of shorter steps.

    Args:
        alpha: where it starts (R,).
        steps: at most.
        small: whether coefficients are good enough, given whether the last step gained little.
        allowance: asked before each step.

    Reference: J. J. Moré (1978).
    """
    loss = float(space.losses(alpha[:, None])[0])
    slow, least = 0, math.nan
    for taken in range(steps):
        if not allowance.goes_on():
            return NewtonResult(alpha, loss, least, taken, "time")
        factor = space.linearised(alpha)
        if not (math.isfinite(loss) and torch.isfinite(factor).all()):
            return NewtonResult(alpha, loss, least, taken, "not finite")
        found = _best(space, alpha, factor, loss)
        least = found.promised
        if found.alpha is None:
            ending: Ending = "stationary" if least >= STATIONARY * loss else "rounding"
            return NewtonResult(alpha, loss, least, taken, ending)
        left, alpha, loss = found.loss / loss, found.alpha, found.loss
        slow = slow + 1 if left > SLOW else 0
        if loss == 0 or small(alpha, left > FALLS):
            return NewtonResult(alpha, loss, least, taken + 1, "small")
        if slow == PATIENCE:
            return NewtonResult(alpha, loss, least, taken + 1, "stationary" if least >= STATIONARY * loss else "slow")
    return NewtonResult(alpha, loss, least, steps, "steps")


class _Found(NamedTuple):
    """The next coefficients and their loss, if any lowers it, and what the linear model promises."""

    alpha: Tensor | None
    loss: float
    promised: float


def _best(space: Tangent, alpha: Tensor, factor: Tensor, loss: float) -> _Found:
    whole, promises = zip(*(held_solution(factor, alpha, penalty) for penalty in HELD), strict=True)
    trials, least = list(whole), min(promises)
    losses = space.losses(torch.stack(trials, dim=1)).tolist()
    kept = np.where(np.isfinite(losses), losses, np.inf)
    if kept.min() > max(AGREES * least, FALLS * loss):
        damped = [alpha + damped_step(factor, damping)[0] for damping in DAMPINGS]
        damped += [alpha + share * (whole[-1] - alpha) for share in SHORTER]
        more = space.losses(torch.stack(damped, dim=1))
        trials, kept = trials + damped, np.concatenate([kept, np.where(np.isfinite(more), more, np.inf)])
    place = int(np.argmin(kept))
    return _Found(trials[place] if kept[place] < loss else None, float(kept[place]), least)
