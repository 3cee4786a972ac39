"""Adam on flat weights (Kingma & Ba 2015)."""

from __future__ import annotations

import torch
from torch import Tensor

from lsr_core.training.descent import Descent
from lsr_core.training.objective import Objective
from lsr_core.training.records import Journal, OnStep, Training

NAME = "Adam"


def adam(
    objective: Objective,
    theta: Tensor | None = None,
    *,
    steps: int = 1000,
    seconds: float | None = None,
    lr: float = 1e-3,
    redraw_every: int | None = None,
    generator: torch.Generator | None = None,
    on_step: OnStep | None = None,
) -> Training:
    """Follow the gradient with steps of about the same length in every weight.

    Args:
        objective: the loss.
        theta: where to begin (m,); by default where the objective is.
        steps: at most.
        seconds: deadline, looked at between steps.
        lr: length of a step.
        redraw_every: steps between draws of new points, the first before the first step; None = the points stay.
        generator: for the points.
        on_step: told about every step.

    Returns:
        The weights with the smallest loss on the last points.

    Raises:
        InputError: a loss that is not finite at the start.
    """
    state = Descent(objective, theta, redraw_every, generator)
    journal = Journal(on_step, seconds, state.loss)
    optimiser = torch.optim.Adam([state.theta], lr=lr)
    for index in range(steps):
        if journal.late:
            return journal.end(state.best, "deadline", NAME)
        redrawn = state.redraw(index)
        optimiser.step()
        state.evaluate()
        journal.add(state.loss, redrawn=redrawn)
        if journal.lost(state.loss):
            return journal.end(state.best, "diverged", NAME)
    return journal.end(state.best, "steps", NAME)
