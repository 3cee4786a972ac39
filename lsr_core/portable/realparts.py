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
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from lsr_core.portable.complexparts import ComplexParts, by_part, product, total, zeros


class WrittenOut(TorchFunctionMode):
    """While it is entered, functions whose derivative torch cannot differentiate again are made of others."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _TWICE.get(func, func)(*args, **(kwargs or {}))


class RealParts(WrittenOut):
    """While it is entered, complex numbers are pairs.

    Args:
        matrices: of transforms by name; a missing one is made and kept in it.
        pairs: real tensors (…, 2) that the network takes for complex ones, its parameters.
    """

    def __init__(self, matrices: dict[str, Tensor], pairs: Sequence[Tensor] = ()) -> None:
        super().__init__()
        self._matrices = matrices
        self._pairs = {id(pair) for pair in pairs}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        taken = [self._taken(value) for value in args]
        mixed = any(isinstance(part, ComplexParts) for value in taken for part in _within(value))
        attribute = getattr(getattr(func, "__self__", None), "__name__", "")
        if mixed and attribute in _ATTRIBUTES:
            return getattr(taken[0], attribute)
        rule = _RULES.get(func)
        if rule is not None:
            return rule(self, *taken, **(kwargs or {}))
        return super().__torch_function__(func, types, args if attribute else taken, kwargs)

    def _taken(self, value: Any) -> Any:
        """Complex numbers by their parts, also within a list."""
        if isinstance(value, (list, tuple)) and any(isinstance(part, Tensor) for part in value):
            return type(value)([self._taken(part) for part in value])
        if isinstance(value, complex):
            return ComplexParts(value.real, value.imag)
        if not isinstance(value, Tensor):
            return value
        if id(value) in self._pairs:
            return ComplexParts(value[..., 0], value[..., 1])
        return ComplexParts(value.real, value.imag) if value.is_complex() else value

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
    axes = _axes(values.ndim, dim)
    for axis, wanted in zip(axes, s or (), strict=False):
        values = _sized(values, axis, wanted)
    size = values.shape[axes[-1]]
    cosines, sines = (mode.turned(kind, values, axes[-1], size // 2 + 1, size) for kind in ("cos", "sin"))
    found = ComplexParts(cosines, -sines)
    for axis in axes[:-1]:
        found = _along(mode, found, axis, -1)
    scale = _scale(math.prod(values.shape[axis] for axis in axes), {"forward": 1.0, "ortho": 0.5}.get(norm or "", 0.0))
    return ComplexParts(found.real * scale, found.imag * scale)


def _irfftn(mode: RealParts, values: ComplexParts, s: Any = None, dim: Any = None, norm: str | None = None) -> Tensor:
    axes = _axes(values.ndim, dim)
    for axis, wanted in zip(axes[:-1], s or (), strict=False):
        values = ComplexParts(*(_sized(part, axis, wanted) for part in (values.real, values.imag)))
    sizes = [values.shape[axis] for axis in axes[:-1]]
    size = 2 * (values.shape[axes[-1]] - 1) if s is None else list(s)[-1]
    for axis in axes[:-1]:
        values = _along(mode, values, axis, 1)
    last, kept = axes[-1], min(values.shape[axes[-1]], size // 2 + 1)
    # all frequencies but zero, and the highest of an even number of points, stand for their negatives too
    doubled = [1.0 if k == 0 or 2 * k == size else 2.0 for k in range(kept)]
    weights = values.real.new_tensor(doubled).view(-1, *[1] * (values.ndim - 1 - last))
    real, imag = (part.narrow(last, 0, kept) * weights for part in (values.real, values.imag))
    found = mode.turned("cos", real, last, size, size) - mode.turned("sin", imag, last, size, size)
    return found * _scale(math.prod([*sizes, size]), {"ortho": 0.5, "forward": 0.0}.get(norm or "", 1.0))


def _sized(values: Tensor, axis: int, wanted: int) -> Tensor:
    """Cut, or filled up with zeros behind, to a length along an axis."""
    given = values.shape[axis]
    if wanted <= given:
        return values.narrow(axis, 0, wanted)
    rest = values.new_zeros(*values.shape[:axis], wanted - given, *values.shape[axis + 1 :])
    return torch.cat([values, rest], axis)


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


def _within(value: Any) -> Iterable[Any]:
    return value if isinstance(value, (list, tuple)) else (value,)


def _distances(left: Tensor, right: Tensor, p: float = 2.0, compute_mode: str = "") -> Tensor:
    """`torch.cdist`; Euclidean distances of their definition, with the slope 0 where they are 0."""
    if p != 2:
        return torch.cdist(left, right, p)
    squares = (left[..., :, None, :] - right[..., None, :, :]).square().sum(-1)
    apart = squares > 0
    return torch.where(apart, squares, torch.ones_like(squares)).sqrt() * apart


_TWICE: dict[Any, Callable[..., Any]] = {torch.cdist: _distances}
_ATTRIBUTES = ("shape", "ndim", "real", "imag")
_PRODUCTS = {
    torch.matmul: torch.matmul,
    Tensor.matmul: torch.matmul,
    Tensor.__matmul__: torch.matmul,
    torch.mul: torch.mul,
}
_PRODUCTS |= {Tensor.mul: torch.mul, Tensor.__mul__: torch.mul, Tensor.__rmul__: torch.mul}
_RULES: dict[Any, Callable[..., Any]] = {
    **{func: product(real) for func, real in _PRODUCTS.items()},
    **{func: total(1) for func in (torch.add, Tensor.add, Tensor.__add__, Tensor.__radd__)},
    **{func: total(-1) for func in (torch.sub, Tensor.sub, Tensor.__sub__)},
    torch.view_as_real: lambda mode, given: torch.stack([given.real, given.imag], -1),
    torch.conj: lambda mode, given: ComplexParts(given.real, -given.imag) if isinstance(given, ComplexParts) else given,
    torch.abs: lambda mode, given: (
        (given.real.square() + given.imag.square()).sqrt() if isinstance(given, ComplexParts) else torch.abs(given)
    ),
    Tensor.__getitem__: lambda mode, given, key: given[key],
    torch.complex: lambda mode, real, imag: ComplexParts(real, imag),
    torch.view_as_complex: lambda mode, given: ComplexParts(given[..., 0], given[..., 1]),
    torch.einsum: _einsum,
    torch.cat: by_part(torch.cat),
    torch.stack: by_part(torch.stack),
    functional.pad: by_part(functional.pad),
    torch.zeros: lambda mode, *size, dtype=None, **kwargs: zeros(*size, dtype=dtype, **kwargs),
    torch.fft.fftshift: by_part(torch.fft.fftshift),
    torch.fft.ifftshift: by_part(torch.fft.ifftshift),
    torch.fft.rfftn: _rfftn,
    torch.fft.rfft2: lambda mode, values, s=None, dim=(-2, -1), norm=None: _rfftn(mode, values, s, dim, norm),
    torch.fft.rfft: _one(_rfftn),
    torch.fft.irfftn: _irfftn,
    torch.fft.irfft2: lambda mode, values, s=None, dim=(-2, -1), norm=None: _irfftn(mode, values, s, dim, norm),
    torch.fft.irfft: _one(_irfftn),
}
