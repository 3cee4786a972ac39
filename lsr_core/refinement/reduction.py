"""The errors of every rank on a split, by blocks of samples; nothing is kept that grows with them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from lsr_core.refinement.basis import OnFraction
from lsr_core.refinement.gains import Gains
from lsr_core.refinement.results import Floats
from lsr_core.refinement.setting import Setting
from lsr_core.refinement.subspace import Subspace
from lsr_core.refinement.sweep import RankErrors, RankSolutions


class ErrorBlock(NamedTuple):
    """One block of samples: where it stands, the errors q − y (b, o), and those of the refined predictor (b, o, k) at k ranks.

    They are those of the outputs as they are, whatever the solve divides them by.
    """

    samples: slice
    errors: Tensor
    refined: Tensor


class Passes:
    """Passes over splits once the solutions of all ranks are known; `on_block` sees the errors on the way.

    A further direction adds to the solution what it adds and leaves the rest: with the increments D of the coefficients the
    errors of all ranks are the running sums of [e, J V D] along the columns. That costs little beside the modes J V themselves, where a
    factor of [J V, e] would cost a QR of the same rows. Ranks with a solution of their own are columns of J V C.
    """

    def __init__(self, setting: Setting, subspace: Subspace, solutions: RankSolutions, on_fraction: OnFraction) -> None:
        self._setting, self._on_fraction = setting, on_fraction
        self._ranks = solutions.ranks
        self._increments = subspace.corrections(solutions.increments)
        self._separate = subspace.corrections(solutions.columns(solutions.separate)) if solutions.separate else None
        self._columns = max(subspace.rank, len(self._ranks))

    def __call__(self, name: str, on_block: Callable[[ErrorBlock], None] | None = None) -> RankErrors | None:
        """Mean squares over a split by rank, with gains for the validation split; None if there is no such split.

        Each process sees the blocks of its part.
        """
        setting = self._setting
        if name not in setting.splits:
            return None
        inputs, targets = setting.splits[name]
        row_bytes = self._columns * targets.shape[1] * targets.dtype.itemsize
        samples = max(1, min(setting.plan.block_bytes // row_bytes, setting.plan.samples))
        sums = torch.zeros(setting.parts, len(self._ranks), dtype=torch.float64, device=targets.device)
        gains = Gains.none(self._ranks)
        own = setting.reduction.part(len(inputs))
        for where in setting.reduction.blocks(len(inputs), samples):
            errors = setting.function.outputs(inputs[where]) - targets[where]
            refined = self._refined(inputs[where], errors.reshape(-1, 1))
            by_part = refined.view(len(errors), setting.parts, -1, refined.shape[1])
            sums += torch.linalg.vector_norm(by_part, dim=(0, 2)).double().square()
            if name == "validation":
                gains += Gains.of(self._ranks, refined.unflatten(0, errors.shape).square().mean(dim=1))
            if on_block is not None:
                on_block(ErrorBlock(where, *map(setting.physical, (errors, refined.unflatten(0, errors.shape)))))
            self._on_fraction((where.stop - own.start) / (own.stop - own.start))
        sums = setting.reduction.sum(sums)
        physical, size = sums * setting.part_sizes.square()[:, None], setting.squares(name)
        by_output = (physical * setting.parts / targets.numel() / size[:, None]).sqrt()
        return RankErrors(
            self._by_rank(physical.sum(dim=0) / targets.numel()),
            float(size.mean()),
            gains.over(setting.reduction) if name == "validation" else None,
            solved=self._by_rank(sums.sum(dim=0) / targets.numel()),
            by_output=self._by_rank(by_output.T) if setting.parts > 1 else None,
        )

    def _by_rank(self, values: Tensor) -> Floats:
        """Values (k, …) of the solved ranks at their places (R+1, …), NaN elsewhere."""
        found = np.full((max(self._ranks) + 1, *values.shape[1:]), math.nan)
        found[self._ranks] = values.cpu().numpy()
        return found

    def _refined(self, inputs: Tensor, errors: Tensor) -> Tensor:
        """Errors (b·o, k) of all solved ranks."""
        running = torch.cat([errors, self._increments(inputs)], dim=1).cumsum_(dim=1)
        if self._separate is None:
            return running
        return torch.cat([running, self._separate(inputs).add_(errors)], dim=1)
