"""erf and GELU in float64, for which onnxruntime has no kernel."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

# Rational approximations of erf on [0, 1] and of exp(x²) erfc(x) on [1, 8], relative error below 1e-15: S. L. Moshier, Cephes Mathematical
# Library, `ndtr.c` (1984-1992). Highest power first.
_NEAR = (
    (9.60497373987051638749e0, 9.00260197203842689217e1, 2.23200534594684319226e3, 7.00332514112805075473e3, 5.55923013010394962768e4),
    (1.0, 3.35617141647503099647e1, 5.21357949780152679795e2, 4.59432382970980127987e3, 2.26290000613890934246e4, 4.92673942608635921086e4),
)  # fmt: skip
_FAR = (
    (
        2.46196981473530512524e-10, 5.64189564831068821977e-1, 7.46321056442269912687e0, 4.86371970985681366614e1,
        1.96520832956077098242e2, 5.26445194995477358631e2, 9.34528527171957607540e2, 1.02755188689515710272e3, 5.57535335369399327526e2,
    ),
    (
        1.0, 1.32281951154744992508e1, 8.67072140885989742329e1, 3.54937778887819891062e2, 9.75708501743205489753e2,
        1.82390916687909736289e3, 2.24633760818710981792e3, 1.65666309194161350182e3, 5.57535340817727675546e2,
    ),
)  # fmt: skip
_ALL_OF_IT = 6.0  # 1 - erf(6) is 2e-17
_BEND, _CUBIC = (
    math.sqrt(2 / math.pi),
    0.044715,
)  # Φ(x) ≈ (1 + tanh(_BEND (x + _CUBIC x³)))/2: Hendrycks and Gimpel 2016


def erf(x: Tensor) -> Tensor:
    """erf in float64 to 1e-15, from products, quotients and one exponential."""
    size = x.abs()
    near = size.clamp(max=1.0)  # outside of its own half a formula must still be finite
    far = size.clamp(1.0, _ALL_OF_IT)
    inner = near * _ratio(_NEAR, near * near)
    outer = 1.0 - torch.exp(-far * far) * _ratio(_FAR, far)
    return torch.sign(x) * torch.where(size < 1.0, inner, outer)


def erfc(x: Tensor) -> Tensor:
    """1 − erf(x); right to 1e-15 of one, not of itself."""
    return 1.0 - erf(x)


def gelu(x: Tensor, *, approximate: str = "none") -> Tensor:
    """x Φ(x), or with `tanh` for Φ, as `torch.nn.functional.gelu`."""
    if approximate == "none":
        return x * _normal(x)
    return x * (0.5 * (1.0 + torch.tanh(_bent(x))))


def gelu_backward(grad: Tensor, x: Tensor, *, approximate: str = "none") -> Tensor:
    """grad (Φ(x) + x φ(x)), or of what stands for Φ."""
    if approximate == "none":
        density = torch.exp(-0.5 * (x * x)) * (1 / math.sqrt(2 * math.pi))
        return grad * (_normal(x) + x * density)
    bent = torch.tanh(_bent(x))
    slope = _BEND * (1.0 + (x * x) * (3 * _CUBIC))
    return grad * (0.5 * (1.0 + bent) + 0.5 * x * (1.0 - bent * bent) * slope)


def _bent(x: Tensor) -> Tensor:
    return _BEND * (x + _CUBIC * (x * x * x))


def _normal(x: Tensor) -> Tensor:
    return 0.5 * (1.0 + erf(x * (1 / math.sqrt(2))))


def _ratio(coefficients: tuple[Sequence[float], Sequence[float]], x: Tensor) -> Tensor:
    above, below = (_polynomial(part, x) for part in coefficients)
    return above / below


def _polynomial(coefficients: Sequence[float], x: Tensor) -> Tensor:
    value = x * coefficients[0] + coefficients[1]
    for coefficient in coefficients[2:]:
        value = value * x + coefficient
    return value
