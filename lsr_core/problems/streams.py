"""Rows that arrive in batches, for data that memory does not hold."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from typing import IO

import numpy as np
import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.problems.splits import MappedSplit


def split_from_batches(
    batches: Iterable[Sequence[Tensor]], *, dtype: torch.dtype = torch.float64, folder: str | None = None
) -> MappedSplit:
    """A split whose rows come from a `torch.utils.data.DataLoader`, or from anything that yields (inputs, targets) batches.

    One pass writes the batches to temporary files, which are then mapped into memory: one batch is held at a time, all later
    passes see the same rows in the same order even where the loader shuffles or augments, and the system may drop the pages
    whenever it needs the room. The files vanish with the split.

    Args:
        batches: inputs (b, …) and targets (b, …), b free from batch to batch.
        dtype: of the rows on disk; what the refinement computes in, so that nothing is converted later. Integers stay so.
        folder: where the files go; the system's temporary folder by default.

    Raises:
        InputError: no batch, a batch that is not a pair, or rows whose shapes differ.
    """
    with ExitStack() as files:
        return _mapped(batches, lambda: files.enter_context(tempfile.TemporaryFile(dir=folder)), dtype)


def mapped(blocks: Iterable[Tensor], folder: str | None = None) -> Tensor:
    """Rows (n, …) that come in blocks of one type, in a temporary file that is mapped into memory and vanishes with the tensor."""
    with tempfile.TemporaryFile(dir=folder) as file:
        column: _Column | None = None
        for number, block in enumerate(blocks):
            column = column or _Column(block, block.dtype, file)
            column.append(block, number)
        assert column is not None
        return column.mapped()


def _mapped(batches: Iterable[Sequence[Tensor]], new_file: Callable[[], IO[bytes]], dtype: torch.dtype) -> MappedSplit:
    columns: list[_Column] = []
    for number, batch in enumerate(batches):
        if (
            not isinstance(batch, list | tuple)
            or len(batch) != 2
            or not all(isinstance(part, Tensor) for part in batch)
        ):
            raise InputError(f"batch {number} is not a pair of tensors; yield (inputs, targets)", key="batches")
        inputs, targets = batch
        if inputs.ndim == 0 or targets.ndim == 0 or len(inputs) != len(targets):
            raise InputError(
                f"batch {number} has inputs {tuple(inputs.shape)} and targets {tuple(targets.shape)}; "
                "the first sizes must agree",
                key="batches",
            )
        columns = columns or [_Column(part, dtype, new_file()) for part in batch]
        for column, part in zip(columns, batch, strict=True):
            column.append(part, number)
    if not columns or columns[0].count == 0:
        raise InputError("has no rows; at least one batch with one sample is needed", key="batches")
    return MappedSplit(columns[0].mapped(), columns[1].mapped())


class _Column:
    """Rows of one shape, written one after another to a file that lasts as long as its map."""

    def __init__(self, first: Tensor, dtype: torch.dtype, file: IO[bytes]) -> None:
        self.count = 0
        self._shape = first.shape[1:]
        self._dtype = dtype if first.is_floating_point() else first.dtype
        self._file = file

    def append(self, rows: Tensor, number: int) -> None:
        if rows.shape[1:] != self._shape:
            raise InputError(
                f"batch {number} has rows of shape {tuple(rows.shape[1:])}, the first has {tuple(self._shape)}",
                key="batches",
            )
        self._file.write(rows.detach().to(device="cpu", dtype=self._dtype).contiguous().numpy().tobytes())
        self.count += len(rows)

    def mapped(self) -> Tensor:
        self._file.flush()
        kind = torch.empty(0, dtype=self._dtype).numpy().dtype
        return torch.from_numpy(np.memmap(self._file, dtype=kind, mode="r+", shape=(self.count, *self._shape)))
