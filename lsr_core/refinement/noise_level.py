"""σ of the noise in the training samples: by the fit, or by repeated measurements where they say otherwise."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from lsr_core.linalg.smoothing import RidgeFamily
from lsr_core.problems.splits import Split
from lsr_core.refinement.held_out import HeldOut, pure_error
from lsr_core.refinement.shared_noise import SharedNoise

NOT_TOLD = "not told: the network is kept, and has seen its training data"
FEWEST_REPEATS = 5  # spare measurements from which they alone may tell the noise, where the fit disagrees
ENOUGH_REPEATS = 30  # that tell σ to an eighth, 1/√(2·30), whatever the fit leaves
LEFT = 0.1  # of what is unspent, at least, where neighbours share their noise
DIFFERS = 0.05  # the chance of two variances as different as these, below which they are not taken for one


@dataclass(frozen=True, eq=False)
class NoiseLevel:
    """σ (o,) of every output, how it was found, from how many spare measurements of a place, and whether by these alone."""

    sigma: Tensor
    how: str
    spare: int
    repeated: bool = False


def noise_level(
    train: Split,
    penalty: float | Tensor,
    at: Tensor,
    family: RidgeFamily,
    held_out: HeldOut | None,
    shared: SharedNoise | None,
) -> NoiseLevel:
    """Of the samples around a solution.

    Args:
        penalty: λ of the solution, one or one for each direction; infinite for none.
        at: the same as the family takes it.
        shared: what is known of noise that neighbours share, if they do.
    """
    variance, spare = pure_error(*train)
    outputs, fitted = len(variance), len(family.values) > 0 and bool(torch.as_tensor(penalty).isfinite().all())
    pooled = float(family.noise(at)[0]) if fitted else family.base
    few = fitted and spare < ENOUGH_REPEATS
    if spare >= FEWEST_REPEATS and not (few and _agree(pooled, float(family.unspent(at)[0]), variance, spare)):
        return NoiseLevel(variance.sqrt(), f"from repeated measurements ({spare} to spare)", spare, repeated=True)
    if not fitted:
        return NoiseLevel(variance.new_full((outputs,), math.sqrt(pooled)), NOT_TOLD, spare)
    how = "from what the fit leaves and the degrees of freedom it has not spent"
    if shared is not None and held_out is not None:
        alone = float(family.unspent(at)[0])
        unspent = max(alone - shared.spent(held_out, penalty), LEFT * alone)
        return NoiseLevel(
            variance.new_full((outputs,), math.sqrt(pooled * alone / unspent)), f"{how}, as neighbours share it", spare
        )
    if outputs == 1 or held_out is None:
        return NoiseLevel(variance.new_full((outputs,), math.sqrt(pooled)), how, spare)
    squares = held_out.fitted_errors(penalty).square().sum(dim=0)
    free = (1 - held_out.leverages(penalty)).sum(dim=0)
    single = torch.where(free > 0, squares / free.clamp_min(1e-12), pooled)
    return NoiseLevel(single.sqrt(), f"{how}, of each output by itself", spare)


def _agree(fitted: float, freedom: float, variance: Tensor, spare: int) -> bool:
    """Whether what the fit leaves is no more, and no less, than repeated measurements say (F test): then all samples tell σ better than these few."""
    from scipy.special import fdtr

    repeated = float(variance.mean())
    if repeated == 0 or freedom <= 0:
        return False
    below = float(fdtr(freedom, spare * len(variance), fitted / repeated))
    return DIFFERS / 2 < below < 1 - DIFFERS / 2
