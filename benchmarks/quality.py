"""Validation error in the subspace of the automatic route beside that in the exact row space, at 1 to 2 million parameters: one JSON line a network.

    python benchmarks/quality.py [NAME ...] [--samples 0] [--ranks 20 50 100]

The exact row space is the randomized SVD of all Jacobian rows (`strategy="row-blocks"`), solved once at the largest rank and read at
every rank. The automatic route and factored directions by name are refinements of their own at each rank. Errors are mean squares on
validation samples that no fit has seen, at exactly the rank in question; `ratios` are those of the automatic route over those of the rows.
"""

from __future__ import annotations

import argparse
import time

import _harness as harness
from _scaled import TWINS

import lsr_core


def main() -> None:
    parser = harness.parser(__doc__)
    parser.add_argument("names", nargs="*", choices=[*TWINS, []], help="of the networks; without, all of them")
    parser.add_argument("--samples", type=int, default=0, help="training samples; 0 = as many as the network has")
    parser.add_argument("--ranks", type=int, nargs="+", default=[20, 50, 100])
    options = parser.parse_args()
    harness.begin(options)
    if options.only:
        harness.run_only({options.only: lambda: compared(options.only, options)}, options.only)
        return
    machine = harness.Machine()
    arguments = [f"--samples={options.samples}", f"--threads={options.threads}"]
    arguments += ["--quick"] if options.quick else []
    arguments += ["--ranks", *map(str, options.ranks)]
    for name in options.names or TWINS:
        found = harness.in_fresh_process(__file__, name, arguments)
        harness.emit({"benchmark": "quality", "network": name, **found, "machine": machine.report()})


def compared(name: str, options: argparse.Namespace) -> harness.Outcome:
    """One network."""
    case = TWINS[name]
    ranks = [2, 5] if options.quick else options.ranks
    problem = case.problem(name, 60 if options.quick else options.samples)
    common = {"dtype": case.dtype, "rank": 0}
    by_rows = lsr_core.refine(problem, max_rank=max(ranks), strategy="row-blocks", **common)
    found: harness.Outcome = {
        "parameters": sum(value.numel() for value in problem.model.parameters()),
        "samples": len(problem.train.inputs),
        "dtype": case.dtype,
        "network_mse": float(by_rows.sweep.val_mse[0]),
        "rows_mse": {rank: float(by_rows.sweep.val_mse[rank]) for rank in ranks},
    }
    for strategy in ("auto", "factored"):
        errors, took, routes = {}, {}, {}
        for rank in ranks:
            began = time.process_time()
            result = lsr_core.refine(problem, max_rank=rank, strategy=strategy, **common)
            took[rank] = time.process_time() - began
            errors[rank] = float(result.sweep.val_mse[rank])
            routes[rank] = result.summary.strategy
        found |= {f"{strategy}_mse": errors, f"{strategy}_cpu_seconds": took}
        found |= {"routes": routes} if strategy == "auto" else {}
    found["ratios"] = {rank: found["auto_mse"][rank] / found["rows_mse"][rank] for rank in ranks}
    found["factored_ratios"] = {rank: found["factored_mse"][rank] / found["rows_mse"][rank] for rank in ranks}
    return found


if __name__ == "__main__":
    main()
