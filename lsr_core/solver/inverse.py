"""Fields and numbers of an equation from values that were measured with an error: Gauss-Newton on all unknowns together.

The measured rows count by their noise, the equation and its conditions far more, and the coefficients of the field have a Gaussian prior about
the constant field, so that an unknown field is as smooth as the data allow; unknown numbers have none. The strength of the prior is where the
measured values are most probable given that the equation holds: the evidence of all rows less that of the equation's own (MacKay 1992).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lsr_core.linalg.joint import JointModel
from lsr_core.problems.physics.blocks import MEASURED
from lsr_core.solver.allowance import FREE, Allowance
from lsr_core.solver.balance import Balance, Losses, MeasuredSpace, Triangles

FIRST = 1.0  # strength of the prior in units of the noise, from which steps begin
CLEARER = 0.3  # of log evidence: by how much another strength must be better than the present one
CHANGE = 10.0  # by which the strength may change in one step
SHARES = tuple(0.5**power for power in range(12))
SETTLED = 1e-4  # of what is minimised, or of one measured value: a step that gains less is the last
WEIGHTS = (1e-2, 1e2, 1e4)  # of the equation over the problem's own, that are tried beside it
UNSTRAINED, STRAINED = (
    1.0,
    3.0,
)  # measured values that the equation's residual counts as, and times the least of all weights: up to which it holds
FLUCTUATION = (
    0.1  # of that of the misfit by chance, √(2 n): up to which the equation's residual does not count beside it
)
AGREES = 0.05  # of the noise: two estimates that do not differ by more
ROUNDS = 5  # of estimating the noise
WEAK = 1e-10  # of the largest singular value: the prior where it is only to keep rounding out


@dataclass(frozen=True, eq=False)
class InverseState:
    """Where steps ended.

    Attributes:
        alpha: coefficients (R,).
        strength: λ of the prior.
        balance: of the rows.
        triangles: at α.
        losses: at fitted points, and `fresh` at fresh ones.
        evidence: log density of the measured values given the equation, but for a constant.
        steps: that were taken.
        settled: whether no step gains anything.
    """

    alpha: Tensor
    strength: float
    balance: Balance
    triangles: Triangles
    losses: Losses
    fresh: Losses
    evidence: float
    steps: int
    settled: bool

    @property
    def strain(self) -> float:
        """What is left of the equation at fresh points, in units of the noise: small where neither the data bend it nor the network falls short."""
        return self.balance.weight * self.fresh.others / self.balance.noise


def settle(
    space: MeasuredSpace,
    alpha: Tensor,
    balance: Balance,
    *,
    steps: int,
    strength: float = FIRST,
    allowance: Allowance = FREE,
) -> InverseState:
    """Steps from α to the most probable coefficients; the strength of the prior follows as they go."""
    triangles, losses = space.triangles(alpha), space.losses(alpha)
    evidence, taken, settled = -math.inf, 0, False
    while taken < steps and not settled and allowance.goes_on():
        joint = space.model(triangles.joint(balance), alpha)
        previous = strength
        strength, evidence = _strength(space, alpha, triangles, balance, joint, strength)
        before = losses.of(balance) + space.penalty(alpha, strength)
        move = joint.solution(strength) + space.centre - alpha
        for share in SHARES:
            there = alpha + share * move
            found = space.losses(there)
            after = found.of(balance) + space.penalty(there, strength)
            if math.isfinite(after) and after < before:
                break
        else:
            there, found, after = alpha, losses, before
        settled = strength == previous and before - after < SETTLED * max(before, 1.0)
        taken += 1
        if after < before:
            alpha, losses, triangles = there, found, space.triangles(there)
    return InverseState(
        alpha, strength, balance, triangles, losses, space.losses(alpha, fresh=True), evidence, taken, settled
    )  # fmt: skip


def _strength(
    space: MeasuredSpace, alpha: Tensor, triangles: Triangles, balance: Balance, joint: JointModel, present: float
) -> tuple[float, float]:
    """The best strength within reach of the present one, and the evidence there; none that would bend the equation."""
    grid = joint.grid()
    grid = torch.cat([grid[(grid > present / CHANGE) & (grid < present * CHANGE)], grid.new_tensor([present])])
    others = triangles.own(balance)[1]
    found = joint.log_evidence(grid) - space.model(others, alpha).log_evidence(grid)
    strains = torch.stack([_left(others, joint.solution(float(one)) + space.centre - alpha) for one in grid])
    holds = strains <= max(UNSTRAINED, FLUCTUATION * math.sqrt(2 * space.count))
    if not bool(holds.any()):
        best = int(strains.argmin())
        return float(grid[best]), float(found[best])
    found = torch.where(holds, found, -torch.inf)
    best = int(found.argmax())
    if float(found[best] - found[-1]) < CLEARER:
        best = len(grid) - 1
    return float(grid[best]), float(found[best])


def _left(factor: Tensor, move: Tensor) -> Tensor:
    """‖G move + r‖² of the rows with this triangle."""
    return (factor[:, :-1] @ move + factor[:, -1]).square().sum()


def weighed(
    space: MeasuredSpace, state: InverseState, *, steps: int, allowance: Allowance = FREE
) -> tuple[InverseState, list[InverseState]]:
    """The state with the largest weight of the equation that does not strain it, and all that were tried, by rising weight.

    A small weight lets the data bend the equation; a large one lets what the network cannot do bend the numbers, and what is left of the
    equation, in units of the noise, rises with it.
    """
    tried = [state]
    for weight in WEIGHTS:
        if allowance.late():
            break
        balance = replace(state.balance, weight=weight * state.balance.weight)
        tried.append(settle(space, state.alpha, balance, steps=steps, strength=state.strength, allowance=allowance))
    tried.sort(key=lambda one: one.balance.weight)
    finite = [one for one in tried if math.isfinite(one.strain)]
    least = min((one.strain for one in finite), default=0.0)
    good = [one for one in finite if one.strain <= max(UNSTRAINED, STRAINED * least)]
    return (good[-1] if good else state), tried


def with_noise(
    space: MeasuredSpace,
    state: InverseState,
    *,
    start: Tensor | None = None,
    steps: int,
    allowance: Allowance = FREE,
) -> InverseState:
    """The state with the noise of the measured rows, where it is not given: from what is left of them and the freedom they have not spent.

    Args:
        start: from where steps begin anew for every noise: from a field that had met another one they may end where the prior bends the
            equation. None = from the state, where the equation holds already.
    """
    for _ in range(ROUNDS):
        if allowance.late():
            break
        found = noise_of(space, state)
        agrees = abs(math.sqrt(found / state.balance.noise) - 1) < AGREES
        balance = Balance.of(found, state.balance.weight * MEASURED / state.balance.noise)
        begin, strength = (state.alpha, state.strength) if start is None else (start, FIRST)
        state = settle(space, begin, balance, steps=steps, strength=strength, allowance=allowance)
        if agrees:
            break
    return state


def noise_of(space: MeasuredSpace, state: InverseState) -> float:
    """Variance of a measured row, as the problem weighs it."""
    return (state.losses.measured + space.within) / max(space.count - freedom_of(space, state), 1.0)


def freedom_of(space: MeasuredSpace, state: InverseState) -> float:
    """Degrees of freedom that the measured values determine."""
    joint = space.model(state.triangles.joint(state.balance), state.alpha)
    return joint.freedom(state.triangles.own(state.balance)[0], state.strength)


def held(space: MeasuredSpace, alpha: Tensor) -> InverseState:
    """Coefficients that meet all rows as they are, with a prior that only keeps rounding out and the noise that is left."""
    triangles, losses = space.triangles(alpha), space.losses(alpha)
    noise = (losses.measured + space.within) / max(space.count, 1)
    balance = Balance(noise if noise > 0 else MEASURED)
    joint = space.model(triangles.joint(balance), alpha)
    strength = WEAK * float(joint.grid()[-1])
    fresh = space.losses(alpha, fresh=True)
    state = InverseState(alpha, strength, balance, triangles, losses, fresh, -math.inf, 0, True)
    noise = noise_of(space, state) if noise > 0 else MEASURED
    scale = math.sqrt(balance.noise / noise)
    return replace(state, balance=Balance(noise), strength=strength * scale)
