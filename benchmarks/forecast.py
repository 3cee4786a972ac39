"""The forecast of memory and time before a run against what the run then took: one JSON line.

    python benchmarks/forecast.py [--repeats 1]

Each case runs in a process of its own. A ratio is forecast over measured; the seconds are those of the refinement and of the
loss paths that belong to a run, without the start of the process.
"""

from __future__ import annotations

import math
import time

import _harness as harness
import torch
from large import LAYERS, make

import lsr_core
from lsr_core import RefineConfig
from lsr_core.diagnosis.loss_path import loss_paths
from lsr_core.diagnosis.steps import with_parameter_steps
from lsr_core.refinement.forecast import forecast

CASES: dict[str, tuple[str, dict[str, object]]] = {
    "sine2d 1000": ("sine2d", {"max_rank": 1000}),
    "sine2d 200": ("sine2d", {"max_rank": 200}),
    "sine2d 1000 float32": ("sine2d", {"max_rank": 1000, "dtype": "float32"}),
    "sine2d 100 row blocks": ("sine2d", {"max_rank": 100, "strategy": "row-blocks"}),
    "sine2d 300 a tenth": ("sine2d", {"max_rank": 300, "parameter_fraction": 0.1}),
    "sine2d 20 matrix-free": ("sine2d", {"max_rank": 20, "strategy": "matrix-free"}),
    "four million 100": ("large", {"max_rank": 100, "memory_budget": "6GB"}),
    "noisy1d": ("noisy1d", {}),
}


def case(name: str) -> harness.Outcome:
    problem_name, settings = CASES[name]
    problem = make(20_000, LAYERS) if problem_name == "large" else lsr_core.load_problem(problem_name)
    config = RefineConfig.model_validate(settings)
    lsr_core.refine(lsr_core.load_problem("noisy1d"), max_rank=5, strategy="factored")  # loads what a first run loads
    expected = forecast(problem, config)
    started = time.perf_counter()
    result = lsr_core.refine(problem, config)
    loss_paths(result)
    with_parameter_steps(result)
    seconds = time.perf_counter() - started
    return {
        "seconds": seconds,
        "peak_bytes": harness.peak_bytes(),
        "time_ratio": expected.seconds / seconds,
        "memory_ratio": expected.peak_bytes / harness.peak_bytes(),
        "strategy": result.summary.strategy,
    }


def main() -> None:
    parser = harness.parser(__doc__)
    options = parser.parse_args()
    harness.begin(options)
    if options.only:
        harness.emit(case(options.only))
        return
    machine = harness.Machine()
    names = ["noisy1d", "sine2d 200"] if options.quick else list(CASES)
    torch.manual_seed(0)
    results = {name: harness.in_fresh_process(__file__, name) for name in names}
    worst = {
        key: max((result[key] for result in results.values()), key=lambda ratio: abs(math.log(ratio)))
        for key in ("time_ratio", "memory_ratio")
    }
    harness.emit({"benchmark": "forecast", "cases": results, "worst": worst, "machine": machine.report()})


if __name__ == "__main__":
    main()
