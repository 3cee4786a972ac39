"""A linear least-squares model of coefficients with a prior, and of a few without one: solution, spread and evidence for any strength of the prior.

Rows have unit noise: ‖G (α − at) + r‖² + λ² ‖a‖² is twice the negative log density, where a are the coefficients that have a prior N(0, 1/λ²)
and the last few, which have none, are flat. The flat ones are eliminated first, so that one singular value decomposition serves every λ
(MacKay 1992; Golub & Van Loan 2013, § 6.1).
"""

from __future__ import annotations

import torch
from torch import Tensor

HOLD = (
    1e-8  # of the largest column: what holds a flat coefficient that the rows hardly read, so that its step is finite
)
TINY = 1e-300
DEPTH = 13  # decades of strengths below the largest singular value
PER_DECADE = 4


class JointModel:
    """The model from its triangle.

    Args:
        factor: triangle (≤ R+1, R+1) of [G, r].
        at: present coefficients less the centre of the prior, (R,); the flat ones as they are.
        flat: how many at the end have no prior.

    Attributes:
        values: singular values of the rows by the coefficients with a prior, the flat ones eliminated.
    """

    def __init__(self, factor: Tensor, at: Tensor, flat: int) -> None:
        own = len(at) - flat
        slopes, rows = factor[:, :-1], factor[:, -1] - factor[:, :-1] @ at
        lengths = slopes.norm(dim=0)
        hold = HOLD * float(lengths.max()) + TINY
        held = torch.cat([hold * torch.eye(flat).to(at), at.new_zeros(flat, own), -hold * at[own:, None]], dim=1)
        ordered = torch.cat([slopes[:, own:], slopes[:, :own], rows[:, None]], dim=1)
        whole = torch.linalg.qr(torch.cat([held, ordered]), mode="r").R
        self._flat, self._eye = flat, torch.eye(flat).to(at)
        self._top, self._cross, self._rhs = whole[:flat, :flat], whole[:flat, flat:-1], whole[:flat, -1]
        left, self.values, self._right = torch.linalg.svd(whole[flat:, flat:-1], full_matrices=False)
        self._along = left.T @ whole[flat:, -1]
        self._beyond = float((whole[flat:, -1].square().sum() - self._along.square().sum()).clamp_min(0))
        self._lengths, self._hold = lengths[own:], hold

    def grid(self) -> Tensor:
        """Strengths among which the best is looked for, ascending."""
        largest = float(self.values[0].clamp_min(TINY)) if len(self.values) else 1.0
        return largest * torch.logspace(-DEPTH, 1, (DEPTH + 1) * PER_DECADE + 1, dtype=torch.float64)

    def left(self, strength: float) -> float:
        """The least ‖G (α − at) + r‖² + λ² ‖a‖²."""
        share = strength**2 / (self.values.square() + strength**2)
        return float((share * self._along.square()).sum()) + self._beyond

    def log_evidence(self, strengths: Tensor) -> Tensor:
        """Log density of the rows at every λ (k,), but for a constant."""
        squares = (self.values / strengths[:, None]).square()
        left = (self._along.square() / (1 + squares)).sum(dim=1)
        return -(left + self._beyond + torch.log1p(squares).sum(dim=1)) / 2

    def solution(self, strength: float) -> Tensor:
        """The best coefficients, less the centre of the prior (R,)."""
        own = -self._right.T @ (self.values * self._along / (self.values.square() + strength**2))
        flat = torch.linalg.solve_triangular(self._top, -(self._rhs + self._cross @ own)[:, None], upper=True)[:, 0]
        return torch.cat([own, flat])

    def spread(self, strength: float) -> Tensor:
        """S (R, k) with S Sᵀ the covariance of the coefficients in the directions that the rows see."""
        own = self._right.T / (self.values.square() + strength**2).sqrt()
        by_own = torch.linalg.solve_triangular(self._top, -self._cross @ own, upper=True)
        alone = torch.linalg.solve_triangular(self._top, self._eye, upper=True)
        return torch.cat(
            [torch.cat([own, own.new_zeros(len(own), self._flat)], dim=1), torch.cat([by_own, alone], dim=1)]
        )

    def flat_deviations(self, strength: float) -> Tensor:
        """Standard deviations of the flat coefficients (k,); infinite where the rows do not read one."""
        spread = self.spread(strength)
        found = spread[len(spread) - self._flat :].norm(dim=1)
        return torch.where(self._lengths > self._hold, found, torch.inf)

    def freedom(self, factor: Tensor, strength: float) -> float:
        """Degrees of freedom spent on a part of the rows, from the triangle (≤ R+1, R+1) of that part."""
        return float((factor[:, :-1] @ self.spread(strength)).square().sum())
