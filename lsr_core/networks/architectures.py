"""Networks that can be built from a name and JSON arguments, so that a bundle needs no code of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, TypeVar

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor, nn

from lsr_core.errors import InputError
from lsr_core.networks.activations import ActivationName
from lsr_core.networks.layered import LayeredNetwork

MAX_PARAMETERS = 200_000_000
Width = Annotated[int, Field(ge=1, strict=True)]


class Arguments(BaseModel):
    """Base of the arguments of an architecture. `parameter_count` must not allocate anything."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def parameter_count(self) -> int:
        raise NotImplementedError


_Arguments = TypeVar("_Arguments", bound=Arguments)


@dataclass(frozen=True)
class _Entry:
    arguments: type[Arguments]
    factory: Callable[[Any], nn.Module]


_REGISTRY: dict[str, _Entry] = {}


def register(
    name: str, arguments: type[_Arguments]
) -> Callable[[Callable[[_Arguments], nn.Module]], Callable[[_Arguments], nn.Module]]:
    """Decorator: make `factory(arguments)` available to bundles under `name`."""

    if name in _REGISTRY:
        raise ValueError(f"an architecture named {name!r} is registered already")

    def add(factory: Callable[[_Arguments], nn.Module]) -> Callable[[_Arguments], nn.Module]:
        _REGISTRY[name] = _Entry(arguments, factory)
        return factory

    return add


def names() -> list[str]:
    """Registered names, sorted."""
    return sorted(_REGISTRY)


def validate(name: str, arguments: Mapping[str, Any]) -> Arguments:
    """The checked arguments of an architecture; nothing is allocated.

    Raises:
        InputError: unknown name, arguments that do not fit, or more than `MAX_PARAMETERS` parameters.
    """
    entry = _REGISTRY.get(name)
    if entry is None:
        raise InputError(
            f"unknown architecture {name!r:.80}; this version knows {', '.join(names())}", key="network.architecture"
        )
    try:
        checked = entry.arguments.model_validate(dict(arguments))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        key = ".".join(["network.arguments", *(str(part) for part in first["loc"])])
        raise InputError(
            f"{first['msg'].removeprefix('Value error, ')} (got {first['input']!r:.80})", key=key
        ) from error
    count = checked.parameter_count()
    if count > MAX_PARAMETERS:
        raise InputError(
            f"describes {count:,} parameters, more than the {MAX_PARAMETERS:,} that fit; use a smaller network",
            key="network.arguments",
        )
    return checked


def build(name: str, arguments: Mapping[str, Any]) -> nn.Module:
    """A new network with PyTorch's default random initialisation, in eval mode.

    Raises:
        InputError: see `validate`.
    """
    checked = validate(name, arguments)
    return _REGISTRY[name].factory(checked).eval()


class MLPArguments(Arguments):
    """Fully connected network: widths from input to output, one activation, inputs optionally (x - mean)/std."""

    layers: Annotated[list[Width], Field(min_length=2, max_length=256)]
    activation: ActivationName = "tanh"
    normalise_inputs: bool = False

    def parameter_count(self) -> int:
        return sum(fan_in * fan_out + fan_out for fan_in, fan_out in pairwise(self.layers))


class MLP(LayeredNetwork):
    """Maps (n, layers[0]) to (n, layers[-1]); normalisation constants are buffers, so the weights file carries them."""

    input_mean: Tensor
    input_std: Tensor

    def __init__(self, arguments: MLPArguments) -> None:
        super().__init__()
        self.linears = nn.ModuleList(nn.Linear(*widths) for widths in pairwise(arguments.layers))
        self.activation_name = arguments.activation
        self.normalise = arguments.normalise_inputs
        if self.normalise:
            self.register_buffer("input_mean", torch.zeros(arguments.layers[0]))
            self.register_buffer("input_std", torch.ones(arguments.layers[0]))

    def features(self, inputs: Tensor) -> Tensor:
        return (inputs - self.input_mean) / self.input_std if self.normalise else inputs


@register("mlp", MLPArguments)
def _mlp(arguments: MLPArguments) -> nn.Module:
    return MLP(arguments)
