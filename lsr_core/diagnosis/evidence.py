"""The figures that a verdict is made from, all measured on one refinement at its rank."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from lsr_core.diagnosis.further import Further, why_no_further
from lsr_core.diagnosis.kinds import Pairs, both, finite, judging
from lsr_core.diagnosis.other_starts import OtherStarts
from lsr_core.diagnosis.restarts import Restarts, why_not
from lsr_core.diagnosis.roughness import Roughness
from lsr_core.diagnosis.slowness import gradient_steps
from lsr_core.diagnosis.solved import Solved
from lsr_core.diagnosis.units import Units, units
from lsr_core.problems.problem import Problem
from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.results import Floats, LossPaths, Sweep
from lsr_core.refinement.summary import Summary

AT_END = 0.8  # of the largest rank: a smallest error there may fall further beyond
VALIDATION, TEST, TRAINING, FRESH = "validation error", "test error", "training error", "residual at fresh points"
HELD_OUT = (VALIDATION, TEST, FRESH)
CHOOSING = (VALIDATION, FRESH)  # what a rank may be chosen by
NOTICED = 0.3  # share of the held-out error left, from which a step counts as one that removes it


@dataclass(frozen=True)
class NoiseFigures:
    """What a smoothing found.

    Attributes:
        sigma: standard deviation of a value.
        by: how it was found, in words.
        freedom: degrees of freedom that the refinement spends.
        values: that were fitted.
        residual: root mean square of the network on them.
    """

    sigma: float
    by: str
    freedom: float
    values: int
    residual: float

    @property
    def error(self) -> float:
        """Root mean square over the fitted places of the standard deviation of the refined mean: σ √(freedom/values)."""
        return self.sigma * math.sqrt(self.freedom / self.values)


@dataclass(frozen=True)
class Figures:
    """Ratios are of norms (root mean squares), not of their squares; None where a run has no such thing.

    Attributes:
        rank: that the run reports, and the verdict is about.
        best_rank: with the smallest held-out error of one solve.
        last_rank: the largest that was tried, where more would have been possible and the smallest error is at its end of the sweep; else None.
        fitted: smallest linear residual over all ranks, over that of the network.
        best: error at the best rank, over that of the network, of `compared`.
        at_rank: the same at the rank of the run.
        compared: what ranks are compared by here, in words: the validation error, or the true residual at fresh points; where none of them
            is held out the test error, else the training error.
        errors: what was measured at the rank, before and after, by name: root mean squares where they are mean squares.
        rank_given: whether the user asked for the rank.
        degradation: held-out error at the largest rank over the smallest one.
        condition_number: κ(G V) at the rank, V orthonormal: what gradient steps on the weights meet in the subspace.
        solved_condition_number: of the column-scaled matrix that was factorised.
        gradient_steps: that plain gradient descent needs for what the solve at the best rank does; None after Gauss-Newton steps, which it
            does not describe.
        n_solves: one, and one more for each Gauss-Newton step.
        epsilon: spacing of the numbers that the refinement computed with.
        weight_rounding: half the relative spacing of the coarsest format that holds all weights exactly.
        disagreement: between the error that the sweep predicts and the one of the predictor, relative.
        linear_at_one: loss of the linear model at the full step over that of the network (a ratio of mean squares, as the paper has it).
        nonlinear_at_one: the same of the network at θ0 + Δθ.
        is_equation: whether the problem is one.
        true_residual: of the refined field of an equation, over that of the network.
        base_error: relative L2 error of the network on data held out.
        refined_error: of the refined predictor: on test data, else on validation data, or against the known solution of an equation; of the
            output that is worst where each is measured.
        constant: error of the network over that of the best constant, on the same data.
        first_step: ‖Δθ‖/‖θ‖ at the smallest rank that leaves at most a share `NOTICED` of the held-out error.
        solved: of an equation.
        jump: where a coefficient of an equation jumps, in words.
        missing: conditions that an equation is short of by counting, in words.
        bare: part of the edge of its domain without a condition, in words.
        others: the same equation refined from other starts.
        no_other: why it was not; empty where that was not asked.
        units: that do nothing.
        restarted: the network trained anew.
        no_restart: why it was not; empty where that was not asked.
        further: the network trained on from its weights as they are.
        no_further: why it was not; empty where that was not asked.
        rough: whether what the network misses of data follows from their inputs.
        noise: of the training data, where a smoothing has found it.
        of_weights: whether a smoothing has a prior of the weights and not of the step.
        kept: whether a smoothing has judged, by samples left out one at a time, that the network should stay as it is.
    """

    rank: int
    best_rank: int
    fitted: float
    best: float
    degradation: float
    condition_number: float | None
    solved_condition_number: float | None
    epsilon: float
    weight_rounding: float
    disagreement: float
    compared: str = VALIDATION
    at_rank: float = 1.0
    rank_given: bool = False
    errors: dict[str, tuple[float, float]] = field(default_factory=dict)
    gradient_steps: float | None = None
    n_solves: int = 1
    last_rank: int | None = None
    linear_at_one: float | None = None
    nonlinear_at_one: float | None = None
    is_equation: bool = False
    true_residual: float | None = None
    base_error: float | None = None
    refined_error: float | None = None
    constant: float | None = None
    first_step: float | None = None
    solved: Solved | None = None
    jump: str = ""
    missing: str = ""
    bare: str = ""
    others: OtherStarts | None = None
    no_other: str = ""
    units: Units | None = None
    restarted: Restarts | None = None
    no_restart: str = ""
    further: Further | None = None
    no_further: str = ""
    rough: Roughness | None = None
    noise: NoiseFigures | None = None
    of_weights: bool = False
    kept: bool = False

    @property
    def has_held_out(self) -> bool:
        """Whether anything is."""
        return self.compared != TRAINING

    @property
    def left(self) -> float:
        """What the refined predictor leaves of the network's error where it leaves most, of what was held out (else of training samples)."""
        held = {name: pair for name, pair in self.errors.items() if name in HELD_OUT} or self.errors
        ratios = [after / before for before, after in held.values() if before > 0]
        return max(ratios, default=1.0)


OF_CLASSES = ("test log-loss",)


def figures(refinement: Refinement, paths: LossPaths | None = None) -> Figures:
    """What can be measured on a refinement in about the time of one more solve; `restarted` and `further` stay empty."""
    sweep, summary, problem, setting = refinement.sweep, refinement.summary, refinement.problem, refinement.setting
    kind = judging(problem.kind)
    equation = kind.equation(refinement)
    compared, held = _compared(sweep, is_equation=equation is not None)
    best_rank = int(np.nanargmin(held))
    linear, nonlinear = _at_one(refinement, paths)
    return Figures(
        rank=refinement.rank,
        best_rank=best_rank,
        fitted=_smallest(np.where(sweep.solved, sweep.residual_norm, np.nan)),
        best=_smallest(held),
        compared=compared,
        at_rank=float(held[refinement.rank]) / float(held[0]) if held[0] > 0 else 1.0,
        rank_given=isinstance(setting.config.rank, int),
        degradation=_degradation(held) if compared in CHOOSING else 1.0,
        condition_number=finite(summary.condition_number),
        solved_condition_number=finite(summary.solved_condition_number),
        epsilon=float(torch.finfo(setting.function.dtype).eps),
        weight_rounding=weight_rounding(problem),
        disagreement=refinement.gap,
        errors=_errors(kind.mean_squares(summary), kind.plain_errors(summary)),
        gradient_steps=None if summary.gauss_newton else gradient_steps(refinement, best_rank),
        last_rank=_last_rank(summary, best_rank),
        n_solves=max(1, len(summary.gauss_newton)),
        linear_at_one=linear,
        nonlinear_at_one=nonlinear,
        is_equation=equation is not None,
        true_residual=equation.true_residual if equation else None,
        base_error=kind.base_error(sweep),
        refined_error=kind.refined_error(refinement),
        constant=kind.constant(problem, sweep),
        first_step=_first_step(held, sweep.delta_norm, summary.theta_norm),
        solved=equation.solved if equation else None,
        jump=equation.jump if equation else "",
        missing=equation.missing if equation else "",
        bare=equation.bare if equation else "",
        no_other=equation.no_other if equation else "",
        units=units(problem),
        no_restart=why_not(problem),
        no_further=why_no_further(problem),
        rough=kind.roughness(refinement),
        noise=_noise(summary),
        of_weights=setting.config.prior == "weights",
        kept=summary.regularisation is not None and summary.rank == 0,
    )


def weight_rounding(problem: Problem) -> float:
    """Unit roundoff of the coarsest floating-point format in which all weights are exact."""
    parts = [value.detach().reshape(-1) for value in problem.model.parameters() if value.is_floating_point()]
    if not parts:
        return 0.0
    weights = torch.cat([part.double() for part in parts])
    for dtype in (torch.bfloat16, torch.float16, torch.float32):
        if _holds(weights, dtype):
            return float(torch.finfo(dtype).eps) / 2
    return float(torch.finfo(torch.float64).eps) / 2


def _holds(weights: Tensor, dtype: torch.dtype) -> bool:
    return bool((weights.to(dtype).double() == weights).all())


def _noise(summary: Summary) -> NoiseFigures | None:
    """None where nothing was smoothed, or the noise was not told."""
    found, train = summary.regularisation, summary.base.train_mse
    if found is None or not summary.noise_std or train is None or summary.rank == 0:
        return None
    return NoiseFigures(
        summary.noise_std, found.noise_by, summary.degrees_of_freedom or 0.0, summary.n_residuals, math.sqrt(train)
    )


def _errors(squares: Pairs, plain: Pairs) -> dict[str, tuple[float, float]]:
    """Before and after, at the rank, by name."""
    found = {name: (math.sqrt(before), math.sqrt(after)) for name, (before, after) in both(squares).items()}
    return found | both(plain)


def _last_rank(summary: Summary, best_rank: int) -> int | None:
    most = min(summary.n_params, summary.n_residuals)
    at_end = best_rank >= AT_END * summary.max_rank
    return summary.max_rank if at_end and summary.max_rank < most else None


def _compared(sweep: Sweep, *, is_equation: bool) -> tuple[str, Floats]:
    """What ranks are compared by, and its root mean squares by rank, NaN where nothing was solved.

    Where no validation samples are held out, as where smoothing fits them too, training samples would speak for the largest rank.
    """
    values, name = sweep.compared, FRESH if is_equation else VALIDATION
    if not np.isfinite(sweep.val_mse[0]):
        tested = bool(np.isfinite(sweep.test_mse[0]))
        values, name = (sweep.test_mse, TEST) if tested else (values, TRAINING)
    return name, np.sqrt(np.where(sweep.solved & np.isfinite(values), values, np.nan))


def _smallest(values: Floats) -> float:
    first = float(values[0])
    return float(np.nanmin(values)) / first if first > 0 else 1.0


def _degradation(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known[-1] / known.min()) if known.min() > 0 else 1.0


def _first_step(held: Floats, steps: Floats, theta: float) -> float | None:
    enough = np.flatnonzero(held <= NOTICED * held[0])
    return float(steps[enough[0]]) / theta if len(enough) and theta > 0 else None


def _at_one(refinement: Refinement, paths: LossPaths | None) -> tuple[float | None, float | None]:
    """Both losses at the full step of the chosen rank, over the loss of the network."""
    if paths is None or refinement.rank == 0:
        return None, None
    row = int(np.flatnonzero(paths.ranks == refinement.rank)[0])
    zero, one = int(np.argmin(np.abs(paths.alpha))), int(np.argmin(np.abs(paths.alpha - 1)))
    base = float(paths.linearised[row, zero])
    if base <= 0:
        return None, None
    nonlinear = float(paths.nonlinear[row, one])
    return float(paths.linearised[row, one]) / base, nonlinear / base if math.isfinite(nonlinear) else math.inf
