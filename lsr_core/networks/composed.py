"""`composed-mlp`: linear layers with what is often put before, between and around them by those who train them.

Fourier features before the first layer, skips around layers or pairs of them, layer norm, activations with slopes that are trained, and
an activation behind the last layer.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Annotated, Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from lsr_core.networks.activations import ACTIVATIONS, ActivationName
from lsr_core.networks.architectures import Arguments, Width, register
from lsr_core.networks.layered import LayeredNetwork

Features = Literal["none", "cos-sin", "sin-cos", "x-cos-sin", "x-sin-cos", "cos-sin-x", "sin-cos-x"]
Skips = Literal["none", "layer", "layer-inside", "pair", "pair-inside", "pair-outside", "pair-before"]
Norms = Literal["none", "before", "after"]
Slopes = Literal["none", "prelu", "argument"]
Shared = Literal["all", "layer", "unit"]


class ComposedMLPArguments(Arguments):
    """Arguments of `composed-mlp`.

    Attributes:
        layers: widths from the inputs to the outputs; whatever features are made of the inputs, they are not counted here.
        features: what the first layer sees: cos and sin of x B in this order, and the inputs themselves; B is a buffer (inputs, frequencies).
        turns: the argument of cos and sin is 2π x B, not x B.
        skips: with σ the activation and A, B layers of one width: `layer` h + σ(A h), `layer-inside` σ(h + A h), `pair` h + B σ(A h),
            `pair-inside` σ(h + B σ(A h)), `pair-outside` h + σ(B σ(A h)), `pair-before` h + B σ(A σ(h)).
        first_activated, last_activated: with skips, whether there is an activation behind the first layer, and one before the last.
        norms: layer norm (Ba et al. 2016) before or after each activation.
        slopes: `prelu`, the slope below zero (He et al. 2015), or `argument`, σ(factor · a · z) (Jagtap et al. 2020); trained.
        shared: one slope for all, for a layer, or for each unit.
        factor: of `argument`.
        behind: activation of the outputs, or "none".
    """

    layers: Annotated[list[Width], Field(min_length=2, max_length=256)]
    activation: ActivationName = "tanh"
    features: Features = "none"
    frequencies: int = Field(0, ge=0, le=100_000)
    turns: bool = True
    skips: Skips = "none"
    first_activated: bool = True
    last_activated: bool = False
    norms: Norms = "none"
    slopes: Slopes = "none"
    shared: Shared = "layer"
    factor: float = Field(1.0, gt=0, le=1e6, allow_inf_nan=False)
    behind: ActivationName | Literal["none"] = "none"

    @model_validator(mode="after")
    def _agree(self) -> ComposedMLPArguments:
        middle = self.layers[1:-1]
        if (self.features == "none") != (self.frequencies == 0):
            raise ValueError(f"features are {self.features!r} with {self.frequencies} frequencies")
        if not middle and (self.skips, self.norms, self.slopes) != ("none",) * 3:
            raise ValueError("there is no hidden layer for skips, layer norm or trained slopes")
        if sum(part != "none" for part in (self.skips, self.norms, self.slopes)) > 1:
            raise ValueError("skips, layer norm and trained slopes are known one at a time")
        if self.skips != "none" and len(set(middle)) != 1:
            raise ValueError(f"skips need hidden layers of one width, these have {middle}")
        if self.skips.startswith("pair") and len(middle) % 2 == 0:
            raise ValueError(
                f"skips around pairs need an even number of layers between the first and the last, not {len(middle) - 1}"
            )
        return self

    @model_validator(mode="after")
    def _used(self) -> ComposedMLPArguments:
        """Nothing is given that has no effect."""
        if self.features == "none" and not self.turns:
            raise ValueError("turns are of features, and there are none")
        if self.skips == "none" and (self.last_activated or not self.first_activated):
            raise ValueError("first_activated and last_activated are of skips, and there are none")
        if self.slopes != "argument" and self.factor != 1:
            raise ValueError("the factor is of slopes of the argument, and there are none")
        if self.slopes == "none" and self.shared != "layer":
            raise ValueError("shared is of trained slopes, and there are none")
        if self.slopes == "prelu" and self.activation != "leaky-relu":
            raise ValueError("PReLU is a leaky-relu whose slope is trained; give that as the activation")
        return self

    def widths(self) -> list[int]:
        """Widths of the linear layers."""
        own = self.layers[0] if self.features == "none" or "x" in self.features.split("-") else 0
        return [own + 2 * self.frequencies, *self.layers[1:]]

    def slope_sizes(self) -> list[int]:
        """How many slopes each of their tensors has."""
        hidden = self.layers[1:-1]
        if self.slopes == "none":
            return []
        return [1] if self.shared == "all" else [1] * len(hidden) if self.shared == "layer" else list(hidden)

    def parameter_count(self) -> int:
        norms = 0 if self.norms == "none" else 2 * sum(self.layers[1:-1])
        return sum((one + 1) * other for one, other in pairwise(self.widths())) + norms + sum(self.slope_sizes())


def fourier(inputs: Tensor, frequencies: Tensor, order: str, *, turns: bool) -> Tensor:
    """cos and sin of x B, or 2π x B, and x, in the order that `order` names, (n, d) to (n, width) (Tancik et al. 2020)."""
    angles = inputs @ frequencies
    angles = 2 * math.pi * angles if turns else angles
    parts = {"x": inputs, "cos": torch.cos(angles), "sin": torch.sin(angles)}
    return torch.cat([parts[name] for name in order.split("-")], dim=1)


class FeatureMLP(LayeredNetwork):
    """A chain of layers and one activation behind the features: derivatives by the inputs go through it as through any chain."""

    frequencies: Tensor

    def __init__(self, arguments: ComposedMLPArguments) -> None:
        super().__init__()
        self.arguments, self.activation_name = arguments, arguments.activation
        self.linears = nn.ModuleList(nn.Linear(*widths) for widths in pairwise(arguments.widths()))
        if arguments.features != "none":
            self.register_buffer("frequencies", torch.zeros(arguments.layers[0], arguments.frequencies))

    def features(self, inputs: Tensor) -> Tensor:
        given = self.arguments
        if given.features == "none":
            return inputs
        return fourier(inputs, self.frequencies, given.features, turns=given.turns)


class ComposedMLP(nn.Module):
    """The same with skips, norms, trained slopes or an activation behind."""

    frequencies: Tensor

    def __init__(self, arguments: ComposedMLPArguments) -> None:
        super().__init__()
        self.arguments = arguments
        self.linears = nn.ModuleList(nn.Linear(*widths) for widths in pairwise(arguments.widths()))
        if arguments.features != "none":
            self.register_buffer("frequencies", torch.zeros(arguments.layers[0], arguments.frequencies))
        if arguments.norms != "none":
            self.norms = nn.ModuleList(nn.LayerNorm(width) for width in arguments.layers[1:-1])
        start = 0.25 if arguments.slopes == "prelu" else 1 / arguments.factor
        self.slopes = nn.ParameterList(nn.Parameter(torch.full((size,), start)) for size in arguments.slope_sizes())

    def forward(self, inputs: Tensor) -> Tensor:
        given = self.arguments
        features = given.features != "none"
        hidden = fourier(inputs, self.frequencies, given.features, turns=given.turns) if features else inputs
        hidden = self._chain(hidden) if given.skips == "none" else self._skipping(hidden)
        return hidden if given.behind == "none" else ACTIVATIONS[given.behind].function(hidden)

    def _chain(self, hidden: Tensor) -> Tensor:
        *earlier, last = self.linears
        for place, linear in enumerate(earlier):
            hidden = linear(hidden)
            if self.arguments.norms == "before":
                hidden = self.norms[place](hidden)
            hidden = self._activated(hidden, place)
            if self.arguments.norms == "after":
                hidden = self.norms[place](hidden)
        found: Tensor = last(hidden)
        return found

    def _activated(self, hidden: Tensor, place: int) -> Tensor:
        given, function = self.arguments, ACTIVATIONS[self.arguments.activation].function
        if given.slopes == "none":
            return function(hidden)
        slope = self.slopes[0 if given.shared == "all" else place]
        if given.slopes == "prelu":
            return torch.relu(hidden) - slope * torch.relu(-hidden)
        return function(given.factor * slope * hidden)

    def _skipping(self, hidden: Tensor) -> Tensor:
        given, function = self.arguments, ACTIVATIONS[self.arguments.activation].function
        first, *middle, last = self.linears
        hidden = function(first(hidden)) if given.first_activated else first(hidden)
        if given.skips.startswith("layer"):
            for linear in middle:
                hidden = (
                    hidden + function(linear(hidden)) if given.skips == "layer" else function(hidden + linear(hidden))
                )
        else:
            for one, other in zip(middle[::2], middle[1::2], strict=True):
                before = function(hidden) if given.skips == "pair-before" else hidden
                step = other(function(one(before)))
                if given.skips == "pair-inside":
                    hidden = function(hidden + step)
                else:
                    hidden = hidden + (function(step) if given.skips == "pair-outside" else step)
        found: Tensor = last(function(hidden) if given.last_activated else hidden)
        return found


@register("composed-mlp", ComposedMLPArguments)
def _composed_mlp(arguments: ComposedMLPArguments) -> nn.Module:
    plain = (arguments.skips, arguments.norms, arguments.slopes, arguments.behind) == ("none",) * 4
    return FeatureMLP(arguments) if plain else ComposedMLP(arguments)
