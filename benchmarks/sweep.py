"""What all ranks cost beside one rank, on sine2d: one JSON line.

    python benchmarks/sweep.py [--repeats 3] [--rank 1000]

Three comparisons:

* `whole`: one call with training, validation and test errors at every rank, against what a single refinement at the
  largest rank needs of the same stages (preparing, basis, training rows, and three errors of the predictor).
* `with_modes`: the response modes of all splits are there, in memory, and so is the factor of [G V, f] that building the basis
  leaves. `one` is a solve at the largest rank and three errors; `all` is the solutions and three errors of every rank. What `all`
  costs beyond `one`, added to the single refinement and divided by it, is `refinement_plus_ranks_ratio`.
* `per_rank`, for information: the published way, one least-squares solve and three forward-mode products for
  every rank in float32, measured at a few ranks and summed up over all by linear interpolation.
"""

from __future__ import annotations

import copy

import _harness as harness
import numpy as np
import recipe
import torch
from torch import Tensor

import lsr_core
from lsr_core import Refinement, Split, SupervisedProblem
from lsr_core.linalg.triangular import TriangularSolver, times_upper
from lsr_core.refinement.sweep import RankErrors, RankSolutions, SplitFactor

SINGLE_STAGES = ("preparing", "basis", "training rows", "checking")
Rows = dict[str, tuple[Tensor, Tensor]]


def main() -> None:
    parser = harness.parser(__doc__)
    parser.add_argument("--rank", type=int, default=1000)
    options = parser.parse_args()
    harness.begin(options)
    machine = harness.Machine()
    rank = min(options.rank, 60) if options.quick else options.rank
    problem = lsr_core.load_problem("sine2d")
    kept: list[Refinement] = []

    def whole() -> harness.Outcome:
        result, outcome = harness.refined(problem, max_rank=rank, rank=rank)
        kept[:] = [result]
        stages = outcome["timings"]
        return {**outcome, "single_seconds": sum(stages.get(stage, 0.0) for stage in SINGLE_STAGES)}

    runs = harness.alternate({"whole": whole}, options.repeats)
    rows = modes_of(kept[0], problem)
    solver = kept[0].solutions.solver
    left = torch.cat(
        [solver.triangle, -solver.rhs[:, None]], dim=1
    )  # what the basis leaves, without the part that no direction reaches
    outside = left.new_tensor(
        [[*[0.0] * solver.max_rank, (solver.base_norm**2 - float(solver.rhs.norm()) ** 2) ** 0.5]]
    )
    given = (rows, torch.cat([left, outside]), solver.rcond)
    algebra = harness.alternate({"one": lambda: one(*given), "all": lambda: every(*given)}, options.repeats)
    results = {name: harness.medians(outcomes) for name, outcomes in (runs | algebra).items()}
    single = results["whole"]["single_seconds"]
    added = results["all"]["seconds"] - results["one"]["seconds"]
    per_rank = published_way(problem, rows, rank, kept[0].delta.float())
    line = {
        "benchmark": "sweep",
        "rank": rank,
        "repeats": options.repeats,
        "whole": results["whole"],
        "whole_ratio": results["whole"]["seconds"] / single,
        "with_modes": {"one": results["one"], "all": results["all"]},
        "with_modes_cpu_ratio": results["all"]["cpu_seconds"] / results["one"]["cpu_seconds"],
        "with_modes_ratio": results["all"]["seconds"] / results["one"]["seconds"],
        "refinement_plus_ranks_ratio": (single + added) / single,
        "largest_error_gap": max_gap(results["one"], results["all"]),
        "per_rank": per_rank,
        "per_rank_ratio": per_rank["seconds"] / single,
    }
    harness.emit({**line, "machine": machine.report()})


def modes_of(result: Refinement, problem: SupervisedProblem) -> Rows:
    """Response modes J V and errors q − y of every split, rows scaled so that squared norms are mean squares."""
    rows = {}
    network = copy.deepcopy(problem.model).double()
    for name, split in splits(problem).items():
        points, wanted = split.inputs.double(), split.targets.double()
        with torch.no_grad():
            errors = network(points) - wanted
        weight = wanted.numel() ** -0.5
        rows[name] = (result.subspace.modes(points) * weight, errors.reshape(-1, 1) * weight)
    return rows


def one(rows: Rows, factor: Tensor, rcond: float) -> harness.Outcome:
    """The solution and the errors at the largest rank alone."""
    solver = TriangularSolver(factor, rcond=rcond)
    coefficients = solver.solve(solver.max_rank)
    outcome = {f"{name}_mse": misfit(coefficients, *rows[name]) for name in ("validation", "test")}
    return {"train_mse": solver.residual_norm(coefficients) ** 2, **outcome}


def misfit(coefficients: Tensor, modes: Tensor, errors: Tensor) -> float:
    return float((modes @ coefficients[:, None] + errors).square().sum())


def every(rows: Rows, factor: Tensor, rcond: float) -> harness.Outcome:
    """Solutions and errors of all ranks, as the engine has them: triangles for the training rows, running sums for the others."""
    solver = TriangularSolver(factor, rcond=rcond)
    solutions = RankSolutions(solver, range(solver.max_rank + 1), required=(solver.max_rank,))
    outcome = {"train_mse": float(RankErrors.of(SplitFactor(factor, 1.0), solutions).mse[-1])}
    for name in ("validation", "test"):
        modes, errors = rows[name]
        running = torch.cat(
            [errors, times_upper(modes[:, : solutions.exact_rank], solutions.increments)], dim=1
        ).cumsum_(dim=1)
        mse = torch.linalg.vector_norm(running, dim=0).square()
        if solutions.separate:
            mse = torch.cat([mse, (modes @ solutions.columns(solutions.separate) + errors).square().sum(dim=0)])
        outcome[f"{name}_mse"] = float(mse[-1])
    return outcome


def published_way(problem: SupervisedProblem, rows: Rows, rank: int, delta: Tensor) -> harness.Outcome:
    """Seconds of one solve and three errors at each of the ranks 1…R, the basis and G V being there already."""
    function = recipe.Flat.of(problem.model)
    parts = {name: (split.inputs.float(), split.targets.float()) for name, split in splits(problem).items()}
    modes, errors = (part.float() for part in rows["train"])
    measured = sorted({1, *(max(1, round(rank * share)) for share in (0.1, 0.25, 0.5, 0.75, 1.0))})
    seconds = []
    for count in measured:

        def solve(count: int = count) -> harness.Outcome:
            torch.linalg.lstsq(modes[:, :count], -errors, driver="gels")
            return {name: float((recipe.predict(function, delta, x) - y).norm()) for name, (x, y) in parts.items()}

        seconds.append(harness.timed(solve)["seconds"])
        harness.note(f"published way, rank {count}: {seconds[-1]:.2f} s")
    total = float(np.interp(np.arange(1, rank + 1), measured, seconds).sum())
    return {"seconds": total, "estimated_from": dict(zip(map(str, measured), seconds, strict=True))}


def splits(problem: SupervisedProblem) -> dict[str, Split]:
    return {name: split for name, split in problem.splits().items() if name != "grid"}


def max_gap(one_rank: harness.Outcome, all_ranks: harness.Outcome) -> float:
    """Largest relative difference of the errors at the largest rank: both ways must tell the same."""
    keys = [key for key in one_rank if key.endswith("_mse")]
    return max(abs(all_ranks[key] / one_rank[key] - 1) for key in keys)


if __name__ == "__main__":
    main()
