"""The published recipe against `lsr_core.refine` on the paper's own case, sine2d at rank 1000: one JSON line.

    python benchmarks/sine2d.py [--repeats 3] [--exact-repeats 1] [--rank 1000]

Ours is the whole call in float64, with the training, validation and test errors of every rank; the recipe, in float32,
ends with one evaluation of its test error. `test_mse` of ours is that of the predictor after a round trip through its
file. Times are taken in turn in this process; peak memory comes from one more run of each in a fresh process. The exact
route is the same call with `strategy="row-blocks"`.
"""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path

import _harness as harness
import recipe
import torch

import lsr_core
from lsr_core import Refinement, Split, SupervisedProblem


def main() -> None:
    parser = harness.parser(__doc__)
    parser.add_argument("--rank", type=int, default=1000)
    parser.add_argument("--chunk", type=int, default=recipe.CHUNK, help="columns the recipe's vmap takes at a time")
    parser.add_argument("--exact-repeats", type=int, default=1, help="repetitions of the exact float64 route; 0 = none")
    parser.add_argument("--device", default="cpu", help="cpu or cuda, for both contenders")
    parser.add_argument("--no-memory", action="store_true", help="leave the runs in fresh processes out")
    options = parser.parse_args()
    harness.begin(options)
    rank = min(options.rank, 20) if options.quick else options.rank
    problem = lsr_core.load_problem("sine2d")

    def ours(strategy: str = "auto") -> harness.Outcome:
        result, outcome = harness.refined(problem, max_rank=rank, strategy=strategy, device=options.device)
        return {**outcome, "test_mse": exported_test_mse(problem, result)}

    def theirs() -> harness.Outcome:
        return run_recipe(problem, rank, options.chunk, options.device, condition=options.only is not None)

    contenders = {"ours": ours, "theirs": theirs, "exact": lambda: ours("row-blocks")}
    if options.only:
        harness.run_only(contenders, options.only)
        return
    machine = harness.Machine()
    arguments = ["--rank", str(rank), "--chunk", str(options.chunk), "--threads", str(options.threads)]
    arguments += ["--device", options.device]
    alone = {}
    if not options.no_memory:
        alone = {name: harness.in_fresh_process(__file__, name, arguments) for name in ("ours", "theirs")}
    runs = harness.alternate({name: contenders[name] for name in ("ours", "theirs")}, options.repeats)
    if options.exact_repeats:
        runs |= harness.alternate({"exact": contenders["exact"]}, options.exact_repeats)
    results = {name: harness.medians(outcomes) for name, outcomes in runs.items()}
    for name, outcome in alone.items():
        results[name]["peak_bytes"] = outcome["peak_bytes"]
        results[name]["seconds_alone"] = outcome["seconds"]
        results[name]["condition_number"] = outcome["condition_number"]
    line = {
        "benchmark": "sine2d",
        "rank": rank,
        "repeats": options.repeats,
        "network": {"test_mse": network_mse(problem)},
        **results,
        **harness.time_ratios(results["theirs"], results["ours"]),
        "error_ratio": results["theirs"]["test_mse"] / results["ours"]["test_mse"],
    }
    if alone:
        line["memory_ratio"] = results["ours"]["peak_bytes"] / results["theirs"]["peak_bytes"]
    if options.exact_repeats:
        line["exact"] |= harness.time_ratios(results["theirs"], results["exact"])
    harness.emit({**line, "machine": machine.report()})


def exported_test_mse(problem: SupervisedProblem, result: Refinement) -> float:
    """Test error of the predictor as it comes back from its file, by one forward-mode product."""
    points, wanted = test_split(problem)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "predictor.safetensors"
        lsr_core.save_predictor(path, problem, result.delta.cpu(), {"rank": result.rank})
        error = lsr_core.load_predictor(path).predict(points.double()) - wanted
    return float(error.square().mean())


def run_recipe(problem: SupervisedProblem, rank: int, chunk: int, device: str, condition: bool) -> harness.Outcome:
    function = recipe.Flat.of(problem.model, device=device)
    inputs, targets = (part.float().to(device) for part in problem.train)
    residual = function(function.theta, inputs).detach() - targets
    result = recipe.published(function, inputs, residual, rank, chunk=chunk, condition=condition, progress=harness.note)
    points, wanted = test_split(problem)
    error = recipe.predict(function, result.delta, points.float().to(device)).double().cpu() - wanted
    return {
        "test_mse": float(error.square().mean()),
        "condition_number": result.condition_number,
        "delta_norm": float(result.delta.norm()),
        "timings": result.seconds,
    }


def network_mse(problem: SupervisedProblem) -> float:
    points, wanted = test_split(problem)
    with torch.no_grad():
        error = copy.deepcopy(problem.model).double()(points.double()) - wanted
    return float(error.square().mean())


def test_split(problem: SupervisedProblem) -> Split:
    assert problem.test is not None
    return problem.test


if __name__ == "__main__":
    main()
