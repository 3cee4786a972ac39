"""The conductivity a(x, y) from noisy values of the field on a grid: PoissonInv of PINNacle (Hao et al. 2024), with a network at its random start.

python -m lsr_samples.train_poisson_inverse [--seed 0] [--out DIR]
"""

from __future__ import annotations

import math
from typing import Any

import torch

from lsr_samples import physics

NOISE, ALONG = 0.1, 50
FIELD, CONDUCTIVITY = "sin(pi*x)*sin(pi*y)", "1/(1+x^2+y^2+(x-1)^2+(y-1)^2)"


def options(measurement: int = 0) -> dict[str, Any]:
    """div(a grad u) + f = 0 on the unit square, u known with noise on a grid and a on the boundary.

    Args:
        measurement: seed of the noise.
    """
    generator = torch.Generator().manual_seed(measurement)
    axis = torch.linspace(0, 1, ALONG, dtype=torch.float64)
    places = torch.cartesian_prod(axis, axis)
    values = torch.sin(math.pi * places).prod(dim=1)
    values = values + NOISE * torch.randn(len(places), generator=generator, dtype=torch.float64)
    rows = torch.cat([places, values[:, None]], dim=1)
    return {
        "title": "Poisson equation, unknown conductivity",
        "inputs": {"x": [0, 1], "y": [0, 1]},
        "outputs": ["u", "a"],
        "equations": [{"equation": f"div(a*grad(u)) = div(({CONDUCTIVITY})*grad({FIELD}))", "points": 800}],
        "conditions": [{"where": "boundary", "equation": f"a = {CONDUCTIVITY}", "points": 200}],
        "data": {"output": "u", "rows": [[round(value, 6) for value in row] for row in rows.tolist()], "noise": NOISE},
        "solution": {"u": FIELD, "a": CONDUCTIVITY},
    }


SAMPLE = physics.EquationSample(
    name="poisson-inverse",
    title="Poisson equation, unknown conductivity",
    description=(
        "PoissonInv of PINNacle: field and conductivity together, from values of the field on a 50 × 50 grid with an error of 0.1 and the "
        "conductivity on the boundary."
    ),
    equation="typed",
    layers=(2, 40, 40, 2),
    scale={"x": 0.25, "y": 0.25},
    options=options(),
    recipe={
        "training": "none",
        "scales": "of 0.2 to 0.5, by the error against the known solution",
        "measurements": f"{ALONG} × {ALONG} values with noise {NOISE}",
    },
)

if __name__ == "__main__":
    physics.main(SAMPLE)
