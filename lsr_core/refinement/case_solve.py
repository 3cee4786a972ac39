"""One input function in the shared subspace: Gauss-Newton at one rank, each step halved until the true residual falls."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lsr_core.linalg.ridge import weights_of
from lsr_core.linalg.triangular import TriangularSolver
from lsr_core.refinement.descent import descend
from lsr_core.refinement.response import FieldRows, true_losses_of

SETTLED = 0.9  # of the residual: a step that leaves more is the last
AGREES = 1.1  # times the residual that the linear model promises, up to which the equation counts as linear there
HALVINGS = 6


@dataclass(frozen=True, eq=False)
class CaseState:
    """Coefficients (rank,), and √ of the true loss there, with the penalty if there is one.

    Attributes:
        shortened: whether the step that led here was halved.
    """

    alpha: Tensor
    size: float
    shortened: bool = False


def solve_case(
    rows: Sequence[FieldRows], rank: int, steps: int, *, rcond: float | None, damping: float
) -> tuple[Tensor, int]:
    """Coefficients (rank,) of the field with a small true residual, and how many steps were taken.

    Args:
        rows: of the fitted points.
        rcond: cut-off of singular values; None = rows times rounding.
        damping: of the step in parameters, relative to the largest singular value at the start.
    """
    alpha = rows[0].network.new_zeros(rank)
    better = _Halved(rows, rcond, _penalty(rows, alpha, damping) if damping > 0 else 0.0)
    state, taken = CaseState(alpha, better.size(alpha)), 0
    for step in descend(state, better, steps):
        state, taken = step.after, taken + step.taken
        linear = state.size <= AGREES * math.sqrt(step.promised)
        if not state.shortened and (linear or state.size > SETTLED * step.before.size):
            break
    return state.alpha, taken


class _Halved:
    """Steps to the minimum of the linear model, or a half, a quarter … of the way."""

    def __init__(self, rows: Sequence[FieldRows], rcond: float | None, penalty: float) -> None:
        self._rows, self._rcond, self._penalty = rows, rcond, penalty

    def __call__(self, state: CaseState) -> tuple[CaseState | None, float]:
        alpha, rank = state.alpha, len(state.alpha)
        parts = [part.linearised(alpha) for part in self._rows]
        rows = torch.cat([torch.cat([slopes[:, :rank], values], dim=1) for slopes, values in parts])
        factor = _penalised(torch.linalg.qr(rows, mode="r").R, self._penalty, alpha)
        eps = torch.finfo(rows.dtype).eps
        solver = TriangularSolver(factor, rcond=len(rows) * eps if self._rcond is None else self._rcond)
        towards = solver.solve(rank)
        promised = solver.residual_norm(towards) ** 2
        for halving in range(HALVINGS):
            trial = alpha + 0.5**halving * towards
            size = self.size(trial)
            if size < state.size:
                return CaseState(trial, size, shortened=halving > 0), promised
        return None, promised

    def size(self, alpha: Tensor) -> float:
        """√ of the true loss, and of the penalty if there is one; NaN where it is not finite."""
        loss = float(true_losses_of(self._rows, alpha[:, None])[0])
        return math.sqrt(loss + self._penalty**2 * float(alpha.square().sum()))


def _penalty(rows: Sequence[FieldRows], alpha: Tensor, damping: float) -> float:
    """The weight of ‖Δθ‖, relative to the largest singular value of all directions, so that it serves every rank."""
    return float(weights_of(torch.cat([part.linearised(alpha)[0] for part in rows]), damping).max())


def _penalised(factor: Tensor, penalty: float, alpha: Tensor) -> Tensor:
    """The factor of [G, r] with the rows penalty·[1, α] below: a step δ makes ‖Δθ‖ = ‖α + δ‖, as V is orthonormal."""
    if penalty == 0:
        return factor
    eye = torch.eye(len(alpha)).to(alpha)
    return torch.linalg.qr(torch.cat([factor, penalty * torch.cat([eye, alpha[:, None]], dim=1)]), mode="r").R
