"""Functions that an equation is given: drawn from a Gaussian process, or through values at sensors."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Literal, Protocol

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from lsr_core.errors import InputError

Stream = Literal["train", "validation", "test"]
STREAMS: tuple[Stream, ...] = ("train", "validation", "test")
NODES = 64  # of the quadrature that the eigenfunctions come from: exact to rounding for lengths down to about 0.05
SMALLEST = 1e-10  # eigenvalues below this part of the largest are left out; they carry 1e-5 of the function


class InputFunction(Protocol):
    """A function on [0, 1] in double precision."""

    def __call__(self, x: Tensor) -> Tensor:
        """Values (n,) at x (n,)."""
        ...

    def integral(self, x: Tensor) -> Tensor:
        """∫ from 0 to x, (n,)."""
        ...


class InputArguments(BaseModel):
    """Which input function; JSON values.

    Attributes:
        length: of the correlation of the Gaussian process with kernel exp(−(x − x')²/2l²).
        seed: of all functions.
        stream: a function belongs to the training, to the validation or to the test functions.
        case: its number among them.
        values: at equally spaced sensors on [0, 1], both ends included; the function is then their cubic spline, and no other is drawn.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    length: float = Field(0.2, ge=0.05, le=10)
    seed: int = Field(0, ge=0, lt=2**31)
    stream: Stream = "test"
    case: int = Field(0, ge=0, lt=2**31)
    values: list[float] | None = Field(None, min_length=4, max_length=10_000)

    def function(self) -> InputFunction:
        """The function itself.

        Raises:
            InputError: values that are not finite.
        """
        if self.values is not None:
            return SplineFunction(torch.tensor(self.values, dtype=torch.float64))
        return KernelFunction(self.length, *_drawn(self.length, self.seed, self.stream, self.case))


class KernelFunction:
    """Σ_j w_j exp(−(x − c_j)²/2l²), whose integral is a sum of error functions."""

    def __init__(self, length: float, centres: Tensor, weights: Tensor) -> None:
        self.length, self.centres, self.weights = length, centres, weights

    def __call__(self, x: Tensor) -> Tensor:
        centres, weights = self._like(x)
        return torch.exp(-((x[:, None] - centres) ** 2) / (2 * self.length**2)) @ weights

    def integral(self, x: Tensor) -> Tensor:
        centres, weights = self._like(x)
        width = math.sqrt(2) * self.length
        areas = torch.erf((x[:, None] - centres) / width) + torch.erf(centres / width)
        return (0.5 * math.sqrt(math.pi) * width) * (areas @ weights)

    def _like(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.centres.to(x), self.weights.to(x)


class SplineFunction:
    """The cubic spline through values at equally spaced sensors on [0, 1]."""

    def __init__(self, values: Tensor) -> None:
        from scipy.interpolate import CubicSpline

        if not bool(torch.isfinite(values).all()):
            raise InputError("some values are NaN or infinite; give finite ones", key="values")
        spline = CubicSpline(np.linspace(0, 1, len(values)), values.numpy())
        self._pieces = torch.from_numpy(spline.c.copy())
        self._areas = torch.from_numpy(spline.antiderivative().c.copy())

    def __call__(self, x: Tensor) -> Tensor:
        return self._evaluate(self._pieces, x)

    def integral(self, x: Tensor) -> Tensor:
        return self._evaluate(self._areas, x)

    @staticmethod
    def _evaluate(coefficients: Tensor, x: Tensor) -> Tensor:
        pieces = coefficients.shape[1]
        piece = (x.detach() * pieces).long().clamp(0, pieces - 1)
        offset = x - piece.to(x) / pieces
        total = torch.zeros_like(x)
        for row in coefficients.to(x):  # Horner
            total = total * offset + row[piece]
        return total


def sensor_values(function: InputFunction, count: int) -> Tensor:
    """The function at equally spaced sensors, (count,)."""
    return function(torch.linspace(0, 1, count, dtype=torch.float64))


def _drawn(length: float, seed: int, stream: Stream, case: int) -> tuple[Tensor, Tensor]:
    """Centres and weights of one function: a truncated Karhunen-Loève series by Nyström's method."""
    centres, modes = _modes(length)
    key = np.random.default_rng([seed, STREAMS.index(stream), case])
    return centres, modes @ torch.from_numpy(key.standard_normal(modes.shape[1]))


@lru_cache(maxsize=8)
def _modes(length: float) -> tuple[Tensor, Tensor]:
    """Centres (c,) and what a standard normal number adds to their weights, (c, k)."""
    nodes, quadrature = np.polynomial.legendre.leggauss(NODES)
    centres, quadrature = (nodes + 1) / 2, quadrature / 2
    root = np.sqrt(quadrature)
    kernel = np.exp(-((centres[:, None] - centres) ** 2) / (2 * length**2))
    values, vectors = np.linalg.eigh(root[:, None] * kernel * root)
    kept = values > SMALLEST * values[-1]
    return torch.from_numpy(centres), torch.from_numpy(root[:, None] * vectors[:, kept] / np.sqrt(values[kept]))
