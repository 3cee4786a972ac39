"""The published recipe against `lsr_core.refine` on a physics residual, Δu(θ, x) = g(x): one JSON line.

    python benchmarks/laplacian.py [--repeats 3] [--points 3000] [--rank 400]

An untrained tanh network 2-64×4-1 in float32 on both sides, and ours once more in float64, for u = sin(πx)·sin(πy) on
[-1, 1]². The residual is a pure function of parameters and points, differentiated twice within each point by a forward
product of a gradient (about three times faster than a Hessian); both contenders get the same function. `train_mse` is
the mean square residual at the points that were solved on, `test_mse` at others, both evaluated in the same way, by
one forward-mode product of the residual in float64 at the Δθ that each contender found.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import _harness as harness
import recipe
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, jvp, vmap

from lsr_core import PureFunction, Split, SupervisedProblem

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


def make(n_points: int, widths: tuple[int, ...] = WIDTHS) -> SupervisedProblem:
    """The residual's differential part as a network, the right-hand side as its targets."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for fan_in, fan_out in itertools.pairwise(widths):
        layers += [nn.Linear(fan_in, fan_out), nn.Tanh()]
    network = nn.Sequential(*layers[:-1])
    parameters = {name.replace(".", "_"): value.detach() for name, value in network.named_parameters()}
    names = {name.replace(".", "_"): name for name, _ in network.named_parameters()}
    network.requires_grad_(False)
    model = PureFunction(Laplacian(network, names), parameters)

    def split(count: int) -> Split:
        points = torch.rand(count, 2) * 2 - 1
        wanted = -2 * math.pi**2 * torch.sin(math.pi * points).prod(dim=1, keepdim=True)
        return Split(points, wanted)

    return SupervisedProblem("laplacian", model, train=split(n_points), test=split(N_TEST))


def mean_square(problem: SupervisedProblem, delta: Tensor, split: Split) -> float:
    """Of the linearised residual, in double precision."""
    function = recipe.Flat.of(problem.model, torch.float64)
    refined = recipe.predict(function, delta.double(), split.inputs.double())
    return float((refined - split.targets.double()).square().mean())


def main() -> None:
    parser = harness.parser(__doc__)
    parser.add_argument("--points", type=int, default=3000)
    parser.add_argument("--rank", type=int, default=400)
    parser.add_argument("--chunk", type=int, default=recipe.CHUNK, help="columns the recipe's vmap takes at a time")
    parser.add_argument("--no-memory", action="store_true", help="leave the runs in fresh processes out")
    options = parser.parse_args()
    harness.begin(options)
    n_points, rank = (200, 20) if options.quick else (options.points, options.rank)
    problem = make(n_points)
    assert problem.test is not None
    splits = {"train_mse": problem.train, "test_mse": problem.test}

    def judged(delta: Tensor) -> dict[str, float]:
        return {key: mean_square(problem, delta, split) for key, split in splits.items()}

    def ours(dtype: str = "float32") -> harness.Outcome:
        result, outcome = harness.refined(problem, max_rank=rank, rank=rank, dtype=dtype)
        return {**outcome, **judged(result.delta)}

    def theirs() -> harness.Outcome:
        def solve() -> harness.Outcome:
            function = recipe.Flat.of(problem.model)
            residual = function(function.theta, problem.train.inputs).detach() - problem.train.targets
            result = recipe.published(
                function, problem.train.inputs, residual, rank, chunk=options.chunk, progress=harness.note
            )
            return {"delta": result.delta, "delta_norm": float(result.delta.norm()), "timings": result.seconds}

        outcome = {**harness.timed(solve), "peak_bytes": harness.peak_bytes()}
        delta = outcome.pop("delta")
        return {**outcome, **judged(delta)}

    contenders = {"ours": ours, "theirs": theirs, "ours_float64": lambda: ours("float64")}
    if options.only:
        harness.run_only(contenders, options.only)
        return
    machine = harness.Machine()
    arguments = [f"--{key}={getattr(options, key)}" for key in ("points", "rank", "chunk", "threads")]
    arguments += ["--quick"] if options.quick else []
    alone = {}
    if not options.no_memory:
        alone = {name: harness.in_fresh_process(__file__, name, arguments) for name in contenders}
    runs = harness.alternate(contenders, options.repeats)
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
    line["ours_float64"] |= harness.time_ratios(results["theirs"], results["ours_float64"])
    harness.emit({**line, "machine": machine.report()})


if __name__ == "__main__":
    main()
