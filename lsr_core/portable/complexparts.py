"""A complex tensor by its parts, and what functions of such numbers are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

_ALIKE = {
    *(
        "permute",
        "transpose",
        "reshape",
        "view",
        "flatten",
        "unflatten",
        "unsqueeze",
        "squeeze",
        "movedim",
        "sum",
        "mean",
    ),
    *("contiguous", "clone", "flip", "expand"),
}  # methods that treat both parts alike
_matmul: Any = torch.matmul  # which the mode that is entered answers
_mul: Any = torch.mul
_add: Any = torch.add


class ComplexParts:
    """A complex tensor by its real and imaginary parts, which have one shape."""

    def __init__(self, real: Any, imag: Any) -> None:
        self.real, self.imag = real, imag

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise NotImplementedError(f"`{getattr(func, '__name__', func)}` of them")

    def __matmul__(self, other: Any) -> Any:
        return _matmul(self, other)

    def __mul__(self, other: Any) -> Any:
        return _mul(self, other)

    __rmul__ = __mul__

    @property
    def shape(self) -> torch.Size:
        return self.real.shape

    @property
    def ndim(self) -> int:
        return self.real.ndim

    def __getitem__(self, key: Any) -> ComplexParts:
        return ComplexParts(self.real[key], self.imag[key])

    def __setitem__(self, key: Any, value: Any) -> None:
        self.real, self.imag = (put(part, key, new) for part, new in ((self.real, value.real), (self.imag, value.imag)))

    def __getattr__(self, name: str) -> Any:
        if name not in _ALIKE:
            raise NotImplementedError(f"`{name}` of them")
        return lambda *args, **kwargs: ComplexParts(
            *(getattr(part, name)(*args, **kwargs) for part in (self.real, self.imag))
        )

    def __add__(self, other: Any) -> Any:
        return _add(self, other)

    __radd__ = __add__

    def new_zeros(self, *size: Any) -> ComplexParts:
        return ComplexParts(self.real.new_zeros(*size), self.imag.new_zeros(*size))


def product(func: Callable[..., Tensor]) -> Callable[..., Any]:
    """A bilinear function of two tensors, of which one or both may be complex."""

    def rule(mode: Any, left: Any, right: Any, /, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(left, ComplexParts) and not isinstance(right, ComplexParts):
            return func(left, right, *args, **kwargs)
        a, b, c, d = (*_both(left), *_both(right))
        if b is None:
            return ComplexParts(func(a, c), func(a, d))
        if d is None:
            return ComplexParts(func(a, c), func(b, c))
        return ComplexParts(func(a, c) - func(b, d), func(a, d) + func(b, c))

    return rule


def total(sign: int) -> Callable[..., Any]:
    def rule(mode: Any, left: Any, right: Any, /, **kwargs: Any) -> Any:
        if kwargs or not (isinstance(left, ComplexParts) or isinstance(right, ComplexParts)):
            return (torch.add if sign > 0 else torch.sub)(left, right, **kwargs)
        a, b, c, d = (*_both(left), *_both(right))
        ahead = torch.zeros_like(a) if b is None else b
        return ComplexParts(a + sign * c, ahead if d is None else ahead + sign * d)

    return rule


def zeros(*size: Any, dtype: torch.dtype | None, **kwargs: Any) -> Any:
    if dtype is None or not dtype.is_complex:
        return torch.zeros(*size, dtype=dtype, **kwargs)
    return ComplexParts(*(torch.zeros(*size, dtype=dtype.to_real(), **kwargs) for _ in range(2)))


def _both(value: Any) -> tuple[Any, Any]:
    return (value.real, value.imag) if isinstance(value, ComplexParts) else (value, None)


def by_part(func: Callable[..., Tensor]) -> Callable[..., Any]:
    """A function that treats both parts alike."""

    def rule(mode: Any, given: Any, /, *args: Any, **kwargs: Any) -> Any:
        if isinstance(given, ComplexParts):
            return ComplexParts(func(given.real, *args, **kwargs), func(given.imag, *args, **kwargs))
        if isinstance(given, Sequence) and any(isinstance(part, ComplexParts) for part in given):
            parts = ([getattr(part, name) for part in given] for name in ("real", "imag"))
            return ComplexParts(*(func(part, *args, **kwargs) for part in parts))
        return func(given, *args, **kwargs)

    return rule


def put(values: Tensor, key: Any, new: Tensor) -> Tensor:
    """What `values` is after `values[key] = new` for slices, without writing in place, which transforms and graphs do not take.

    Raises:
        NotImplementedError: anything but slices without steps.
    """
    keys = list(key) if isinstance(key, tuple) else [key]
    if Ellipsis in keys:
        place = keys.index(Ellipsis)
        keys[place : place + 1] = [slice(None)] * (values.ndim - len(keys) + 1)
    return _put(values, keys, new, 0)


def _put(values: Tensor, keys: Sequence[Any], new: Tensor, axis: int) -> Tensor:
    while axis < len(keys) and keys[axis] == slice(None):
        axis += 1
    if axis == len(keys):
        return new if new.shape == values.shape else new.expand(values.shape)
    if not isinstance(keys[axis], slice) or keys[axis].step not in (None, 1):
        raise NotImplementedError("an assignment to other than slices")
    start, stop, _ = keys[axis].indices(values.shape[axis])
    inner = _put(values.narrow(axis, start, stop - start), keys, new, axis + 1)
    return torch.slice_scatter(values, inner, axis, start, stop)
