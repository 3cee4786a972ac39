"""Complex numbers as pairs of real ones and Fourier transforms as matrix products, for formats that have neither.

Inside `RealParts` a network's own code runs unchanged: `torch.complex` and the real transforms give pairs, and the few functions that
spectral convolutions apply to such numbers work on both parts. The discrete Fourier transform is a product with the matrix of
cos and sin 2πjk/n, exact to rounding; with n² in place of n log n steps it is meant for grids of some thousand points.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode


class ComplexParts:
    """A complex tensor by its real and imaginary parts, which have one shape."""

    def __init__(self, real: Tensor, imag: Tensor) -> None:
        self.real, self.imag = real, imag

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise NotImplementedError(f"`{getattr(func, '__name__', func)}` of them")

    @property
    def shape(self) -> torch.Size:
        return self.real.shape

    @property
    def ndim(self) -> int:
        return self.real.ndim

    def __getitem__(self, key: Any) -> ComplexParts:
        return ComplexParts(self.real[key], self.imag[key])

    def __add__(self, other: ComplexParts) -> ComplexParts:
        return ComplexParts(self.real + other.real, self.imag + other.imag)

    def new_zeros(self, *size: Any) -> ComplexParts:
        return ComplexParts(self.real.new_zeros(*size), self.imag.new_zeros(*size))


class RealParts(TorchFunctionMode):
    """While it is entered, complex numbers are pairs.

    Args:
        matrices: of transforms by name; a missing one is made and kept in it.
    """

    def __init__(self, matrices: dict[str, Tensor]) -> None:
        super().__init__()
        self._matrices = matrices

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        rule = _RULES.get(func)
        return func(*args, **(kwargs or {})) if rule is None else rule(self, *args, **(kwargs or {}))

    def turned(self, kind: str, values: Tensor, axis: int, count: int, size: int) -> Tensor:
        """Σ_j v_j cos(2πjk/size), or with sin, for the first `count` k, in the place of the axis of the v_j."""
        given = values.shape[axis]
        name = f"{kind}_{size}_{max(given, count)}x{min(given, count)}"
        if name not in self._matrices:
            turns = torch.outer(torch.arange(max(given, count)), torch.arange(min(given, count))) % size  # exact
            angles = turns.double() * (2 * math.pi / size)
            self._matrices[name] = (angles.cos() if kind == "cos" else angles.sin()).to(values.dtype)
        matrix = self._matrices[name]
        return (values.movedim(axis, -1) @ (matrix if given >= count else matrix.T)).movedim(-1, axis)


def _rfftn(mode: RealParts, values: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> ComplexParts:
    """Raises NotImplementedError where `s` changes the size of the grid."""
    axes = _axes(values.ndim, dim)
    if s is not None and list(s) != [values.shape[axis] for axis in axes]:
        raise NotImplementedError("a Fourier transform that cuts or pads")
    size = values.shape[axes[-1]]
    cosines, sines = (mode.turned(kind, values, axes[-1], size // 2 + 1, size) for kind in ("cos", "sin"))
    found = ComplexParts(cosines, -sines)
    for axis in axes[:-1]:
        found = _along(mode, found, axis, -1)
    scale = _scale(math.prod(values.shape[axis] for axis in axes), {"forward": 1.0, "ortho": 0.5}.get(norm or "", 0.0))
    return ComplexParts(found.real * scale, found.imag * scale)


def _irfftn(mode: RealParts, values: ComplexParts, s: Any = None, dim: Any = None, norm: str | None = None) -> Tensor:
    """Raises NotImplementedError where `s` changes an axis other than the last."""
    axes = _axes(values.ndim, dim)
    sizes = [values.shape[axis] for axis in axes[:-1]]
    size = 2 * (values.shape[axes[-1]] - 1) if s is None else list(s)[-1]
    if s is not None and list(s)[:-1] != sizes:
        raise NotImplementedError("a Fourier transform that cuts or pads")
    for axis in axes[:-1]:
        values = _along(mode, values, axis, 1)
    last, kept = axes[-1], min(values.shape[axes[-1]], size // 2 + 1)
    # all frequencies but zero, and the highest of an even number of points, stand for their negatives too
    doubled = [1.0 if k == 0 or 2 * k == size else 2.0 for k in range(kept)]
    weights = values.real.new_tensor(doubled).view(-1, *[1] * (values.ndim - 1 - last))
    real, imag = (part.narrow(last, 0, kept) * weights for part in (values.real, values.imag))
    found = mode.turned("cos", real, last, size, size) - mode.turned("sin", imag, last, size, size)
    return found * _scale(math.prod([*sizes, size]), {"ortho": 0.5, "forward": 0.0}.get(norm or "", 1.0))


def _along(mode: RealParts, values: ComplexParts, axis: int, sign: int) -> ComplexParts:
    """The transform of complex numbers along one axis, with exp(sign · 2πi jk/size)."""
    size = values.shape[axis]
    (cr, sr), (ci, si) = (
        [mode.turned(kind, part, axis, size, size) for kind in ("cos", "sin")] for part in (values.real, values.imag)
    )
    return ComplexParts(cr - sign * si, sign * sr + ci)


def _scale(count: int, power: float) -> float:
    return float(count) ** -power


def _axes(dimensions: int, dim: Any) -> list[int]:
    chosen: Iterable[int] = range(dimensions) if dim is None else [dim] if isinstance(dim, int) else dim
    return [axis % dimensions for axis in chosen]


def _one(rule: Callable[..., Any]) -> Callable[..., Any]:
    """The rule of a transform along one axis from that along several."""

    def along(mode: RealParts, values: Any, n: int | None = None, dim: int = -1, norm: str | None = None) -> Any:
        return rule(mode, values, None if n is None else [n], [dim], norm)

    return along


def _einsum(mode: RealParts, equation: str, *operands: Any) -> Any:
    if not any(isinstance(operand, ComplexParts) for operand in operands):
        return torch.einsum(equation, *operands)
    if len(operands) != 2 or not all(isinstance(operand, ComplexParts) for operand in operands):
        raise NotImplementedError("a sum of products of other than two complex tensors")
    a, b = operands
    real = torch.einsum(equation, a.real, b.real) - torch.einsum(equation, a.imag, b.imag)
    return ComplexParts(real, torch.einsum(equation, a.real, b.imag) + torch.einsum(equation, a.imag, b.real))


def _by_part(func: Callable[..., Tensor]) -> Callable[..., Any]:
    """A function that treats both parts alike."""

    def rule(mode: RealParts, given: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(given, ComplexParts):
            return ComplexParts(func(given.real, *args, **kwargs), func(given.imag, *args, **kwargs))
        if isinstance(given, Sequence) and any(isinstance(part, ComplexParts) for part in given):
            parts = ([getattr(part, name) for part in given] for name in ("real", "imag"))
            return ComplexParts(*(func(part, *args, **kwargs) for part in parts))
        return func(given, *args, **kwargs)

    return rule


_RULES: dict[Any, Callable[..., Any]] = {
    torch.complex: lambda mode, real, imag: ComplexParts(real, imag),
    torch.view_as_complex: lambda mode, given: ComplexParts(given[..., 0], given[..., 1]),
    torch.einsum: _einsum,
    torch.cat: _by_part(torch.cat),
    torch.fft.fftshift: _by_part(torch.fft.fftshift),
    torch.fft.ifftshift: _by_part(torch.fft.ifftshift),
    torch.fft.rfftn: _rfftn,
    torch.fft.rfft2: lambda mode, values, s=None, dim=(-2, -1), norm=None: _rfftn(mode, values, s, dim, norm),
    torch.fft.rfft: _one(_rfftn),
    torch.fft.irfftn: _irfftn,
    torch.fft.irfft2: lambda mode, values, s=None, dim=(-2, -1), norm=None: _irfftn(mode, values, s, dim, norm),
    torch.fft.irfft: _one(_irfftn),
}
