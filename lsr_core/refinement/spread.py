"""How far a smoothed predictor may be off: standard deviations of the linearised model at any point."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.jacobians import PlainRowJacobian
from lsr_core.refinement.setting import Setting
from lsr_core.refinement.smoothing import Smoothing
from lsr_core.refinement.subspace import Subspace

MOST_ENTRIES = 2**23  # of the directions as a matrix, beyond which it is not formed: a file of 64 MB
ROW_BYTES = 2**26  # of Jacobian rows held at once


@dataclass(frozen=True, eq=False)
class Spread:
    """The posterior of the linearised model: Δθ ~ N(0, τ²) before the data, noise of σ in them (Wahba 1983; MacKay 1992).

    Attributes:
        directions: orthonormal, along the singular vectors of the Jacobian on the training rows (m, k).
        along: standard deviation of Δθ along each of them (k,).
        outside: τ, its standard deviation in every direction that the subspace lacks; 0 leaves those out.
        noise: σ of every output (o,).
    """

    directions: Tensor
    along: Tensor
    outside: float
    noise: Tensor

    def of_rows(self, rows: Tensor, *, outside: bool = True) -> Tensor:
        """Standard deviation of the predicted mean for Jacobian rows (n, o, m), as (n, o); the noise is not in it."""
        inside = rows @ self.directions
        variance = (inside * self.along).square().sum(dim=-1)
        if outside and self.outside > 0:
            variance = variance + self.outside**2 * (rows - inside @ self.directions.T).square().sum(dim=-1)
        return variance.sqrt()

    def at(self, function: ParametricFunction, inputs: Tensor, *, outside: bool = True) -> Tensor:
        """The same at inputs (n, …) for the network as a function of the parameters that may move."""
        outputs = len(self.noise)
        samples = max(1, ROW_BYTES // (outputs * function.n_params * self.along.dtype.itemsize))
        found = []
        for part in inputs.split(samples):
            rows = PlainRowJacobian(function, part, outputs).rows_at(part)
            found.append(self.of_rows(rows.unflatten(0, (len(part), outputs)).to(self.along.dtype), outside=outside))
        return torch.cat(found)


def spread_of(smoothing: Smoothing, setting: Setting, subspace: Subspace) -> Spread | None:
    """The spread of what a smoothing delivers; None where nothing is refined, or the directions would fill the memory."""
    family, largest = smoothing.family, smoothing.largest
    if not smoothing.refines or setting.function.n_params * len(family.values) > MOST_ENTRIES or largest == 0:
        return None
    along, outside = deviations(smoothing)
    return Spread(subspace.delta(family.right.to(subspace.scale.dtype)).double(), along, outside, smoothing.noise)


def deviations(smoothing: Smoothing) -> tuple[Tensor, float]:
    """Standard deviation of Δθ along every singular direction (k,), and in those that the subspace lacks.

    The last is σ/(√N λ): what the strength of the penalty says of Δθ before any data. Without a penalty nothing is said of it, and 0 given.
    """
    family, strength = smoothing.family, smoothing.strength
    noise = float(smoothing.noise.square().mean().sqrt()) / math.sqrt(family.n_rows)
    squares = family.values.square() + strength**2
    solid = squares > (torch.finfo(squares.dtype).eps * smoothing.largest) ** 2
    along = torch.where(solid, noise / torch.where(solid, squares, torch.ones_like(squares)).sqrt(), 0.0)
    return along, noise / strength if strength > 0 else 0.0


def inside(smoothing: Smoothing, subspace: Subspace, inputs: Tensor, outputs: int) -> Tensor:
    """Standard deviation of the predicted mean within the subspace (n, o), where its directions are never formed."""
    along, _ = deviations(smoothing)
    modes = subspace.modes(inputs)[:, : len(smoothing.family.right)].double() @ smoothing.family.right
    return (modes * along).square().sum(dim=1).sqrt().view(-1, outputs)
