"""Poisson's equation (Cao & Zhang 2026) with a network at its random start.

python -m lsr_samples.train_poisson_untrained [--seed 0] [--out DIR] [--search]
"""

from __future__ import annotations

from lsr_samples import physics

SAMPLE = physics.EquationSample(
    name="poisson-untrained",
    title="Poisson equation, untrained",
    description=(
        "A random tanh network that is zero on the boundary. One linear solve around weights that were never "
        "trained gives nine digits of the solution."
    ),
    equation="poisson",
    layers=(2, 64, 64, 1),
    scale={"x": 5.657, "y": 0.3536},
    options={"n_interior": 5000},
    recipe={"training": "none", "scales": "found on seed 0 by `lsr scales`: by the residual on fresh points alone"},
)

if __name__ == "__main__":
    physics.main(SAMPLE)
