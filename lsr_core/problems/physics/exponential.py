"""Exponential Runge-Kutta steps of fourth order, for reference solutions of stiff equations."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Amplitudes = TypeVar("Amplitudes", NDArray[np.float64], NDArray[np.complex128])
CONTOUR = 32


class ExponentialRungeKutta:
    """Steps of v' = L v + N(v) with L diagonal (Cox & Matthews 2002; coefficients by Kassam & Trefethen 2005).

    Args:
        z: time step times the diagonal of L, (k,).
    """

    def __init__(self, z: Floats) -> None:
        circle = np.exp(1j * np.pi * (np.arange(1, CONTOUR + 1) - 0.5) / CONTOUR)
        r = z[:, None] + circle  # means over a circle around each z are free of cancellation
        grown = np.exp(r)

        def mean(values: NDArray[np.complex128]) -> Floats:
            return np.real(values.mean(axis=1))

        self._full, self._half = np.exp(z), np.exp(z / 2)
        self._inner = mean((np.exp(r / 2) - 1) / r)
        self._first = mean((-4 - r + grown * (4 - 3 * r + r**2)) / r**3)
        self._middle = 2 * mean((2 + r + grown * (r - 2)) / r**3)
        self._last = mean((-4 - 3 * r - r**2 + grown * (4 - r)) / r**3)

    def step(self, value: Amplitudes, push: Callable[[Amplitudes], Amplitudes]) -> Amplitudes:
        """The amplitudes (…, k) one step later; `push` is the time step times N."""
        slope = push(value)
        a = self._half * value + self._inner * slope
        slope_a = push(a)
        slope_b = push(self._half * value + self._inner * slope_a)
        slope_c = push(self._half * a + self._inner * (2 * slope_b - slope))
        return self._full * value + self._first * slope + self._middle * (slope_a + slope_b) + self._last * slope_c
