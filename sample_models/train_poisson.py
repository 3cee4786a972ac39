"""Poisson's equation (Cao & Zhang 2026), a small tanh network trained by Levenberg-Marquardt.

python -m lsr_samples.train_poisson [--seed 0] [--out DIR]
"""

from __future__ import annotations

from lsr_samples import physics

TRAIN, RECIPE = physics.by_levenberg_marquardt(steps=60, points=3000)
SAMPLE = physics.EquationSample(
    name="poisson",
    title="Poisson equation",
    description=(
        "A tanh network that is zero on the boundary, trained to about four digits of sin(π(2x)²) sin(πy). "
        "One linear solve over all its weights gives eight more."
    ),
    equation="poisson",
    layers=(2, 32, 32, 1),
    scale={"x": 2.0, "y": 2.0},
    options={"n_interior": 5000},
    train=TRAIN,
    recipe=RECIPE,
)

if __name__ == "__main__":
    physics.main(SAMPLE)
