"""What outputs in different units are divided by, so that a solve weighs each by its own size.

The size of an output is the standard deviation of its training targets, which does not depend on where it has its zero, or the root mean square of
the network's error where that is larger: an output that the network misses by many deviations would else be all that counts. The error alone
would not do, since an output that fits to rounding would have a weight without bounds. Sizes are rounded to powers of two, by which floating-point
numbers are divided without rounding.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.networks.functions import ParametricFunction
from lsr_core.problems.splits import CHECKED, Split
from lsr_core.refinement.config import RefineConfig

MOST = 16  # outputs that are told one by one; more are a field on a grid, whose error is that of the whole
APART = 10.0  # times the smallest size, from which outputs count as in different units
FARTHEST = 120  # power of two that single precision still holds


def parts_of(shape: Sequence[int]) -> int:
    """How many outputs of a sample shaped so are told one by one: columns, or the channels of an image; 1 = all as one whole."""
    if math.prod(shape) <= MOST:
        return math.prod(shape)
    return shape[0] if len(shape) > 2 and shape[0] <= MOST else 1


def output_sizes(
    shape: Sequence[int], config: RefineConfig, split: Split, function: ParametricFunction
) -> Tensor | None:
    """What each column of the training targets (n, o) is divided by: powers of two (o,) in float64; None = nothing.

    Args:
        shape: of the targets of one sample, as the problem has them.
        split: training rows in the precision of the function.

    Raises:
        InputError: division was asked for where there is but one output, or so many that they are a field, or of the authors' modes.
    """
    parts = parts_of(shape)
    if config.published is not None and config.standardise == "yes":
        raise InputError("is yes, but the authors' modes do not know it; leave it at auto", key="standardise")
    if config.standardise == "no" or config.published is not None:
        return None
    if parts < 2:
        if config.standardise == "yes":
            raise InputError(
                f"is yes, but the outputs of a sample {tuple(shape)} are one quantity: only 2 to {MOST} outputs, or the channels of an "
                "image, have units of their own; leave it at auto",
                key="standardise",
            )
        return None
    found = deviations(split.targets, parts).maximum(_errors(split, function, parts))
    known = found[found > 0]
    if len(known) == 0 or (config.standardise == "auto" and float(known.max()) <= APART * float(known.min())):
        return None
    usual = known.log2().mean().exp2()  # of an output that is zero throughout and met
    powers = torch.where(found > 0, found, usual).log2().round().clamp(-FARTHEST, FARTHEST)
    return powers.exp2().repeat_interleave(split.targets.shape[1] // parts)


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


def _errors(split: Split, function: ParametricFunction, parts: int) -> Tensor:
    """Root mean square of the network's errors, by output (parts,) in float64."""
    total = torch.zeros(parts, dtype=torch.float64)
    for inputs, targets in zip(*(values.split(CHECKED) for values in split), strict=True):
        for block in _blocks(function.outputs(inputs) - targets, parts):
            total += block.square().sum(dim=(0, 2))
    return (total * parts / split.targets.numel()).sqrt()


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
