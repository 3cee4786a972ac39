"""What outputs in different units are divided by, so that a solve weighs each by its own size.

The standard deviation of the training targets, because it belongs to the data: it neither depends on where an output has its zero nor on how far the
network is off, which for an output that fits to rounding would be a weight without bounds. It is rounded to a power of two, by which
floating-point numbers are divided without rounding.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.problems.splits import CHECKED
from lsr_core.refinement.config import RefineConfig

MOST = 16  # outputs that are told one by one; more are a field on a grid, whose error is that of the whole
APART = 10.0  # times the smallest size, from which outputs are in different units
FARTHEST = 120  # power of two that single precision still holds


def parts_of(shape: Sequence[int]) -> int:
    """How many outputs of a sample shaped so are told one by one: columns, or the channels of an image; 1 = all as one whole."""
    if math.prod(shape) <= MOST:
        return math.prod(shape)
    return shape[0] if len(shape) > 2 and shape[0] <= MOST else 1


def output_sizes(targets: Tensor, config: RefineConfig) -> Tensor | None:
    """What each of the columns of targets (n, …), taken as (n, o), is divided by: powers of two (o,) in float64; None = nothing.

    Raises:
        InputError: division was asked for where there is but one output, or so many that they are a field.
    """
    parts = parts_of(targets.shape[1:])
    if config.standardise == "no" or config.published is not None:
        return None
    if parts < 2:
        if config.standardise == "yes":
            raise InputError(
                f"is yes, but the outputs of a sample {tuple(targets.shape[1:])} are one quantity: only 2 to {MOST} outputs, or the channels of an "
                "image, have units of their own; leave it at auto",
                key="standardise",
            )
        return None
    found = deviations(targets, parts)
    known = found[found > 0]
    if len(known) == 0 or (config.standardise == "auto" and float(known.max()) <= APART * float(known.min())):
        return None
    usual = known.log2().mean().exp2()
    powers = torch.where(found > 0, found, usual).log2().round().clamp(-FARTHEST, FARTHEST)
    return powers.exp2().repeat_interleave(targets[0].numel() // parts)


def deviations(targets: Tensor, parts: int) -> Tensor:
    """Standard deviation of each output (parts,) in float64; of one that is constant its absolute value."""
    total = torch.zeros(parts, dtype=torch.float64)
    count = targets.numel() // parts
    for block in _blocks(targets, parts):
        total += block.sum(dim=(0, 2))
    mean = total / count
    squares = torch.zeros_like(mean)
    for block in _blocks(targets, parts):
        squares += (block - mean[:, None]).square().sum(dim=(0, 2))
    found = (squares / count).sqrt()
    rounding = torch.finfo(targets.dtype).eps * math.sqrt(count) if targets.is_floating_point() else 0.0
    return torch.where(found > rounding * mean.abs(), found, mean.abs())


def note(sizes: Tensor | None, parts: int) -> list[str]:
    """The sentence on what was divided."""
    if sizes is None:
        return []
    single = sizes.view(parts, -1)[:, 0]
    return [
        f"The {parts} outputs have different sizes ({float(single.min()):.1e} to {float(single.max()):.1e}), so that each was divided by its own in "
        "the solve and in the choice of the rank, and residual norms and loss paths are those of the divided outputs. Mean squares and "
        "relative errors are those of the outputs as they are; standardise=no solves on these."
    ]


def _blocks(targets: Tensor, parts: int) -> Iterator[Tensor]:
    for block in targets.split(CHECKED):
        yield block.cpu().double().reshape(len(block), parts, -1)
