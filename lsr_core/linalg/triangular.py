"""One triangular factor, least-squares solutions for every number of leading columns.

With A = Q R and right-hand side −b, z = −Qᵀb, the solution on the first r columns is R[:r,:r]⁻¹ z[:r]. The inverse of a
leading triangle is the leading triangle of the inverse, so W = R⁻¹ diag(z) holds all solutions: that of rank r is the sum
of its first r columns. Columns are scaled to norm 1; scaling R after the QR is the same as scaling A before it,
because Householder QR is columnwise stable (Higham 2002, Theorem 19.4). Damping adds rows to A before all that (`ridge`).
"""

from __future__ import annotations

import torch
from torch import Tensor

from lsr_core.linalg.diagonal import is_diagonal
from lsr_core.linalg.ridge import weights_of, with_penalty

FLOOR = 4.0  # times √columns times rounding: above it residuals by the factor and by the directions themselves agree to a few percent


class TriangularSolver:
    """Solutions of min ‖A[:, :r] c + b‖² + λ² ‖D (c + z)‖² for r = 0…R from the factor of [A, b].

    Args:
        factor: upper triangle of the QR of [A, b], (≤ R+1, R+1).
        rcond: singular values of the column-scaled triangle below rcond·σ₁ are cut.
        damping: λ relative to σ₁(A D⁻¹); 0 = none.
        lengths: D (R,), of the columns of the basis that c belongs to, so that ‖D c‖ = ‖Δθ‖; ones if not given.
        penalty: P (R, R), in place of a damping: ‖P (c + z)‖² is added.
        apart: z (R,), from where the penalty counts: λ² ‖D (c + z)‖²; none if not given.
        least: where A is diagonal, so that no scaled column is ever small: entries of A D⁻¹ below least·σ₁ are left out (see `least_of`).

    Attributes:
        triangle: of A, (≤ R, R).
        scaled: of A, with the rows of the damping if there is one, its columns scaled to norm 1.
        rhs: what belongs to `scaled` on the right.
    """

    def __init__(
        self, factor: Tensor, *, rcond: float, damping: float = 0.0, lengths: Tensor | None = None,
        penalty: Tensor | None = None, apart: Tensor | None = None, least: float = 0.0,
    ) -> None:  # fmt: skip
        n_columns = factor.shape[1] - 1
        self._factor = factor
        self.triangle = factor[:n_columns, :n_columns]
        self.base_norm = float(factor[:, n_columns].norm())
        if penalty is None and damping > 0:
            penalty = weights_of(self.triangle, damping, lengths)
        if penalty is not None:
            factor = with_penalty(factor, penalty, apart)
        solved = factor[:n_columns, :n_columns]
        self.rhs = -factor[: len(solved), n_columns]
        self._left_out = torch.zeros(len(solved), dtype=torch.bool)
        if least > 0 and n_columns > 0 and is_diagonal(self.triangle):
            sizes = (self.triangle / (1 if lengths is None else lengths)).diagonal().abs()
            self._left_out = sizes < least * sizes.max()
            self.rhs[: len(sizes)][self._left_out] = 0
        norms = solved.norm(dim=0)
        self.column_norms = torch.where(norms > 0, norms, torch.ones_like(norms))
        self.scaled = solved / self.column_norms
        self.rcond = rcond
        self._values: dict[int, Tensor] = {}

    @property
    def max_rank(self) -> int:
        return self.scaled.shape[1]

    def leading(self, rank: int) -> Tensor:
        """The column-scaled triangle of the first `rank` columns, (min(rank, rows), rank)."""
        return self.scaled[:rank, :rank]

    def singular_values(self, rank: int) -> Tensor:
        """Of `scaled` with `rank` columns: what the cut-off acts on; kept, as for many columns they take seconds."""
        if rank not in self._values:
            self._values[rank] = singular_values(self.leading(rank))
        return self._values[rank]

    def leaves_out(self, rank: int) -> bool:
        """Whether the solution at this rank lacks directions that are too small, by either rule."""
        return bool(self._left_out[:rank].any()) or self.cut_is_active(rank)

    def cut_is_active(self, rank: int) -> bool:
        """Whether truncation changes the solution at this rank."""
        if rank == 0:
            return False
        if rank > len(self.scaled):
            return True
        surely = self._cut_by_bounds(rank)
        if surely is not None:
            return surely
        values = self.singular_values(rank)
        return bool(values[-1] <= self.rcond * values[0])

    def _cut_by_bounds(self, rank: int) -> bool | None:
        """The same from what is cheaper than singular values, where that is enough.

        Columns have length 1, so 1 ≤ σ₁ ≤ √r; σᵣ is at most the smallest entry on the diagonal and at least 1/‖R⁻¹‖_F.
        """
        leading = self.leading(rank)
        smallest = float(leading.diagonal().abs().min())
        if smallest < self.rcond or smallest == 0:
            return True
        eye = torch.eye(rank, dtype=leading.dtype, device=leading.device)
        inverse = float(torch.linalg.solve_triangular(leading, eye, upper=True).norm())
        return False if inverse * self.rcond * rank**0.5 < 1 else None

    def solve(self, rank: int) -> Tensor:
        """Coefficients (rank,); minimum norm of the scaled coefficients where directions are cut."""
        rhs = self.rhs[:rank]
        if rank == 0:
            return rhs.new_zeros(0)
        if not self.cut_is_active(rank):
            scaled = torch.linalg.solve_triangular(self.leading(rank), rhs[:, None], upper=True)[:, 0]
        else:
            left, values, right_t = torch.linalg.svd(self.leading(rank), full_matrices=False)
            scaled = right_t.T @ (self._filter(values) * (left.T @ rhs))
        return scaled / self.column_norms[:rank]

    def solve_leading(self, rank: int) -> Tensor:
        """All solutions of ranks 0…rank as columns of an upper triangular (rank, rank + 1); no cut-off."""
        eye = torch.eye(rank, dtype=self.scaled.dtype, device=self.scaled.device)
        inverse = torch.linalg.solve_triangular(self.leading(rank), eye, upper=True)
        steps = inverse * self.rhs[:rank] / self.column_norms[:rank, None]
        zero = steps.new_zeros(rank, 1)
        return torch.cat([zero, steps.cumsum(dim=1)], dim=1)

    def orthonormal(self, rows: Tensor) -> Tensor:
        """Rows of A (n, r) as rows of Q in A = Q R, for r columns that are all kept; with damping, of the upper part of Q."""
        rank = rows.shape[1]
        scaled = rows / self.column_norms[:rank]
        return torch.linalg.solve_triangular(self.leading(rank), scaled, upper=True, left=False)

    def residual_norm(self, coefficients: Tensor) -> float:
        """‖A c + b‖ of a solution, from the factor alone; no damping in it."""
        return float((self._factor[:, : len(coefficients)] @ coefficients + self._factor[:, -1]).norm())

    def _filter(self, values: Tensor) -> Tensor:
        kept = (values >= self.rcond * values[0]) & (values > 0)
        return torch.where(kept, 1 / torch.where(kept, values, torch.ones_like(values)), torch.zeros_like(values))


def least_of(rcond: float | None, factor: Tensor) -> float:
    """The share of σ₁ below which a singular value is left out: the cut-off that was asked for, else that of rounding.

    An SVD has an absolute error of some ε σ₁ (Golub & Van Loan 2013, 8.6.2). A direction below that has a length of its own, which is not
    the one on the diagonal, and a solution that is divided by the latter leaves a residual that the factor does not know of.
    """
    return FLOOR * factor.shape[1] ** 0.5 * torch.finfo(factor.dtype).eps if rcond is None else rcond


def singular_values(triangle: Tensor) -> Tensor:
    """Singular values, largest first; of a diagonal, which the factored route ends with, they are on view."""
    if is_diagonal(triangle):
        return triangle.diagonal().abs().sort(descending=True).values
    return torch.linalg.svdvals(triangle)


def times_upper(block: Tensor, triangle: Tensor, parts: int = 8) -> Tensor:
    """block (n, r) @ triangle (r, r) without most of what is zero: a scaling for a diagonal, a staircase for an upper triangle."""
    if is_diagonal(triangle):
        return block * triangle.diagonal()
    product = block.new_empty(len(block), triangle.shape[1])
    width = max(64, -(-triangle.shape[1] // parts))
    for start in range(0, triangle.shape[1], width):
        end = min(start + width, triangle.shape[1])
        torch.mm(block[:, :end], triangle[:end, start:end], out=product[:, start:end])
    return product
