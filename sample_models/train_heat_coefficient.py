"""The coefficient of the heat equation from 50 noisy values, with a network at its random start.

python -m lsr_samples.train_heat_coefficient [--seed 0] [--out DIR]
"""

from __future__ import annotations

import math
from typing import Any

import torch

from lsr_samples import physics

COEFFICIENT, NOISE, SENSORS, START = 0.1, 0.05, 50, 0.5


def options(measurement: int = 0, *, noise: float = NOISE) -> dict[str, Any]:
    """u_t = D u_xx with D to be found, and values of u at random places.

    Args:
        measurement: seed of places and noise.
        noise: standard deviation of a value.
    """
    generator = torch.Generator().manual_seed(measurement)
    places = torch.rand(SENSORS, 2, generator=generator, dtype=torch.float64)
    values = torch.exp(-COEFFICIENT * math.pi**2 * places[:, 1]) * torch.sin(math.pi * places[:, 0])
    values = values + noise * torch.randn(SENSORS, generator=generator, dtype=torch.float64)
    return {
        "title": "Heat equation, unknown coefficient",
        "inputs": {"x": [0, 1], "t": [0, 1]},
        "outputs": ["u"],
        "unknown": {"D": START},
        "equations": [{"equation": "u_t = D*u_xx", "points": 1000}],
        "conditions": [
            {"where": "t = 0", "equation": "u = sin(pi*x)", "points": 200},
            {"where": "x = 0, x = 1", "equation": "u = 0", "points": 200},
        ],
        "data": {"output": "u", "rows": torch.cat([places, values[:, None]], dim=1).tolist(), "noise": noise},
        "solution": {"u": f"exp(-{COEFFICIENT}*pi^2*t)*sin(pi*x)", "D": str(COEFFICIENT)},
    }


SAMPLE = physics.EquationSample(
    name="heat-coefficient",
    title="Heat equation, unknown coefficient",
    description=(
        "How fast heat spreads is not known; 50 thermometers with an error of 0.05 tell. A solve finds the coefficient and how sure it is."
    ),
    equation="typed",
    layers=(2, 30, 30, 1),
    scale={"x": 2.0, "t": 2.0},
    options=options(),
    recipe={
        "training": "none",
        "measurements": f"{SENSORS} values with noise {NOISE}",
        "true coefficient": COEFFICIENT,
    },
)

if __name__ == "__main__":
    physics.main(SAMPLE)
