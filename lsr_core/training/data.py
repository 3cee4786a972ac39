"""The mean square error on data as an objective of the optimisers."""

from __future__ import annotations

import torch
from torch import Tensor

from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.jacobians import PlainRowJacobian
from lsr_core.problems.splits import Split
from lsr_core.training.objective import NormalEquations


class DataObjective:
    """‖q(θ, x) − y‖²/N on fixed samples, N values in all.

    Args:
        function: the network.
        split: inputs (n, …) and targets (n, o) in its dtype.
    """

    def __init__(self, function: ParametricFunction, split: Split) -> None:
        self.function, self.split = function, split

    @property
    def theta0(self) -> Tensor:
        return self.function.theta0

    def loss(self, theta: Tensor) -> Tensor:
        return (self.function(theta, self.split.inputs) - self.split.targets).square().mean()

    def redraw(self, theta: Tensor, generator: torch.Generator) -> None:
        """Nothing: data are as they are."""

    def normal_equations(self, theta: Tensor) -> NormalEquations:
        inputs, targets = self.split
        errors = (self.function.outputs(inputs, theta) - targets).reshape(-1)
        rows = PlainRowJacobian(self.function.moved(theta), inputs, targets.shape[1])
        matrix, gradient = theta.new_zeros(len(theta), len(theta)), torch.zeros_like(theta)
        for where, block in rows.row_blocks():
            matrix.addmm_(block.T, block)
            gradient.addmv_(block.T, errors[where])
        count = targets.numel()
        return NormalEquations(matrix / count, gradient / count, float(errors.square().mean()))
