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


def siren(z: Tensor) -> Tensor:
    """sin 30z, the sine of SIREN with its usual frequency (Sitzmann et al. 2020)."""
    return torch.sin(30 * z)


def _siren(z: Tensor, first: bool, second: bool) -> tuple[Tensor, Tensor | None, Tensor | None]:
    value = torch.sin(30 * z)
    return value, 30 * torch.cos(30 * z) if first else None, -900 * value if second else None


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


def _sigmoid(z: Tensor, first: bool, second: bool) -> tuple[Tensor, Tensor | None, Tensor | None]:
    value = torch.sigmoid(z)
    slope = value * (1 - value)
    return value, slope if first else None, slope * (1 - 2 * value) if second else None


def _softplus(z: Tensor, first: bool, second: bool) -> tuple[Tensor, Tensor | None, Tensor | None]:
    gate = torch.sigmoid(z)
    return nn.functional.softplus(z), gate if first else None, gate * (1 - gate) if second else None


def _elu(z: Tensor, first: bool, second: bool) -> tuple[Tensor, Tensor | None, Tensor | None]:
    below, above = torch.exp(torch.clamp(z, max=0)), z > 0
    slope = torch.where(above, torch.ones_like(z), below) if first else None
    return nn.functional.elu(z), slope, torch.where(above, torch.zeros_like(z), below) if second else None


def _selu(z: Tensor, first: bool, second: bool) -> tuple[Tensor, Tensor | None, Tensor | None]:
    alpha, scale = 1.6732632423543772, 1.0507009873554805  # Klambauer et al. 2017
    below, above = scale * alpha * torch.exp(torch.clamp(z, max=0)), z > 0
    slope = torch.where(above, torch.full_like(z, scale), below) if first else None
    return nn.functional.selu(z), slope, torch.where(above, torch.zeros_like(z), below) if second else None


def _leaky_relu(z: Tensor, first: bool, second: bool) -> tuple[Tensor, Tensor | None, Tensor | None]:
    slope = torch.where(z > 0, torch.ones_like(z), torch.full_like(z, 0.01)) if first else None
    return nn.functional.leaky_relu(z), slope, torch.zeros_like(z) if second else None


def mish(z: Tensor) -> Tensor:
    """z tanh(log(1 + eᶻ)) (Misra 2019), of operations whose derivatives torch knows in both modes."""
    return z * torch.tanh(nn.functional.softplus(z))


def _mish(z: Tensor, first: bool, second: bool) -> tuple[Tensor, Tensor | None, Tensor | None]:
    inner, gate = torch.tanh(nn.functional.softplus(z)), torch.sigmoid(z)
    steep = 1 - inner * inner
    slope = inner + z * steep * gate if first else None
    curve = steep * gate * (2 + z * (1 - gate) - 2 * z * inner * gate) if second else None
    return z * inner, slope, curve


def _gelu_tanh(z: Tensor, first: bool, second: bool) -> tuple[Tensor, Tensor | None, Tensor | None]:
    root, cubic = (2 / math.pi) ** 0.5, 0.044715
    value = torch.tanh(root * (z + cubic * z**3))
    steep, by, by_by = 1 - value * value, root * (1 + 3 * cubic * z * z), root * 6 * cubic * z
    slope = 0.5 * (1 + value) + 0.5 * z * steep * by if first else None
    curve = steep * by + 0.5 * z * steep * (by_by - 2 * value * by * by) if second else None
    return 0.5 * z * (1 + value), slope, curve


def gelu_tanh(z: Tensor) -> Tensor:
    """The approximation of GELU by a hyperbolic tangent (Hendrycks & Gimpel 2016)."""
    return 0.5 * z * (1 + torch.tanh((2 / math.pi) ** 0.5 * (z + 0.044715 * z**3)))


ACTIVATIONS: dict[str, Activation] = {
    "tanh": Activation(torch.tanh, _tanh, nn.Tanh),
    "relu": Activation(torch.relu, _relu, nn.ReLU, smooth=False),
    "gelu": Activation(nn.functional.gelu, _gelu, nn.GELU),
    "silu": Activation(nn.functional.silu, _silu, nn.SiLU),
    "sin": Activation(torch.sin, _sin),
    "tanh-sin": Activation(tanh_sin, _tanh_sin),
    "sigmoid": Activation(torch.sigmoid, _sigmoid, nn.Sigmoid),
    "softplus": Activation(nn.functional.softplus, _softplus, nn.Softplus),
    "elu": Activation(nn.functional.elu, _elu, nn.ELU, smooth=False),
    "selu": Activation(nn.functional.selu, _selu, nn.SELU, smooth=False),
    "leaky-relu": Activation(nn.functional.leaky_relu, _leaky_relu, nn.LeakyReLU, smooth=False),
    "mish": Activation(mish, _mish, nn.Mish),
    "gelu-tanh": Activation(gelu_tanh, _gelu_tanh),
    "siren": Activation(siren, _siren),
}
_DEFAULTS = {  # of modules with arguments; with others they are another function
    "approximate": "none", "beta": 1, "threshold": 20, "alpha": 1.0, "negative_slope": 0.01,
}  # fmt: skip


def _known(name: str) -> str:
    if name not in ACTIVATIONS:
        *others, last = (f"'{known}'" for known in ACTIVATIONS)
        raise ValueError(f"Input should be {', '.join(others)} or {last}")
    return name


ActivationName = Annotated[str, AfterValidator(_known)]


def activation_of(part: nn.Module) -> str | None:
    """The name of the activation that a module is, if it is one of them."""
    if isinstance(part, nn.GELU) and part.approximate == "tanh":
        return "gelu-tanh"
    if any(getattr(part, name, usual) != usual for name, usual in _DEFAULTS.items()):
        return None
    return next((name for name, known in ACTIVATIONS.items() if known.module is type(part)), None)
