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
from lsr_core.refinement.setting import Setting
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


class Passes:
    """Passes over splits other than the training rows: the factor of each; `on_block` sees the rows on the way."""

    def __init__(self, setting: Setting, subspace: Subspace, on_fraction: OnFraction) -> None:
        self._setting, self._subspace, self._on_fraction = setting, subspace, on_fraction

    def __call__(self, name: str, on_block: Callable[[ResponseBlock], None] | None = None) -> SplitFactor | None:
        setting = self._setting
        if name not in setting.splits:
            return None
        split = setting.splits[name]
        reducer = Reducer(self._subspace, split, setting.plan.gather)
        blocks = response_blocks(
            self._subspace,
            setting.function,
            split,
            block_bytes=setting.plan.block_bytes,
            on_fraction=self._on_fraction,
        )
        for block in blocks:
            reducer.add(block)
            if on_block is not None:
                on_block(block)
        return reducer.factor()
