"""One solve: the plan, the basis, and what solves at any rank. Whoever refines takes this way; what is measured afterwards is their own."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from lsr_core.errors import NumericalError
from lsr_core.linalg.reduction import ALONE, Reduction
from lsr_core.linalg.triangular import TriangularSolver, least_of
from lsr_core.networks.stateless import as_module
from lsr_core.problems.problem import Problem
from lsr_core.refinement.basis import Basis, OnFraction
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.forecast import forecast, need_room, refuse_beyond
from lsr_core.refinement.kinds import build_basis, prepare
from lsr_core.refinement.setting import Setting
from lsr_core.refinement.sharing import refuse_unequal, refuse_unshared
from lsr_core.refinement.subspace import Subspace
from lsr_core.refinement.sweep import SplitFactor

LARGE = 1_000_000  # parameters, from which the proof of a route is itself memory that a budget may lack


@dataclass(frozen=True, eq=False)
class LinearSolve:
    """min ‖f + G V c‖ in a subspace V.

    Attributes:
        train: the factor of [G V, f] on the rows that are fitted.
        solver: gives c at any rank.
    """

    setting: Setting
    subspace: Subspace
    train: SplitFactor
    solver: TriangularSolver


def planned(problem: Problem, config: RefineConfig, reduction: Reduction = ALONE) -> Setting:
    """The setting, refused before anything large is allocated if its plan does not fit.

    Args:
        reduction: among whom the rows are shared.

    Raises:
        InputError: see `prepare`; a plan beyond the memory budget; rows that cannot be shared.
    """
    refuse_unshared(config, reduction.size)
    if sum(part.numel() for part in as_module(problem.model).parameters()) > LARGE:
        refuse_beyond(forecast(problem, config), config)
    setting = replace(prepare(problem, config), reduction=reduction)
    need_room(problem, setting)
    refuse_unequal(setting)
    return setting


def solved_in_basis(setting: Setting, on_fraction: OnFraction) -> LinearSolve:
    """The basis that the setting asks for, and the solve in it; raises as `solve_in`."""
    return solve_in(setting, build_basis(setting, on_fraction))


def solve_in(setting: Setting, basis: Basis) -> LinearSolve:
    """The solve in a basis, with the cut-off and the damping of the setting.

    Raises:
        NumericalError: the response modes are not finite.
    """
    if not torch.isfinite(basis.train.factor[:, -1]).all() and torch.isfinite(basis.train.factor[:, :-1]).all():
        raise NumericalError(
            "The network's errors are too large to be squared; divide targets and outputs by their size."
        )
    if not torch.isfinite(basis.train.factor).all():
        raise NumericalError("The response modes are not finite; a smaller rank, or float64, will help.")
    solver = TriangularSolver(
        (basis.solve or basis.train).factor,
        rcond=setting.rcond,
        damping=setting.config.damping,
        lengths=basis.subspace.scale,
        least=least_of(setting.config.rcond, basis.train.factor),
    )
    return LinearSolve(setting, basis.subspace, basis.train, solver)
