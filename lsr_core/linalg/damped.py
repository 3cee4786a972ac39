"""Steps of a linear least-squares model from its triangular factor: truncated ones at several ranks, or a damped one.

The factor is R of the QR of [G, r], so the model of the residual at α + δ is R [δ; 1]. Columns are scaled to norm 1 before anything is
solved, and no product GᵀG is formed: the singular values fall to rounding level, and their squares would not be there at all.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lsr_core.linalg.ridge import with_penalty
from lsr_core.linalg.triangular import TriangularSolver


def truncated_solutions(factor: Tensor, at: Tensor, ranks: Sequence[int]) -> Tensor:
    """Minima of the model over coefficients that are zero beyond a rank, for several ranks.

    Args:
        factor: (≤ R+1, R+1), of [G, r] at the present coefficients.
        at: the present coefficients (R,).
        ranks: at most as large as there are rows in the factor.

    Returns:
        Coefficients (R, k); not finite where the leading triangle is singular.
    """
    model = TriangularSolver(factor, rcond=0.0)
    found = at.new_zeros(len(at), len(ranks))
    for column, rank in enumerate(ranks):
        rhs = model.rhs[:rank] + model.triangle[:rank, rank:] @ at[rank:]  # what leaving out the others costs
        scaled = torch.linalg.solve_triangular(model.leading(rank), rhs[:, None], upper=True)[:, 0]
        found[:rank, column] = at[:rank] + scaled / model.column_norms[:rank]
    return found


def promised(factor: Tensor) -> float:
    """What the model leaves of ‖r‖² where all coefficients move: the entries below the triangle of G."""
    return float(factor[factor.shape[1] - 1 :, -1].square().sum())


def leading(factor: Tensor, rank: int) -> Tensor:
    """The factor of the model in which only the first `rank` coefficients move."""
    columns = factor.shape[1] - 1
    if rank == columns:
        return factor
    rest = factor[rank:, columns].norm().reshape(1, 1)
    ahead = torch.cat([factor[:rank, :rank], factor[:rank, columns:]], dim=1)
    return torch.cat([ahead, torch.cat([rest.new_zeros(1, rank), rest], dim=1)])


def damped_step(factor: Tensor, damping: float) -> tuple[Tensor, float]:
    """δ that minimises ‖G δ + r‖² + damping² ‖D δ‖² with D the column norms of G, and the norm of the model there.

    Levenberg (1944), Marquardt (1963), in the form by orthogonal factorisation of Moré (1978).
    """
    model = TriangularSolver(factor, rcond=0.0)
    damped = TriangularSolver(with_penalty(factor, damping * model.column_norms), rcond=0.0)
    step = damped.solve(model.max_rank)
    return step, model.residual_norm(step)


def held_solution(factor: Tensor, at: Tensor, damping: float) -> tuple[Tensor, float]:
    """α that minimises ‖G (α − at) + r‖² + damping² ‖D α‖² with D the column norms of G, and ‖G (α − at) + r‖² there.

    The penalty is on the coefficients and not on the step: of all that fit to rounding it takes small ones, whose field is rounded least, and
    repeated steps end where one does (Tikhonov 1963).

    Args:
        factor: (≤ R+1, R+1), of [G, r] at the present coefficients.
        at: the present coefficients (R,).
        damping: relative to the column norms.
    """
    columns = len(at)
    norms = factor[:, :columns].norm(dim=0)
    norms = torch.where(norms > 0, norms, torch.ones_like(norms))
    weights = damping * norms
    penalty = torch.cat([torch.diag(weights), (weights * at)[:, None]], dim=1)
    triangle = torch.linalg.qr(torch.cat([factor, penalty]), mode="r").R
    scaled = triangle[:columns, :columns] / norms
    step = torch.linalg.solve_triangular(scaled, -triangle[:columns, columns:], upper=True)[:, 0] / norms
    left = factor[:, :columns] @ step + factor[:, columns]
    return at + step, float(left.square().sum())
