"""The Allen-Cahn equation with diffusion 1e-4 (Raissi et al. 2019), a periodic tanh network trained in growing windows of time.

python -m lsr_samples.train_allen_cahn [--seed 0] [--out DIR]
"""

from __future__ import annotations

import torch

from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.training.levenberg_marquardt import levenberg_marquardt
from lsr_core.training.objective import Draw, PhysicsObjective
from lsr_samples import physics

WINDOWS, STEPS, POINTS = 6, 30, 3500


def train(problem: PhysicsProblem, seed: int) -> PhysicsProblem:
    """Levenberg-Marquardt on the first sixth of the time, then on the first two, and so on: fronts form one after the other."""
    generator = torch.Generator().manual_seed(seed)
    theta = None
    for window in range(1, WINDOWS + 1):
        objective = PhysicsObjective(problem, Draw({"interior": POINTS}, window={"t": (0.0, window / WINDOWS)}))
        found = levenberg_marquardt(objective, theta, steps=STEPS, generator=generator, on_step=physics.every(10))
        physics.report(f"window {window} of {WINDOWS}. {found.sentence}")
        theta = found.theta
    assert theta is not None
    return objective.trained(theta)


SAMPLE = physics.EquationSample(
    name="allen-cahn",
    title="Allen-Cahn equation",
    description=(
        "A periodic tanh network whose formula smooths the kink of the start as the heat equation does, "
        "trained in growing windows of time. Thin fronts and a start that is not smooth make it the hardest "
        "sample."
    ),
    equation="allen-cahn",
    layers=(2, 30, 30, 30, 1),
    scale={"x": 2.0, "t": 2.0},
    options={"n_interior": 16000},
    circular=True,
    train=train,
    recipe={
        "optimiser": "Levenberg-Marquardt",
        "steps": f"{WINDOWS} windows of {STEPS}",
        "points": POINTS,
        "redrawn": "every 12 steps, half by the residual",
    },
)

if __name__ == "__main__":
    physics.main(SAMPLE)
