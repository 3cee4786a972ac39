"""Iterative LSR on Poisson's equation in the published set-up (Cao & Zhang 2026): one JSON line for each half step.

    python benchmarks/published_poisson.py [--steps 2] [--seconds 3600]

A tanh network 2-128×6-1 from its random start, 20,000 points inside and 2,000 on the boundary drawn anew every round, boundary rows 100 times as
heavy as the others, rank 1000 by the output Jacobian, alignment by at most 300 steps of L-BFGS with pseudo time Δτ = 1e-3. Ours is in float64.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from lsr_core.storage.bundles import save_problem
from lsr_samples.physics import EquationSample

INTERIOR, BOUNDARY, HEAVIER = 20_000, 2_000, 100
SET_UP = EquationSample(
    name="poisson-published",
    title="Poisson equation, published set-up",
    description="",
    equation="poisson",
    layers=(2, *[128] * 6, 1),
    scale={"x": 1.0, "y": 1.0},
    options={
        "constraints": "soft",
        "n_interior": INTERIOR,
        "n_boundary": BOUNDARY,
        "weight": HEAVIER**2 * BOUNDARY / INTERIOR,  # of means, where the published rows are weighted one by one
    },
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--max-rank", type=int, default=1000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        bundle = save_problem(Path(scratch) / "poisson-published", SET_UP.start(seed=0))
        command = [
            sys.executable,
            "-m",
            "lsr_app",
            "iterate",
            str(bundle),
            "--runs",
            scratch,
            "--json",
            "--no-baselines",
        ]
        command += [
            "--steps",
            str(options.steps),
            "--seconds",
            str(options.seconds),
            "--max-rank",
            str(options.max_rank),
        ]
        command += ["--align", "pseudo-time", "--pseudo-time", "1e-3", "--optimiser", "lbfgs", "--align-steps", "300"]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    for step in json.loads(done.stdout)["steps"]:
        print(json.dumps({"benchmark": "published_poisson", **step}))


if __name__ == "__main__":
    main()
