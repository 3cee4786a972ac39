"""The loss of an equation along a step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor
from torch.func import jvp, vmap

from lsr_core.networks.pushes import at_each
from lsr_core.networks.residuals import ResidualFunction
from lsr_core.problems.physics.residuals import BlockRows, residual_vector

BLOCK_VALUES = 2**24
JET_VALUES = 256  # about what a component of a jet takes on its way through the layers
CHUNK = 4096
AT_ONCE = 16  # directions in a forward-mode product; more gain nothing


class ResidualPathRows:
    """Weighted residual rows of an equation; the loss is their squared norm."""

    def __init__(self, blocks: Sequence[BlockRows]) -> None:
        self._blocks = list(blocks)
        self._start = residual_vector(blocks)
        self._pieces = [
            _Piece(part.residual, points, part.residual.differential(points), part.residual.jets.fixed(_flat(points)))
            for part in blocks
            for points in part.points.split(CHUNK)
        ]

    def linear_parts(self, directions: Tensor) -> tuple[Tensor, Tensor]:
        def pushed(piece: _Piece, delta: Tensor) -> Tensor:
            return jvp(piece.differential, (piece.residual.theta0,), (delta,))[1].reshape(-1)

        parts = [
            piece.residual.along(piece.points, directions)
            if piece.residual.derivatives != "forward"
            else vmap(partial(pushed, piece), in_dims=1, out_dims=1, chunk_size=AT_ONCE)(directions)
            for piece in self._pieces
        ]
        return self._start, torch.cat(parts).detach()

    def loss(self, rows: Tensor) -> Tensor:
        return rows.square().sum()

    def losses_at(self, directions: Tensor, steps: Tensor) -> Tensor:
        """By jets for several steps at a time, and the residual for each."""
        total = steps.new_zeros(len(steps))
        for piece in self._pieces:
            values = len(piece.points) * piece.residual.jets.spec.size * JET_VALUES
            width = max(1, BLOCK_VALUES // values)
            with torch.no_grad():
                moved = [
                    at_each(piece.jets, piece.residual.theta0 + part @ directions.T) for part in steps.split(width)
                ]
                found = [self.loss(piece.residual.of_jets(piece.points, jets)) for part in moved for jets in part]
            total += torch.stack(found)
        return total

    def gradient(self) -> Tensor:
        theta = self._pieces[0].residual.theta0.detach().requires_grad_()
        loss = torch.stack([piece.differential(theta).square().sum() for piece in self._pieces]).sum()
        return torch.autograd.grad(loss, theta)[0]

    def jacobian(self) -> Tensor:
        parts = [block.residual.at(block.points, block.width, "matrix-free").to_dense() for block in self._blocks]
        return torch.cat(parts)


class _Piece(NamedTuple):
    """Some points of a block, with what does not depend on the step made ready."""

    residual: ResidualFunction
    points: Tensor
    differential: Callable[[Tensor], Tensor]
    jets: Callable[[Tensor], Tensor]


def _flat(points: Tensor) -> Tensor:
    return points.reshape(-1, points.shape[-1])
