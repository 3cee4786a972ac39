"""`pinn-mlp`: fully connected networks as they are used for differential equations."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Annotated, Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn

from lsr_core.networks import transforms
from lsr_core.networks.activations import ActivationName
from lsr_core.networks.architectures import Arguments, Width, register
from lsr_core.networks.layered import LayeredNetwork

Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
FOURIER = "fourier"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Periodic(_Part):
    """cos and sin of 2πk/period times a named input, k = 1 … harmonics, in place of the input itself."""

    kind: Literal["periodic"] = "periodic"
    input: str
    period: Positive
    harmonics: int = Field(1, ge=1, le=1000)


class Fourier(_Part):
    """cos and sin of `count` random combinations of all inputs (on [−1, 1]), beside what is there; normal with deviation `scale`."""

    kind: Literal["fourier"]
    count: int = Field(ge=1, le=100_000)
    scale: Positive = 1.0


class FirstLayer(_Part):
    """Weights of the first layer uniform in ±scale; each neuron's zero line goes through a random point of the box.

    Attributes:
        scale: by input name, for all features that are made of this input (which run over [−1, 1]); one number for all; `fourier` for the
            random features.
    """

    scale: Positive | dict[str, Positive] = 1.0

    def of(self, name: str) -> float:
        """The scale of one feature by the name of its input."""
        if isinstance(self.scale, dict):
            return self.scale.get(name, 1.0)
        return self.scale


class OutputTransform(_Part):
    """A registered output transform and its JSON arguments; see `lsr_core.networks.transforms`."""

    name: str
    arguments: dict[str, Any] = Field(default_factory=dict)


class PinnMLPArguments(Arguments):
    """Arguments of `pinn-mlp`.

    Attributes:
        layers: widths from input to output; the first is the number of inputs, whatever features are made of them.
        domain: bounds by input name, in the order of the coordinates; inputs are mapped to [−1, 1] by them.
        features: periodic ones replace their input, Fourier ones come in addition.
        first_layer: how the first layer starts; None = like the others.
        output: hard conditions.
        seed: of the random start: Glorot uniform weights and zero biases beyond the first layer.
    """

    layers: Annotated[list[Width], Field(min_length=2, max_length=256)]
    domain: dict[str, tuple[Finite, Finite]]
    activation: ActivationName = "tanh"
    features: list[Annotated[Periodic | Fourier, Field(discriminator="kind")]] = Field(
        default_factory=list, max_length=100
    )
    first_layer: FirstLayer | None = None
    output: OutputTransform | None = None
    seed: int = Field(0, ge=0, lt=2**63)

    @model_validator(mode="after")
    def _agree(self) -> PinnMLPArguments:
        if len(self.domain) != self.layers[0]:
            raise ValueError(f"layers begin with {self.layers[0]}, the domain names {len(self.domain)} inputs")
        for name, (low, high) in self.domain.items():
            if not low < high:
                raise ValueError(f"the domain of {name!r} runs from {low} to {high}; the first must be smaller")
        asked = [feature.input for feature in self.features if isinstance(feature, Periodic)]
        scales = self.first_layer.scale if self.first_layer else 1.0
        scaled = [name for name in scales if name != FOURIER] if isinstance(scales, dict) else []
        if unknown := [name for name in (*asked, *scaled) if name not in self.domain]:
            raise ValueError(f"there is no input {unknown[0]!r}; the domain names {', '.join(self.domain)}")
        if len(set(asked)) < len(asked):
            raise ValueError("two periodic features of the same input; give one its harmonics")
        if self.output is not None:
            transforms.make(self.output.name, self.output.arguments)
        return self

    @property
    def feature_inputs(self) -> list[str]:
        """Of which input each feature is made, in order; `fourier` for the random ones."""
        periodic = {part.input: part.harmonics for part in self.features if isinstance(part, Periodic)}
        named = [name for name in self.domain for _ in range(2 * periodic[name] if name in periodic else 1)]
        return named + [FOURIER] * (2 * sum(part.count for part in self.features if isinstance(part, Fourier)))

    def widths(self) -> list[int]:
        """Widths of the linear layers."""
        return [len(self.feature_inputs), *self.layers[1:]]

    def parameter_count(self) -> int:
        return sum(fan_in * fan_out + fan_out for fan_in, fan_out in pairwise(self.widths()))


class PinnMLP(LayeredNetwork):
    """Maps points (n, d) in the coordinates of the equation to (n, o).

    The random start depends on the arguments only. Random Fourier frequencies are a buffer, so the weights file carries them.
    """

    frequencies: Tensor

    def __init__(self, arguments: PinnMLPArguments) -> None:
        super().__init__()
        self.arguments = arguments
        self.activation_name = arguments.activation
        with torch.random.fork_rng(devices=[]):  # their own random start, which is replaced, leaves no trace
            self.linears = nn.ModuleList(nn.Linear(*widths) for widths in pairwise(arguments.widths()))
        self._periodic = {part.input: part for part in arguments.features if isinstance(part, Periodic)}
        fourier = [part for part in arguments.features if isinstance(part, Fourier)]
        output = arguments.output
        self._transform = transforms.make(output.name, output.arguments) if output else None
        meta = next(self.parameters()).is_meta
        generator = torch.Generator().manual_seed(arguments.seed)
        if fourier:
            count = sum(part.count for part in fourier)
            self.register_buffer("frequencies", torch.zeros(count, len(arguments.domain)))
            if not meta:
                rows = [part.scale * _normal(part.count, len(arguments.domain), generator) for part in fourier]
                self.frequencies.copy_(torch.cat(rows))
        if not meta:
            self._start(generator)

    def features(self, inputs: Tensor) -> Tensor:
        parts, scaled = [], []
        for index, (name, (low, high)) in enumerate(self.arguments.domain.items()):
            x = inputs[:, index : index + 1]
            scaled.append((2 * x - (low + high)) / (high - low))
            if name in self._periodic:
                part = self._periodic[name]
                for k in range(1, part.harmonics + 1):
                    angle = (2 * math.pi * k / part.period) * x
                    parts += [torch.cos(angle), torch.sin(angle)]
            else:
                parts.append(scaled[-1])
        if FOURIER in self.arguments.feature_inputs:
            angles = torch.cat(scaled, dim=1) @ self.frequencies.T
            parts += [torch.cos(angles), torch.sin(angles)]
        return torch.cat(parts, dim=1)

    def lift(self, inputs: Tensor) -> Tensor | None:
        return self._transform.lift(inputs) if self._transform else None

    def mask(self, inputs: Tensor) -> Tensor | None:
        return self._transform.mask(inputs) if self._transform else None

    @torch.no_grad()
    def _start(self, generator: torch.Generator) -> None:
        """Random weights from a stream of their own."""
        arguments = self.arguments
        first, *others = self.linears
        for layer in self.linears:
            assert isinstance(layer, nn.Linear)
            nn.init.xavier_uniform_(layer.weight, generator=generator)
            nn.init.zeros_(layer.bias)
        if arguments.first_layer is None or not others:
            return
        assert isinstance(first, nn.Linear)
        scales = torch.tensor([arguments.first_layer.of(name) for name in arguments.feature_inputs])
        first.weight.copy_((2 * torch.rand(first.weight.shape, generator=generator) - 1) * scales)
        bounds = torch.tensor(list(arguments.domain.values()))
        draws = torch.rand(first.out_features, len(bounds), generator=generator)
        through = self.features(bounds[:, 0] + draws * (bounds[:, 1] - bounds[:, 0]))
        first.bias.copy_(-(first.weight * through).sum(dim=1))


def _normal(rows: int, columns: int, generator: torch.Generator) -> Tensor:
    return torch.randn(rows, columns, generator=generator)


@register("pinn-mlp", PinnMLPArguments)
def _pinn_mlp(arguments: PinnMLPArguments) -> nn.Module:
    return PinnMLP(arguments)
