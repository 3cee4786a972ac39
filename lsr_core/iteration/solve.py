"""One solve of iterative LSR: as `refine`, without what only the pages of one refinement show."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from lsr_core.errors import InputError, NumericalError
from lsr_core.linalg.triangular import TriangularSolver
from lsr_core.networks.functions import ParametricFunction
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.forecast import forecast
from lsr_core.refinement.physics_basis import build_physics
from lsr_core.refinement.physics_evaluation import true_losses
from lsr_core.refinement.physics_setting import PhysicsSetting, prepare_physics
from lsr_core.refinement.plan import budget_of
from lsr_core.refinement.predictor import RefinedPredictor
from lsr_core.refinement.summarising import method_of
from lsr_core.refinement.summary import Method, ResidualNorms

SHARES = (1.0, 0.7, 0.4)  # of the maximum rank, which are tried
OnFraction = Callable[[float], None]


@dataclass(frozen=True, eq=False)
class Solve:
    """A refinement by one direct solve.

    Attributes:
        setting: what was solved.
        method: how.
        rank: with the smallest true residual at the fresh points; 0 = the network as it is.
        delta: Δθ (m,) of all parameters, float64.
        norms: √ of the losses of network, linear model and refined field.
        residual: of the refined field at the fitted points.
        fresh_residual: the same at the fresh points.
    """

    setting: PhysicsSetting
    method: Method
    rank: int
    delta: Tensor
    norms: ResidualNorms
    residual: float
    fresh_residual: float


def solve(problem: PhysicsProblem, config: RefineConfig, on_fraction: OnFraction) -> Solve:
    """Refine by one direct solve on the fitted points of a problem, at the rank that its fresh points choose.

    Raises:
        InputError: see `refine`.
        NumericalError: the refinement left the finite numbers.
    """
    setting = prepare_physics(problem, config)
    if setting.plan.peak_bytes > budget_of(config):
        raise InputError(
            forecast(problem, config).sentence, key="max_rank" if config.memory_budget is None else "memory_budget"
        )
    basis = build_physics(setting, lambda done: on_fraction(0.7 * done))
    subspace, factor = basis.subspace, basis.train.factor
    if not torch.isfinite(factor).all():
        raise NumericalError("The response modes are not finite; a smaller rank, or float64, will help.")
    solver = TriangularSolver(factor, rcond=setting.rcond, damping=config.damping)
    ranks = _ranks(config, subspace.rank)
    coefficients = factor.new_zeros(subspace.rank, len(ranks))
    for column, rank in enumerate(ranks):
        coefficients[:rank, column] = solver.solve(rank)
        on_fraction(0.7 + 0.2 * (column + 1) / len(ranks))
    steps = subspace.delta(coefficients)
    name = setting.strategy.name
    fresh = torch.from_numpy(true_losses(setting.fresh, steps, name))
    best = int(torch.where(torch.isfinite(fresh), fresh, math.inf).argmin())
    if not bool(torch.isfinite(fresh[best])):
        raise NumericalError("The residual at the fresh points is not finite at any rank; a smaller rank will help.")
    rank, step = ranks[best], steps[:, [best, 0]]
    fitted = true_losses(setting.fitted, step, name)
    linear = factor[:, :-1] @ coefficients[:, best] + factor[:, -1]
    residual, fresh_residual = math.sqrt(fitted[0]), math.sqrt(fresh[best])
    return Solve(
        setting=setting,
        method=method_of(setting, subspace),
        rank=rank,
        delta=setting.function.expand(step[:, 0]).cpu().double(),
        norms=ResidualNorms(
            base=math.sqrt(fitted[1]),
            linear=float(linear.norm()),
            nonlinear=residual,
            fresh_base=math.sqrt(fresh[0]),
            fresh_nonlinear=fresh_residual,
        ),
        residual=residual,
        fresh_residual=fresh_residual,
    )


def predictor_of(problem: PhysicsProblem, delta: Tensor) -> RefinedPredictor:
    """q(θ0, x) + J(x) Δθ of a problem in float64, for Δθ (m,)."""
    function = ParametricFunction.from_module(problem.model, dtype=torch.float64)
    assert function.module is not None
    return RefinedPredictor(function.module, function.tangent(delta))


def _ranks(config: RefineConfig, max_rank: int) -> list[int]:
    """Zero, then what is tried: all of it or less, or what was asked for."""
    if isinstance(config.rank, int):
        return sorted({0, min(config.rank, max_rank)})
    return sorted({0, *(round(share * max_rank) for share in SHARES)})
