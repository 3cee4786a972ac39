"""Training samples that a smoothed solution does not see: left out one at a time, repeated measurements together."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from lsr_core.linalg.left_out_rows import LeftOutRows
from lsr_core.linalg.smoothing import RidgeFamily
from lsr_core.refinement.gains import Gains
from lsr_core.refinement.neighbours import pairs_of
from lsr_core.refinement.setting import Setting
from lsr_core.refinement.subspace import Subspace

MOST_ROWS = 1000  # values of training samples, at random, beyond which more would only cost
MOST_TOGETHER = 100  # values that are left out at once, up to which their block is decomposed
PART = 7  # random stream


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Groups of training samples, by the size of the group.

    Attributes:
        groups: samples of each group (n_g, size), and their rows.
        errors: of the network at all of the samples, (n, o).
        places: of the samples among all training samples (n,).
    """

    groups: list[tuple[Tensor, LeftOutRows]]
    errors: Tensor
    places: Tensor

    @classmethod
    def of(cls, setting: Setting, subspace: Subspace, family: RidgeFamily, *, in_pairs: bool = False) -> HeldOut | None:
        """None where samples influence each other, or too many values belong together.

        Args:
            in_pairs: neighbours are left out together, and not repeated measurements alone.
        """
        inputs, targets = setting.train
        outputs = targets.shape[1]
        if not setting.sample_wise or outputs > MOST_TOGETHER:
            return None
        group_of, counts = groups_of(inputs, in_pairs=in_pairs)
        if int(counts.max()) * outputs > MOST_TOGETHER:
            return None
        order = torch.randperm(len(counts), generator=setting.generator(PART)).to(inputs.device)
        kept = order[counts[order].cumsum(0) * outputs <= max(MOST_ROWS, int(counts[order[0]]) * outputs)]
        places = torch.isin(group_of, kept).nonzero()[:, 0]
        some = group_of[places]
        errors = setting.function.outputs(inputs[places]) - targets[places]
        rows = subspace.modes(inputs[places])[:, : len(family.right)].unflatten(0, errors.shape) * setting.weight
        found = []
        for size in torch.unique(counts[kept]).tolist():
            inside = (counts[some] == size).nonzero()[:, 0]
            together = inside[torch.argsort(some[inside], stable=True)].view(-1, size)
            block = LeftOutRows(family, rows[together].flatten(1, 2), errors[together].flatten(1), setting.weight)
            found.append((together, block))
        return cls(found, errors, places)

    def errors_at(self, strength: float | Tensor) -> Tensor:
        """Errors (n, o) of the samples, each in the solution without its group."""
        return self._gathered(lambda block: block.errors(strength))

    def tells(self, strength: float | Tensor) -> bool:
        """Whether all of these errors are known."""
        return bool(torch.isfinite(self.errors_at(strength)).all())

    def spreads(self, strength: float | Tensor) -> Tensor:
        """Standard deviation (n, o) of the errors left out, in that of the noise."""
        return self._gathered(lambda block: block.spreads(strength))

    def leverages(self, strength: float | Tensor) -> Tensor:
        """What each value has of its own fit, (n, o)."""
        return self._gathered(lambda block: block.leverages(strength))

    def fitted_errors(self, strength: float | Tensor) -> Tensor:
        """Errors (n, o) in the solution of all."""
        return self._gathered(lambda block: block.fitted(strength))

    def mean_square(self, strengths: Tensor) -> Tensor:
        """Of the errors left out (g,)."""
        sums = torch.stack([block.squares(strengths) for _, block in self.groups]).sum(dim=0)
        return sums / self.errors.numel()

    def log_density(self, strengths: Tensor) -> Tensor:
        """Mean over the values of their log-density in the solutions without them (g,), at the σ² that suits each λ best."""
        count = self.errors.numel()
        parts = [block.densities(strengths) for _, block in self.groups]
        squares, shares = (torch.stack(values).sum(dim=0) for values in zip(*parts, strict=True))
        noise = squares / count
        known = (noise > 0) & (noise < torch.inf)
        density = -0.5 * (torch.log(2 * math.pi * noise) + 1 - shares / count)
        return torch.where(known, density, -torch.inf)

    def gains(self, rank: int, strength: float | Tensor, known: float | Tensor) -> Gains:
        """What the solution takes off the squared errors of samples that it does not see; those of a group count as one.

        Args:
            known: λ of a ridge solution that has taken up as much of the samples as the network, whose errors are taken to what they would have been
                without each: one or one for each direction (k,), infinite where nothing was.
        """
        before = self._gathered(lambda block: block.network(known))
        losses = torch.stack([errors.square().mean(dim=1) for errors in (before, self.errors_at(strength))], dim=1)
        sums = [losses[places].sum(dim=1) for places, _ in self.groups]  # left out together, and alike
        return Gains.of([0, rank], torch.cat(sums))

    def _gathered(self, values: Callable[[LeftOutRows], Tensor]) -> Tensor:
        found = torch.empty_like(self.errors, dtype=torch.float64)
        for places, block in self.groups:
            found[places] = values(block).unflatten(1, (places.shape[1], -1))
        return found


def groups_of(inputs: Tensor, *, in_pairs: bool = False) -> tuple[Tensor, Tensor]:
    """Which samples were measured at the same place: the group of each sample (n,), and how many there are in each group.

    Args:
        in_pairs: places that are each other's nearest count as one.
    """
    places, group_of, counts = torch.unique(inputs.flatten(1), dim=0, return_inverse=True, return_counts=True)
    if not in_pairs:
        return group_of, counts
    group_of = pairs_of(places)[group_of]
    return group_of, torch.bincount(group_of)


def pure_error(inputs: Tensor, targets: Tensor) -> tuple[Tensor, int]:
    """σ² (o,) from repeated measurements alone, which no model can explain, and its degrees of freedom (0 = there are none)."""
    group_of, counts = groups_of(inputs)
    spare = len(targets) - len(counts)
    values = targets.double()
    means = values.new_zeros(len(counts), values.shape[1]).index_add_(0, group_of, values) / counts[:, None]
    return (values - means[group_of]).square().sum(dim=0) / max(1, spare), spare
