"""L-BFGS as torch has it, with the stopping rules taken out that would end it early on an ill-conditioned problem."""

from __future__ import annotations

import torch
from torch import Tensor

from lsr_core.lab.least_squares import Course
from lsr_core.lab.recorder import Recorder


def lbfgs(course: Course, recorder: Recorder, history: int) -> None:
    """L-BFGS with strong Wolfe line search (Liu & Nocedal 1989; Nocedal & Wright 2006, Algorithm 3.5), from recorded iteration to recorded iteration.

    Torch's default tolerances (1e-7 on the gradient, 1e-9 on the step) would stop it where the loss has hardly moved, so they are zero.
    """
    problem = course.problem
    y = problem.errors.new_zeros(problem.n_columns).requires_grad_()
    optimiser = torch.optim.LBFGS(
        [y], history_size=history, tolerance_grad=0.0, tolerance_change=0.0, line_search_fn="strong_wolfe"
    )
    products = iteration = 0

    def closure() -> Tensor:
        nonlocal products
        recorder.tick(iteration)
        with torch.no_grad():
            residual = problem.residual(y[:, None])
            y.grad = 2 * problem.gradient(residual)[:, 0]
        products += 2
        return residual.square().sum()

    group, state = optimiser.param_groups[0], optimiser.state[y]
    recorder.record(0, y.detach()[:, None], 0)
    while iteration < recorder.iterations and not recorder.finished:
        target = recorder.next_mark(iteration)
        group["max_iter"], group["max_eval"] = target - iteration, 100 * (target - iteration)
        before = state.get("n_iter", 0)
        loss = optimiser.step(closure)
        done = state["n_iter"] - before
        iteration += done
        at = y.detach()[:, None]
        if bool(recorder.lost(iteration, torch.as_tensor(float(loss)).reshape(1))[0]):
            return
        ended = done < target - (iteration - done)
        recorder.record(iteration, at, products)
        if ended:  # no descent is left that this precision can see
            return
