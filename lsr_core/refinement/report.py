"""From solutions to figures by rank: the sweep and condition numbers."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from lsr_core.linalg.triangular import TriangularSolver, singular_values
from lsr_core.refinement import ranks as rank_choice
from lsr_core.refinement.results import Floats, Sweep
from lsr_core.refinement.subspace import Subspace
from lsr_core.refinement.sweep import (
    RankErrors,
    RankSolutions,
    coefficient_norms,
    condition_numbers,
    errors_by_rank,
)


def build_sweep(
    subspace: Subspace, solutions: RankSolutions, splits: dict[str, RankErrors | None], kappa_rungs: int = 0
) -> Sweep:
    """All ranks, with the errors of the splits that have been passed over so far.

    Args:
        kappa_rungs: ranks at which condition numbers are exact; 0 = the whole ladder.
    """
    solver, max_rank = solutions.solver, subspace.rank
    columns: dict[str, np.ndarray] = {}
    for name in ("train", "val", "test"):
        columns[f"{name}_mse"], columns[f"{name}_relative_l2"] = errors_by_rank(splits.get(name), max_rank)
    rungs = rank_choice.ladder(max_rank, kappa_rungs or rank_choice.LADDER)
    kappa, exact = condition_numbers(unscaled(solver, subspace), rungs, max_rank)
    solved_kappa, _ = condition_numbers(solver.scaled, rungs, max_rank, solver.singular_values)
    return Sweep(
        **columns,
        residual_norm=np.sqrt(columns["train_mse"]),
        condition_number=kappa,
        solved_condition_number=solved_kappa,
        condition_exact=exact.astype(bool),
        delta_norm=coefficient_norms(solutions, subspace.scale, max_rank),
        coefficient_norm=coefficient_norms(solutions, torch.ones_like(subspace.scale), max_rank),
        solved=np.array([solutions.is_solved(rank) for rank in range(max_rank + 1)]),
    )


def unscaled(solver: TriangularSolver, subspace: Subspace) -> Tensor:
    """The triangle of G V with V orthonormal."""
    return solver.triangle / subspace.scale


def kappa_of(triangle: Tensor) -> float | None:
    """Condition number; None for no columns or an exactly singular triangle."""
    if triangle.shape[1] == 0:
        return None
    values = singular_values(triangle)
    return float(values[0] / values[-1]) if values[-1] > 0 else None


def conditions_at(rank: int, sweep: Sweep, solver: TriangularSolver, subspace: Subspace) -> dict[str, float | None]:
    """Both condition numbers of a summary at a rank: as the sweep has them where they are exact, else from the triangles."""

    def at(known: Floats, triangle: Callable[[], Tensor]) -> float | None:
        if rank > 0 and sweep.condition_exact[rank]:
            return finite(float(known[rank]))
        return kappa_of(triangle())

    return {
        "condition_number": at(sweep.condition_number, lambda: unscaled(solver, subspace)[:rank, :rank]),
        "solved_condition_number": at(sweep.solved_condition_number, lambda: solver.leading(rank)),
    }


def finite(value: float) -> float | None:
    """None for what JSON has no number for."""
    return value if math.isfinite(value) else None
