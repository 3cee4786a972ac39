"""What the scripts of physics-informed operators share: batches of input functions, and Adam on the residual.

Branch and trunk are evaluated once for each function and each point, and combined for all pairs: a batch of f functions at p points costs
f + p passes, not f·p.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from lsr_core.networks import architectures
from lsr_core.networks.deeponets import DeepONetField
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.jets import JetFunction
from lsr_core.networks.pointjets import JetSpec
from lsr_core.problems.physics.equations import build
from lsr_core.problems.physics.input_functions import InputArguments, InputFunction, sensor_values
from lsr_core.problems.physics.problem import PhysicsProblem, make_problem
from lsr_core.problems.splits import Architecture

FUNCTIONS, POINTS = 100, 100  # in a batch
REPORT = 1000

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]


class Jets(nn.Module):
    """The trunk's modes with their derivatives at points, (n, c, k), as a function of its own weights."""

    def __init__(self, trunk: nn.Module, spec: JetSpec) -> None:
        super().__init__()
        self.trunk = trunk
        self._jets = JetFunction(ParametricFunction.from_module(trunk, dtype=next(trunk.parameters()).dtype), spec)

    def forward(self, points: Tensor) -> Tensor:
        chain = self._jets.chain
        assert chain is not None
        return self._jets.along_chain(chain, dict(self.trunk.named_parameters()), self._jets.context(points))[0]


def new_field(seed: int, arguments: dict[str, object]) -> DeepONetField:
    """A network at its random start; Glorot normal weights and zero biases."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = architectures.build("deeponet-field", arguments)
        for part in model.modules():
            if isinstance(part, nn.Linear):
                nn.init.xavier_normal_(part.weight)
                nn.init.zeros_(part.bias)
    assert isinstance(model, DeepONetField)
    return model


def training_functions(count: int, length: float) -> list[InputFunction]:
    return [InputArguments(length=length, stream="train", case=case).function() for case in range(count)]


def sensors_of(functions: list[InputFunction], count: int) -> Tensor:
    """(functions, sensors), float32."""
    return torch.stack([sensor_values(function, count) for function in functions]).float()


def adam(
    model: DeepONetField,
    spec: JetSpec,
    sensors: Tensor,
    table: Tensor,
    axis: Tensor,
    loss: Loss,
    draw: Callable[[torch.Generator], Tensor],
    *,
    iterations: int,
    decay_every: int,
    rate: float = 1e-3,
    seed: int = 0,
) -> float:
    """Train in place; returns the last loss.

    Args:
        sensors: (f, s) of all training functions.
        table: the functions themselves on a fine axis, (f, a).
        axis: (a,); points are drawn with their first coordinate on it.
        loss: of jets (f, n, c), input functions at the points (f, n), and points (n, d).
        draw: indices into the axis (n,) come from here as the first column of points (n, d), the others are coordinates.
    """
    jets = Jets(model.trunk, spec)
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(model.parameters(), lr=rate, fused=True)
    schedule = torch.optim.lr_scheduler.StepLR(optimiser, decay_every, 0.9)
    began, last = time.perf_counter(), 0.0
    for iteration in range(1, iterations + 1):
        chosen = torch.randint(len(sensors), (FUNCTIONS,), generator=generator)
        drawn = draw(generator)
        places = drawn[:, 0].long()
        points = torch.cat([axis[places][:, None], drawn[:, 1:]], dim=1)
        modes = jets(points)
        values = torch.einsum("fk,nck->fnc", model.branch(sensors[chosen]), modes)
        total = loss(values, table[chosen][:, places], points)
        optimiser.zero_grad(set_to_none=True)
        total.backward()
        optimiser.step()
        schedule.step()
        if iteration % REPORT == 0:
            last = float(total.detach())
            seconds = time.perf_counter() - began
            print(f"iteration {iteration}: loss {last:.3e}, {seconds:.0f} s", file=sys.stderr, flush=True)
    return last


@dataclass(frozen=True)
class Operator:
    """An operator that is learnt from an equation: how its network is made and trained.

    Attributes:
        name: of the bundle; the equation has the same.
        script: module that makes it.
        arguments: of the network.
        length: of the correlation of the input functions.
        functions: to train on, each known at `axis` equally spaced places.
        spec: derivatives that the loss reads.
        loss, draw: see `adam`.
        words: what the loss is made of.
        edges: points of a batch besides those inside.
        options: of the equation, besides its input function.
    """

    name: str
    title: str
    description: str
    script: str
    arguments: dict[str, object]
    length: float
    functions: int
    axis: int
    spec: JetSpec
    loss: Loss
    draw: Callable[[torch.Generator], Tensor]
    words: str
    iterations: int
    decay_every: int
    edges: int = 0
    seed: int = 0
    options: Mapping[str, object] = field(default_factory=dict)

    def problem(self, iterations: int) -> PhysicsProblem:
        """The trained network, at a function that it has not seen."""
        branch = self.arguments["branch"]
        assert isinstance(branch, list)
        functions = training_functions(self.functions, self.length)
        axis = torch.linspace(0, 1, self.axis, dtype=torch.float64)
        table = torch.stack([function(axis) for function in functions]).float()
        model = new_field(self.seed, self.arguments)
        adam(
            model,
            self.spec,
            sensors_of(functions, branch[0]),
            table,
            axis.float(),
            self.loss,
            self.draw,
            iterations=iterations,
            decay_every=self.decay_every,
            seed=self.seed,
        )
        equation = build(self.name, {**self.options, "input": {"length": self.length}})
        assert equation.given is not None
        model.sensors.copy_(sensor_values(equation.given, branch[0])[None])
        model.eval()
        return make_problem(
            equation,
            model,
            seed=self.seed,
            architecture=Architecture("deeponet-field", dict(self.arguments)),
            title=self.title,
            description=self.description,
        )


def main(operator: Operator) -> None:
    """The command line of a script."""
    parser = argparse.ArgumentParser(description=f"Train the operator {operator.name} and write its bundle.")
    parser.add_argument("--iterations", type=int, default=operator.iterations)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    options = parser.parse_args()
    torch.set_num_threads(1)
    from lsr_core.storage.bundles import save_problem

    recipe: dict[str, str | int | float | bool | None] = {
        "script": f"lsr_samples.{operator.script}",
        "optimiser": f"Adam, rate 1e-3, times 0.9 every {operator.decay_every} iterations",
        "loss": operator.words,
        "functions": operator.functions,
        "batch": FUNCTIONS * (POINTS + operator.edges),
        "iterations": options.iterations,
        "dtype": "float32",
    }
    seeds = {"functions": 0, "initialisation": operator.seed, "batches": operator.seed, "points": operator.seed}
    save_problem(
        options.out / operator.name,
        operator.problem(options.iterations),
        training=recipe,
        seeds=seeds,
        overwrite=True,
    )
