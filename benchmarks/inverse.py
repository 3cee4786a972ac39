"""Inverse problems over seeds of the noise: how often the interval holds the true number, and the error of an unknown field; one JSON line.

    python benchmarks/inverse.py [--seeds 20] [--fields 5] [--noise 0.05]

`heat`: the coefficient of the sample heat-coefficient from measurements of as many seeds, by `lsr solve` without a search for the network:
true value inside of the 95 % interval, root mean square error, mean standard deviation. `poisson`: PoissonInv of PINNacle (Hao et al. 2024, published
2.0e-2) likewise, relative L2 error of (u, a) together.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from dataclasses import replace
from typing import Any

from lsr_core.solver.config import SolveConfig
from lsr_core.solver.solution import JoinedSolution
from lsr_core.solver.solve import solve
from lsr_samples import physics, train_heat_coefficient, train_poisson_inverse

BAND = 1.96


def solved(sample: physics.EquationSample, options: dict[str, Any], **settings: Any) -> tuple[JoinedSolution, float]:
    """The sample with other measurements, solved, and the seconds that it took."""
    began = time.perf_counter()
    found = solve(replace(sample, options=options).start(0), SolveConfig(search=False, **settings))
    return found, time.perf_counter() - began


def heat(seeds: int, noise: float) -> dict[str, Any]:
    """Over seeds of the noise."""
    true, misses, deviations, seconds = train_heat_coefficient.COEFFICIENT, [], [], []
    for seed in range(seeds):
        found, took = solved(train_heat_coefficient.SAMPLE, train_heat_coefficient.options(seed, noise=noise))
        assert found.found is not None
        number = found.found.unknowns["D"]
        assert number.std is not None
        misses.append(number.value - true)
        deviations.append(number.std)
        seconds.append(took)
        report(
            f"heat {seed}: {number.value:.5f} ± {number.std:.5f}, {misses[-1] / number.std:+.2f} deviations, {took:.0f} s"
        )
    inside = sum(abs(miss) <= BAND * deviation for miss, deviation in zip(misses, deviations, strict=True))
    return {
        "seeds": seeds,
        "inside": inside,
        "rms_error": statistics.fmean(miss**2 for miss in misses) ** 0.5,
        "mean_std": statistics.fmean(deviations),
        "seconds": statistics.median(seconds),
    }


def poisson(seeds: int) -> dict[str, Any]:
    """Over seeds of the noise."""
    errors = []
    for seed in range(seeds):
        found, took = solved(train_poisson_inverse.SAMPLE, train_poisson_inverse.options(seed))
        assert found.relative_l2 is not None
        assert found.found is not None
        errors.append(found.relative_l2)
        report(f"poisson {seed}: {found.relative_l2:.2e}, by output {found.by_output}, {found.solved}, {took:.0f} s")
    return {"seeds": seeds, "median_relative_l2": statistics.median(errors), "all": errors} if errors else {"seeds": 0}


def report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Coverage of unknown numbers and errors of unknown fields.")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--fields", type=int, default=5)
    parser.add_argument("--noise", type=float, default=train_heat_coefficient.NOISE)
    asked = parser.parse_args()
    found = {"heat": heat(asked.seeds, asked.noise)} if asked.seeds else {}
    print(json.dumps(found | ({"poisson": poisson(asked.fields)} if asked.fields else {})))


if __name__ == "__main__":
    main()
