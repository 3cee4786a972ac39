"""One solve of iterative LSR: as `refine`, without what only the pages of one refinement show."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np
import torch
from torch import Tensor

from lsr_core.errors import NumericalError
from lsr_core.linalg.triangular import TriangularSolver
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.physics_setting import PhysicsSetting
from lsr_core.refinement.ranks import ladder
from lsr_core.refinement.solve import planned, solved_in_basis
from lsr_core.refinement.subspace import Subspace
from lsr_core.refinement.summarising import method_of
from lsr_core.refinement.summary import Method, ResidualNorms
from lsr_core.refinement.true_residual import true_losses

SHARES = (1.0, 0.7, 0.4)  # of the maximum rank, which are tried first
SMALLER = 12  # ranks down to 1, which are tried where those are too large
AGREES = 10.0  # times the residual that the linear model promises, up to which a rank is not too large
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
    setting = cast(PhysicsSetting, planned(problem, config))
    linear = solved_in_basis(setting, lambda done: on_fraction(0.7 * done))
    subspace = linear.subspace
    tried = _Tried(setting, subspace, linear.solver)
    tried.add(_ranks(config, subspace.rank))
    on_fraction(0.8)
    if not isinstance(config.rank, int) and (tried.best.rank == 0 or tried.best.fresh > AGREES * tried.best.linear):
        tried.add(ladder(subspace.rank, SMALLER))
    on_fraction(0.9)
    best, base = tried.best, tried.at(0)
    fitted = true_losses(setting.fitted, torch.stack([best.step, base.step], dim=1), setting.strategy.name)
    return Solve(
        setting=setting,
        method=method_of(setting, subspace),
        rank=best.rank,
        delta=setting.function.expand(best.step).cpu().double(),
        norms=ResidualNorms(
            base=math.sqrt(fitted[1]),
            linear=best.linear,
            nonlinear=math.sqrt(fitted[0]),
            fresh_base=base.fresh,
            fresh_nonlinear=best.fresh,
        ),
        residual=math.sqrt(fitted[0]),
        fresh_residual=best.fresh,
    )


class _Rank(NamedTuple):
    """A solution: its step (m,), what the linear model leaves at the fitted points, and what is left in truth at the fresh ones."""

    rank: int
    step: Tensor
    linear: float
    fresh: float


class _Tried:
    """Solutions at some ranks."""

    def __init__(self, setting: PhysicsSetting, subspace: Subspace, solver: TriangularSolver) -> None:
        self._setting, self._subspace, self._solver = setting, subspace, solver
        self._found: dict[int, _Rank] = {}

    def add(self, ranks: Sequence[int]) -> None:
        """Solve at those that are new, and put the refined fields into the equation."""
        new = [rank for rank in ranks if rank not in self._found]
        if not new:
            return
        solutions = [self._solver.solve(rank) for rank in new]
        coefficients = solutions[0].new_zeros(self._subspace.rank, len(new))
        for column, solution in enumerate(solutions):
            coefficients[: len(solution), column] = solution
        steps = self._subspace.delta(coefficients)
        fresh = np.sqrt(true_losses(self._setting.fresh, steps, self._setting.strategy.name))
        for rank, step, solution, residual in zip(new, steps.unbind(1), solutions, fresh, strict=True):
            self._found[rank] = _Rank(rank, step, self._solver.residual_norm(solution), float(residual))

    def at(self, rank: int) -> _Rank:
        return self._found[rank]

    @property
    def best(self) -> _Rank:
        """The smallest residual at the fresh points.

        Raises:
            NumericalError: it is finite at no rank.
        """
        finite = [found for found in self._found.values() if math.isfinite(found.fresh)]
        if not finite:
            raise NumericalError(
                "The residual at the fresh points is not finite at any rank; a smaller rank will help."
            )
        return min(finite, key=lambda found: (found.fresh, found.rank))


def _ranks(config: RefineConfig, max_rank: int) -> list[int]:
    """Zero, then what is tried: all of it or less, or what was asked for."""
    if isinstance(config.rank, int):
        return sorted({0, min(config.rank, max_rank)})
    return sorted({0, *(round(share * max_rank) for share in SHARES)})
