"""Networks from one to a hundred million parameters: route, time, memory and what is gained, one JSON line each.

    python benchmarks/scale.py [NAME ...] [--samples 0] [--rank 0] [--strategy auto]

Each network runs in a process of its own. Forecast and actual time and peak memory, the mean square errors of the network and of the refined
predictor on the test samples, and the largest relative difference of the sweep's error from that of the predictor, which is taken with one
forward-mode product. Networks are at random weights: what is shown is the cost, and how much of it a step in the tangent space can fit.
"""

from __future__ import annotations

import time

import _harness as harness
import torch
from _scaled import NETWORKS, Scaled

import lsr_core
from lsr_core import RefineConfig
from lsr_core.refinement.forecast import forecast


def main() -> None:
    parser = harness.parser(__doc__)
    parser.add_argument("names", nargs="*", choices=[*NETWORKS, []], help="of the networks; without, all of them")
    parser.add_argument(
        "--samples", type=int, default=0, help="training samples; 0 = as many as the network has in the table"
    )
    parser.add_argument("--rank", type=int, default=0)
    parser.add_argument("--strategy", default="auto")
    options = parser.parse_args()
    harness.begin(options)
    if options.only:
        harness.run_only({options.only: lambda: measured(options.only, options)}, options.only)
        return
    machine = harness.Machine()
    arguments = [f"--{key}={getattr(options, key)}" for key in ("samples", "rank", "strategy", "threads")]
    arguments += ["--quick"] if options.quick else []
    for name in options.names or NETWORKS:
        found = harness.in_fresh_process(__file__, name, arguments)
        harness.emit({"benchmark": "scale", "network": name, **found, "machine": machine.report()})


def measured(name: str, options: object) -> harness.Outcome:
    """One network."""
    case: Scaled = NETWORKS[name]
    quick = bool(getattr(options, "quick", False))
    rank = getattr(options, "rank", 0) or (10 if quick else case.rank)
    problem = case.problem(name, getattr(options, "samples", 0) or (40 if quick else 0))
    settings = {"max_rank": rank, "rank": rank, "dtype": case.dtype, "strategy": getattr(options, "strategy", "auto")}
    began = time.perf_counter()
    said = forecast(problem, RefineConfig(**settings))  # type: ignore[arg-type]
    forecast_seconds = time.perf_counter() - began
    loaded = harness.peak_bytes()
    began = time.process_time()
    result = lsr_core.refine(problem, **settings)  # type: ignore[arg-type]
    work = time.process_time() - began
    summary, sweep = result.summary, result.sweep
    assert sweep.test_mse is not None
    return {
        "parameters": sum(value.numel() for value in problem.model.parameters()),
        "samples": len(problem.train.inputs),
        "rank": rank,
        "dtype": case.dtype,
        "strategy": summary.strategy,
        "reason": summary.strategy_reason,
        "forecast_took": forecast_seconds,
        "forecast_seconds": said.seconds,
        "forecast_bytes": said.peak_bytes,
        "refine_cpu_seconds": work,
        "bytes_before": loaded,
        "train_mse": [float(sweep.train_mse[0]), float(sweep.train_mse[rank])],
        "test_mse": [float(sweep.test_mse[0]), float(sweep.test_mse[rank])],
        "sweep_against_jvp": abs(float(sweep.test_mse[rank]) / (summary.refined.test_mse or 1) - 1),
        "timings": summary.timings,
        "threads": torch.get_num_threads(),
    }


if __name__ == "__main__":
    main()
