"""Activations by name: the function, its derivatives, and the module of torch that is the same; each in one place.

What is written of torch's own operations leaves in every form of an export as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import AfterValidator
from torch import Tensor, nn

Taylor = Callable[[Tensor, bool, bool], tuple[Tensor, Tensor | None, Tensor | None]]


@dataclass(frozen=True)
class Activation:
    """One activation σ, elementwise.

    Attributes:
        function: σ.
        taylor: of (z, first, second): σ(z), and σ′(z) and σ″(z) where they are asked for.
        module: the module that does the same in an `nn.Sequential`.
        smooth: whether there is a second derivative to speak of.
    """

    function: Callable[[Tensor], Tensor]
    taylor: Taylor
    module: type[nn.Module] | None = None
    smooth: bool = True


def _tanh(z: Tensor, first: bool, second: bool) -> tuple[Tensor, Tensor | None, Tensor | None]:
    value = torch.tanh(z)
    slope = torch.ops.aten.tanh_backward(torch.ones_like(value), value) if first else None  # 1 − tanh²
    return value, slope, -2 * value * slope if second and slope is not None else None


def _sin(z: Tensor, first: bool, second: bool) -> tuple[Tensor, Tensor | None, Tensor | None]:
    value = torch.sin(z)
    return value, torch.cos(z) if first else None, -value if second else None


def _relu(z: Tensor, first: bool, second: bool) -> tuple[Tensor, Tensor | None, Tensor | None]:
    return torch.relu(z), (z > 0).to(z) if first else None, torch.zeros_like(z) if second else None


def _silu(z: Tensor, first: bool, second: bool) -> tuple[Tensor, Tensor | None, Tensor | None]:
    gate = torch.sigmoid(z)
    steep = gate * (1 - gate)
    slope = gate + z * steep if first else None
    return z * gate, slope, steep * (2 + z * (1 - 2 * gate)) if second else None


def _gelu(z: Tensor, first: bool, second: bool) -> tuple[Tensor, Tensor | None, Tensor | None]:
    below = 0.5 * (1 + torch.erf(z / 2**0.5))
    density = torch.exp(-0.5 * z * z) / (2 * torch.pi) ** 0.5
    return (
        z * below,
        below + z * density if first else None,
        density * (2 - z * z) if second else None,
    )


def tanh_sin(z: Tensor) -> Tensor:
    """z + tanh sin π(z + 1), as in deep operator networks for oscillating outputs (Zang et al. 2025)."""
    return z + torch.tanh(torch.sin(math.pi * (z + 1)))


def _tanh_sin(z: Tensor, first: bool, second: bool) -> tuple[Tensor, Tensor | None, Tensor | None]:
    angle = math.pi * (z + 1)
    sine, cosine = torch.sin(angle), math.pi * torch.cos(angle)
    value = torch.tanh(sine)
    steep = 1 - value * value
    slope = 1 + steep * cosine if first else None
    return z + value, slope, -steep * (2 * value * cosine**2 + math.pi**2 * sine) if second else None


ACTIVATIONS: dict[str, Activation] = {
    "tanh": Activation(torch.tanh, _tanh, nn.Tanh),
    "relu": Activation(torch.relu, _relu, nn.ReLU, smooth=False),
    "gelu": Activation(nn.functional.gelu, _gelu, nn.GELU),
    "silu": Activation(nn.functional.silu, _silu, nn.SiLU),
    "sin": Activation(torch.sin, _sin),
    "tanh-sin": Activation(tanh_sin, _tanh_sin),
}


def _known(name: str) -> str:
    if name not in ACTIVATIONS:
        *others, last = (f"'{known}'" for known in ACTIVATIONS)
        raise ValueError(f"Input should be {', '.join(others)} or {last}")
    return name


ActivationName = Annotated[str, AfterValidator(_known)]


def activation_of(part: nn.Module) -> str | None:
    """The name of the activation that a module is, if it is one of them."""
    if isinstance(part, nn.GELU) and part.approximate != "none":
        return None
    return next((name for name, known in ACTIVATIONS.items() if known.module is type(part)), None)
