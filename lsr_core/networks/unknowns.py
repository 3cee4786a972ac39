"""A network and numbers that are to be found, which are its last outputs and the same at every point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

NAME = "with-unknowns"  # of the architecture
UNKNOWN = "unknown"  # the layer of the numbers; its bias holds them


class Numbers(nn.Module):
    """A layer without weights: its outputs are its bias, whatever the input is."""

    def __init__(self, values: Sequence[float]) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.tensor(list(values), dtype=torch.float64))

    def forward(self, inputs: Tensor) -> Tensor:
        return self.bias.expand(len(inputs), -1)


class WithUnknowns(nn.Module):
    """Maps points (n, d) to (n, o + k): the outputs of a network, then k numbers.

    Args:
        network: maps (n, d) to (n, o).
        values: where the numbers start (k,).
    """

    def __init__(self, network: nn.Module, values: Sequence[float]) -> None:
        super().__init__()
        self.network = network
        self.unknown = Numbers(values)
        self.unknown.to(next(network.parameters()).dtype)
        self.train(network.training)

    def forward(self, inputs: Tensor) -> Tensor:
        return torch.cat([self.network(inputs), self.unknown(inputs)], dim=-1)

    @property
    def count(self) -> int:
        """k."""
        return len(self.unknown.bias)


def without_unknowns(name: str, arguments: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Name and arguments of the network inside, where there is one; else as they are."""
    if name != NAME:
        return name, dict(arguments)
    inside, its = arguments["network"]
    return str(inside), dict(its)
