"""The refined field at the display points, rank by rank of the ladder, gathered while the rows stream past."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from lsr_core.problems.grids import find_grid
from lsr_core.refinement.reduction import ErrorBlock
from lsr_core.refinement.results import Fields
from lsr_core.refinement.setting import Setting
from lsr_core.refinement.sizes import MAX_DISPLAY_POINTS, stepped_points
from lsr_core.refinement.sweep import RankSolutions


class FieldRecorder:
    """Collects fields on at most 20,000 display points, evenly thinned where there are more."""

    def __init__(self, setting: Setting, solutions: RankSolutions, ranks: Sequence[int]) -> None:
        self._setting = setting
        self._split = setting.splits[setting.display]
        self._ranks = list(ranks)
        solved = solutions.ranks
        self._columns = [solved.index(rank) for rank in self._ranks]
        self.points = thinned(len(self._split.inputs), MAX_DISPLAY_POINTS)
        nothing = self._split.targets[:0].cpu()
        self._errors = [nothing[:, :, None].expand(-1, -1, len(self._ranks))]
        self._network = [nothing]

    def add(self, block: ErrorBlock) -> None:
        """Take the display points that fall into this block of samples."""
        inside = self.points[(self.points >= block.samples.start) & (self.points < block.samples.stop)]
        rows = inside - block.samples.start
        self._errors.append(block.refined[:, :, self._columns][rows].cpu())
        self._network.append(
            (block.errors[rows] + self._setting.physical(self._split.targets[block.samples])[rows]).cpu()
        )

    def fields(self) -> Fields:
        """Everything gathered, by all processes, with the network at θ0 + Δθ still to be filled in (`diagnosis.steps`)."""
        inputs = self._split.inputs[self.points].flatten(1).cpu().double().numpy()
        targets = self._setting.physical(self._split.targets[self.points]).cpu().double().numpy()
        coarse = thinned(len(self.points), stepped_points(self._setting.sizes)).numpy()
        joined = self._setting.reduction.joined
        return Fields(
            ranks=np.array(self._ranks, dtype=np.int64),
            inputs=inputs,
            targets=targets,
            network=joined(torch.cat(self._network)).double().numpy(),
            refined_error=joined(torch.cat(self._errors)).permute(2, 0, 1).float().contiguous().numpy(),
            stepped_points=coarse,
            stepped=np.full((len(self._ranks), len(coarse), targets.shape[1]), np.nan, dtype=np.float32),
            split=self._setting.display,
        )


def thinned(count: int, most: int) -> Tensor:
    """Indices 0…count−1, or every k-th of them so that at most `most` remain.

    A square grid is thinned in both directions, so that it stays a grid.
    """
    if count <= most:
        return torch.arange(count)
    side = round(count**0.5)
    if side * side == count:
        step = -(-side // int(most**0.5))
        axis = torch.arange(0, side, step)
        return (axis[:, None] * side + axis[None, :]).flatten()
    return torch.arange(0, count, -(-count // most))


def thinned_points(points: Tensor, most: int) -> Tensor:
    """As `thinned`; points (n, 2) that fill a rectangular grid stay one, with its end points where that can be."""
    if len(points) <= most or points.ndim != 2 or points.shape[1] != 2:
        return thinned(len(points), most)
    grid = find_grid(points.cpu().double().numpy())
    if grid is None:
        return thinned(len(points), most)
    strides = [1, 1]
    while (left := [-(-n // stride) for n, stride in zip(grid.shape, strides, strict=True)])[0] * left[1] > most:
        longest = left.index(max(left))
        intervals, stride = grid.shape[longest] - 1, strides[longest]
        even = (wider for wider in range(stride + 1, 3 * stride + 1) if intervals % wider == 0)
        strides[longest] = next(even, stride + 1)
    kept = grid.order.reshape(grid.shape)[:: strides[0], :: strides[1]]
    return torch.from_numpy(np.sort(kept, axis=None))
