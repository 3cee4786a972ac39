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
from torch.func import jvp

from lsr_core.networks.chainrule import composed

Series = Callable[[Tensor, int], list[Tensor]]


@dataclass(frozen=True)
class Activation:
    """One activation σ, elementwise.

    Attributes:
        function: σ.
        series: of (z, order): σ(z), σ′(z), … up to the derivative of that order; None = by forward mode through the function.
        module: the module that does the same in an `nn.Sequential`.
        smooth: whether there is a second derivative to speak of.
    """

    function: Callable[[Tensor], Tensor]
    series: Series | None = None
    module: type[nn.Module] | None = None
    smooth: bool = True

    def derivatives(self, z: Tensor, order: int) -> list[Tensor]:
        """σ(z) and its derivatives up to `order`, each like z."""
        return (self.series or self._by_forward_mode)(z, order)

    def _by_forward_mode(self, z: Tensor, order: int) -> list[Tensor]:
        found, along = [self.function], torch.ones_like(z)
        for _ in range(order):
            found.append(_slope_of(found[-1], along))
        return [one(z) for one in found]


def _slope_of(function: Callable[[Tensor], Tensor], along: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda z: jvp(function, (z,), (along,))[1]


def _products(one: list[Tensor], other: list[Tensor], order: int) -> Tensor:
    """The derivative of that order of a product of two functions, from theirs."""
    total = one[0] * other[order]
    for k in range(1, order + 1):
        total = total + math.comb(order, k) * one[k] * other[order - k]
    return total


def _tanh(z: Tensor, order: int) -> list[Tensor]:
    """By σ′ = 1 − σ²."""
    found = [torch.tanh(z)]
    if order > 0:
        found.append(torch.ops.aten.tanh_backward(torch.ones_like(z), found[0]))
    if order > 1:
        found.append(-2 * found[0] * found[1])
    for k in range(2, order):
        found.append(-_products(found, found, k))
    return found


def _sin(z: Tensor, order: int) -> list[Tensor]:
    sine, cosine = torch.sin(z), torch.cos(z) if order > 0 else z
    return [(sine, cosine, -sine, -cosine)[k % 4] for k in range(order + 1)]


def siren(z: Tensor) -> Tensor:
    """sin 30z, the sine of SIREN with its usual frequency (Sitzmann et al. 2020)."""
    return torch.sin(30 * z)


def _siren(z: Tensor, order: int) -> list[Tensor]:
    return [30**k * part for k, part in enumerate(_sin(30 * z, order))]


def _relu(z: Tensor, order: int) -> list[Tensor]:
    return [torch.relu(z), (z > 0).to(z), *(torch.zeros_like(z) for _ in range(order))][: order + 1]


def _silu(z: Tensor, order: int) -> list[Tensor]:
    """z g(z) of the logistic function g."""
    return _times_z(z, _gate(z, order))


def _gelu(z: Tensor, order: int) -> list[Tensor]:
    """z Φ(z); derivatives of the density φ are Hermite polynomials times φ."""
    below = [0.5 * (1 + torch.erf(z / 2**0.5))]
    if order > 0:
        below.append(torch.exp(-0.5 * z * z) / (2 * torch.pi) ** 0.5)
    for k in range(2, order + 1):
        below.append(-z * below[k - 1] - (k - 2) * below[k - 2])
    return _times_z(z, below)


def _times_z(z: Tensor, factor: list[Tensor]) -> list[Tensor]:
    return [z * factor[0], *(z * factor[k] + k * factor[k - 1] for k in range(1, len(factor)))]


def tanh_sin(z: Tensor) -> Tensor:
    """z + tanh sin π(z + 1), as in deep operator networks for oscillating outputs (Zang et al. 2025)."""
    return z + torch.tanh(torch.sin(math.pi * (z + 1)))


def _tanh_sin(z: Tensor, order: int) -> list[Tensor]:
    inner = [math.pi**k * part for k, part in enumerate(_sin(math.pi * (z + 1), order))]
    value, *slopes = _of_inner(_tanh, inner)
    return [z + value, *(slope + 1 if k == 0 else slope for k, slope in enumerate(slopes))]


def _gate(z: Tensor, order: int) -> list[Tensor]:
    """The logistic function g, by g′ = g (1 − g)."""
    gate = [torch.sigmoid(z)]
    for k in range(order):
        gate.append(gate[0] * (1 - gate[0]) if k == 0 else gate[k] - _products(gate, gate, k))
    return gate


def _softplus(z: Tensor, order: int) -> list[Tensor]:
    return [nn.functional.softplus(z), *(_gate(z, order - 1) if order > 0 else [])]


def _exponential_below(value: Tensor, z: Tensor, order: int, slope: float, factor: float) -> list[Tensor]:
    """A line above zero, an exponential below."""
    below, above = factor * torch.exp(torch.clamp(z, max=0)), z > 0
    lines = [torch.full_like(z, slope), *(torch.zeros_like(z) for _ in range(order))]
    return [value, *(torch.where(above, line, below) for line in lines[:order])]


def _elu(z: Tensor, order: int) -> list[Tensor]:
    return _exponential_below(nn.functional.elu(z), z, order, 1.0, 1.0)


def _selu(z: Tensor, order: int) -> list[Tensor]:
    alpha, scale = 1.6732632423543772, 1.0507009873554805  # Klambauer et al. 2017
    return _exponential_below(nn.functional.selu(z), z, order, scale, scale * alpha)


def _leaky_relu(z: Tensor, order: int) -> list[Tensor]:
    slope = torch.where(z > 0, torch.ones_like(z), torch.full_like(z, 0.01))
    return [nn.functional.leaky_relu(z), slope, *(torch.zeros_like(z) for _ in range(order))][: order + 1]


def mish(z: Tensor) -> Tensor:
    """z tanh(log(1 + eᶻ)) (Misra 2019), of operations whose derivatives torch knows in both modes."""
    return z * torch.tanh(nn.functional.softplus(z))


def _mish(z: Tensor, order: int) -> list[Tensor]:
    return _times_z(z, _of_inner(_tanh, _softplus(z, order)))


def _gelu_tanh(z: Tensor, order: int) -> list[Tensor]:
    root, cubic = (2 / math.pi) ** 0.5, 0.044715
    inner = [z + cubic * z**3, 1 + 3 * cubic * z * z, 6 * cubic * z, torch.full_like(z, 6 * cubic)]
    inner += [torch.zeros_like(z) for _ in range(3, order)]
    value, *slopes = _of_inner(_tanh, [root * part for part in inner[: order + 1]])
    return _times_z(z, [0.5 * (1 + value), *(0.5 * slope for slope in slopes)])


def _of_inner(outer: Series, inner: list[Tensor]) -> list[Tensor]:
    """Derivatives of a function of a function, from those of the inner one."""
    order = len(inner) - 1
    values, parts = outer(inner[0], order), {(0,) * k: part for k, part in enumerate(inner)}
    return [values[0], *(composed(values, parts, (0,) * k) for k in range(1, order + 1))]


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
    "sigmoid": Activation(torch.sigmoid, _gate, nn.Sigmoid),
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
