"""Rows whose loss is followed along a step; each kind of problem has its own."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor


class PathRows(Protocol):
    """Rows whose loss is followed along a step."""

    def linear_parts(self, directions: Tensor) -> tuple[Tensor, Tensor]:
        """Rows (n,) at θ0, and their derivatives (n, d) along directions (m, d)."""
        ...

    def loss(self, rows: Tensor) -> Tensor:
        """The loss of rows of this kind."""
        ...

    def losses_at(self, directions: Tensor, steps: Tensor) -> Tensor:
        """Losses (a,) of the network at θ0 + directions @ step, for directions (m, d) and steps (a, d)."""
        ...

    def gradient(self) -> Tensor:
        """Of the loss at θ0, (m,)."""
        ...

    def jacobian(self) -> Tensor:
        """Derivatives of all rows at θ0, (rows, m)."""
        ...


def spread(count: int, wanted: int, like: Tensor) -> Tensor:
    """So many of `count` places, evenly."""
    return torch.linspace(0, count - 1, wanted).long().to(like.device)
