"""The residual of an equation: its weighted blocks at their points."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from typing import NamedTuple

import torch
from torch import Tensor
from torch.func import jvp, vmap

from lsr_core.networks.jacobians import RowJacobian
from lsr_core.networks.pushes import at_each
from lsr_core.networks.residuals import ResidualFunction
from lsr_core.problems.physics.residuals import BlockRows
from lsr_core.problems.residual import Residual

CHUNK = 4096
BLOCK_VALUES = 2**24
JET_VALUES = 256  # about what a component of a jet takes on its way through the layers
AT_ONCE = 16  # directions in a forward-mode product; more gain nothing


class EquationResidual(Residual):
    """√(weight/rows)·r of every block, the derivatives taken in the way of its function.

    Args:
        blocks: at their points.
    """

    def __init__(self, blocks: Sequence[BlockRows]) -> None:
        self.blocks = list(blocks)
        self.theta0 = self.blocks[0].residual.theta0
        self._parts = [(part, points) for part in self.blocks for points in part.points.split(CHUNK)]
        self._fixed = [part.residual.fixed(points) for part, points in self._parts]

    def pieces(self) -> Sequence[Callable[[Tensor], Tensor]]:
        return self._fixed

    def linearised(self, theta: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        for part in self.blocks:
            residual = part.residual.moved(theta)
            values = residual.outputs(part.points).reshape(-1)
            operator = residual.at(part.points, part.width, "row-blocks")
            assert isinstance(operator, RowJacobian)
            for where, rows in operator.row_blocks():
                yield values[where], rows

    def along(self, directions: Tensor) -> Tensor:
        def pushed(piece: _Piece, delta: Tensor) -> Tensor:
            return jvp(piece.differential, (self.theta0,), (delta,))[1].reshape(-1)

        parts = [
            piece.residual.along(piece.points, directions)
            if piece.residual.derivatives != "forward"
            else vmap(partial(pushed, piece), in_dims=1, out_dims=1, chunk_size=AT_ONCE)(directions)
            for piece in self._pieces
        ]
        return torch.cat(parts).detach()

    def jacobian(self) -> Tensor:
        parts = [block.residual.at(block.points, block.width, "matrix-free").to_dense() for block in self.blocks]
        return torch.cat(parts)

    def losses_at(self, directions: Tensor, steps: Tensor) -> Tensor:
        """By jets for several steps at a time, and the residual for each."""
        total = steps.new_zeros(len(steps))
        for piece in self._pieces:
            width = max(1, BLOCK_VALUES // (len(piece.points) * piece.residual.jets.spec.size * JET_VALUES))
            with torch.no_grad():
                moved = [at_each(piece.jets, self.theta0 + part @ directions.T) for part in steps.split(width)]
                rows = [piece.residual.of_jets(piece.points, jets) for part in moved for jets in part]
            total += torch.stack([values.square().sum() for values in rows])
        return total

    @cached_property
    def _pieces(self) -> list[_Piece]:
        return [
            _Piece(
                part.residual,
                points,
                part.residual.differential(points),
                part.residual.jets.fixed(points.reshape(-1, points.shape[-1])),
            )
            for part, points in self._parts
        ]


class _Piece(NamedTuple):
    """Some points of a block, with what does not depend on the step made ready."""

    residual: ResidualFunction
    points: Tensor
    differential: Callable[[Tensor], Tensor]
    jets: Callable[[Tensor], Tensor]
