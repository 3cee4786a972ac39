"""The reaction equation with ρ = 5 (Rathore et al. 2024), a tanh network trained by Levenberg-Marquardt.

python -m lsr_samples.train_reaction [--seed 0] [--out DIR]
"""

from __future__ import annotations

import torch

from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.training.levenberg_marquardt import levenberg_marquardt
from lsr_core.training.objective import Draw, PhysicsObjective
from lsr_samples import physics

STEPS, POINTS = 40, 3000


def train(problem: PhysicsProblem, seed: int) -> PhysicsProblem:
    """Levenberg-Marquardt on all weights, on points that are drawn anew every 12 steps, half of them by the residual."""
    generator = torch.Generator().manual_seed(seed)
    objective = PhysicsObjective(problem, Draw({"interior": POINTS}))
    found = levenberg_marquardt(objective, steps=STEPS, generator=generator, on_step=physics.every(10))
    physics.report(found.sentence)
    return objective.trained(found.theta)


SAMPLE = physics.Sample(
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
    train=train,
    recipe={
        "optimiser": "Levenberg-Marquardt",
        "steps": STEPS,
        "points": POINTS,
        "redrawn": "every 12 steps, half by the residual",
    },
)

if __name__ == "__main__":
    physics.main(SAMPLE)
