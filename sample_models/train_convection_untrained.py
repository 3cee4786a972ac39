"""The convection equation with β = 40 (Rathore et al. 2024) with a network at its random start, plain inputs.

python -m lsr_samples.train_convection_untrained [--seed 0] [--out DIR] [--search]
"""

from __future__ import annotations

from lsr_samples import physics

SAMPLE = physics.EquationSample(
    name="convection-untrained",
    title="Convection equation, untrained",
    description=(
        "A random tanh network of x and t, periodic only as far as its residual rows ask for it: the hardest "
        "of the linear samples."
    ),
    equation="convection",
    layers=(2, 64, 64, 1),
    scale={"x": 0.5, "t": 4.0},
    options={"constraints": "soft-periodic", "n_interior": 5000},
    recipe={"training": "none", "scales": "found on seed 0 by `lsr scales`: by the residual on fresh points alone"},
)

if __name__ == "__main__":
    physics.main(SAMPLE)
