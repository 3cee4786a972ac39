"""PINNacle's `Wave2D_LongTime`: a membrane whose edges are moved in time with cos πt, and its motion as a sum of its modes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lsr_core.problems.splits import Split

Floats = NDArray[np.float64]
SHAPE = "sin(pi*x)*sinh(pi*y) + sinh(3*pi*x)*sin(2*pi*y)"
END = 100.0

MEMBRANE: dict[str, Any] = {
    "title": "Wave 2D, 100 units of time",
    "inputs": {"x": (0.0, 1.0), "y": (0.0, 1.0), "t": (0.0, END)},
    "equations": [{"equation": "u_tt = u_xx + 2*u_yy", "points": 4000}],
    "conditions": [
        {"where": "t = 0", "equation": f"u = {SHAPE}", "points": 1000, "weight": 1e4},
        {"where": "t = 0", "equation": "u_t = 0", "points": 1000, "weight": 100.0, "name": "speed"},
        {"where": "x = 0, x = 1, y = 0, y = 1", "equation": f"u = ({SHAPE})*cos(pi*t)", "points": 1600, "weight": 1e4},
    ],
}


def membrane(terms: int = 1600, points: int = 21, times: int = 401) -> Split:
    """u_tt = u_xx + 2 u_yy on [0, 1]² × [0, 100] from the shape F = sin πx sinh πy + sinh 3πx sin 2πy at rest, F cos πt at the edges.

    F cos πt, which is published as the solution, does not satisfy the equation. Each part of F is P cos πt, which the edges drive, and modes that
    begin as F − P, P being linear in y and a sinh of √7 πx. Coefficients fall like the cube of the index: with 800 terms the relative
    difference is 3e-7.
    """
    axis, t = np.linspace(0, 1, points), np.linspace(0, END, times)
    k = np.arange(1, terms + 1)
    sign = 2 * (-1.0) ** (k + 1) / math.pi
    along_y = _moving(
        axis, t, axis * math.sinh(math.pi), sign * math.sinh(math.pi) * (k / (k**2 + 1) - 1 / k), np.sqrt(1 + 2 * k**2)
    )
    steep = math.sinh(3 * math.pi) * np.sinh(math.sqrt(7) * math.pi * axis) / math.sinh(math.sqrt(7) * math.pi)
    along_x = _moving(
        axis, t, steep, sign * math.sinh(3 * math.pi) * (k / (k**2 + 9) - k / (k**2 + 7)), np.sqrt(k**2 + 8)
    )
    values = np.einsum("x,yt->xyt", np.sin(math.pi * axis), along_y) + np.einsum(
        "xt,y->xyt", along_x, np.sin(2 * math.pi * axis)
    )
    grid = np.stack([part.ravel() for part in np.meshgrid(axis, axis, t, indexing="ij")], axis=1)
    return Split(torch.from_numpy(grid), torch.from_numpy(values.reshape(-1, 1)))


def _moving(axis: Floats, t: Floats, driven: Floats, amplitudes: Floats, frequencies: Floats) -> Floats:
    """What is driven, and modes sin(kπx) cos(ω_k π t), (x, t)."""
    modes = np.sin(math.pi * np.outer(axis, np.arange(1, len(amplitudes) + 1))) * amplitudes
    return np.outer(driven, np.cos(math.pi * t)) + modes @ np.cos(math.pi * np.outer(frequencies, t))
