"""A solve with a penalty in force at every rank: the one that a rule has just taken, or the one that a run recorded."""

from __future__ import annotations

from dataclasses import replace

import torch

from lsr_core.linalg.averaging import Average, penalty_rows
from lsr_core.linalg.smoothing import RidgeFamily
from lsr_core.linalg.triangular import TriangularSolver, least_of
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.regularisation import Regularisation
from lsr_core.refinement.solve import LinearSolve

SHARE = 0.25  # of the weights in the penalty of auto: a network that was trained on these samples has some of their noise to give back


def share_of_weights(config: RefineConfig) -> float:
    """t of a penalty on ‖Δθ + tθ0‖², which is (1 − t)‖Δθ‖² + t‖θ0 + Δθ‖² and what no step changes."""
    if config.prior == "auto":
        return SHARE if config.regularise == "auto" else 0.0
    return 1.0 if config.prior == "weights" else 0.0


def family_of(solve: LinearSolve, rank: int, share: float) -> RidgeFamily:
    """Its penalised solutions on the first `rank` directions, for all strengths; a share of the weights is in the penalty."""
    setting, subspace = solve.setting, solve.subspace
    apart = share * subspace.coordinates(setting.function.theta0) if share > 0 else None
    least = least_of(setting.config.rcond, solve.train.factor)
    return RidgeFamily(
        solve.train.factor, setting.n_residuals, lengths=subspace.scale, rank=rank, apart=apart, least=least
    )


def penalised(solve: LinearSolve, family: RidgeFamily, strength: float, average: Average | None) -> LinearSolve:
    """The solve with a penalty at every rank.

    Args:
        family: of the solve.
        strength: λ, positive; where an average says nothing of a direction it counts there.
        average: in its place, if there is one.
    """
    lengths = solve.subspace.scale
    rows = None
    if average is not None:
        rows = penalty_rows(family, average.penalties(family.values), strength, lengths.double()).to(lengths)
    solver = TriangularSolver(
        solve.train.factor,
        rcond=solve.setting.rcond,
        damping=strength / float(family.values[0]),
        lengths=lengths,
        penalty=rows,
        apart=family.whole_apart,
        least=least_of(solve.setting.config.rcond, solve.train.factor),
    )
    return replace(solve, solver=solver)


def penalised_again(solve: LinearSolve, found: Regularisation, rank: int) -> LinearSolve:
    """The solve with the penalty that a run recorded when it chose this rank."""
    if rank == 0 or found.value == 0:  # the run kept the network, or had no penalty: its sweep has none either
        return solve
    config = solve.setting.config
    alone = config.prior == "auto" and not found.averaged  # earlier versions took one strength, and the step alone
    family = family_of(solve, rank, 0.0 if alone else share_of_weights(config))
    largest = family.values[0]
    average = None
    if found.averaged:
        strengths, weights = torch.tensor(found.averaged, dtype=largest.dtype).to(largest.device).T
        average = Average(strengths * largest, weights)
    return penalised(solve, family, found.value * float(largest), average)
