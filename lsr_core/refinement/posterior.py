"""From the strength of a penalty to the spread of what it delivers."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lsr_core.refinement.setting import Setting
from lsr_core.refinement.smoothing import Smoothing
from lsr_core.refinement.spread import Spread
from lsr_core.refinement.subspace import Subspace

MOST_ENTRIES = 2**23  # of the directions as a matrix, beyond which it is not formed: a file of 64 MB


def spread_of(smoothing: Smoothing, setting: Setting, subspace: Subspace) -> Spread | None:
    """The spread of what a smoothing delivers; None where it has none, or the directions would fill the memory."""
    family, largest = smoothing.family, smoothing.largest
    if not smoothing.tells_spread or setting.function.n_total * len(family.values) > MOST_ENTRIES or largest == 0:
        return None
    along, outside = deviations(smoothing)
    directions = subspace.delta(family.right.to(subspace.scale.dtype)).double()
    noise = setting.physical(smoothing.noise[None])[0]
    return Spread(directions, along, along.new_tensor([outside]), torch.ones_like(directions[:, 0]), noise)


def deviations(smoothing: Smoothing) -> tuple[Tensor, float]:
    """Standard deviation of Δθ along every singular direction (k,), and in those that the subspace lacks.

    The last is σ/(√N λ): what the strength of the penalty says of Δθ before any data. Without a penalty nothing is said of it, and 0 given.
    """
    return deviations_at(
        smoothing, smoothing.strength, float(smoothing.noise.square().mean().sqrt()), smoothing.penalty
    )


def deviations_at(
    smoothing: Smoothing, strength: float, noise: float, penalty: float | Tensor | None = None
) -> tuple[Tensor, float]:
    """The same at another strength and its own σ; where directions differ, at a penalty for each (k,)."""
    values, noise = smoothing.family.values, noise / math.sqrt(smoothing.family.n_rows)
    squares = values.square() + (strength if penalty is None else penalty) ** 2
    solid = squares > (torch.finfo(squares.dtype).eps * smoothing.largest) ** 2
    along = torch.where(solid, noise / torch.where(solid, squares, torch.ones_like(squares)).sqrt(), 0.0)
    return along, noise / strength if strength > 0 else 0.0


def inside(smoothing: Smoothing, subspace: Subspace, inputs: Tensor, outputs: int) -> Tensor:
    """Standard deviation of the predicted mean within the subspace (n, o), where its directions are never formed."""
    along, _ = deviations(smoothing)
    modes = subspace.modes(inputs)[:, : len(smoothing.family.right)].double() @ smoothing.family.right
    return (modes * along).square().sum(dim=1).sqrt().view(-1, outputs)
