"""Errors of rows that the solution does not see, for groups of rows left out in turn, from one solution of all.

The residual of a group in the solution of all others is (1 − H_gg)⁻¹ e_g with e_g its residual in the solution of all and H_gg its block of the
map from data to fit (Allen 1974; for groups Cook & Weisberg 1982).
"""

from __future__ import annotations

import math
from functools import cached_property

import torch
from torch import Tensor

from lsr_core.linalg.smoothing import RidgeFamily

SEEN_BY_ITSELF = 1e-8  # of a group: where less is left to the others its residual is rounding
AT_ONCE = 4  # rows of a group up to which all λ are taken in one product


class LeftOutRows:
    """Rows of A in the coordinates of a ridge family.

    Args:
        family: of all rows.
        rows: of A with its weight, in the basis of the family, by groups that are left out together, (n, g, rank).
        errors: what b holds for them, without the weight, (n, g).
        weight: of the rows, 1/√N.
    """

    def __init__(self, family: RidgeFamily, rows: Tensor, errors: Tensor, weight: float) -> None:
        self._family, self._weight = family, weight
        self._rows = rows.double() @ family.right
        self._errors = self._network = errors.double()
        if family.apart is not None:
            self._errors = self._errors - rows.double() @ family.apart / weight

    def errors_and_rows(self) -> tuple[Tensor, Tensor]:
        """What b holds (n, g) without what a penalty from elsewhere adds, and the rows (n, g, k) along the family's directions."""
        return self._errors, self._rows

    def errors(self, strength: float | Tensor) -> Tensor:
        """Errors (n, g) of the groups, each in the solution without it; infinite where nothing is left to the others."""
        return self._without(self.fitted(strength), strength)

    def network(self, strength: float | Tensor) -> Tensor:
        """An estimate of the errors (n, g) that the network would have had without each group: (1 − H_gg)⁻¹ of those that it has.

        As if it were the solution of its own linearised problem at this λ (approximate cross-validation, Giordano et al. 2019).
        """
        return self._without(self._network, strength)

    def _without(self, fitted: Tensor, strength: float | Tensor) -> Tensor:
        shares, vectors = self._left_to_others(strength)
        solved = _turned(_turned(fitted, vectors) / shares, None if vectors is None else vectors.mT)
        return torch.where((shares > SEEN_BY_ITSELF).all(dim=1, keepdim=True), solved, torch.inf)

    def density(self, strength: float) -> tuple[float, float]:
        """Σ e_gᵀ(1 − H_gg)⁻¹e_g and Σ log det(1 − H_gg): what the density of groups in the solution without them is made of.

        With noise of σ² that density is N(0, σ²(1 − H_gg)⁻¹) in the error left out (Sundararajan & Keerthi 2001). Infinite where nothing
        is left to the others.
        """
        shares, vectors = self._left_to_others(strength)
        if float(shares.min()) <= SEEN_BY_ITSELF:
            return math.inf, -math.inf
        return float((_turned(self.fitted(strength), vectors).square() / shares).sum()), float(shares.log().sum())

    def densities(self, strengths: Tensor) -> tuple[Tensor, Tensor]:
        """The same at several λ (l,), small groups in one product for all of them."""
        size = self._rows.shape[1]
        if size > AT_ONCE:
            found = [self.density(float(strength)) for strength in strengths]
            return strengths.new_tensor([part[0] for part in found]), strengths.new_tensor([part[1] for part in found])
        fitted, shares = self._single(strengths) if size == 1 else self._few(strengths)
        left = shares.amin(dim=0) > SEEN_BY_ITSELF
        shares = torch.where(left, shares, torch.ones_like(shares))
        squares, logarithms = (fitted.square() / shares).sum(dim=0), shares.log().sum(dim=0)
        return torch.where(left, squares, torch.inf), torch.where(left, logarithms, -torch.inf)

    def _few(self, strengths: Tensor) -> tuple[Tensor, Tensor]:
        """Of groups of g rows: errors in the solution of all (n·g, l) along the axes of 1 − H_gg, and its eigenvalues (n·g, l)."""
        family, size = self._family, self._rows.shape[1]
        shrunk = torch.stack([self._shrunk(float(strength)) for strength in strengths], dim=1)
        places = torch.triu_indices(size, size)
        products = self._products @ shrunk
        own = products.new_zeros(len(products), len(strengths), size, size)
        own[:, :, places[0], places[1]] = own[:, :, places[1], places[0]] = products.transpose(1, 2)
        shares, vectors = torch.linalg.eigh(torch.eye(size).to(own) - own)
        fitted = self._rows @ (shrunk * (family.values * family.along)[:, None]) / self._weight
        turned = (vectors.mT @ (self._errors[..., None] + fitted).transpose(1, 2)[..., None])[..., 0]
        return turned.transpose(1, 2).flatten(0, 1), shares.transpose(1, 2).flatten(0, 1)

    def _single(self, strengths: Tensor) -> tuple[Tensor, Tensor]:
        """Of single rows: errors in the solution of all (n, l), and what is left to the others (n, l)."""
        family = self._family
        shrunk = torch.stack([self._shrunk(float(strength)) for strength in strengths], dim=1)
        fitted = self._errors + self._rows[:, 0] @ (shrunk * (family.values * family.along)[:, None]) / self._weight
        return fitted, 1 - self._squares[:, 0] @ shrunk

    def _left_to_others(self, strength: float | Tensor) -> tuple[Tensor, Tensor | None]:
        """Eigenvalues (n, g) of 1 − H_gg, and its eigenvectors (n, g, g) where a group has more than one row."""
        if self._rows.shape[1] == 1:
            return 1 - self.leverages(strength), None
        own = self.maps(strength)
        shares, vectors = torch.linalg.eigh(torch.eye(own.shape[1]).to(own) - own)
        return shares, vectors

    def maps(self, strength: float | Tensor) -> Tensor:
        """Blocks H_gg (n, g, g) of the map from data to fit."""
        return (self._rows * self._shrunk(strength)) @ self._rows.mT

    def leverages(self, strength: float | Tensor) -> Tensor:
        """Diagonal (n, g) of the map from data to fit."""
        return self._squares @ self._shrunk(strength)

    def spreads(self, strength: float | Tensor) -> Tensor:
        """Standard deviation (n, g) of the errors in the solutions without them, in that of the noise: √ of the diagonal of (1 − H_gg)⁻¹."""
        shares, vectors = self._left_to_others(strength)
        inverse = 1 / shares.clamp_min(1e-12)
        if vectors is None:
            return inverse.sqrt()
        return (vectors.square() @ inverse[..., None])[..., 0].sqrt()

    @cached_property
    def _products(self) -> Tensor:
        """Of every two rows of a group (n, g (g + 1)/2, k); kept, as they are asked for at every λ."""
        first, second = torch.triu_indices(self._rows.shape[1], self._rows.shape[1])
        return self._rows[:, first] * self._rows[:, second]

    @cached_property
    def _squares(self) -> Tensor:
        """Of the rows; kept, as they are asked for at every λ."""
        return self._rows.square()

    def fitted(self, strength: float | Tensor) -> Tensor:
        """Errors (n, g) in the solution of all."""
        family = self._family
        return self._errors + self._rows @ (self._shrunk(strength) * family.values * family.along) / self._weight

    def _shrunk(self, strength: float | Tensor) -> Tensor:
        """1/(s² + λ²) (k,), λ one or one for each direction (k,); 0 for directions without any response."""
        squares = self._family.values.square() + strength**2
        return torch.where(squares > 0, 1 / torch.where(squares > 0, squares, torch.ones_like(squares)), 0.0)

    def squares(self, strengths: Tensor) -> Tensor:
        """Sum of the squares (l,) of all groups' errors at several λ."""
        if 1 < self._rows.shape[1] <= AT_ONCE:
            turned, shares = self._few(strengths)
            return torch.where(shares > SEEN_BY_ITSELF, turned / shares, torch.inf).square().sum(dim=0)
        if self._rows.shape[1] > 1:
            return torch.stack([self.errors(float(strength)).square().sum() for strength in strengths])
        fitted, shares = self._single(strengths)
        return torch.where(shares > SEEN_BY_ITSELF, fitted / shares, torch.inf).square().sum(dim=0)


def _turned(values: Tensor, vectors: Tensor | None) -> Tensor:
    """Coordinates (n, g) along the columns of the vectors (n, g, g); as they are where there are none."""
    return values if vectors is None else (vectors.mT @ values[..., None])[..., 0]
