"""What gradient methods share: value and slope of a loss at flat weights, and the best weights on the present points."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lsr_core.training.objective import Objective


class Descent:
    """The present weights of a gradient method, and the best of those seen since the points were drawn.

    Losses on different points do not compare, so a new draw begins anew with the weights that it finds.

    Args:
        objective: the loss.
        theta: where to begin (m,); by default where the objective is.
        redraw_every: steps between draws of new points, the first before the first step; None = the points stay.
        generator: for the points; one of seed 0 by default.

    Attributes:
        theta: the present weights (m,), which an optimiser moves in place; `theta.grad` is the slope there.
        loss: there.
        best: weights (m,) of the smallest loss on the present points.
    """

    def __init__(
        self, objective: Objective, theta: Tensor | None, redraw_every: int | None, generator: torch.Generator | None
    ) -> None:
        self._objective, self._every = objective, redraw_every
        self._generator = generator if generator is not None else torch.Generator().manual_seed(0)
        self._lowest = math.inf
        self.theta = (objective.theta0 if theta is None else theta).detach().clone().requires_grad_()
        if redraw_every is not None:
            objective.redraw(self.theta.detach(), self._generator)
        self._anew()

    def redraw(self, index: int) -> bool:
        """Whether step `index` (from 0) begins with new points; if so they are drawn."""
        if self._every is None or index == 0 or index % self._every:
            return False
        self._objective.redraw(self.theta.detach(), self._generator)
        self._anew()
        return True

    def evaluate(self) -> Tensor:
        """The loss at the present weights; sets the slope, and remembers the weights if they are the best."""
        self.theta.grad = None
        loss = self._objective.loss(self.theta)
        loss.backward()
        self.loss = float(loss.detach())
        if self.loss < self._lowest:
            self.best, self._lowest = self.theta.detach().clone(), self.loss
        return loss.detach()

    def back(self) -> None:
        """Return to the best weights."""
        with torch.no_grad():
            self.theta.copy_(self.best)
        self.evaluate()

    def _anew(self) -> None:
        self.best, self._lowest = self.theta.detach().clone(), math.inf
        self.evaluate()
