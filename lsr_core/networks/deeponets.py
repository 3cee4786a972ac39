"""Networks that map a function to a function: DeepONet and MultiONet.

`deeponet` and `multionet` take the values of an input function at sensors and give the output function on a fixed grid, all grid
points of a function at once (the Cartesian form). `deeponet-field` is the output function for one input function, as a network of
the points, which is the form that equations need.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn

from lsr_core.networks.activations import ACTIVATIONS, ActivationName
from lsr_core.networks.architectures import MLP, Arguments, MLPArguments, Width, register
from lsr_core.networks.modified import ModifiedMLP, ModifiedMLPArguments
from lsr_core.networks.starts import normal

Layers = Annotated[list[Width], Field(min_length=2, max_length=256)]
Net = Literal["mlp", "modified-mlp"]


class GridAxis(BaseModel):
    """Equally spaced points of the output grid."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    points: int = Field(ge=1, le=100_000)
    low: float = Field(0.0, allow_inf_nan=False)
    high: float = Field(1.0, allow_inf_nan=False)

    def grid(self) -> Tensor:
        """(points, 1)."""
        return torch.linspace(self.low, self.high, self.points)[:, None]


class _BranchAndTrunk(Arguments):
    """Widths of both nets, branch from sensors to modes, trunk from coordinates to modes."""

    branch: Layers
    trunk: Layers
    activation: ActivationName = "tanh"

    @model_validator(mode="after")
    def _as_many_modes(self) -> _BranchAndTrunk:
        if self.branch[-1] != self.trunk[-1]:
            raise ValueError(
                f"branch and trunk end with {self.branch[-1]} and {self.trunk[-1]} modes; they must be as many"
            )
        return self


class DeepONetArguments(_BranchAndTrunk):
    """`deeponet`: the trunk has one coordinate, the grid's; DeepXDE applies the activation to the trunk's last layer too."""

    grid: GridAxis
    activate_trunk: bool = False

    @model_validator(mode="after")
    def _one_coordinate(self) -> DeepONetArguments:
        if self.trunk[0] != 1:
            raise ValueError(f"the grid has one coordinate, the trunk begins with {self.trunk[0]}")
        return self

    def parameter_count(self) -> int:
        return _count(self.branch) + _count(self.trunk) + 1


class DeepONet(nn.Module):
    """Σ_k b_k(u) t_k(x) + bias (Lu et al. 2021), from functions at sensors (n, s) to functions on the grid (n, g)."""

    grid: Tensor

    def __init__(self, arguments: DeepONetArguments) -> None:
        super().__init__()
        self.branch = MLP(MLPArguments(layers=arguments.branch, activation=arguments.activation))
        self.trunk = MLP(MLPArguments(layers=arguments.trunk, activation=arguments.activation))
        self.bias = nn.Parameter(torch.zeros(1))
        self.last = ACTIVATIONS[arguments.activation].function if arguments.activate_trunk else None
        self.register_buffer("grid", arguments.grid.grid())

    def forward(self, inputs: Tensor) -> Tensor:
        modes = self.trunk(self.grid) if self.last is None else self.last(self.trunk(self.grid))
        return self.branch(inputs) @ modes.T + self.bias


@register("deeponet", DeepONetArguments)
def _deeponet(arguments: DeepONetArguments) -> nn.Module:
    return DeepONet(arguments)


class MultiONetArguments(Arguments):
    """`multionet`: `depth` pairs of layers of one width behind the input layers."""

    sensors: Width
    width: Width
    depth: Width = 3
    activation: ActivationName = "tanh"
    grid: GridAxis

    def parameter_count(self) -> int:
        pair = 2 * (self.width + 1) * self.width
        return (self.sensors + 1) * self.width + 2 * self.width + self.depth * (pair + 1) + 1


class MultiONet(nn.Module):
    """The mean over the layers l of w_l Σ_k b_k^l(u) t_k^l(x), plus a bias; (n, s) to (n, g).

    Outputs of every pair of layers count, not only those of the last (Zang, Guo & Wu 2025). Weights w and bias start at 0.01 times normal
    numbers: with zeros the Jacobian of an untrained network would vanish (Cao & Zhang 2026).
    """

    grid: Tensor

    def __init__(self, arguments: MultiONetArguments) -> None:
        super().__init__()
        width, depth = arguments.width, arguments.depth
        self.branch_in, self.trunk_in = nn.Linear(arguments.sensors, width), nn.Linear(1, width)
        self.branch = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.trunk = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.weights = nn.Parameter(normal(depth, scale=0.01))
        self.bias = nn.Parameter(normal(1, scale=0.01))
        self.activation = ACTIVATIONS[arguments.activation].function
        self.register_buffer("grid", arguments.grid.grid())

    def forward(self, inputs: Tensor) -> Tensor:
        b, t = self.branch_in(inputs), self.trunk_in(self.grid)
        total = self.bias
        for weight, branch, trunk in zip(self.weights, self.branch, self.trunk, strict=True):
            b, t = branch(self.activation(b)), trunk(self.activation(t))
            total = total + (weight / len(self.branch)) * (b @ t.T)
        return total


@register("multionet", MultiONetArguments)
def _multionet(arguments: MultiONetArguments) -> nn.Module:
    return MultiONet(arguments)


class DeepONetFieldArguments(_BranchAndTrunk):
    """`deeponet-field`: both nets of one kind, without a bias."""

    net: Net = "mlp"

    def parameter_count(self) -> int:
        return sum(
            _arguments(self.net, layers, self.activation).parameter_count() for layers in (self.branch, self.trunk)
        )


class DeepONetField(nn.Module):
    """x ↦ Σ_k b_k(u) t_k(x) at points (n, d), (n, 1), for the input function whose values at the sensors are the buffer `sensors` (1, s)."""

    sensors: Tensor

    def __init__(self, arguments: DeepONetFieldArguments) -> None:
        super().__init__()
        self.branch, self.trunk = (
            _net(arguments.net, layers, arguments.activation) for layers in (arguments.branch, arguments.trunk)
        )
        self.register_buffer("sensors", torch.zeros(1, arguments.branch[0]))

    def forward(self, points: Tensor) -> Tensor:
        return (self.trunk(points) * self.branch(self.sensors)).sum(dim=1, keepdim=True)


@register("deeponet-field", DeepONetFieldArguments)
def _deeponet_field(arguments: DeepONetFieldArguments) -> nn.Module:
    return DeepONetField(arguments)


def _arguments(net: Net, layers: list[int], activation: ActivationName) -> MLPArguments | ModifiedMLPArguments:
    kind = MLPArguments if net == "mlp" else ModifiedMLPArguments
    return kind(layers=layers, activation=activation)


def _net(net: Net, layers: list[int], activation: ActivationName) -> nn.Module:
    arguments = _arguments(net, layers, activation)
    return MLP(arguments) if isinstance(arguments, MLPArguments) else ModifiedMLP(arguments)


def _count(layers: list[int]) -> int:
    return sum((fan_in + 1) * fan_out for fan_in, fan_out in pairwise(layers))
