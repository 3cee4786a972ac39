"""The reaction equation with ρ = 5 (Rathore et al. 2024), a tanh network trained by Levenberg-Marquardt.

python -m lsr_samples.train_reaction [--seed 0] [--out DIR]
"""

from __future__ import annotations

from lsr_samples import physics

TRAIN, RECIPE = physics.by_levenberg_marquardt(steps=40, points=3000)
SAMPLE = physics.EquationSample(
    name="reaction",
    title="Reaction equation",
    description=(
        "A tanh network that starts from the Gaussian, trained until the plateau stands. The equation is "
        "nonlinear: Gauss-Newton steps go on where one linear solve ends."
    ),
    equation="reaction",
    layers=(2, 30, 30, 30, 1),
    scale={"x": 3.0, "t": 2.0},
    options={"n_interior": 12000},
    train=TRAIN,
    recipe=RECIPE,
)

if __name__ == "__main__":
    physics.main(SAMPLE)
