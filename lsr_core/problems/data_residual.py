"""The residual of data: weighted errors of the outputs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from lsr_core.networks.footprints import footprint, samples_within
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.jacobians import MatrixFreeJacobian, PlainRowJacobian
from lsr_core.networks.pushes import at_each
from lsr_core.networks.taking import in_precision
from lsr_core.problems.residual import Residual
from lsr_core.problems.splits import Split

PATH_BYTES = 64 * 2**20  # of networks moved along a loss path at a time


class DataResidual(Residual):
    """weight·(q(θ, x) − y).

    Args:
        function: the network.
        split: inputs (n, …) and targets (n, o), in its precision.
        weight: 1/√(number of values) if not given, so that the loss is their mean square.
        chunk: samples that are passed together; all if not given, as they must be where they influence each other.
        forward: the same function in the precision in which losses away from θ0 are taken.
    """

    def __init__(
        self,
        function: ParametricFunction,
        split: Split,
        *,
        weight: float | None = None,
        chunk: int | None = None,
        forward: ParametricFunction | None = None,
    ) -> None:
        self.function, self.split, self.theta0 = function, split, function.theta0
        self._weight = 1 / math.sqrt(split.targets.numel()) if weight is None else weight
        self._chunk, self._forward = chunk or max(1, len(split.inputs)), forward or function

    def pieces(self) -> Sequence[Callable[[Tensor], Tensor]]:
        def piece(inputs: Tensor, targets: Tensor) -> Callable[[Tensor], Tensor]:
            return lambda theta: (self.function(theta, inputs) - targets) * self._weight

        return [piece(*part) for part in self._parts()]

    def linearised(self, theta: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        moved = self.function.moved(theta)
        for inputs, targets in self._parts():
            errors = (self.function.outputs(inputs, theta) - targets).reshape(-1) * self._weight
            for where, rows in PlainRowJacobian(moved, inputs, targets.shape[1]).row_blocks():
                yield errors[where], rows * self._weight

    def along(self, directions: Tensor) -> Tensor:
        return self._jacobian().matmat(directions) * self._weight

    def jacobian(self) -> Tensor:
        return self._jacobian().to_dense() * self._weight

    def losses_at(self, directions: Tensor, steps: Tensor) -> Tensor:
        """By forward passes, several steps at a time."""
        function, split = self._forward, self.split
        inputs, along = in_precision(split.inputs, function.dtype), directions.to(function.dtype)
        taken = function.n_params * function.dtype.itemsize + len(inputs) * footprint(function, inputs).live
        width = samples_within(PATH_BYTES, taken, len(steps))

        def loss(step: Tensor) -> Tensor:
            errors = function(function.theta0 + along @ step, inputs) - split.targets
            return (errors * self._weight).square().sum()

        with torch.no_grad():
            return torch.cat([at_each(loss, part) for part in steps.to(function.dtype).split(width)])

    def _parts(self) -> Iterator[tuple[Tensor, Tensor]]:
        return zip(self.split.inputs.split(self._chunk), self.split.targets.split(self._chunk), strict=True)

    def _jacobian(self) -> MatrixFreeJacobian:
        inputs, targets = self.split
        return MatrixFreeJacobian(self.function, inputs, targets.shape[1], block_bytes=PATH_BYTES)
