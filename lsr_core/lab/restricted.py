"""Nonlinear training that may move only inside a subspace: θ = θ0 + V y, the true loss as a function of y."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from lsr_core.lab.recorder import LIMIT
from lsr_core.problems.data_residual import DataResidual
from lsr_core.refinement.setting import Setting
from lsr_core.refinement.subspace import Subspace

CHUNK = 8192
HISTORY = 100  # of L-BFGS
EVALUATIONS = 3  # an iteration of L-BFGS may take on average
OnFraction = Callable[[float], None]


@dataclass(frozen=True, eq=False)
class RestrictedLoss:
    """Mean square error on the training rows of the network at θ0 + V T y, relative to that at θ0.

    Attributes:
        setting: of supervised data.
        subspace: V.
        coordinates: T (r, r), or None for y along the directions themselves.
        base: loss at y = 0.
    """

    setting: Setting
    subspace: Subspace
    coordinates: Tensor | None
    base: float

    def theta(self, y: Tensor) -> Tensor:
        """θ0 + V T y, (m,)."""
        return self.setting.function.theta0 + self.subspace.delta(
            y if self.coordinates is None else self.coordinates @ y
        )

    def __call__(self, y: Tensor) -> tuple[float, Tensor]:
        """Loss and its gradient (r,); rows pass in chunks, so memory does not grow with them."""
        chunk = CHUNK if self.setting.sample_wise else None
        y = y.detach().requires_grad_()
        with torch.enable_grad():
            moved = self.theta(y)
            loss, slope = DataResidual(self.setting.function, self.setting.train, chunk=chunk).loss_and_gradient(moved)
            (gradient,) = torch.autograd.grad(moved, y, slope / self.base)
        return loss / self.base, gradient


@dataclass(frozen=True, eq=False)
class Restricted:
    """The best point of one optimisation.

    Attributes:
        y: coordinates.
        loss: there, relative to the base.
        iterations: done.
        diverged_at: iteration at which the loss had left all bounds; None if never.
    """

    y: Tensor
    loss: float
    iterations: int
    diverged_at: int | None


class _Best:
    """Remembers the lowest loss seen, the last one, and when all bounds were left."""

    def __init__(self, start: Tensor) -> None:
        self.y, self.loss, self.last = start.clone(), 1.0, 1.0
        self.diverged_at: int | None = None

    def see(self, y: Tensor, loss: float, iteration: int) -> None:
        self.last = loss
        if not loss <= LIMIT:
            self.diverged_at = iteration if self.diverged_at is None else self.diverged_at
        elif loss < self.loss:
            self.y, self.loss = y.detach().clone(), loss


def lbfgs(objective: RestrictedLoss, size: int, iterations: int, on_fraction: OnFraction) -> Restricted:
    """L-BFGS with strong Wolfe line search, no early stopping."""
    y = torch.zeros(size).to(objective.setting.function.theta0).requires_grad_()
    best = _Best(y.detach())
    evaluations = 0
    optimiser = torch.optim.LBFGS(
        [y],
        max_iter=iterations,
        max_eval=EVALUATIONS * iterations,
        history_size=HISTORY,
        tolerance_grad=0.0,
        tolerance_change=0.0,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        nonlocal evaluations
        loss, y.grad = objective(y)
        best.see(y, loss, evaluations)
        evaluations += 1
        on_fraction(min(1.0, evaluations / (1.3 * iterations)))
        return torch.tensor(loss, dtype=torch.float64)

    optimiser.step(closure)
    lost = not best.last <= LIMIT  # a line search may step too far on the way and come back
    return Restricted(best.y, best.loss, int(optimiser.state[y]["n_iter"]), best.diverged_at if lost else None)


def adam(objective: RestrictedLoss, size: int, iterations: int, rate: float, on_fraction: OnFraction) -> Restricted:
    """Adam as torch has it, at a constant rate."""
    y = torch.zeros(size).to(objective.setting.function.theta0).requires_grad_()
    best = _Best(y.detach())
    optimiser = torch.optim.Adam([y], lr=rate)
    for iteration in range(iterations + 1):
        loss, gradient = objective(y)
        best.see(y, loss, iteration)
        on_fraction(iteration / iterations)
        if best.diverged_at is not None or iteration == iterations:
            return Restricted(best.y, best.loss, iteration, best.diverged_at)
        y.grad = gradient
        optimiser.step()
    raise AssertionError("the loop returns")
