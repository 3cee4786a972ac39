"""`transformer-regressor`: a small transformer encoder from sequences to numbers."""

from __future__ import annotations

import torch
from pydantic import model_validator
from torch import Tensor, nn

from lsr_core.networks.activations import ACTIVATIONS, ActivationName
from lsr_core.networks.architectures import Arguments, Width, register
from lsr_core.networks.starts import normal


class TransformerArguments(Arguments):
    """Sequences of `length` steps with `features` numbers each."""

    length: Width
    features: Width
    outputs: Width = 1
    width: Width = 32
    heads: Width = 4
    depth: Width = 2
    feedforward: Width = 64
    activation: ActivationName = "gelu"

    @model_validator(mode="after")
    def _heads_divide(self) -> TransformerArguments:
        if self.width % self.heads:
            raise ValueError(f"{self.heads} heads cannot share a width of {self.width}; it must be a multiple")
        return self

    def parameter_count(self) -> int:
        width = self.width
        block = 4 * (width + 1) * width + 4 * width + (width + 1) * self.feedforward + (self.feedforward + 1) * width
        ends = (self.features + 1) * width + self.length * width + 2 * width + (width + 1) * self.outputs
        return ends + self.depth * block


class Attention(nn.Module):
    """Self-attention of all heads, (n, t, w) to (n, t, w).

    Written out with matrix products and a softmax: fused attention kernels have no forward derivative.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.project = nn.Linear(width, 3 * width)
        self.last = nn.Linear(width, width)

    def forward(self, inputs: Tensor) -> Tensor:
        query, key, value = self.project(inputs).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        weights = torch.softmax(query @ key.transpose(2, 3) / key.shape[3] ** 0.5, dim=3)
        mixed: Tensor = self.last((weights @ value).transpose(1, 2).flatten(2))
        return mixed


class Block(nn.Module):
    """Attention and a pointwise network, each behind a normalisation and added to what came in (Xiong et al. 2020)."""

    def __init__(self, arguments: TransformerArguments) -> None:
        super().__init__()
        width = arguments.width
        self.before_attention, self.before_pointwise = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, arguments.heads)
        self.up, self.down = nn.Linear(width, arguments.feedforward), nn.Linear(arguments.feedforward, width)
        self.activation = ACTIVATIONS[arguments.activation].function

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = inputs + self.attention(self.before_attention(inputs))
        output: Tensor = hidden + self.down(self.activation(self.up(self.before_pointwise(hidden))))
        return output


class TransformerRegressor(nn.Module):
    """Sequences (n, t, features) to (n, outputs): learned positions, blocks, the mean over the steps (Vaswani et al. 2017)."""

    def __init__(self, arguments: TransformerArguments) -> None:
        super().__init__()
        self.embed = nn.Linear(arguments.features, arguments.width)
        self.positions = nn.Parameter(normal(arguments.length, arguments.width, scale=0.02))
        self.blocks = nn.ModuleList(Block(arguments) for _ in range(arguments.depth))
        self.norm = nn.LayerNorm(arguments.width)
        self.last = nn.Linear(arguments.width, arguments.outputs)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.embed(inputs) + self.positions
        for block in self.blocks:
            hidden = block(hidden)
        output: Tensor = self.last(self.norm(hidden).mean(dim=1))
        return output


@register("transformer-regressor", TransformerArguments)
def _transformer(arguments: TransformerArguments) -> nn.Module:
    return TransformerRegressor(arguments)
