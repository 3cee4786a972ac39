"""L-BFGS with a strong Wolfe line search on flat weights (Liu & Nocedal 1989), by torch's own."""

from __future__ import annotations

import torch
from torch import Tensor

from lsr_core.training.descent import Descent
from lsr_core.training.objective import Objective
from lsr_core.training.records import Journal, OnStep, Training

NAME = "L-BFGS"
SEARCHES = 25  # losses in one line search; by default torch allows as many as there are steps, here one
FLAT = 1e-15  # slope, relative to that at the start, at which nothing is left to gain


def lbfgs(
    objective: Objective,
    theta: Tensor | None = None,
    *,
    steps: int = 300,
    seconds: float | None = None,
    history: int = 100,
    redraw_every: int | None = None,
    generator: torch.Generator | None = None,
    on_step: OnStep | None = None,
) -> Training:
    """Minimise by a model of the curvature from the last steps.

    Args:
        objective: the loss.
        theta: where to begin (m,); by default where the objective is.
        steps: line searches, at most.
        seconds: deadline, looked at between steps.
        history: steps that the model is made of; new points begin it anew.
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
    steepest = _slope(state)
    search = _Search(state, history)
    for index in range(steps):
        if journal.late:
            return journal.end(state.best, "deadline", NAME)
        redrawn = state.redraw(index)
        if redrawn:
            search = _Search(state, history)
        before = state.loss
        if _slope(state) <= FLAT * steepest:
            return journal.end(state.best, "converged", NAME)
        search.step()
        if not state.loss < before and not search.young:  # an old model may mislead; the gradient alone does not
            state.back()
            search = _Search(state, history)
            search.step()
        found, moved = state.loss, state.loss < before
        if not moved:
            state.back()
        journal.add(found, accepted=moved, redrawn=redrawn)
        if journal.lost(found):
            return journal.end(state.best, "diverged", NAME)
        if not moved and redraw_every is None:
            return journal.end(state.best, "stalled", NAME)
    return journal.end(state.best, "steps", NAME)


class _Search:
    """torch's L-BFGS one line search at a time, without evaluating again where a search has just been."""

    def __init__(self, state: Descent, history: int) -> None:
        self._state, self._steps = state, 0
        self._seen: list[tuple[Tensor, Tensor, Tensor]] = []
        self._optimiser = torch.optim.LBFGS(
            [state.theta],
            lr=1.0,
            max_iter=1,
            max_eval=SEARCHES,
            history_size=history,
            tolerance_grad=0.0,
            tolerance_change=0.0,
            line_search_fn="strong_wolfe",
        )

    @property
    def young(self) -> bool:
        """Whether it has made one step only, which goes along the gradient."""
        return self._steps == 1

    def step(self) -> None:
        """One line search; the state's weights, loss and slope are those at its end."""
        self._steps += 1
        self._optimiser.step(self._closure)
        self._closure()
        self._seen = self._seen[-1:]

    def _closure(self) -> Tensor:
        state = self._state
        for place, loss, slope in self._seen:
            if torch.equal(place, state.theta.detach()):
                state.loss, state.theta.grad = float(loss), slope.clone()
                return loss
        loss = state.evaluate()
        assert state.theta.grad is not None
        self._seen.append((state.theta.detach().clone(), loss, state.theta.grad.clone()))
        return loss


def _slope(state: Descent) -> float:
    assert state.theta.grad is not None
    return float(state.theta.grad.norm())
