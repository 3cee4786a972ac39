"""Relative L2 errors of the samples with equations, bundles made anew for each seed; wall time of the whole command.

    python benchmarks/physics.py [--seeds 0,1,2] [--samples poisson-untrained,wave-untrained] [--search]

Untrained networks have the scales of their scripts, which were found on seed 0 by the residual on fresh points; with `--search` they are
searched again for each seed, which takes minutes. Nonlinear equations are refined with Gauss-Newton steps. One line for each
sample: the median over the seeds, and all of them.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import _harness as harness

LINEAR = ("poisson-untrained", "wave-untrained", "convection-periodic-untrained", "convection-untrained", "poisson")
NONLINEAR = ("reaction", "burgers", "allen-cahn")
STEPS = 8  # of Gauss-Newton at most; they end by themselves before
SHOWN = ("base", "refined", "rank", "fresh_residual", "seconds", "training_seconds")


def main() -> None:
    options = harness.parser(__doc__)
    options.add_argument("--seeds", default="0,1,2", help="with commas between them")
    options.add_argument("--samples", default=",".join(LINEAR + NONLINEAR), help="with commas between them")
    options.add_argument("--search", action="store_true", help="search the scales of untrained networks for each seed")
    given = options.parse_args()
    harness.begin(given)
    seeds = [0] if given.quick else [int(seed) for seed in given.seeds.split(",")]
    samples = list(LINEAR[:1]) if given.quick else given.samples.split(",")
    machine = harness.Machine()
    for sample in samples:
        with tempfile.TemporaryDirectory() as folder:
            outcomes = [measured(sample, seed, Path(folder) / str(seed), search=given.search) for seed in seeds]
        found = {key: statistics.median(outcome[key] for outcome in outcomes) for key in SHOWN}
        all_errors = [outcome["refined"] for outcome in outcomes]
        harness.emit({"benchmark": "physics", "sample": sample, "seeds": seeds, **found, "all": all_errors})
    harness.emit({"benchmark": "physics", "machine": machine.report()})


def measured(sample: str, seed: int, folder: Path, *, search: bool) -> harness.Outcome:
    """One bundle from its script, and one `lsr refine` of it."""
    script = [sys.executable, "-m", f"lsr_samples.train_{sample.replace('-', '_')}"]
    again = ["--search"] if search and sample.endswith("untrained") else []
    started = time.perf_counter()
    subprocess.run([*script, "--seed", str(seed), "--out", str(folder), *again], check=True)
    trained = time.perf_counter()
    command = [
        sys.executable,
        "-m",
        "lsr_app",
        "refine",
        str(folder / sample),
        "--runs",
        str(folder / "runs"),
        "--json",
        *(["--gauss-newton", str(STEPS)] if sample in NONLINEAR else []),
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    seconds = time.perf_counter() - trained
    record = json.loads(done.stdout)
    outcome = {
        "base": record["base"]["relative_l2"],
        "refined": record["refined"]["relative_l2"],
        "rank": record["rank"],
        "fresh_residual": record["residual_norm"]["fresh_nonlinear"],
        "seconds": seconds,
        "training_seconds": trained - started,
    }
    harness.note(f"{sample}, seed {seed}: {harness.shown(outcome)}, {seconds:.1f} s")
    return outcome


if __name__ == "__main__":
    main()
