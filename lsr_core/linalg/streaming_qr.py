"""The triangular factor of a tall matrix whose rows arrive in blocks."""

from __future__ import annotations

import torch
from torch import Tensor


class StreamingQR:
    """R of the QR factorisation of everything seen so far; Q is never formed and nothing grows with the rows.

    Demmel, Grigori, Hoemmen & Langou (2012), sequential TSQR. Rows are gathered until there are about `gather` of them,
    because a QR of a few rows under a large triangle wastes its time on the triangle.
    """

    def __init__(self, n_columns: int, *, dtype: torch.dtype, device: torch.device, gather: int | None = None) -> None:
        self.n_columns = n_columns
        self.n_rows = 0
        self._gather = gather if gather is not None else 4 * n_columns
        self._factor = torch.zeros(0, n_columns, dtype=dtype, device=device)
        self._pending: list[Tensor] = []
        self._n_pending = 0

    def update(self, rows: Tensor) -> None:
        """Append a block of rows (b, n_columns)."""
        self._pending.append(rows)
        self._n_pending += len(rows)
        self.n_rows += len(rows)
        if self._n_pending >= self._gather:
            self._reduce()

    @property
    def factor(self) -> Tensor:
        """The upper triangle (min(rows, n_columns), n_columns)."""
        self._reduce()
        return self._factor

    def _reduce(self) -> None:
        if self._pending:
            stacked = torch.cat([self._factor, *self._pending])
            self._pending, self._n_pending = [], 0
            self._factor = torch.linalg.qr(stacked, mode="r").R
