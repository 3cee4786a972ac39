"""Ridge regression for every λ at once, from one triangular factor: solution, residual, degrees of freedom, and what λ is chosen by.

With A D⁻¹ = U S Wᵀ every quantity below is a sum over the singular values, O(r) for each λ; rows are never seen again. A carries the weight
1/√N of a mean square, so that ‖A c + b‖² is one. D are lengths of the columns of the basis: the penalty is λ² ‖D c‖² = λ² ‖Δθ‖².
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import torch
from torch import Tensor

from lsr_core.linalg.diagonal import svd

LEFT_TO_TELL = 1e-6  # of the rows
PER_DECADE = 8
DECADES = 17  # from the largest singular value to below its rounding
FLAT = 1e-9  # of a criterion's value: a dip that rounding makes
LARGEST = 1e300  # that a search can subtract from itself
ABOVE = 2  # decades above it, where next to nothing of the solution is left


class RidgeFamily:
    """Solutions of min ‖A c + b‖² + λ² ‖D (c + z)‖² on the first `rank` columns, for all λ.

    Args:
        factor: upper triangle of the QR of [A, b] (≤ R+1, R+1).
        n_rows: N, of A; what rounding or a small basis hides of them is not lost.
        lengths: D (R,), none of them zero; ones if not given.
        rank: columns that are used; all if not given.
        apart: z (R,), from where the penalty counts; zero if not given. Then all below is that of c + z beside b − A z.
        least: singular values below least·σ₁ count as zero (see `least_of`).

    Attributes:
        values: singular values s of A D⁻¹, largest first (k,).
        right: D⁻¹ W (rank, k): what turns coordinates along them into coefficients.
        along: −Uᵀ b (k,), what the directions can take off b.
        whole: the same of b as it is, where `along` has b − A z.
        beyond: ‖b‖² outside of their span: what no λ removes.
        base: ‖b‖², the mean square without a solution.

    Reference: Golub, Heath & Wahba (1979), MacKay (1992); Hansen (1998) for the sums.
    """

    def __init__(
        self, factor: Tensor, n_rows: int, *, lengths: Tensor | None = None, rank: int | None = None, apart: Tensor | None = None,
        least: float = 0.0,
    ) -> None:  # fmt: skip
        columns = factor.shape[1] - 1
        rank = columns if rank is None else rank
        lengths = factor.new_ones(columns) if lengths is None else lengths
        self._factor, self._lengths, self.whole_apart, self._least = factor, lengths, apart, least
        ahead, below = factor[:rank, -1].double(), factor[rank:, -1].double()
        unmoved = ahead
        self.base = float(ahead.square().sum() + below.square().sum())
        self.apart = None if apart is None else apart[:rank].double()
        if self.apart is not None:
            ahead = ahead - factor[:rank, :rank].double() @ self.apart
        matrix = factor[:rank, :rank].double() / lengths[:rank].double()
        left, values, right_t = svd(matrix)
        self.values = values * (values >= least * values[:1])
        self.right = right_t.T / lengths[:rank, None].double()
        self.along, self.whole = -(left.T @ ahead), -(left.T @ unmoved)
        self.n_rows = n_rows
        outside = (ahead + left @ self.along).square().sum() if len(ahead) > len(self.values) else ahead.new_zeros(())
        self.beyond = float(outside + below.square().sum())
        self._unused = n_rows - len(self.values)

    @property
    def largest(self) -> float:
        """Mean square that is left where the penalty is all that counts: ‖b − A z‖²."""
        return float(self.along.square().sum()) + self.beyond

    def leading(self, rank: int) -> RidgeFamily:
        """The family on the first `rank` columns."""
        return RidgeFamily(
            self._factor, self.n_rows, lengths=self._lengths, rank=rank, apart=self.whole_apart, least=self._least
        )

    def grid(self) -> Tensor:
        """Values of λ (g,), ascending: evenly spread in the logarithm over everything that makes a difference."""
        largest = float(self.values[0]) if len(self.values) else 0.0
        if not largest > 0:
            return self.values.new_zeros(0)
        top = math.log10(largest) + ABOVE
        count = PER_DECADE * (DECADES + ABOVE) + 1
        return torch.logspace(top - DECADES - ABOVE, top, count, dtype=torch.float64).to(self.values.device)

    def coefficients(self, strength: float | Tensor) -> Tensor:
        """c (rank,) at one λ, or one for each direction (k,); that of smallest ‖D c‖ at 0, where directions without any response are left out."""
        squares = self.values.square() + strength**2
        kept = squares > 0
        filtered = torch.where(kept, self.values / torch.where(kept, squares, torch.ones_like(squares)), 0.0)
        found = self.right @ (filtered * self.along)
        return found if self.apart is None else found - self.apart

    def mean_square(self, strengths: Tensor) -> Tensor:
        """‖A c + b‖² (g,)."""
        return (self._left(strengths).square() * self.along.square()).sum(dim=1) + self.beyond

    def degrees_of_freedom(self, strengths: Tensor) -> Tensor:
        """trace of the map from data to fit (g,): as many free parameters as the fit is worth."""
        return (1 - self._left(strengths)).sum(dim=1)

    def unspent(self, strengths: Tensor) -> Tensor:
        """N less the degrees of freedom (g,), without cancellation where they are nearly all spent."""
        return self._left(strengths).sum(dim=1) + self._unused

    def gcv(self, strengths: Tensor, *, cost: float = 1.0) -> Tensor:
        """Generalised cross-validation (g,): an estimate of the mean square at points that were not fitted.

        Golub, Heath & Wahba (1979). A `cost` above 1 counts every degree of freedom that often (Cummins, Filloon & Nychka 2001), which guards
        against its occasional far too small λ.
        """
        left = (self.unspent(strengths) - (cost - 1) * self.degrees_of_freedom(strengths)) / self.n_rows
        return torch.where(left > 0, self.mean_square(strengths) / left.square(), torch.inf)

    def noise_by_residual(self, strengths: Tensor) -> Tensor:
        """σ² (g,) from the residual and what is unspent (Wahba 1983)."""
        return self.mean_square(strengths) * self.n_rows / self.unspent(strengths)

    def noise_by_evidence(self, strengths: Tensor) -> Tensor:
        """σ² (g,) of largest marginal likelihood at each λ."""
        return (self._left(strengths) * self.along.square()).sum(dim=1) + self.beyond

    def noise(self, strengths: Tensor) -> Tensor:
        """σ² (g,) by the residual, or by the evidence where next to no degree of freedom is left to tell it by."""
        left = self.unspent(strengths) > LEFT_TO_TELL * self.n_rows
        return torch.where(left, self.noise_by_residual(strengths), self.noise_by_evidence(strengths))

    def log_evidence(self, strengths: Tensor) -> Tensor:
        """Logarithm of the marginal likelihood (g,) of the N rows √N b, at its best σ² for each λ.

        The model: √N b = −√N A c + ε with ε ~ N(0, σ²) and D c ~ N(0, σ²/(N λ²)), isotropic in Δθ (MacKay 1992; at the optimum of the
        linearised model, as Antorán et al. 2022 ask for).
        """
        noise = self.noise_by_evidence(strengths)
        complexity = torch.log1p((self.values / strengths[:, None]).square()).sum(dim=1)
        return -0.5 * (self.n_rows * (torch.log(2 * math.pi * noise) + 1) + complexity)

    def discrepant(self, mean_square: float) -> float:
        """λ at which the fit leaves exactly this mean square (Morozov 1966); 0 or infinity where no λ does."""
        if mean_square >= self.largest:
            return math.inf
        grid = self.grid()
        if len(grid) == 0 or mean_square <= self.beyond or float(self.mean_square(grid[:1])) >= mean_square:
            return 0.0
        return 10 ** _root(
            lambda x: float(self.mean_square(grid.new_tensor([10**x]))) - mean_square, _log(grid[0]), _log(grid[-1])
        )

    def _left(self, strengths: Tensor) -> Tensor:
        """λ²/(s² + λ²) (g, k): what of each component the fit leaves. Strengths (g,), or for each direction its own (g, k)."""
        squares = (strengths if strengths.ndim == 2 else strengths[:, None]).square()
        return squares / (self.values.square() + squares)


def minima(criterion: Callable[[Tensor], Tensor], grid: Tensor) -> list[tuple[float, float]]:
    """Local minima (λ, value) of a criterion over λ, best first: between the points of the grid by golden section, or at an end of it.

    What rises on either side by no more than rounding is none.
    """
    from scipy.optimize import minimize_scalar

    values = criterion(grid).cpu()
    found = []
    for place in _valleys(values):
        here = float(values[place])
        best = (float(grid[place]), here)
        if 0 < place < len(grid) - 1:
            refined = minimize_scalar(
                lambda x: min(float(criterion(grid.new_tensor([10**x]))[0]), LARGEST),
                bounds=(_log(grid[place - 1]), _log(grid[place + 1])),
                method="bounded",
                options={"xatol": 1e-3},
            )
            if refined.fun < here:
                best = (10 ** float(refined.x), float(refined.fun))
        found.append(best)
    return sorted(found, key=lambda pair: pair[1])


def _valleys(values: Tensor) -> list[int]:
    """Places of the minima of a curve, its ends among them: of a flat floor its middle, and none that a rise by rounding makes.

    SciPy's `find_peaks` would do, but its package takes half a second to load.
    """
    heights = torch.where(torch.isfinite(values), values, torch.inf).tolist()
    found, first = [], 0
    for height, floor in itertools.groupby(heights):
        end = first + len(list(floor))
        walls = _wall(heights[:first][::-1], height), _wall(heights[end:], height)
        if height < math.inf and min(walls) - height > FLAT * abs(height):
            found.append((first + end - 1) // 2)
        first = end
    return found


def _wall(heights: list[float], floor: float) -> float:
    """How far a curve rises from a floor before it falls below it; without a limit where it never does."""
    lower = next((place for place, height in enumerate(heights) if height < floor), None)
    return math.inf if lower is None else max(heights[:lower], default=floor)


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    from scipy.optimize import brentq

    return float(brentq(function, low, high, xtol=1e-12))


def _log(value: Tensor) -> float:
    return math.log10(float(value))
