"""From the rows of a split to a small triangle: modes and errors by blocks of samples, nothing kept that grows with them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from lsr_core.linalg.streaming_qr import StreamingQR
from lsr_core.networks.functions import ParametricFunction
from lsr_core.problems.supervised import Split
from lsr_core.refinement.subspace import Subspace
from lsr_core.refinement.sweep import SplitFactor

OnFraction = Callable[[float], None]


class ResponseBlock(NamedTuple):
    """Rows of one block of samples: where they stand, the modes J V (b·o, r) and the errors q − y (b, o)."""

    samples: slice
    modes: Tensor
    errors: Tensor


def response_blocks(
    subspace: Subspace, function: ParametricFunction, split: Split, *, block_bytes: int, on_fraction: OnFraction
) -> Iterator[ResponseBlock]:
    """The rows of a split in order, in blocks of at most about `block_bytes`."""
    inputs, targets = split
    n_outputs = targets.shape[1]
    row_bytes = max(1, subspace.rank + 1) * n_outputs * function.dtype.itemsize
    samples = max(1, min(len(inputs), block_bytes // row_bytes))
    for start in range(0, len(inputs), samples):
        where = slice(start, min(start + samples, len(inputs)))
        errors = function.outputs(inputs[where]) - targets[where]
        yield ResponseBlock(where, subspace.modes(inputs[where]), errors)
        on_fraction(where.stop / len(inputs))


class Reducer:
    """Accumulates the factor of [modes, errors] over blocks."""

    def __init__(self, subspace: Subspace, split: Split, gather: int) -> None:
        values = split.targets.numel()
        self._scale = 1 / math.sqrt(values)
        self._mean_square = float(split.targets.square().mean())
        columns = subspace.rank + 1
        self._qr = StreamingQR(columns, dtype=split.targets.dtype, device=split.targets.device, gather=gather * columns)

    def add(self, block: ResponseBlock) -> None:
        self._qr.update(torch.cat([block.modes, block.errors.reshape(-1, 1)], dim=1).mul_(self._scale))

    def factor(self) -> SplitFactor:
        return SplitFactor(self._qr.factor, self._mean_square)
