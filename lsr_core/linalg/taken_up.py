"""How much of the noise of its own training samples a network has taken up, told by what its residual lacks along each direction.

Of noise alone every direction would hold as much, σ²; of anything that is left to learn more. Where strong directions hold less, the network has
fitted them, noise and all, and its errors at these samples are too small to hold a refinement against.
"""

from __future__ import annotations

import torch
from torch import Tensor

from lsr_core.linalg.smoothing import RidgeFamily

LARGEST = 1e9  # times σ², that a mean over directions can hold
LEAST = 1e-3  # of a direction that is left: of less a residual tells nothing


def taken_up(family: RidgeFamily, variance: float) -> Tensor:
    """λ (k,) of the ridge solution that has taken up as much of each direction; infinite where nothing is lacking.

    A network that has fitted the share g of a direction leaves 1 − g of it. The energy that is left falls from weak directions to strong ones, as
    networks learn strong directions first; single energies vary by as much as they are large, so the nearest such curve is taken. What is left to
    learn makes it rise above σ², where nothing counts as lacking.

    Args:
        family: of the network's residual.
        variance: σ² of the noise; without any nothing is taken up of it.
    """
    from scipy.optimize import isotonic_regression

    energies = (family.n_rows * family.whole.square() / variance).nan_to_num(nan=1.0).clamp_max(LARGEST)
    if not len(energies):
        return energies
    left = (
        torch.from_numpy(isotonic_regression(energies.cpu().numpy()).x.copy()).to(energies).clamp(LEAST**2, 1.0).sqrt()
    )
    return torch.where(left < 1, family.values * (left / (1 - left)).sqrt(), torch.inf)  # of share 1 − left
