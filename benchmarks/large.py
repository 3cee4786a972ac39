"""Four million parameters under a memory budget: one JSON line.

    python benchmarks/large.py [--samples 20000] [--rank 300] [--budget 6GB]

A tanh network 8-1000×5-4 fitted to a few smooth functions, 20,000 samples of four outputs each (80,000 Jacobian rows),
in float64. The run under the budget is measured once in a fresh process. The recipe's need is computed from its
large matrices; its time is extrapolated from a few columns of its three passes on a part of the samples, without its SVD.
"""

from __future__ import annotations

import _harness as harness
import recipe
import torch
from streaming import size
from torch import Tensor

from lsr_core import Architecture, RefineConfig, Split, SupervisedProblem
from lsr_core.networks import architectures

LAYERS = (8, 1000, 1000, 1000, 1000, 1000, 4)


def main() -> None:
    parser = harness.parser(__doc__)
    parser.add_argument("--samples", type=int, default=20_000)
    parser.add_argument("--rank", type=int, default=300)
    parser.add_argument("--budget", default="6GB")
    parser.add_argument("--columns", type=int, default=2, help="columns of the recipe that are timed")
    parser.add_argument("--part", type=int, default=2_000, help="samples that they are timed on")
    options = parser.parse_args()
    options.repeats = 1
    harness.begin(options)
    samples, rank = (500, 10) if options.quick else (options.samples, options.rank)
    layers = (8, 100, 100, 4) if options.quick else LAYERS
    problem = make(samples, layers)
    budget = size(options.budget)
    settings: dict[str, object] = {"max_rank": rank, "rank": rank}
    if "memory_budget" in RefineConfig.model_fields:
        settings["memory_budget"] = budget
    contenders = {"ours": lambda: harness.refined(problem, **settings)[1]}
    if options.only:
        harness.run_only(contenders, options.only)
        return
    machine = harness.Machine()
    arguments = [f"--{key}={getattr(options, key)}" for key in ("samples", "rank", "budget", "threads")]
    ours = harness.in_fresh_process(__file__, "ours", [*arguments, *(["--quick"] if options.quick else [])])
    theirs = passes(problem, rank, options.columns, min(options.part, samples))
    n_params = sum(value.numel() for value in problem.model.parameters())
    need = recipe.memory_need(n_params, problem.train.targets.numel(), rank)
    line = {
        "benchmark": "large",
        "parameters": n_params,
        "samples": samples,
        "jacobian_rows": problem.train.targets.numel(),
        "rank": rank,
        "budget_bytes": budget,
        "base_test_mse": base_mse(problem),
        "ours": ours,
        "of_budget": ours["peak_bytes"] / budget,
        "theirs_need_bytes": need,
        "theirs_need_of_budget": need["as_published"] / budget,
        "theirs_seconds_of_passes": theirs,
        "time_ratio_at_least": theirs / ours["seconds"],
    }
    harness.emit({**line, "machine": machine.report()})


def make(samples: int, layers: tuple[int, ...]) -> SupervisedProblem:
    """Several inputs to several outputs, at random weights: LSR needs no training to show its cost."""
    torch.manual_seed(0)
    arguments = {"layers": list(layers), "activation": "tanh"}
    model = architectures.build("mlp", arguments)

    def split(count: int) -> Split:
        inputs = torch.rand(count, layers[0]) * 2 - 1
        return Split(inputs, target(inputs))

    return SupervisedProblem(
        "large", model, split(samples), split(1_000), split(1_000), architecture=Architecture("mlp", arguments)
    )


def target(inputs: Tensor) -> Tensor:
    """Four smooth functions of the inputs (n, 8)."""
    first, second = inputs.double().chunk(2, dim=1)
    return torch.stack(
        [torch.sin(first.sum(1)), torch.cos(second.sum(1)), (first * second).sum(1), torch.exp(-first.square().sum(1))],
        dim=1,
    )


def passes(problem: SupervisedProblem, rank: int, columns: int, part: int) -> float:
    """Seconds of the recipe's three passes, from a few columns at a part of the samples."""
    function = recipe.Flat.of(problem.model)
    inputs = problem.train.inputs[:part].float()
    tangents = torch.rand(len(function.theta), columns)
    cotangents = torch.rand(problem.train.targets[:part].numel(), columns)
    push = harness.timed(lambda: {"done": len(recipe.push(function, inputs, tangents, columns))})["seconds"]
    pull = harness.timed(lambda: {"done": len(recipe.pull(function, inputs, cotangents, columns))})["seconds"]
    harness.note(f"recipe, {columns} columns at {part} samples: forward {push:.2f} s, reverse {pull:.2f} s")
    width = rank + 10
    return (push * (width + rank) + pull * width) / columns * len(problem.train.inputs) / part


def base_mse(problem: SupervisedProblem) -> float:
    assert problem.test is not None
    with torch.no_grad():
        return float((problem.model(problem.test.inputs.float()) - problem.test.targets).square().mean())


if __name__ == "__main__":
    main()
