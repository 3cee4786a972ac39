"""`modified-mlp`: fully connected networks with two gates of the inputs in every layer."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

from pydantic import Field, model_validator
from torch import Tensor, nn

from lsr_core.networks.activations import ACTIVATIONS, ActivationName
from lsr_core.networks.architectures import Arguments, Width, register


class ModifiedMLPArguments(Arguments):
    """Widths from input to output, the hidden ones all alike."""

    layers: Annotated[list[Width], Field(min_length=3, max_length=256)]
    activation: ActivationName = "tanh"

    @model_validator(mode="after")
    def _one_hidden_width(self) -> ModifiedMLPArguments:
        if len(set(self.layers[1:-1])) > 1:
            raise ValueError(f"the hidden layers are all gated alike and need one width, not {self.layers[1:-1]}")
        return self

    def parameter_count(self) -> int:
        gates = 2 * (self.layers[0] + 1) * self.layers[1]
        return gates + sum((fan_in + 1) * fan_out for fan_in, fan_out in pairwise(self.layers))


class ModifiedMLP(nn.Module):
    """h ← z u + (1 − z) v with z = σ(W h + b) and gates u, v of the inputs (Wang, Teng & Perdikaris 2021); (n, d) to (n, o)."""

    def __init__(self, arguments: ModifiedMLPArguments) -> None:
        super().__init__()
        first, hidden = arguments.layers[:2]
        self.gate_u, self.gate_v = nn.Linear(first, hidden), nn.Linear(first, hidden)
        self.linears = nn.ModuleList(nn.Linear(*widths) for widths in pairwise(arguments.layers))
        self.activation = ACTIVATIONS[arguments.activation].function

    def forward(self, inputs: Tensor) -> Tensor:
        u, v = self.activation(self.gate_u(inputs)), self.activation(self.gate_v(inputs))
        *earlier, last = self.linears
        hidden = inputs
        for linear in earlier:
            hidden = v + self.activation(linear(hidden)) * (u - v)
        output: Tensor = last(hidden)
        return output


@register("modified-mlp", ModifiedMLPArguments)
def _modified_mlp(arguments: ModifiedMLPArguments) -> nn.Module:
    return ModifiedMLP(arguments)
