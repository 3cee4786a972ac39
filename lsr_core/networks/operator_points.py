"""`deeponet-points`: a DeepONet at any points, with one or several branches and outputs."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from lsr_core.networks.activations import ACTIVATIONS, ActivationName
from lsr_core.networks.architectures import MLP, Arguments, MLPArguments, Width, register
from lsr_core.networks.deeponets import Layers


class DeepONetPointsArguments(Arguments):
    """Arguments of `deeponet-points`.

    Attributes:
        branches: widths of each branch, from the values of its input function to modes; inputs stand side by side, in this order.
        trunk: widths from the coordinates to modes.
        points: how many there are; the points are a buffer (points, coordinates), so the weights file carries them.
        outputs: functions that the network gives; the values of all at a point stand together.
        split: whose modes are divided among the outputs; the other net's serve all of them.
        merge: how the modes of several branches become one.
        activate_trunk: the activation stands behind the trunk's last layer too, as in DeepXDE.
    """

    branches: Annotated[list[Layers], Field(min_length=1, max_length=8)]
    trunk: Layers
    points: int = Field(ge=1, le=1_000_000)
    activation: ActivationName = "tanh"
    outputs: Width = 1
    split: Literal["both", "branch", "trunk"] = "both"
    merge: Literal["product", "sum"] = "product"
    activate_trunk: bool = False

    @model_validator(mode="after")
    def _agree(self) -> DeepONetPointsArguments:
        given = {layers[-1] for layers in self.branches}
        if len(given) > 1:
            raise ValueError(f"the branches end with {sorted(given)} modes; they must be as many")
        if len(self.branches) == 1 and self.merge != "product":
            raise ValueError("merge is of several branches, and there is one")
        if self.outputs == 1 and self.split != "both":
            raise ValueError("split is of several outputs, and there is one")
        branch, trunk = (
            modes * (self.outputs if self.split == other else 1)
            for modes, other in ((given.pop(), "trunk"), (self.trunk[-1], "branch"))
        )
        if branch != trunk or (branch % self.outputs):
            ends = f"{self.branches[0][-1]} modes of the branch and {self.trunk[-1]} of the trunk"
            raise ValueError(f"{ends} do not make {self.outputs} outputs with split {self.split!r}")
        return self

    def parameter_count(self) -> int:
        nets = [*self.branches, self.trunk]
        return sum((one + 1) * other for layers in nets for one, other in pairwise(layers)) + self.outputs


class DeepONetPoints(nn.Module):
    """Σ_k b_k(u) t_k(x) + bias for each output (Lu et al. 2021; several inputs: Jin, Meng & Lu 2022), (n, sensors) to (n, points · outputs)."""

    points: Tensor

    def __init__(self, arguments: DeepONetPointsArguments) -> None:
        super().__init__()
        self.arguments = arguments
        self.branches = nn.ModuleList(
            MLP(MLPArguments(layers=layers, activation=arguments.activation)) for layers in arguments.branches
        )
        self.trunk = MLP(MLPArguments(layers=arguments.trunk, activation=arguments.activation))
        self.bias = nn.Parameter(torch.zeros(arguments.outputs))
        self.last = ACTIVATIONS[arguments.activation].function if arguments.activate_trunk else None
        self.register_buffer("points", torch.zeros(arguments.points, arguments.trunk[0]))

    def forward(self, inputs: Tensor) -> Tensor:
        given = self.arguments
        parts = inputs.split([layers[0] for layers in given.branches], dim=1)
        modes, *others = (branch(part) for branch, part in zip(self.branches, parts, strict=True))
        for other in others:
            modes = modes * other if given.merge == "product" else modes + other
        trunk = self.trunk(self.points)
        trunk = trunk if self.last is None else self.last(trunk)
        if given.outputs == 1:
            return modes @ trunk.T + self.bias
        b = modes if given.split == "trunk" else modes.unflatten(1, (given.outputs, -1))
        t = trunk if given.split == "branch" else trunk.unflatten(1, (given.outputs, -1))
        form = {"both": "nok,pok->npo", "branch": "nok,pk->npo", "trunk": "nk,pok->npo"}[given.split]
        return (torch.einsum(form, b, t) + self.bias).flatten(1)


@register("deeponet-points", DeepONetPointsArguments)
def _deeponet_points(arguments: DeepONetPointsArguments) -> nn.Module:
    return DeepONetPoints(arguments)
