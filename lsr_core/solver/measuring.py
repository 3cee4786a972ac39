"""An attempt on a problem with unknown numbers or measured values: which way it is solved, and what it found."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.solver.allowance import Allowance
from lsr_core.solver.balance import Balance, MeasuredSpace
from lsr_core.solver.found import Found, found_by
from lsr_core.solver.inverse import InverseState, held, settle, weighed, with_noise
from lsr_core.solver.newton import NewtonResult, newton
from lsr_core.solver.tangent import Tangent

EXACT = 1e-4  # relative residual of all rows, up to which values without a noise are taken for exact,
SMALL = 1e-2  # and noise beside their size, from which that is tried
BEGIN = 1e-2  # of the size of values: the noise from which its search begins; from a large one the prior explains them as noise
DIRECTIONS = 300  # for a prior and its evidence, which take singular values at every step
AFTER = 8  # steps for each other weight of the equation


@dataclass(frozen=True, eq=False)
class Estimate:
    """What steps found.

    Attributes:
        alpha: coefficients (R,).
        found: numbers, and how measured values are met.
        evidence: log density of the measured values given the equation; -inf where it was not asked for.
        steps: that were taken.
        ending: of them.
        noisy: whether measured values are met by their noise, so that what is left of them is no failure.
    """

    alpha: Tensor
    found: Found
    evidence: float
    steps: int
    ending: str
    noisy: bool


def is_inverse(problem: PhysicsProblem) -> bool:
    """Whether numbers are to be found, or values carry their noise."""
    return bool(problem.unknown) or any(block.noise is not None for block in problem.blocks)


def directions_for(problem: PhysicsProblem, most: int) -> int:
    """Directions of the tangent space by default: fewer where a prior is chosen by evidence."""
    return DIRECTIONS if is_inverse(problem) and any(block.measured for block in problem.blocks) else most


def estimate(
    space: Tangent,
    start: Tensor,
    relative: Callable[[Tensor], float],
    *,
    steps: int,
    small: Callable[[Tensor, bool], bool],
    weights: bool,
    allowance: Allowance,
) -> Estimate:
    """Solve for field and numbers together.

    Args:
        start: coefficients of the constant field (R,).
        relative: residual of coefficients beside the terms of the equation.
        steps: at most, to begin with.
        small: as `newton` takes it, for values that are exact.
        weights: whether other weights of the equation are tried.
        allowance: asked before each step.
    """
    whole = MeasuredSpace(space, start)
    if whole.count == 0:
        return _exact(whole, newton(space, start, steps=steps, small=small, allowance=allowance))
    given = any(block.block.noise is not None for block in space.fitted_blocks)
    size = max(whole.losses(start).measured, 1e-300) / whole.count
    state = settle(whole, start, Balance() if given else Balance.of(BEGIN**2 * size), steps=steps, allowance=allowance)
    taken, tried = state.steps, list[InverseState]()
    if not given:
        state = with_noise(whole, state, start=start, steps=steps, allowance=allowance)
        if state.balance.noise < SMALL**2 * size:
            exact = newton(space, state.alpha, steps=steps, small=small, allowance=allowance)
            if relative(exact.alpha) <= EXACT:
                return _exact(whole, exact)
    if weights:
        best, tried = weighed(whole, state, steps=AFTER, allowance=allowance)
        state = best if given else with_noise(whole, best, steps=AFTER, allowance=allowance)
        tried = [state if one is best else one for one in tried]
    ending = "stationary" if state.settled else "time" if allowance.late() else "steps"
    return Estimate(state.alpha, found_by(whole, state, tried), state.evidence, taken, ending, True)


def _exact(whole: MeasuredSpace, result: NewtonResult) -> Estimate:
    """Where nothing is measured, or what is measured is met as it is."""
    found = found_by(whole, held(whole, result.alpha))
    return Estimate(result.alpha, found, -math.inf, result.steps, result.ending, False)
