"""The subspace of parameter directions, and what the network does along it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

from lsr_core.linalg.triangular import times_upper
from lsr_core.networks.directions import FactoredDirections
from lsr_core.networks.strategies import Strategy


class Subspace(ABC):
    """The span of r parameter directions V (m × r), ordered by singular value.

    Attributes:
        rank: r.
        singular_values: of the Jacobian the basis came from, (r,).
        scale: (r,) lengths of the columns: ones, or 1/singular values.
        sketch_error: a-posteriori estimate of ‖J − Q Qᵀ J‖₂; NaN if unknown.
    """

    rank: int
    singular_values: Tensor
    scale: Tensor
    sketch_error: float

    @abstractmethod
    def modes(self, inputs: Tensor) -> Tensor:
        """Response modes J(x) V at the inputs, (n·o, r)."""

    @abstractmethod
    def corrections(self, coefficients: Tensor) -> Callable[[Tensor], Tensor]:
        """The map from inputs to J(x) V c, (n·o, k), for the k columns of coefficients (r', k), r' ≤ r; square ones are upper triangular."""

    @abstractmethod
    def delta(self, coefficients: Tensor) -> Tensor:
        """Δθ = V c for coefficients (r', k) or (r',) of the first r' ≤ r directions: (m, k) or (m,)."""

    @abstractmethod
    def coordinates(self, vector: Tensor) -> Tensor:
        """Coefficients (r,) of the part of a vector (m,) of parameters that lies in the span."""


class ExplicitSubspace(Subspace):
    """V kept as a matrix."""

    def __init__(
        self, strategy: Strategy, basis: Tensor, singular_values: Tensor, *, scale: Tensor, sketch_error: float
    ) -> None:
        self.strategy = strategy
        self.basis = basis
        self.rank = basis.shape[1]
        self.singular_values = singular_values
        self.scale = scale
        self.sketch_error = sketch_error
        self._scaled = basis if bool((scale == 1).all()) else basis * scale

    def modes(self, inputs: Tensor) -> Tensor:
        if self.rank == 0:
            return self.basis.new_zeros(len(inputs) * self.strategy.n_outputs, 0)
        return self.strategy.at(inputs).matmat(self._scaled)

    def corrections(self, coefficients: Tensor) -> Callable[[Tensor], Tensor]:
        # modes first: as there are about as many coefficients as directions, V c has the size of V and saves nothing
        count = len(coefficients)
        if coefficients.shape[1] == count:
            return lambda inputs: times_upper(self.modes(inputs)[:, :count], coefficients)
        return lambda inputs: self.modes(inputs)[:, :count] @ coefficients

    def delta(self, coefficients: Tensor) -> Tensor:
        return self._scaled[:, : len(coefficients)] @ coefficients

    def coordinates(self, vector: Tensor) -> Tensor:
        return self.basis.T @ vector / self.scale


class SketchedSubspace(Subspace):
    """V = Ω C with directions Ω in factored form, one outer product a layer each; neither V nor Ω is ever formed.

    C makes V orthonormal and orders it by the singular values of J on the span of Ω.
    """

    def __init__(
        self,
        strategy: Strategy,
        directions: FactoredDirections,
        coefficients: Tensor,
        singular_values: Tensor,
        *,
        scale: Tensor,
        sketch_error: float,
    ) -> None:
        self.strategy = strategy
        self.directions = directions
        self.rank = coefficients.shape[1]
        self.singular_values = singular_values
        self.scale = scale
        self.sketch_error = sketch_error
        self._coefficients = coefficients * scale

    def modes(self, inputs: Tensor) -> Tensor:
        return self._images(inputs) @ self._coefficients

    def corrections(self, coefficients: Tensor) -> Callable[[Tensor], Tensor]:
        weights = self._coefficients[:, : len(coefficients)] @ coefficients
        return lambda inputs: self._images(inputs) @ weights

    def delta(self, coefficients: Tensor) -> Tensor:
        weights = self._coefficients[:, : len(coefficients)] @ coefficients
        if weights.ndim == 1:
            return self.directions.combination(weights)
        return torch.stack([self.directions.combination(column) for column in weights.unbind(1)], dim=1)

    def coordinates(self, vector: Tensor) -> Tensor:
        return self._coefficients.T @ self.directions.against(vector) / self.scale.square()

    def _images(self, inputs: Tensor) -> Tensor:
        return self.strategy.at(inputs).times(self.directions)
