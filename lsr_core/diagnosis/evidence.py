"""The figures that a verdict is made from, all measured on one refinement at its rank."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from lsr_core.diagnosis.coefficients import jump
from lsr_core.diagnosis.restarts import Restarts, why_not
from lsr_core.diagnosis.slowness import gradient_steps
from lsr_core.diagnosis.solved import Solved, solved
from lsr_core.diagnosis.units import Units, units
from lsr_core.problems.classification import ClassificationProblem
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.problem import Problem
from lsr_core.problems.splits import Split
from lsr_core.problems.supervised import SupervisedProblem
from lsr_core.refinement.physics_setting import PhysicsSetting
from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.results import Floats, LossPaths, Sweep
from lsr_core.refinement.summary import Summary

AT_END = 0.8  # of the largest rank: a smallest error there may fall further beyond
NOTICED = 0.3  # share of the held-out error left, from which a step counts as one that removes it


@dataclass(frozen=True)
class Figures:
    """Ratios are of norms (root mean squares), not of their squares; None where a run has no such thing.

    Attributes:
        rank: that the run reports, and the verdict is about.
        best_rank: with the smallest held-out error of one solve.
        last_rank: the largest that was tried, where more would have been possible and the smallest error is at its end of the sweep; else None.
        fitted: smallest linear residual over all ranks, over that of the network.
        best: held-out error at the best rank, over that of the network: of validation samples, or the true residual at fresh points; of
            training samples where nothing is held out.
        errors: what was measured at the rank, before and after, by name: root mean squares where they are mean squares.
        has_held_out: whether anything is.
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
        units: that do nothing.
        restarted: the network trained anew.
        no_restart: why it was not; empty where that was not asked.
    """

    rank: int
    best_rank: int
    fitted: float
    best: float
    has_held_out: bool
    degradation: float
    condition_number: float | None
    solved_condition_number: float | None
    epsilon: float
    weight_rounding: float
    disagreement: float
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
    units: Units | None = None
    restarted: Restarts | None = None
    no_restart: str = ""

    @property
    def left(self) -> float:
        """What the refined predictor leaves of the network's error where it leaves most, of what was held out (else of training samples)."""
        held = {name: pair for name, pair in self.errors.items() if name in HELD_OUT} or self.errors
        ratios = [after / before for before, after in held.values() if before > 0]
        return max(ratios, default=1.0)


HELD_OUT = ("validation error", "test error", "residual at fresh points")
OF_CLASSES = ("test log-loss",)


def figures(refinement: Refinement, paths: LossPaths | None = None) -> Figures:
    """What can be measured on a refinement in about the time of one more solve; `restarted` stays empty."""
    sweep, summary, problem = refinement.sweep, refinement.summary, refinement.problem
    has_held_out = bool(np.isfinite(sweep.val_mse[0]))
    held = _held_out(sweep)
    best_rank = int(np.nanargmin(held))
    setting, norms = refinement.setting, summary.residual_norm
    linear, nonlinear = _at_one(refinement, paths)
    physics = setting if isinstance(setting, PhysicsSetting) else None
    return Figures(
        rank=refinement.rank,
        best_rank=best_rank,
        fitted=_smallest(np.sqrt(np.where(sweep.solved, sweep.train_mse, np.nan))),
        best=_smallest(held),
        has_held_out=has_held_out or summary.base.test_mse is not None,
        degradation=_degradation(held) if has_held_out else 1.0,
        condition_number=_finite(summary.condition_number),
        solved_condition_number=_finite(summary.solved_condition_number),
        epsilon=float(torch.finfo(setting.function.dtype).eps),
        weight_rounding=weight_rounding(problem),
        disagreement=refinement.gap,
        errors=_errors(summary, isinstance(problem, PhysicsProblem)),
        gradient_steps=None if summary.gauss_newton else gradient_steps(refinement, best_rank),
        last_rank=_last_rank(summary, best_rank),
        n_solves=max(1, len(summary.gauss_newton)),
        linear_at_one=linear,
        nonlinear_at_one=nonlinear,
        is_equation=physics is not None,
        true_residual=_ratio(norms.nonlinear, norms.base) if physics else None,
        base_error=_base_error(refinement),
        refined_error=_refined_error(refinement),
        constant=_constant(problem, sweep),
        first_step=_first_step(held, sweep.delta_norm, summary.theta_norm),
        solved=solved(refinement) if physics else None,
        jump=jump(physics.fitted, tuple(physics.problem.domain)) if physics else "",
        units=units(problem),
        no_restart=why_not(problem),
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


def _errors(summary: Summary, is_equation: bool) -> dict[str, tuple[float, float]]:
    """Before and after, at the rank, by name."""
    base, refined, norms = summary.base, summary.refined, summary.residual_norm
    squares = {"training error": (base.train_mse, refined.train_mse), "test error": (base.test_mse, refined.test_mse)}
    plain: dict[str, tuple[float | None, float | None]] = {"test log-loss": (base.test_log_loss, refined.test_log_loss)}
    if is_equation:
        del squares["training error"], squares["test error"]
        plain["residual at fitted points"] = (norms.base, norms.nonlinear)
        plain["residual at fresh points"] = (norms.fresh_base, norms.fresh_nonlinear)
    else:
        squares["validation error"] = (base.val_mse, refined.val_mse)
    pairs = {
        name: (math.sqrt(before), math.sqrt(after))
        for name, (before, after) in squares.items()
        if before is not None and after is not None
    }
    return pairs | {
        name: (before, after) for name, (before, after) in plain.items() if before is not None and after is not None
    }


def _base_error(refinement: Refinement) -> float | None:
    sweep = refinement.sweep
    if not isinstance(refinement.problem, SupervisedProblem):
        return None
    values = sweep.val_relative_l2 if np.isfinite(sweep.val_relative_l2[0]) else sweep.train_relative_l2
    return _finite(float(values[0]))


def _refined_error(refinement: Refinement) -> float | None:
    """Of the predictor where that was measured; the share of classes that are wrong says nothing about a field."""
    summary, sweep, problem = refinement.summary, refinement.sweep, refinement.problem
    if isinstance(problem, ClassificationProblem):
        return None
    known = summary.refined.relative_l2 if summary.refined.relative_l2 is not None else summary.refined.test_relative_l2
    if known is not None or isinstance(problem, PhysicsProblem):
        by_output = [] if known is None else [value for value in summary.refined.by_output or [] if value is not None]
        return _finite(max([known, *by_output]) if known is not None else None)
    before, after = sweep.val_relative_l2[0], summary.refined.val_mse
    if after is None or not sweep.val_mse[0] > 0:
        return None
    return _finite(float(before) * math.sqrt(after / float(sweep.val_mse[0])))


def _last_rank(summary: Summary, best_rank: int) -> int | None:
    most = min(summary.n_params, summary.n_residuals)
    at_end = best_rank >= AT_END * summary.max_rank
    return summary.max_rank if at_end and summary.max_rank < most else None


def _constant(problem: Problem, sweep: Sweep) -> float | None:
    """Of targets that are numbers: the error of the network over the spread of the targets around the mean of the training ones."""
    if not isinstance(problem, SupervisedProblem) or isinstance(problem, ClassificationProblem):
        return None
    held: Split = problem.train if problem.validation is None else problem.validation
    mse = sweep.train_mse if problem.validation is None else sweep.val_mse
    targets, mean = held.targets[:].double(), problem.train.targets[:].double().mean(dim=0)
    spread = float((targets - mean).square().mean().sqrt())
    return _finite(math.sqrt(float(mse[0])) / spread) if spread > 0 else None


def _held_out(sweep: Sweep) -> Floats:
    """Root mean squares by rank, NaN where nothing was solved."""
    values = sweep.val_mse if np.isfinite(sweep.val_mse[0]) else sweep.train_mse
    return np.sqrt(np.where(sweep.solved & np.isfinite(values), values, np.nan))


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


def _ratio(value: float | None, base: float | None) -> float | None:
    return value / base if value is not None and base else None


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
