"""First-order methods, all step sizes of a sweep side by side as columns of one matrix."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from lsr_core.lab.least_squares import Course
from lsr_core.lab.recorder import Recorder

Update = Callable[[Tensor, int], Tensor]
SECOND_MOMENT = 0.999  # β₂ of Adam


def descend(course: Course, recorder: Recorder, update: Update) -> None:
    """Iterate y ← y + update(gradient, iteration); runs that have left all bounds are set back to zero and rest there."""
    problem = course.problem
    y = problem.start(recorder.width)
    alive = torch.ones(recorder.width, dtype=torch.bool, device=y.device)
    for iteration in range(recorder.iterations + 1):
        recorder.tick(iteration)
        residual = problem.residual(y)
        alive &= ~recorder.lost(iteration, residual.square().sum(0))
        if recorder.due(iteration):
            recorder.record(iteration, y, products=2 * iteration)
            if recorder.finished:
                return
        if iteration == recorder.iterations:
            return
        step = update(problem.gradient(residual), iteration)
        y = torch.where(alive, y + step, torch.zeros_like(y))


def gradient_descent(course: Course, recorder: Recorder, steps: Tensor) -> None:
    """y ← y − step · Aᵀ(e + A y), one step size for each column."""
    descend(course, recorder, lambda gradient, _: -steps.to(gradient) * gradient)


def adam(course: Course, recorder: Recorder, rates: Tensor, momenta: Tensor) -> None:
    """Adam (Kingma & Ba 2015), one constant rate and one β₁ for each column.

    The same arithmetic as `torch.optim.Adam`, which has no way to run many settings on one matrix. ε is as small as the precision allows: the
    usual 1e-8 would stop coordinates with small gradients, which are the ones that matter here.
    """
    epsilon = torch.finfo(rates.dtype).tiny ** 0.5
    mean: list[Tensor] = []

    def update(gradient: Tensor, iteration: int) -> Tensor:
        gradient = torch.nan_to_num(gradient, nan=0.0, posinf=0.0, neginf=0.0)
        if not mean:
            mean.extend([torch.zeros_like(gradient), torch.zeros_like(gradient)])
        mean[0].mul_(momenta).add_(gradient * (1 - momenta))
        mean[1].mul_(SECOND_MOMENT).addcmul_(gradient, gradient, value=1 - SECOND_MOMENT)
        size = (mean[1] / (1 - SECOND_MOMENT ** (iteration + 1))).sqrt_().add_(epsilon)
        return -rates / (1 - momenta ** (iteration + 1)) * mean[0] / size

    descend(course, recorder, update)
