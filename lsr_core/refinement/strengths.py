"""Which strengths of a penalty a rule takes: the one that it likes best, or for `auto` an average over all that it holds possible."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.linalg.averaging import Average
from lsr_core.linalg.smoothing import RidgeFamily, minima
from lsr_core.refinement.held_out import HeldOut
from lsr_core.refinement.shared_noise import SharedNoise

TOGETHER = "evidence and loo"  # whose product weighs the strengths that `auto` averages over
EVERY = 2  # points of the grid of strengths
ROUNDING = (
    4.0  # times the precision, relative to the largest singular value: below, the penalty would be lost in rounding
)


@dataclass(frozen=True, eq=False)
class Strength:
    """What a rule takes.

    Attributes:
        used: the rule: auto stands for another, a number for itself.
        value: λ, absolute; of an average the one that spends as many degrees of freedom; 0 = none, infinite = the network as it is.
        average: of `auto`, where it takes one.
        optima: other strengths at which the rule has a local optimum, relative to the largest singular value.
    """

    used: str
    value: float
    average: Average | None
    optima: list[float]


def strength(
    rule: str,
    family: RidgeFamily,
    held_out: HeldOut | None,
    *,
    share: float,
    eps: float,
    shared: SharedNoise | None = None,
) -> Strength:
    """By a rule of the config.

    Args:
        shared: the rows as `auto` weighs strengths by them, where their noise is not independent.
        share: what a mean square of outputs as they are has of that of the outputs as the solve takes them, for errors of one size.
        eps: precision of the singular values.

    Raises:
        InputError: the rule needs single samples, and these cannot be left out.
    """
    used = rule
    if used == "auto":
        used = "evidence" if held_out is None else TOGETHER
    criterion = _criterion(used, family, held_out)
    weighed = family
    if shared is not None and used == TOGETHER:
        weighed, criterion = shared.family, _criterion(used, shared.family, shared.held_out)
    value, optima = _best(used, family, held_out, share, criterion)
    largest = float(family.values[0]) if len(family.values) else 0.0
    least = ROUNDING * eps * largest
    if value <= least:
        return Strength(used, 0.0, None, optima)
    if rule != "auto" or family.base == 0 or largest == 0:
        return Strength(used, value, None, optima)
    grid = family.grid()[::EVERY]
    grid = grid[grid > least]
    scores = -criterion(grid)
    average = Average.of(grid, scores / _root(weighed, grid, scores))
    return Strength(used, average.matching(family), average, optima)


def _root(family: RidgeFamily, grid: Tensor, scores: Tensor) -> float:
    """The root that is taken of a density before it weighs strengths.

    Each degree of freedom that is spent tells of λ as if it were a measurement of its own, by a prior that seldom fits all of them. To the power of
    one over their number the average is as broad in log λ with many of them as with few, and the broader it is, the less a single run is off.
    """
    best = grid[int(scores.nan_to_num(nan=-math.inf).argmax())]
    return max(1.0, float(family.degrees_of_freedom(best[None])[0]))


def _best(
    rule: str, family: RidgeFamily, held_out: HeldOut | None, share: float, criterion: Callable[[Tensor], Tensor]
) -> tuple[float, list[float]]:
    """λ, and the other optima of its criterion relative to the largest singular value."""
    grid = family.grid()
    if len(grid) == 0 or family.base == 0:
        return math.inf, []
    largest = float(family.values[0])
    if rule.startswith("discrepancy:"):
        return family.discrepant(float(rule.partition(":")[2]) ** 2 * share), []
    if rule not in ("gcv", "loo", "evidence", TOGETHER):
        return float(rule) * largest, []
    if rule == "loo" and held_out is None:
        raise InputError(
            "is 'loo', but samples of this problem cannot be left out one at a time (they influence each other, or have too many "
            "values); use gcv or evidence",
            key="regularise",
        )
    found = minima(criterion, grid)
    if not found:
        return 0.0, []
    best = found[0][0]
    if best >= float(grid[-1]):
        best = math.inf
    inner = [other for other, _ in found[1:] if float(grid[0]) < other < float(grid[-1])]
    return best, [other / largest for other in inner]


def _criterion(rule: str, family: RidgeFamily, held_out: HeldOut | None) -> Callable[[Tensor], Tensor]:
    """What is smallest at the best λ.

    Evidence hardly ever fails but smooths a little too much where the prior does not fit; the density of samples left out in turn does not ask
    for a prior but varies with the samples. Both are log-densities of the same rows.
    """
    if rule == "gcv":
        return family.gcv
    if rule == "evidence" or held_out is None:
        return lambda at: -2 * family.log_evidence(at)
    if rule == "loo":
        return held_out.mean_square
    return lambda at: -family.log_evidence(at) - family.n_rows * held_out.log_density(at)
