"""Does what a network misses follow from its inputs? At neighbouring samples a shape that it cannot take is nearly the same, noise is not."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from lsr_core.refinement.neighbours import nearest_of

FEWEST = 60  # samples, below which the shares are left to chance
MOST = 5000  # that are looked at
ROUGH = (
    0.7  # of the variance of what the network misses, that nearest samples leave: it does not follow from the inputs
)
TOLD = 0.25  # of the targets' variance, up to which neighbours tell a target


@dataclass(frozen=True)
class Roughness:
    """Half the mean square of differences between nearest samples over the variance: 0 for what is smooth at their distance, about 1 for noise.

    Rice (1984), first differences; of scattered inputs nearest neighbours as in Evans & Jones (2002).

    Attributes:
        samples: that were looked at.
        target, residual: the share of the targets, and of what the network misses of them.
        sigma: standard deviation of a value that the differences of the residual tell.
    """

    samples: int
    target: float
    residual: float
    sigma: float

    @property
    def is_noise(self) -> bool:
        """Whether neighbours tell the targets and not what the network misses: noise, or detail finer than the samples lie."""
        return self.residual >= ROUGH and self.target <= TOLD


def roughness(inputs: Tensor, targets: Tensor, residuals: Tensor) -> Roughness | None:
    """Of samples (n, …), their targets and residuals (n, …); None where there are too few, or neighbours say nothing.

    Outputs count by their squares, all together.
    """
    count = len(inputs)
    nearest = nearest_of(inputs) if FEWEST <= count <= MOST else None
    if nearest is None:
        return None
    shares = [_share(values.flatten(1).double(), nearest) for values in (targets, residuals)]
    if any(share is None for share in shares):
        return None
    (target, _), (residual, sigma) = (share for share in shares if share is not None)
    return Roughness(count, target, residual, sigma)


def _share(values: Tensor, nearest: Tensor) -> tuple[float, float] | None:
    """The share, and the root of half the mean square difference of a value."""
    variance = float((values - values.mean(dim=0)).square().sum(dim=1).mean()) * len(values) / (len(values) - 1)
    if not variance > 0:
        return None
    half = float((values - values[nearest]).square().sum(dim=1).mean()) / 2
    return half / variance, (half / values.shape[1]) ** 0.5
