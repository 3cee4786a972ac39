"""The antiderivative operator, learnt from its equation: a physics-informed DeepONet.

    python -m lsr_samples.train_antiderivative [--iterations 20000] [--out DIR]

writes the bundle DIR/antiderivative. Network, distribution of input functions and conditions are those of Wang, Wang & Perdikaris (2021), as
Cao & Zhang (2026) use them; all pairs of 100 functions and 100 points make a batch of 10,000. No solution is ever shown to the network.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lsr_core.networks.jets import JetSpec
from lsr_core.problems.physics.equations import build
from lsr_core.problems.physics.input_functions import sensor_values
from lsr_core.problems.physics.problem import PhysicsProblem, make_problem
from lsr_core.problems.supervised import Architecture
from lsr_samples import operators

SENSORS = 100
ARGUMENTS: dict[str, object] = {"branch": [SENSORS, *[50] * 5], "trunk": [1, *[50] * 5], "activation": "tanh"}
LENGTH = 0.2
FUNCTIONS = 10_000
AXIS = 1001
SEED = 0
ITERATIONS = 20_000
DECAY = 500


def loss(jets: Tensor, given: Tensor, points: Tensor) -> Tensor:
    """Mean squares of s(0) and of s′ − u; the first point is the start."""
    return jets[:, 0, 0].square().mean() + (jets[:, 1:, 1] - given[:, 1:]).square().mean()


def draw(generator: torch.Generator) -> Tensor:
    places = torch.randint(AXIS, (operators.POINTS + 1, 1), generator=generator)
    places[0] = 0
    return places


def problem(iterations: int = ITERATIONS) -> PhysicsProblem:
    functions = operators.training_functions(FUNCTIONS, LENGTH)
    axis = torch.linspace(0, 1, AXIS, dtype=torch.float64)
    table = torch.stack([function(axis) for function in functions]).float()
    model = operators.new_field(SEED, ARGUMENTS)
    operators.adam(
        model,
        JetSpec(first=(0,)),
        operators.sensors_of(functions, SENSORS),
        table,
        axis.float(),
        loss,
        draw,
        iterations=iterations,
        decay_every=DECAY,
        seed=SEED,
    )
    equation = build("antiderivative", {"input": {"length": LENGTH}})
    assert equation.given is not None
    model.sensors.copy_(sensor_values(equation.given, SENSORS)[None])
    model.eval()
    return make_problem(
        equation,
        model,
        seed=SEED,
        architecture=Architecture("deeponet-field", dict(ARGUMENTS)),
        title="Antiderivative, a learnt operator",
        description="A physics-informed DeepONet that integrates functions from a Gaussian process, and one function that it has not seen: "
        "it is refined by the equation alone, without the solution. `lsr refine antiderivative --cases 300` refines many.",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the antiderivative operator and write its bundle.")
    parser.add_argument("--iterations", type=int, default=ITERATIONS)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    options = parser.parse_args()
    torch.set_num_threads(1)
    from lsr_core.storage.bundles import save_problem

    recipe: dict[str, Any] = {
        "script": "lsr_samples.train_antiderivative",
        "optimiser": f"Adam, rate 1e-3, times 0.9 every {DECAY} iterations",
        "loss": "mean squares of the residual and of the start",
        "functions": FUNCTIONS,
        "batch": operators.FUNCTIONS * operators.POINTS,
        "iterations": options.iterations,
        "dtype": "float32",
    }
    seeds = {"functions": 0, "initialisation": SEED, "batches": SEED, "points": SEED}
    save_problem(
        options.out / "antiderivative", problem(options.iterations), training=recipe, seeds=seeds, overwrite=True
    )


if __name__ == "__main__":
    main()
