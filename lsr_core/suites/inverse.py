"""An inverse problem of PINNacle: a conductivity that varies, from 2,500 values with noise of deviation 0.1."""

from __future__ import annotations

from typing import Any

import numpy as np

VALUES, NOISE, SEED = 2500, 0.1, 0


def poisson_inverse() -> dict[str, Any]:
    """∇·(a ∇u) + f = 0 on the unit square with u = sin πx sin πy on a grid of 50 × 50 and a = 1/q at the edges; f belongs to them."""
    random, axis = np.random.default_rng(SEED), np.linspace(0, 1, 50)
    x, y = (part.ravel() for part in np.meshgrid(axis, axis, indexing="ij"))
    measured = np.sin(np.pi * x) * np.sin(np.pi * y) + NOISE * random.standard_normal(VALUES)
    q = "(1 + x^2 + y^2 + (x - 1)^2 + (y - 1)^2)"
    across = "(4*x - 2)*cos(pi*x)*sin(pi*y) + (4*y - 2)*sin(pi*x)*cos(pi*y)"
    return {
        "title": "Conductivity of a plate at rest, from noisy values",
        "inputs": {"x": (0.0, 1.0), "y": (0.0, 1.0)},
        "outputs": ["u", "a"],
        "equations": [
            {"equation": f"div(a*grad(u)) + 2*pi^2*sin(pi*x)*sin(pi*y)/{q} + pi*({across})/{q}^2 = 0", "points": 2000}
        ],
        "conditions": [{"where": "boundary", "equation": f"a = 1/{q}", "weight": 100.0}],
        "data": {"output": "u", "rows": np.stack([x, y, measured], axis=1).tolist(), "noise": NOISE},
        "solution": {"u": "sin(pi*x)*sin(pi*y)", "a": f"1/{q}"},
    }
