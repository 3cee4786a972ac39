"""The convection equation with β = 40 (Rathore et al. 2024) with a network at its random start, periodic by its inputs.

python -m lsr_samples.train_convection_periodic_untrained [--seed 0] [--out DIR] [--search]
"""

from __future__ import annotations

from lsr_samples import physics

SAMPLE = physics.EquationSample(
    name="convection-periodic-untrained",
    title="Convection equation with periodic features, untrained",
    description="A random tanh network of cos x, sin x and t, so that every field it makes is periodic.",
    equation="convection",
    layers=(2, 64, 64, 1),
    scale={"x": 0.08839, "t": 5.657},
    options={"n_interior": 5000},
    circular=True,
    recipe={"training": "none", "scales": "found on seed 0 by `lsr scales`: by the residual on fresh points alone"},
)

if __name__ == "__main__":
    physics.main(SAMPLE)
