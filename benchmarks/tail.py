"""What one linearisation leaves of a nonlinear equation, and what Gauss-Newton steps take of that: one JSON line.

    python benchmarks/tail.py [--rate 0.5] [--cases 100] [--iterations 8000] [--max-rank 450] [--network FILE]

Diffusion and reaction as in the sample, with a reaction that many times as strong: some functions grow to several times the size of the rest, and
the linear model holds least for them. A network is trained from the equation (kept in FILE, or read from there); the same unseen functions are then
refined with one step each and with up to six. Errors are relative L2 norms of single functions.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import _harness as harness
import numpy as np

from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.refinement.cases import CasesSettings, refine_cases
from lsr_core.refinement.config import RefineConfig
from lsr_core.storage.bundles import load_problem, save_problem
from lsr_samples import train_diffusion_reaction as sample

STEPS = 6
TAIL = 0.06  # of the functions, as in the published figure: 18 of 300


def main() -> None:
    parser = harness.parser(__doc__)
    parser.add_argument("--rate", type=float, default=0.5)
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--iterations", type=int, default=8_000)
    parser.add_argument("--max-rank", type=int, default=450)
    parser.add_argument("--network", type=Path, help="a bundle that is read, or written if it is not there")
    options = parser.parse_args()
    harness.begin(options)
    iterations, cases, rank = (20, 3, 30) if options.quick else (options.iterations, options.cases, options.max_rank)
    machine = harness.Machine()
    problem = network(options.network, options.rate, iterations)
    line: dict[str, object] = {"benchmark": "tail", "rate": options.rate, "iterations": iterations, "cases": cases}
    for name, steps in (("one_step", 1), ("gauss_newton", STEPS)):
        line[name] = refined(problem, rank, cases, steps)
    harness.emit({**line, "machine": machine.report()})


def network(folder: Path | None, rate: float, iterations: int) -> PhysicsProblem:
    """Trained for the rate, or as it was kept."""
    if folder is not None and folder.exists():
        problem = load_problem(folder)
        assert isinstance(problem, PhysicsProblem)
        return problem
    operator = replace(sample.OPERATOR, loss=partial(sample.loss, rate=rate), options={"rate": rate})
    problem = operator.problem(iterations)
    if folder is not None:
        save_problem(folder, problem)
    return problem


def refined(problem: PhysicsProblem, rank: int, cases: int, steps: int) -> harness.Outcome:
    """A batch whose rank its residuals choose."""
    began = time.perf_counter()
    record = refine_cases(problem, RefineConfig(max_rank=rank), CasesSettings(cases=cases, steps=steps))
    harness.note(f"up to {steps} steps: {time.perf_counter() - began:.0f} s")
    errors = np.sort([case.refined for case in record.cases])[::-1]
    few = max(1, round(TAIL * len(errors)))
    return {
        "base": record.base.model_dump(),
        "refined": record.refined.model_dump(),
        "rank": record.rank,
        "tail_functions": few,
        "tail_share_of_mean": float(errors[:few].sum() / errors.sum()),
        "steps": np.bincount([case.steps for case in record.cases], minlength=steps + 1).tolist(),
        "seconds_per_case": record.seconds_per_case,
    }


if __name__ == "__main__":
    main()
