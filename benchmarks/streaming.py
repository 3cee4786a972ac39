"""Ten times the rows: time, memory, agreement with the solve in memory, and kept budgets. One JSON line.

    python benchmarks/streaming.py [--repeats 3] [--rows 8000 80000] [--rank 1000] [--budgets 1GB 2GB 4GB]

The network of sine2d with uniform random training points. Each size runs in fresh processes, in turn. `agreement` is the
relative difference between the fitted values of the streamed solve and those of a least-squares solve with all rows in
memory, both in float64 and with the same basis. Each budget is given to two strategies in a fresh process; `largest_excess` is the
worst ratio of peak memory to budget.
"""

from __future__ import annotations

import dataclasses

import _harness as harness
import torch

import lsr_core
from lsr_core import RefineConfig, Split, SupervisedProblem


def main() -> None:
    parser = harness.parser(__doc__)
    parser.add_argument("--rows", type=int, nargs=2, default=(8_000, 80_000))
    parser.add_argument("--rank", type=int, default=1000)
    parser.add_argument("--budgets", nargs="*", default=["1GB", "2GB", "4GB"])
    parser.add_argument("--budget-rows", type=int, default=20_000, help="rows of the runs under a budget")
    parser.add_argument("--budget-rank", type=int, default=300)
    parser.add_argument("--strategies", nargs="*", default=["auto", "row-blocks"], help="for the runs under a budget")
    options = parser.parse_args()
    harness.begin(options)
    if options.only:
        alone(options)
        return
    small, large = (400, 4_000) if options.quick else options.rows
    rank = min(options.rank, 20) if options.quick else options.rank
    budget_rows, budget_rank = (4_000, 20) if options.quick else (options.budget_rows, options.budget_rank)
    machine = harness.Machine()
    arguments = ["--rank", str(rank), "--threads", str(options.threads)]
    runs: dict[int, list[harness.Outcome]] = {small: [], large: []}
    for _ in range(options.repeats):
        for rows, outcomes in runs.items():
            outcomes.append(harness.in_fresh_process(__file__, f"rows:{rows}", arguments))
    results = {rows: harness.medians(outcomes) for rows, outcomes in runs.items()}
    line = {
        "benchmark": "streaming",
        "rank": rank,
        "repeats": options.repeats,
        "rows": {str(rows): outcome for rows, outcome in results.items()},
        "time_ratio": results[large]["seconds"] / results[small]["seconds"],
        "cpu_time_ratio": results[large]["cpu_seconds"] / results[small]["cpu_seconds"],
        "memory_ratio": results[large]["peak_bytes"] / results[small]["peak_bytes"],
        **agreement(small, rank),
    }
    if "memory_budget" not in RefineConfig.model_fields:
        harness.note("the engine has no memory budget; budgets are left out")
    elif options.budgets:
        arguments = ["--rank", str(budget_rank), "--threads", str(options.threads)]
        line["budget_rows"], line["budget_rank"] = budget_rows, budget_rank
        line["budgets"] = {
            f"{text} {strategy}": under_budget(text, strategy, budget_rows, arguments)
            for text in (options.budgets[:1] if options.quick else options.budgets)
            for strategy in options.strategies
        }
        line["largest_excess"] = max(entry["of_budget"] for entry in line["budgets"].values())
    harness.emit({**line, "machine": machine.report()})


def problem_with(rows: int) -> SupervisedProblem:
    """sine2d with that many training points, without its other splits growing."""
    problem = lsr_core.load_problem("sine2d")
    points = torch.rand(rows, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) * 2 - 1
    wanted = torch.sin(torch.pi * points).prod(dim=1, keepdim=True)
    return dataclasses.replace(problem, train=Split(points, wanted))


def alone(options: harness.argparse.Namespace) -> None:
    """One run in this process: `rows:N`, or `budget:BYTES:STRATEGY:N`."""
    kind, *values = options.only.split(":")
    settings: dict[str, object] = {"max_rank": options.rank}
    if kind == "budget":
        settings |= {"memory_budget": int(values[0]), "strategy": values[1]}
    problem = problem_with(int(values[-1]))
    harness.emit(harness.refined(problem, **settings)[1])


def agreement(rows: int, rank: int) -> dict[str, float]:
    """‖streamed − in memory‖ at the training points over the norms of fitted values and of their correction J Δθ."""
    problem = problem_with(rows)
    result, _ = harness.refined(problem, max_rank=rank, rank=rank)
    points, wanted = problem.train
    streamed = result.predictor.predict(points)
    network, correction = result.predictor.parts(points)
    modes = result.subspace.modes(points)
    sizes = modes.norm(dim=0)
    solution = torch.linalg.lstsq(modes / sizes, wanted - network, driver="gelsd").solution
    in_memory = network + (modes / sizes) @ solution
    gap = (streamed - in_memory).norm()
    return {"agreement": float(gap / in_memory.norm()), "agreement_of_correction": float(gap / correction.norm())}


def under_budget(text: str, strategy: str, rows: int, arguments: list[str]) -> harness.Outcome:
    budget = size(text)
    try:
        outcome = harness.in_fresh_process(__file__, f"budget:{budget}:{strategy}:{rows}", arguments)
    except SystemExit:  # a budget that cannot be met is refused before anything large is made
        return {"refused": True, "of_budget": 0.0}
    keys = ("seconds", "peak_bytes", "test_mse", "rank", "strategy")
    return {**{key: outcome[key] for key in keys}, "of_budget": outcome["peak_bytes"] / budget}


def size(text: str) -> int:
    """Bytes of 500MB or 2GB, powers of two as the rest of the program counts."""
    number, unit = text[:-2], text[-2:].upper()
    return int(float(number) * {"MB": harness.MIB, "GB": harness.GIB}[unit])


if __name__ == "__main__":
    main()
