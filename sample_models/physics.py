"""What the scripts of the samples with equations share: a network for an equation, training, and the bundle."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from lsr_core.networks import architectures
from lsr_core.problems.physics import equations
from lsr_core.problems.physics.problem import PhysicsProblem, make_problem
from lsr_core.problems.splits import Architecture
from lsr_core.training.levenberg_marquardt import levenberg_marquardt
from lsr_core.training.objective import Draw, PhysicsObjective
from lsr_core.training.records import Step

Recipe = Mapping[str, str | int | float | bool | None]
Training = Callable[[PhysicsProblem, int], PhysicsProblem]
HERE = Path(__file__).parent


@dataclass(frozen=True)
class EquationSample:
    """A network for an equation of the library.

    Attributes:
        layers: widths, one number for each.
        scale: of the first layer, by input.
        options: of the equation.
        circular: whether inputs in which the solution is periodic become cos and sin.
        train: from the problem at its random start and the seed to the trained one; None = it stays untrained.
        recipe: how, for readers.
    """

    name: str
    title: str
    description: str
    equation: str
    layers: tuple[int, ...]
    scale: Mapping[str, float]
    options: Mapping[str, Any] = field(default_factory=dict)
    circular: bool = False
    train: Training | None = None
    recipe: Recipe = field(default_factory=dict)

    def start(self, seed: int) -> PhysicsProblem:
        """The problem with its network at the random start; points, weights and sketches have the same seed."""
        equation = equations.build(self.equation, self.options)
        arguments: dict[str, Any] = {
            "layers": list(self.layers),
            "domain": {name: list(bounds) for name, bounds in equation.domain.items()},
            "first_layer": {"scale": dict(self.scale)},
            "seed": seed,
        }
        if self.circular:
            periods = equation.periods.items()
            arguments["features"] = [{"kind": "periodic", "input": name, "period": value} for name, value in periods]
        if equation.transform is not None:
            arguments["output"] = {"name": equation.transform[0], "arguments": dict(equation.transform[1])}
        return make_problem(
            equation,
            architectures.build("pinn-mlp", arguments).double().eval(),
            name=self.name,
            seed=seed,
            architecture=Architecture("pinn-mlp", arguments),
            title=self.title,
            description=self.description,
        )

    def made(self, seed: int) -> PhysicsProblem:
        """The problem as the script leaves it."""
        problem = self.start(seed)
        return problem if self.train is None else self.train(problem, seed)


def by_levenberg_marquardt(steps: int, points: int) -> tuple[Training, Recipe]:
    """Levenberg-Marquardt on all weights, on points that are drawn anew every 12 steps, half of them by the residual; and that in words."""

    def train(problem: PhysicsProblem, seed: int) -> PhysicsProblem:
        generator = torch.Generator().manual_seed(seed)
        objective = PhysicsObjective(problem, Draw({"interior": points}))
        found = levenberg_marquardt(objective, steps=steps, generator=generator, on_step=every(10))
        report(found.sentence)
        return objective.trained(found.theta)

    recipe: Recipe = {
        "optimiser": "Levenberg-Marquardt",
        "steps": steps,
        "points": points,
        "redrawn": "every 12 steps, half by the residual",
    }
    return train, recipe


def main(sample: EquationSample) -> None:
    """The command line of a script: `--seed`, `--out`, and `--search` where the network is untrained."""
    parser = argparse.ArgumentParser(description=f"Write the sample {sample.name}.")
    parser.add_argument("--seed", type=int, default=0, help="of weights, points and training")
    parser.add_argument("--out", type=Path, default=HERE, help="the folder that the bundle is written into")
    if sample.train is None:
        parser.add_argument("--search", action="store_true", help="search the scales again, for this seed")
    options = parser.parse_args()
    from lsr_core.storage.bundles import save_problem

    started = time.perf_counter()
    problem, recipe = sample.made(options.seed), dict(sample.recipe)
    if sample.train is None and options.search:
        problem, found = searched(problem)
        recipe["scales"] = f"{found}, searched for this seed by the residual on fresh points"
    recipe["script"] = f"lsr_samples.train_{sample.name.replace('-', '_')}"
    seeds = dict.fromkeys(("initialisation", "points", "training"), options.seed)
    save_problem(options.out / sample.name, problem, training=recipe, seeds=seeds, overwrite=True)
    report(f"{sample.name}: relative L2 error {relative_error(problem):.2e}, {time.perf_counter() - started:.0f} s")


def searched(problem: PhysicsProblem) -> tuple[PhysicsProblem, str]:
    """The problem with scales by `search_scales`, and those in words."""
    from lsr_core.refinement.scale_search import search_scales

    found = search_scales(problem, on_candidate=lambda one: report(f"{one.scales} {one.fresh_residual:.3e}"))
    return found.problem, ", ".join(f"{name} {value:.4g}" for name, value in found.chosen.scales.items())


def relative_error(problem: PhysicsProblem) -> float:
    """Relative L2 error of the network on the test grid."""
    assert problem.test is not None
    inputs, targets = problem.test
    with torch.no_grad():
        return float((problem.model(inputs) - targets).norm() / targets.norm())


def every(steps: int) -> Callable[[Step], None]:
    """Reports some of the steps."""

    def on_step(step: Step) -> None:
        if step.index % steps == 0:
            report(f"step {step.index}: loss {step.loss:.3e}, {step.seconds:.0f} s")

    return on_step


def report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
