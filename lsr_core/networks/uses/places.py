"""Where the samples of a batch stand in a tensor inside a network."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

SAME = 1e3  # multiples of eps up to which two gradients are equal


@dataclass(frozen=True)
class SampleAxis:
    """One axis runs over the samples: alone, or with c other places before (`samples_first`) or behind them.

    Sequences that are folded into the batch, (n·t, d), have samples first; where a network puts time before the batch, (t·n, d), they come last.
    """

    axis: int
    repeats: int
    samples_first: bool = True

    def by_sample(self, values: Tensor, axis: int | None = None) -> Tensor:
        """(n, …), the other places of the axis staying where it was; not at all where there is only one."""
        axis = self.axis if axis is None else axis
        if self.repeats == 1:
            return values.movedim(axis, 0)
        count = values.shape[axis] // self.repeats
        split = (count, self.repeats) if self.samples_first else (self.repeats, count)
        return values.unflatten(axis, split).movedim(axis if self.samples_first else axis + 1, 0)


def layouts(few: torch.Size, more: torch.Size, counts: tuple[int, int]) -> list[SampleAxis]:
    """Those that are possible for a tensor of these shapes at two numbers of samples; none if no axis grows with them."""
    grown = [axis for axis, (small, large) in enumerate(zip(few, more, strict=False)) if small != large]
    if len(few) != len(more) or len(grown) != 1:
        return []
    axis = grown[0]
    repeats, left = divmod(few[axis], counts[0])
    if left or more[axis] != repeats * counts[1]:
        return []
    return (
        [SampleAxis(axis, repeats)] if repeats == 1 else [SampleAxis(axis, repeats), SampleAxis(axis, repeats, False)]
    )


def fitting(possible: list[SampleAxis], plain: Tensor, weighted: Tensor, weights: Tensor) -> SampleAxis | None:
    """The first layout by which gradients of a weighted sum over samples are the weights times those of the plain sum."""
    for layout in possible:
        once, twice = layout.by_sample(plain), layout.by_sample(weighted)
        wanted = once * weights.to(once).view(-1, *[1] * (once.ndim - 1))
        if bool((twice - wanted).abs().max() <= SAME * torch.finfo(once.dtype).eps * wanted.abs().max()):
            return layout
    return None
