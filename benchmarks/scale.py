"""Networks from one to a hundred million parameters: route, time, memory and what is gained, one JSON line each.

    python benchmarks/scale.py [NAME ...] [--samples 0] [--rank 0] [--strategy auto] [--products 16]

Each network runs in a process of its own. Forecast and actual time and peak memory of the refinement, without the loss paths of a job, the
mean square errors of the network and of the refined predictor on the test samples, and the largest relative difference of the sweep's error
from that of the predictor, which is taken with one forward-mode product. With `--products N` only the products with factored directions at N
samples, by the uses of the parameters: processor time a sample, peak memory, and the difference from forward mode. Networks are at random
weights: what is shown is the cost, and how much of it a step in the tangent space can fit.
"""

from __future__ import annotations

import time

import _harness as harness
import torch
from _scaled import NETWORKS, Scaled

import lsr_core
from lsr_core import RefineConfig
from lsr_core.networks.directions import FactoredDirections
from lsr_core.networks.factored import FactoredJacobian
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.taking import in_precision
from lsr_core.networks.uses.network import UsedNetwork
from lsr_core.refinement.forecast import forecast

REFINING = ("preparing", "basis", "validation and test rows", "checking")  # stages of a job before its loss paths


def main() -> None:
    parser = harness.parser(__doc__)
    parser.add_argument("names", nargs="*", choices=[*NETWORKS, []], help="of the networks; without, all of them")
    parser.add_argument(
        "--samples", type=int, default=0, help="training samples; 0 = as many as the network has in the table"
    )
    parser.add_argument("--rank", type=int, default=0)
    parser.add_argument("--strategy", default="auto")
    parser.add_argument(
        "--products", type=int, default=0, help="samples at which only products are taken; 0 = the whole refinement"
    )
    options = parser.parse_args()
    harness.begin(options)
    if options.only:
        work = products if options.products else measured
        harness.run_only({options.only: lambda: work(options.only, options)}, options.only)
        return
    machine = harness.Machine()
    arguments = [f"--{key}={getattr(options, key)}" for key in ("samples", "rank", "strategy", "products", "threads")]
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
        "forecast_seconds": sum(seconds for stage, seconds in said.durations.items() if stage != "loss paths"),
        "forecast_bytes": max(said.stages[stage] for stage in REFINING),
        "job_forecast": [said.seconds, said.peak_bytes],
        "refine_cpu_seconds": work,
        "bytes_before": loaded,
        "train_mse": [float(sweep.train_mse[0]), float(sweep.train_mse[rank])],
        "test_mse": [float(sweep.test_mse[0]), float(sweep.test_mse[rank])],
        "sweep_against_jvp": abs(float(sweep.test_mse[rank]) / (summary.refined.test_mse or 1) - 1),
        "timings": summary.timings,
        "threads": torch.get_num_threads(),
    }


def products(name: str, options: object) -> harness.Outcome:
    """J Ω at a few samples in single precision, beside one product by forward mode."""
    case, count = NETWORKS[name], int(getattr(options, "products", 16))
    torch.manual_seed(0)
    function = ParametricFunction.from_module(case.make().eval(), dtype=torch.float32)
    inputs = in_precision(case.sample(count), torch.float32)
    loaded, began = harness.peak_bytes(), time.process_time()
    network = UsedNetwork(function, inputs[:2])
    searched = time.process_time() - began
    width = int(1.05 * ((getattr(options, "rank", 0) or case.rank) + RefineConfig().oversampling)) + 1
    draw = torch.Generator().manual_seed(0)
    directions = FactoredDirections.random(function.shapes, width, draw, function.theta0, form=network.form)
    began = time.process_time()
    images = FactoredJacobian(function, inputs, 1, network=network).times(directions)
    work, peak = time.process_time() - began, harness.peak_bytes()
    pushed = function.along(inputs[:4], directions.written(slice(0, 1)))
    return {
        "parameters": function.n_params,
        "share_with_rules": network.share,
        "directions": width,
        "search_cpu_seconds": searched,
        "cpu_seconds_a_sample": work / count,
        "bytes_before": loaded,
        "products_peak_bytes": peak,
        "against_forward_mode": float((images[:4, :1] - pushed).norm() / pushed.norm()),
    }


if __name__ == "__main__":
    main()
