"""The published recipe against `lsr_core.refine` on a physics residual, Δu(θ, x) = g(x): one JSON line.

    python benchmarks/laplacian.py [--repeats 3] [--points 3000] [--rank 400]

An untrained tanh network 2-64×4-1 for u = sin(πx)·sin(πy) on [-1, 1]². The recipe works in float32, as published, on a pointwise
residual differentiated by a forward product of a gradient (about three times faster than a Hessian); ours is the whole call in
float64 on a physics problem, whose derivatives are carried through the layers, with factored directions. `ours_auto` is the
automatic choice, which keeps to rows for equations; `theirs_on_layers` is the recipe with our residual as its function, once.
`train_mse` is the mean square residual at the points that were solved on, `test_mse` at others, all evaluated in the same way, by
one forward-mode product of the pointwise residual in float64 at the Δθ that each contender found.
"""

from __future__ import annotations

import copy
import itertools
import math
from dataclasses import dataclass

import _harness as harness
import recipe
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, jvp, vmap

from lsr_core import PureFunction, Split, SupervisedProblem
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.jets import JetFunction
from lsr_core.networks.pointjets import JetSpec
from lsr_core.problems.physics.blocks import ResidualBlock
from lsr_core.problems.physics.problem import PhysicsProblem

N_TEST = 500
WIDTHS = (2, 64, 64, 64, 64, 1)


@dataclass(frozen=True)
class Laplacian:
    """(named parameters, points (n, 2)) to Δu (n, 1)."""

    network: nn.Module
    names: dict[str, str]

    def __call__(self, named: dict[str, Tensor], points: Tensor) -> Tensor:
        parameters = {self.names[name]: value for name, value in named.items()}

        def value(point: Tensor) -> Tensor:
            return functional_call(self.network, parameters, (point[None],))[0, 0]

        def at(point: Tensor) -> Tensor:
            axes = torch.eye(len(point), dtype=point.dtype, device=point.device)
            second = vmap(lambda axis: jvp(grad(value), (point,), (axis,))[1] @ axis)(axes)
            return second.sum()

        return vmap(at)(points)[:, None]


def make(n_points: int, widths: tuple[int, ...] = WIDTHS) -> tuple[SupervisedProblem, PhysicsProblem]:
    """The residual's differential part as a network, the right-hand side as its targets: pointwise, and through the layers."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for fan_in, fan_out in itertools.pairwise(widths):
        layers += [nn.Linear(fan_in, fan_out), nn.Tanh()]
    network = nn.Sequential(*layers[:-1])
    parameters = {name.replace(".", "_"): value.detach() for name, value in network.named_parameters()}
    names = {name.replace(".", "_"): name for name, _ in network.named_parameters()}
    pointwise = PureFunction(Laplacian(copy.deepcopy(network).requires_grad_(False), names), parameters)

    def split(count: int) -> Split:
        points = torch.rand(count, 2) * 2 - 1
        return Split(points, source(points)[:, None])

    train, test = split(n_points), split(N_TEST)
    pointwise_problem = SupervisedProblem("laplacian", pointwise, train=train, test=test)
    block = ResidualBlock(
        "interior",
        ("u_xx", "u_yy"),
        lambda field: field["u_xx"] + field["u_yy"] - source(field.points),
        never,
        n_points,
    )
    shown = Split(test.inputs.double(), torch.sin(math.pi * test.inputs.double()).prod(dim=1, keepdim=True))
    physics = PhysicsProblem(
        "laplacian", network.eval(), "laplacian", {}, {"x": (-1.0, 1.0), "y": (-1.0, 1.0)}, ("u",), (block,),
        points={"interior": train.inputs.double()}, fresh={"interior": test.inputs.double()}, test=shown,
    )  # fmt: skip
    return pointwise_problem, physics


def source(points: Tensor) -> Tensor:
    """The right-hand side (n,)."""
    return -2 * math.pi**2 * torch.sin(math.pi * points).prod(dim=1)


def never(count: int, generator: torch.Generator) -> Tensor:
    raise AssertionError("the points of this problem are given")


class OnLayers(nn.Module):
    """The residual of the physics problem as the recipe takes functions: a module of points (n, 2)."""

    def __init__(self, problem: PhysicsProblem) -> None:
        super().__init__()
        self.network = problem.model
        self.jets = JetSpec.of((0, 0), (1, 1))

    def forward(self, points: Tensor) -> Tensor:
        named = dict(self.network.named_parameters())
        function = ParametricFunction(lambda at, x: functional_call(self.network, at, (x,)), named, self.network)
        theta = torch.cat([value.reshape(-1) for value in named.values()])
        jets = JetFunction(function, self.jets)(theta, points)
        return jets[:, 3] + jets[:, 4]


def mean_square(problem: SupervisedProblem, delta: Tensor, split: Split) -> float:
    """Of the linearised residual, in double precision."""
    function = recipe.Flat.of(problem.model, torch.float64)
    refined = recipe.predict(function, delta.double(), split.inputs.double())
    return float((refined - split.targets.double()).square().mean())


def contenders(
    problem: SupervisedProblem, on_layers: PhysicsProblem, rank: int, chunk: int
) -> dict[str, harness.Contender]:
    """Ours and the recipe, each on the residual that suits it; the last is the recipe on ours."""
    assert problem.test is not None
    splits = {"train_mse": problem.train, "test_mse": problem.test}

    def judged(delta: Tensor) -> dict[str, float]:
        return {key: mean_square(problem, delta, split) for key, split in splits.items()}

    def ours(strategy: str) -> harness.Outcome:
        result, outcome = harness.refined(on_layers, max_rank=rank, rank=rank, strategy=strategy)
        return {**outcome, **judged(result.delta)}

    def theirs(model: nn.Module) -> harness.Outcome:
        def solve() -> harness.Outcome:
            function = recipe.Flat.of(model)
            residual = function(function.theta, problem.train.inputs).detach() - problem.train.targets
            result = recipe.published(
                function, problem.train.inputs, residual, rank, chunk=chunk, progress=harness.note
            )
            return {"delta": result.delta, "delta_norm": float(result.delta.norm()), "timings": result.seconds}

        outcome = {**harness.timed(solve), "peak_bytes": harness.peak_bytes()}
        delta = outcome.pop("delta")
        return {**outcome, **judged(delta)}

    return {
        "ours": lambda: ours("factored"),
        "ours_auto": lambda: ours("auto"),
        "theirs": lambda: theirs(problem.model),
        "theirs_on_layers": lambda: theirs(OnLayers(on_layers)),
    }


def main() -> None:
    parser = harness.parser(__doc__)
    parser.add_argument("--points", type=int, default=3000)
    parser.add_argument("--rank", type=int, default=400)
    parser.add_argument("--chunk", type=int, default=recipe.CHUNK, help="columns the recipe's vmap takes at a time")
    parser.add_argument("--no-memory", action="store_true", help="leave the runs in fresh processes out")
    options = parser.parse_args()
    harness.begin(options)
    n_points, rank = (200, 20) if options.quick else (options.points, options.rank)
    problem, on_layers = make(n_points)
    contending = contenders(problem, on_layers, rank, options.chunk)
    if options.only:
        harness.run_only(contending, options.only)
        return
    machine = harness.Machine()
    arguments = [f"--{key}={getattr(options, key)}" for key in ("points", "rank", "chunk", "threads")]
    arguments += ["--quick"] if options.quick else []
    alone = {}
    if not options.no_memory:
        alone = {name: harness.in_fresh_process(__file__, name, arguments) for name in contending}
    aside = "theirs_on_layers"  # for comparison only, and the slowest: once
    runs = harness.alternate({name: run for name, run in contending.items() if name != aside}, options.repeats)
    runs |= harness.alternate({aside: contending[aside]}, 1)
    results = {name: harness.medians(outcomes) for name, outcomes in runs.items()}
    for name, outcome in alone.items():
        results[name] |= {"peak_bytes": outcome["peak_bytes"], "seconds_alone": outcome["seconds"]}
    line = {
        "benchmark": "laplacian",
        "points": n_points,
        "rank": rank,
        "repeats": options.repeats,
        "base_mse": mean_square(problem, torch.zeros_like(recipe.Flat.of(problem.model).theta), problem.train),
        **results,
        **harness.time_ratios(results["theirs"], results["ours"]),
        "train_error_ratio": results["theirs"]["train_mse"] / results["ours"]["train_mse"],
    }
    if alone:
        line["memory_ratio"] = results["ours"]["peak_bytes"] / results["theirs"]["peak_bytes"]
    line["ours_auto"] |= harness.time_ratios(results["theirs"], results["ours_auto"])
    line["theirs_on_layers"] |= harness.time_ratios(results["theirs_on_layers"], results["ours"])
    harness.emit({**line, "machine": machine.report()})


if __name__ == "__main__":
    main()
