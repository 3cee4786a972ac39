"""The triangular factor of a tall matrix whose rows arrive in blocks."""

from __future__ import annotations

import torch
from torch import Tensor


class StreamingQR:
    """R of the QR factorisation of everything seen so far; Q is never formed and nothing grows with the rows.

    Demmel, Grigori, Hoemmen & Langou (2012), sequential TSQR. Rows are gathered below the last triangle until there are `gather`
    of them, because a QR of a few rows under a large triangle wastes its time on the triangle; they are laid column by
    column, as LAPACK wants them.
    """

    def __init__(self, n_columns: int, *, dtype: torch.dtype, device: torch.device, gather: int) -> None:
        self.n_columns = n_columns
        self.n_rows = 0
        room = n_columns + max(1, gather)
        self._stack = torch.empty(n_columns, room, dtype=dtype, device=device).T
        self._filled = 0
        self._reduced = 0

    def update(self, *parts: Tensor) -> None:
        """Append a block of rows (b, n_columns), given as one matrix or as several side by side."""
        count, done = len(parts[0]), 0
        self.n_rows += count
        while done < count:
            taken = min(count - done, len(self._stack) - self._filled)
            start = 0
            for part in parts:
                columns = slice(start, start := start + part.shape[1])
                self._stack[self._filled : self._filled + taken, columns] = part[done : done + taken]
            self._filled += taken
            done += taken
            if self._filled == len(self._stack):
                self._reduce()

    @property
    def factor(self) -> Tensor:
        """The upper triangle (min(rows, n_columns), n_columns)."""
        self._reduce()
        return self._stack[: self._filled].contiguous()

    def _reduce(self) -> None:
        if self._filled == self._reduced:
            return
        triangle = torch.geqrf(self._stack[: self._filled])[0][: self.n_columns].triu()
        self._filled = self._reduced = len(triangle)
        self._stack[: self._filled] = triangle
