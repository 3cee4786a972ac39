"""What of a classifier is linearised: its probabilities, or its logits in the metric of their Fisher information."""

from __future__ import annotations

import copy
from abc import abstractmethod

import torch
from torch import Tensor, nn

FISHER_FLOOR = 1e-2  # what every class has of the probability in the Fisher metric, at least about


class ClassRows(nn.Module):
    """A classifier as rows of a least-squares problem: images or vectors (n, …) to (n, k), linear in the logits or in the probabilities.

    Args:
        network: gives logits; its parameters are `network.…` here.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    @abstractmethod
    def targets(self, inputs: Tensor, one_hot: Tensor) -> Tensor:
        """What the rows should be, (n, k), for classes as one-hot rows (n, k)."""

    @abstractmethod
    def refined(self, inputs: Tensor, logits: Tensor, correction: Tensor) -> Tensor:
        """Rows (n, k) of the refined predictor, from logits at θ0 and their linear correction, (n, k) each."""

    @abstractmethod
    def probabilities(self, inputs: Tensor, rows: Tensor) -> Tensor:
        """Class probabilities (n, k, …) that rows (n, k, …) stand for; linearised ones may leave [0, 1]."""


class ProbabilityRows(ClassRows):
    """softmax of the logits, so that the residual is softmax − one-hot (Cao & Zhang 2026)."""

    def forward(self, inputs: Tensor) -> Tensor:
        return torch.softmax(self.network(inputs), dim=1)

    def targets(self, inputs: Tensor, one_hot: Tensor) -> Tensor:
        return one_hot

    def refined(self, inputs: Tensor, logits: Tensor, correction: Tensor) -> Tensor:
        p = torch.softmax(logits, dim=1)
        return p + p * (correction - (p * correction).sum(dim=1, keepdim=True))

    def probabilities(self, inputs: Tensor, rows: Tensor) -> Tensor:
        return rows


class LogitRows(ClassRows):
    """Logits weighted so that their least squares is the cross entropy to second order.

    With p the probabilities at θ0 and s = √p, the Fisher information diag p − p pᵀ of the logits is B Bᵀ with Bᵀ c = s (c − pᵀ c). The cross
    entropy of logits z + c is, but for a constant and third orders, ½‖Bᵀ c + (p − y)/s‖². Where the network is certain p is all but zero
    or one and the curvature vanishes, so that p is mixed with equal shares for the metric; the gradient p − y is exact.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__(network)
        self.start = copy.deepcopy(network).requires_grad_(False)

    def forward(self, inputs: Tensor) -> Tensor:
        return self._weighted(self._metric(self.start(inputs)), self.network(inputs))

    def targets(self, inputs: Tensor, one_hot: Tensor) -> Tensor:
        logits = self.start(inputs)
        metric = self._metric(logits)
        return self._weighted(metric, logits) - (torch.softmax(logits, dim=1) - one_hot) / metric.sqrt()

    def refined(self, inputs: Tensor, logits: Tensor, correction: Tensor) -> Tensor:
        return self._weighted(self._metric(logits), logits + correction)

    def probabilities(self, inputs: Tensor, rows: Tensor) -> Tensor:
        # rows/s are the logits less a number for each sample, which a softmax does not see
        root = self._metric(self.start(inputs)).sqrt()
        return torch.softmax(rows / root.reshape(*root.shape, *[1] * (rows.ndim - 2)), dim=1)

    @staticmethod
    def _metric(logits: Tensor) -> Tensor:
        p = torch.softmax(logits, dim=1)
        return (1 - FISHER_FLOOR) * p + FISHER_FLOOR / p.shape[1]

    @staticmethod
    def _weighted(metric: Tensor, logits: Tensor) -> Tensor:
        return metric.sqrt() * (logits - (metric * logits).sum(dim=1, keepdim=True))


def class_rows(network: nn.Module, *, probabilities: bool) -> ClassRows:
    """The classifier as rows around the network itself (not a copy): of its probabilities, or of its logits."""
    return ProbabilityRows(network) if probabilities else LogitRows(network)
