"""A field in the response space of a network: u0 + Φα with its derivatives, linear in α whatever the equation is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lsr_core.networks.jacobians import RowJacobian
from lsr_core.networks.residuals import ResidualFunction
from lsr_core.problems.physics.residuals import BlockRows
from lsr_core.refinement.results import Floats


@dataclass(frozen=True, eq=False)
class FieldRows:
    """Rows of a block at some points, as a function of α: what the block reads of the network's field there (n, f), and of Φ (n·f, R)."""

    residual: ResidualFunction
    points: Tensor
    network: Tensor
    modes: Tensor

    def linearised(self, alpha: Tensor) -> tuple[Tensor, Tensor]:
        """G = ∂r/∂α (b, R) and r (b, 1) at α (r,), r ≤ R."""
        field = self.network + (self.modes[:, : len(alpha)] @ alpha).view_as(self.network)
        slopes = self.residual.component_slopes(self.points, field)
        with torch.no_grad():
            values = self.residual.of_components(self.points, field)
        return torch.bmm(slopes, self.modes.unflatten(0, self.network.shape)).flatten(0, 1), values.reshape(-1, 1)

    def losses(self, alphas: Tensor) -> Floats:
        """Σ r² at the columns of α (r, k): (k,)."""
        return losses_of(self.residual, self.points, self.network, self.modes[:, : len(alphas)] @ alphas)


def true_losses_of(rows: Iterable[FieldRows], alphas: Tensor) -> Floats:
    """Σ weight·mean(r²), the true one, at the columns of α (R, k): (k,), NaN where a residual is not finite."""
    total = np.zeros(alphas.shape[1])
    for part in rows:
        total += part.losses(alphas)
    return np.where(np.isfinite(total), total, np.nan)


class ResponseModes:
    """What residual blocks read of the field u0 + Φα at their points; the network is differentiated once.

    Args:
        rows: the blocks.
        directions: V (m, R); None = the whole parameter space, whose modes are the Jacobian rows as they are.
        name: how Jacobians are applied.
        block_bytes: about the size of the largest block of modes.
        room: bytes that modes may take; without room for all of them they are made again at each pass.
    """

    def __init__(
        self, rows: Sequence[BlockRows], directions: Tensor | None, name: str, *, block_bytes: int, room: int
    ) -> None:
        self._directions, self._name = directions, name
        theta = rows[0].residual.theta0
        self.size = len(theta) if directions is None else directions.shape[1]
        self._parts: list[tuple[ResidualFunction, Tensor, Tensor]] = []
        self.n_bytes = 0
        for block in rows:
            read = block.residual.components()
            width = read.outputs(block.points[:1]).shape[1]
            samples = max(1, block_bytes // (width * max(1, self.size) * theta.dtype.itemsize))
            for points in block.points.split(samples):
                self._parts.append((block.residual, points, read.outputs(points)))
            self.n_bytes += len(block.points) * width * self.size * theta.dtype.itemsize
        self.kept = self.n_bytes <= room
        self._rows: list[FieldRows] = []

    def __iter__(self) -> Iterator[FieldRows]:
        for place, (residual, points, network) in enumerate(self._parts):
            if place < len(self._rows):
                yield self._rows[place]
                continue
            rows = FieldRows(residual, points, network, self._modes_of(residual, points, network))
            if self.kept:
                self._rows.append(rows)
            yield rows

    def _modes_of(self, residual: ResidualFunction, points: Tensor, network: Tensor) -> Tensor:
        """Φ and its derivatives at some points, (n·f, R)."""
        if self.size == 0:
            return network.new_zeros(network.numel(), 0)
        operator = residual.components().at(points, network.shape[1], self._name)
        if self._directions is not None:
            return operator.matmat(self._directions)
        if isinstance(operator, RowJacobian):
            return torch.cat([rows for _, rows in operator.row_blocks()])
        return operator.to_dense()


def losses_of(residual: ResidualFunction, points: Tensor, network: Tensor, moved: Tensor) -> Floats:
    """Sums of the squared rows at some points for fields network (n, f) + moved (n·f, k): (k,)."""
    with torch.no_grad():
        found = [
            float(residual.of_components(points, network + step.view_as(network)).square().sum())
            for step in moved.unbind(1)
        ]
    return np.array(found)
