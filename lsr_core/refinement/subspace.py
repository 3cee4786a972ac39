"""The subspace of parameter directions, and what the network does along it."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from lsr_core.linalg.randomized import randomized_svd, sketch_error
from lsr_core.networks.jacobians import FactoredJacobian
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
    def delta(self, coefficients: Tensor) -> Tensor:
        """Δθ = V c for coefficients (r', k) or (r',) of the first r' ≤ r directions: (m, k) or (m,)."""


class ExplicitSubspace(Subspace):
    """V kept as a matrix."""

    def __init__(self, strategy: Strategy, basis: Tensor, singular_values: Tensor, *, scale: Tensor, sketch_error: float) -> None:
        self.strategy = strategy
        self.basis = basis
        self.rank = basis.shape[1]
        self.singular_values = singular_values
        self.scale = scale
        self.sketch_error = sketch_error
        self._scaled = basis if bool((scale == 1).all()) else basis * scale

    def modes(self, inputs: Tensor) -> Tensor:
        return self.strategy.at(inputs).matmat(self._scaled)

    def delta(self, coefficients: Tensor) -> Tensor:
        return self._scaled[:, : len(coefficients)] @ coefficients


class AnchoredSubspace(Subspace):
    """V = J_sᵀ C with the Jacobian rows of s sampled points, the anchors; V itself is never formed.

    With J_s J_sᵀ = U Λ Uᵀ, C = U Λ^(−1/2) makes V orthonormal. The modes J V = (J J_sᵀ) C need inner products of rows only. Forming the
    Gram matrix squares the condition number: directions below √eps·σ₁ are not resolved in double precision.
    """

    def __init__(self, anchors: FactoredJacobian, rank: int, n_rows: int, *, scaled: bool) -> None:
        self.anchors = anchors
        self._factors = anchors.network.capture(anchors.inputs)
        values, vectors = torch.linalg.eigh(self._factors.gram(self._factors, anchors.network))
        values, vectors = values.flip(0)[:rank], vectors.flip(1)[:, :rank]
        floor = torch.finfo(values.dtype).eps * values[0]
        resolved = values.clamp_min(floor).sqrt()
        self.rank = len(values)
        # the anchors are a sample of the rows: J ≈ √(n/s) J_s in the sense of singular values
        self.singular_values = resolved * (n_rows / anchors.shape[0]) ** 0.5
        self.scale = 1 / self.singular_values if scaled else torch.ones_like(resolved)
        self.coefficients = vectors / resolved * self.scale
        self.sketch_error = float("nan")

    def modes(self, inputs: Tensor) -> Tensor:
        network = self.anchors.network
        return network.capture(inputs).gram(self._factors, network) @ self.coefficients

    def delta(self, coefficients: Tensor) -> Tensor:
        weights = self.coefficients[:, : len(coefficients)] @ coefficients
        return self.anchors.rmatvec(weights) if weights.ndim == 1 else self.anchors.rmatmat(weights)
