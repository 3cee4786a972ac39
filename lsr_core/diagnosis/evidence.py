"""The figures that a verdict is made from, all measured on one refinement."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.problem import Problem
from lsr_core.problems.supervised import SupervisedProblem
from lsr_core.refinement.refine import Refinement
from lsr_core.refinement.results import Floats, LossPaths, Sweep

NOTICED = 0.3  # share of the held-out error left, from which a step counts as one that removes it


@dataclass(frozen=True)
class Figures:
    """Ratios are of norms (root mean squares), not of their squares; None where a run has no such thing.

    Attributes:
        fitted: smallest linear residual over all ranks, over that of the network.
        held_out: smallest held-out error over all ranks, over that of the network: of validation samples, or the true residual at fresh
            points; of training samples where nothing is held out.
        has_held_out: whether it is.
        degradation: held-out error at the largest rank over the smallest one.
        linear_at_one: loss of the linear model at the full step over that of the network (a ratio of mean squares, as the paper has it).
        nonlinear_at_one: the same of the network at θ0 + Δθ.
        true_residual: of the refined field of an equation, over that of the network.
        condition_number: of the residual Jacobian on the subspace, at the chosen rank.
        base_error: relative L2 error of the network on data held out.
        epsilon: spacing of the numbers that the refinement computed with.
        weight_rounding: half the relative spacing of the coarsest format that holds all weights exactly.
        first_step: ‖Δθ‖/‖θ‖ at the smallest rank that leaves at most a share `NOTICED` of the held-out error.
        disagreement: between the error that the sweep predicts and the one of the predictor, relative.
        restarted: best held-out error of the network trained anew from other starts, over that of the network.
    """

    fitted: float
    held_out: float
    has_held_out: bool
    degradation: float
    condition_number: float | None
    epsilon: float
    weight_rounding: float
    disagreement: float
    linear_at_one: float | None = None
    nonlinear_at_one: float | None = None
    true_residual: float | None = None
    base_error: float | None = None
    first_step: float | None = None
    restarted: float | None = None


def figures(refinement: Refinement, paths: LossPaths | None = None) -> Figures:
    """What can be read off a refinement without computing anything large; `restarted` stays empty."""
    sweep, summary = refinement.sweep, refinement.summary
    has_held_out = bool(np.isfinite(sweep.val_mse[0]))
    held = _held_out(sweep)
    norms = summary.residual_norm
    linear, nonlinear = _at_one(refinement, paths)
    base_errors = sweep.val_relative_l2 if np.isfinite(sweep.val_relative_l2[0]) else sweep.train_relative_l2
    base = float(base_errors[0]) if isinstance(refinement.problem, SupervisedProblem) else math.nan
    return Figures(
        fitted=_smallest(np.sqrt(np.where(sweep.solved, sweep.train_mse, np.nan))),
        held_out=min(_smallest(held), _ratio(norms.fresh_nonlinear, norms.fresh_base) or 1.0),
        has_held_out=has_held_out,
        degradation=_degradation(held) if has_held_out else 1.0,
        condition_number=summary.condition_number,
        epsilon=float(torch.finfo(refinement.setting.function.dtype).eps),
        weight_rounding=weight_rounding(refinement.problem),
        disagreement=refinement.gap,
        linear_at_one=linear,
        nonlinear_at_one=nonlinear,
        true_residual=_ratio(norms.nonlinear, norms.base) if isinstance(refinement.problem, PhysicsProblem) else None,
        base_error=base if math.isfinite(base) else None,
        first_step=_first_step(held, sweep.delta_norm, summary.theta_norm),
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
