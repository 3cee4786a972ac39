"""The loss of data along a step."""

from __future__ import annotations

import torch
from torch import Tensor

from lsr_core.networks.footprints import footprint, samples_within
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.jacobians import MatrixFreeJacobian
from lsr_core.networks.pushes import at_each
from lsr_core.problems.splits import Split
from lsr_core.refinement.peaks import PATH_BYTES
from lsr_core.refinement.setting import in_precision_of


class DataPathRows:
    """Errors q − y on training samples; the loss is their mean square.

    Args:
        forward: the same function in the precision in which losses away from θ0 are taken.
    """

    def __init__(self, function: ParametricFunction, split: Split, forward: ParametricFunction | None = None) -> None:
        self._function, self._split, self._forward = function, split, forward or function

    def linear_parts(self, directions: Tensor) -> tuple[Tensor, Tensor]:
        errors = self._function.outputs(self._split.inputs) - self._split.targets
        return errors.flatten(), self._jacobian().matmat(directions)

    def loss(self, rows: Tensor) -> Tensor:
        return rows.square().mean()

    def losses_at(self, directions: Tensor, steps: Tensor) -> Tensor:
        """By forward passes, several steps at a time."""
        function, split = self._forward, self._split
        inputs, along = in_precision_of(function, split.inputs), directions.to(function.dtype)
        taken = function.n_params * function.dtype.itemsize + len(inputs) * footprint(function, inputs).live
        width = samples_within(PATH_BYTES, taken, len(steps))

        def loss(step: Tensor) -> Tensor:
            return (function(function.theta0 + along @ step, inputs) - split.targets).square().mean()

        with torch.no_grad():
            return torch.cat([at_each(loss, part) for part in steps.to(function.dtype).split(width)])

    def gradient(self) -> Tensor:
        theta = self._function.theta0.detach().requires_grad_()
        loss = (self._function(theta, self._split.inputs) - self._split.targets).square().mean()
        return torch.autograd.grad(loss, theta)[0]

    def jacobian(self) -> Tensor:
        return self._jacobian().to_dense()

    def _jacobian(self) -> MatrixFreeJacobian:
        function, inputs = self._function, self._split.inputs
        return MatrixFreeJacobian(function, inputs, self._split.targets.shape[1], block_bytes=PATH_BYTES)


def works_in_single(function: ParametricFunction, inputs: Tensor) -> bool:
    """Whether forward takes float32 throughout: it may hold tensors of its own in another precision."""
    single = function.single_precision()
    try:
        return single.outputs(in_precision_of(single, inputs)).dtype == torch.float32
    except RuntimeError:
        return False
