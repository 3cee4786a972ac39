"""How far a smoothed predictor may be off: standard deviations of the linearised model at any point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.jacobians import PlainRowJacobian

ROW_BYTES = 2**26  # of Jacobian rows held at once


@dataclass(frozen=True, eq=False)
class Spread:
    """The posterior of the linearised model: Δθ ~ N(0, τ²) before the data, noise of σ in them (Wahba 1983; MacKay 1992).

    Attributes:
        directions: orthonormal, along the singular vectors of the Jacobian on the training rows (m, k).
        along: standard deviation of Δθ along each of them (k,).
        outside: τ, its standard deviation in every direction that the subspace lacks, (1,); 0 leaves those out.
        free: which of the m scalars moved at all, as ones and zeros (m,).
        noise: σ of every output (o,).
    """

    directions: Tensor
    along: Tensor
    outside: Tensor
    free: Tensor
    noise: Tensor

    def variance(self, rows: Tensor, *, outside: bool = True) -> Tensor:
        """Of the predicted mean for Jacobian rows (…, m), as (…); the noise is not in it."""
        inside = rows @ self.directions
        moved = inside * self.along
        if outside:
            moved = torch.cat([moved, self.outside * (rows * self.free - inside @ self.directions.T)], dim=-1)
        return torch.linalg.vecdot(moved, moved)

    def at(self, function: ParametricFunction, inputs: Tensor, *, outside: bool = True) -> Tensor:
        """Standard deviation of the predicted mean (n, o) at inputs (n, …) for a network by its m scalars."""
        outputs = len(self.noise)
        samples = max(1, ROW_BYTES // (outputs * function.n_params * self.along.dtype.itemsize))
        found = []
        for part in inputs.split(samples):
            rows = PlainRowJacobian(function, part, outputs).rows_at(part).unflatten(0, (len(part), outputs))
            found.append(self.variance(rows.to(self.along.dtype), outside=outside).sqrt())
        return torch.cat(found)

    def stretched(self, factor: float) -> Spread:
        """All standard deviations, that of the noise among them, times a number."""
        return replace(self, along=factor * self.along, outside=factor * self.outside, noise=factor * self.noise)

    def by(self, expand: Callable[[Tensor], Tensor]) -> Spread:
        """The same by more scalars, among which a step of the m lies as `expand` places it and zero elsewhere."""
        directions = torch.stack([expand(column) for column in self.directions.unbind(1)], dim=1)
        return Spread(directions, self.along, self.outside, expand(self.free), self.noise)

    def in_precision(self, dtype: torch.dtype) -> Spread:
        """The same on the processor and in another floating type."""
        return Spread(*(part.detach().to("cpu", dtype) for part in self.parts().values()))

    def parts(self) -> dict[str, Tensor]:
        """The tensors by name."""
        return dict(vars(self))
